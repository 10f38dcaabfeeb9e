//! What a reply rests on: `groundingMetadata` and `citationMetadata` as `url_citation`s, and
//! citations as `groundingMetadata`. Google counts in bytes of UTF-8, ours count characters.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::ReadError;
use crate::json::Json;

use super::fields::{Fields, under};

/// The texts that byte offsets may refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    /// The choice's text so far.
    pub(super) whole: &'a str,
    /// The texts of the last event's parts.
    pub(super) parts: &'a [String],
}

/// One annotation for each pair of a stretch of text and a source, then the sources that no
/// stretch names.
pub(super) fn citations(metadata: &Fields<'_>, said: Said<'_>) -> Result<Vec<Json>, ReadError> {
    let mut sources = Vec::new();
    for (at, chunk) in metadata.objects("groundingChunks")?.iter().enumerate() {
        let here = |error| under(error, &format!("groundingChunks[{at}]"));
        sources.push(source(chunk).map_err(here)?);
    }
    let mut cited = vec![false; sources.len()];
    let mut annotations = Vec::new();
    for (at, support) in metadata.objects("groundingSupports")?.iter().enumerate() {
        let here = |error| under(error, &format!("groundingSupports[{at}]"));
        let segment = support.object("segment").map_err(here)?;
        let span = match &segment {
            Some(segment) => {
                span_of(segment, said).map_err(|error| here(under(error, "segment")))?
            }
            None => None,
        };
        for index in support.list("groundingChunkIndices").map_err(here)? {
            let Ok(index) = index.get().parse::<usize>() else { continue };
            if let (Some(Some(source)), Some(seen)) = (sources.get(index), cited.get_mut(index)) {
                *seen = true;
                annotations.push(annotation(source, span));
            }
        }
    }
    let uncited = sources.iter().zip(cited).filter(|(_, cited)| !cited);
    annotations.extend(uncited.filter_map(|(source, _)| Some(annotation(source.as_ref()?, None))));
    Ok(annotations)
}

/// The sources that the model recited.
pub(super) fn recitations(metadata: &Fields<'_>, said: Said<'_>) -> Result<Vec<Json>, ReadError> {
    let mut annotations = Vec::new();
    for key in ["citationSources", "citations"] {
        for (at, one) in metadata.objects(key)?.iter().enumerate() {
            let here = |error| under(error, &format!("{key}[{at}]"));
            let span = span_of(one, said).map_err(here)?;
            if let Some(source) = source_of(one, "uri").map_err(here)? {
                annotations.push(annotation(&source, span));
            }
        }
    }
    Ok(annotations)
}

/// How often the model searched.
pub(super) fn searches(metadata: &Fields<'_>) -> Result<usize, ReadError> {
    Ok(metadata.texts("webSearchQueries")?.len())
}

fn source(chunk: &Fields<'_>) -> Result<Option<Map<String, Value>>, ReadError> {
    for kind in ["web", "retrievedContext", "maps", "image"] {
        if let Some(fields) = chunk.object(kind)? {
            let key = if kind == "image" { "sourceUri" } else { "uri" };
            return source_of(&fields, key).map_err(|error| under(error, kind));
        }
    }
    Ok(None)
}

fn source_of(fields: &Fields<'_>, key: &str) -> Result<Option<Map<String, Value>>, ReadError> {
    let Some(url) = fields.text(key)? else { return Ok(None) };
    let mut source = Map::new();
    source.insert("url".to_owned(), Value::String(url));
    for (theirs, ours) in [("title", "title"), ("text", "content")] {
        if let Some(text) = fields.text(theirs)? {
            source.insert(ours.to_owned(), Value::String(text));
        }
    }
    Ok(Some(source))
}

fn annotation(source: &Map<String, Value>, span: Option<(usize, usize)>) -> Json {
    let mut citation = source.clone();
    if let Some((start, end)) = span {
        citation.insert("start_index".to_owned(), start.into());
        citation.insert("end_index".to_owned(), end.into());
    }
    Json::of(&json!({"type": "url_citation", "url_citation": citation}))
}

/// The stretch in characters of the whole text; `None` where it can't be found there.
fn span_of(segment: &Fields<'_>, said: Said<'_>) -> Result<Option<(usize, usize)>, ReadError> {
    let Some(end) = segment.integer::<usize>("endIndex")? else { return Ok(None) };
    let start = segment.integer::<usize>("startIndex")?.unwrap_or(0);
    let part = segment.integer::<usize>("partIndex")?.unwrap_or(0);
    let text = segment.text("text")?;
    // Offsets count within a part. Of a streamed reply, whose parts come in many events, Google
    // counts from the beginning. The quoted text is the proof.
    let base = base_of(part, said).unwrap_or(0);
    let bases = [base, 0];
    let fits = |base: &usize| {
        let (start, end) = (base.checked_add(start)?, base.checked_add(end)?);
        let found = said.whole.get(start..end)?;
        text.as_deref().is_none_or(|text| text == found).then_some((start, end))
    };
    let quoted = || {
        let text = text.as_deref().filter(|text| !text.is_empty())?;
        let mut places = said.whole.match_indices(text);
        let (start, _) = places.next()?;
        places.next().is_none().then_some((start, start + text.len()))
    };
    Ok(bases.iter().find_map(fits).or_else(quoted).map(|(start, end)| {
        let chars = |end: usize| said.whole.get(..end).map_or(0, |text| text.chars().count());
        (chars(start), chars(end))
    }))
}

/// Where a part begins in the whole text, if one event held all of it.
fn base_of(part: usize, said: Said<'_>) -> Option<usize> {
    let sum = |parts: &[String]| parts.iter().map(String::len).sum::<usize>();
    let before = sum(said.parts.get(..part)?);
    (sum(said.parts) == said.whole.len()).then_some(before)
}

/// Annotations as `groundingMetadata`; `None` when none of them is a citation.
pub(super) fn write(annotations: &[Json], text: &str) -> Option<impl Serialize + use<>> {
    let mut chunks: Vec<Value> = Vec::new();
    let mut supports = Vec::new();
    for annotation in annotations {
        let Ok(value) = annotation.read::<Value>() else { continue };
        let Some(citation) = value.get("url_citation") else { continue };
        let Some(url) = citation.get("url").and_then(Value::as_str) else { continue };
        let title = citation.get("title").and_then(Value::as_str).unwrap_or(url);
        let chunk = json!({"web": {"uri": url, "title": title}});
        let known = chunks.iter().position(|known| *known == chunk);
        let index = known.unwrap_or_else(|| {
            chunks.push(chunk);
            chunks.len() - 1
        });
        let (start, end) =
            (offset(citation, "start_index", text), offset(citation, "end_index", text));
        if let (Some(start), Some(end)) = (start, end)
            && let Some(quoted) = text.get(start..end)
        {
            supports.push(json!({
                "segment": {"startIndex": start, "endIndex": end, "text": quoted},
                "groundingChunkIndices": [index],
            }));
        }
    }
    let metadata = json!({"groundingChunks": chunks, "groundingSupports": supports});
    (!chunks.is_empty()).then_some(metadata)
}

/// The byte at which a character stands.
fn offset(citation: &Value, key: &str, text: &str) -> Option<usize> {
    let chars = usize::try_from(citation.get(key)?.as_u64()?).ok()?;
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    places.nth(chars)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(segment: &str, whole: &str, parts: &[&str]) -> Option<(usize, usize)> {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        span_of(&Fields::parse(segment).unwrap(), Said { whole, parts: &parts }).unwrap()
    }

    #[test]
    fn bytes_become_characters() {
        let segment = r#"{"startIndex":9,"endIndex":14,"text":"wörm"}"#;
        assert_eq!(spans(segment, "Grüße: wörm", &[]), Some((7, 11)));
    }

    #[test]
    fn a_part_is_counted_from_its_own_beginning() {
        let segment = r#"{"partIndex":1,"startIndex":0,"endIndex":2,"text":"ü"}"#;
        assert_eq!(spans(segment, "äü", &["ä", "ü"]), Some((1, 2)));
    }

    #[test]
    fn wrong_offsets_are_mended_by_an_unmistakable_quotation() {
        let segment = r#"{"startIndex":1,"endIndex":99,"text":"b"}"#;
        assert_eq!(spans(segment, "abc", &[]), Some((1, 2)));
        assert_eq!(spans(segment, "abcb", &[]), None);
        assert_eq!(spans(r#"{"startIndex":1,"endIndex":2}"#, "ü", &[]), None);
    }

    #[test]
    fn citations_become_grounding_and_come_back() {
        let text = "Grüße: wörm";
        let annotations = [
            r#"{"type":"url_citation","url_citation":{"url":"https://a.example","title":"A",
                "start_index":7,"end_index":11}}"#,
            r#"{"type":"url_citation","url_citation":{"url":"https://b.example","title":"B"}}"#,
        ];
        let annotations =
            annotations.map(|text| Json::of(&serde_json::from_str::<Value>(text).unwrap()));
        let written = serde_json::to_string(&write(&annotations, text)).unwrap();
        let said = Said { whole: text, parts: &[] };
        assert_eq!(citations(&Fields::parse(&written).unwrap(), said).unwrap(), annotations);
    }
}
