//! `POST /rerank`.

use super::super::emit::Object as Writer;
use super::super::field::At;
use super::super::usage;
use super::Body;
use crate::dialect::{Cost, Head};
use crate::error::ReadError;
use crate::rerank::{Document, RerankReply, RerankRequest};

/// Reads a client's body.
///
/// # Errors
/// Names the field that is wrong.
pub fn read(body: &[u8]) -> Result<RerankRequest, ReadError> {
    let body = Body::parse(body)?;
    let at = body.need("documents", EXPECTED)?;
    let list = at.list()?.into_iter().enumerate();
    let documents: Vec<_> =
        list.map(|(number, raw)| document(at.index(number, raw))).collect::<Result<_, _>>()?;
    if documents.is_empty() {
        return Err(at.error(EXPECTED));
    }
    let top_n = body.whole("top_n", 1, u32::MAX)?;
    Ok(RerankRequest {
        model: body.model()?,
        query: body.need_text("query", "a text")?,
        documents,
        top_n: top_n.and_then(|top_n| usize::try_from(top_n).ok()),
        user: body.text("user")?,
        provider: body.provider(),
    })
}

fn document(at: At<'_, '_>) -> Result<Document, ReadError> {
    if at.is_text() {
        return Ok(Document { text: Some(at.text()?), image: None });
    }
    let fields = at.object()?;
    let text = |name: &'static str| {
        let raw = fields.field(name).filter(|raw| raw.get() != "null");
        raw.map(|raw| At::key(&at, name, raw).text()).transpose()
    };
    match (text("text")?, text("image")?) {
        (None, None) => Err(at.error("a text, or an object with `text`, `image` or both")),
        (text, image) => Ok(Document { text, image }),
    }
}

const EXPECTED: &str = "a list of at least one document";

/// Writes the reply; the documents come back with their ranks. `reply.usage` is what is billed.
pub fn write(reply: &RerankReply, request: &RerankRequest, head: &Head, cost: &Cost) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    object.value("id", &head.id);
    object.value("model", &head.model);
    object.value("provider", &head.provider);
    object.list("results", &reply.ranks, |rank, out| {
        let mut row = Writer::begin(out);
        row.value("index", &rank.index);
        row.value("relevance_score", &rank.score);
        let document = request.documents.get(rank.index).cloned().unwrap_or_default();
        row.object("document", |it| {
            it.optional("text", document.text.as_ref());
            it.optional("image", document.image.as_ref());
        });
        row.end();
    });
    object.object("usage", |usage| {
        usage.optional("search_units", reply.units.search_units.as_ref());
        usage.optional("total_tokens", reply.usage.prompt.as_ref());
        usage.raw("cost", usage::number(&cost.total));
    });
    object.end();
    out
}
