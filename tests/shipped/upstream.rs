//! An upstream that says what a case's model says.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wire::{Chunk, Cost, Delta, FinishReason, Head, Reply, Usage};

use super::case::Case;
use super::request::MODEL;
use crate::harness::Double;

/// The name of its script.
pub(super) const NAME: &str = "up";

/// The same of the models that plugins ask.
/// It is the name that a case's models are served by.
const ASIDE: &str = "test";

/// The models that the cases name, all of them behind the double.
pub(super) fn config(double: &Double, cases: &[Case]) -> String {
    let named = cases.iter().filter_map(|case| case.request["model"].as_str());
    let ids = named.map(|name| name.split(':').next().unwrap()).chain([MODEL]);
    let ids: BTreeSet<&str> = ids.collect();
    let asides = cases.iter().flat_map(|case| &case.asides).map(|(id, _)| id.as_str());
    let asides: BTreeSet<&str> = asides.filter(|id| !ids.contains(id)).collect();
    let mut config =
        "[plugins.limits]\ncpu_ms = 10000\n[plugins.breaker]\nfailures = 60000\n".to_owned();
    for (provider, ids) in [(NAME, ids), (ASIDE, asides)] {
        config.push_str(&format!(
            "[[provider]]\nslug = \"{provider}\"\ndialect = \"openai-chat\"\n\
             base_url = \"{}/{provider}\"\ncredential = \"none\"\n",
            double.url
        ));
        ids.into_iter().for_each(|id| config.push_str(&model(id, provider)));
    }
    config
}

fn model(id: &str, provider: &str) -> String {
    format!(
        "[[model]]\nid = \"{id}\"\ncontext_length = 100000\n\
         input_modalities = [\"text\", \"image\"]\nsupported_parameters = {PARAMETERS}\n\
         [[model.endpoint]]\nprovider = \"{provider}\"\nmodel = \"up\"\n\
         max_output_tokens = 1000\nprice = {{ prompt = \"1\", completion = \"2\" }}\n"
    )
}

/// It reads everything that a case may ask for.
const PARAMETERS: &str = "[\"tools\", \"tool_choice\", \"response_format\", \
    \"structured_outputs\", \"max_tokens\", \"temperature\"]";

/// Lets the double say this, whole or streamed.
pub(super) async fn say(double: &Double, deltas: &[Delta]) {
    double.forget(NAME).await;
    double.script(NAME, &script(deltas)).await;
}

/// Lets the models that a plugin asks say these, one after the other.
pub(super) async fn say_aside(double: &Double, asides: &[(String, String)]) {
    let finish = || Delta::Finish { choice: 0, reason: FinishReason::Stop, native: None };
    let said = asides.iter().map(|(_, text)| {
        let deltas = [Delta::Text { choice: 0, text: text.clone() }, finish()];
        script(&deltas)["whole"].clone()
    });
    double.script(ASIDE, &json!({"whole": said.collect::<Vec<_>>()})).await;
}

/// The double's answers that say this.
pub(super) fn script(deltas: &[Delta]) -> Value {
    let dialect = wire::dialect("openai-chat").unwrap();
    let head =
        Head { id: "up-1".to_owned(), created: 1, model: "up".to_owned(), ..Head::default() };
    let usage = Usage { prompt: Some(10), completion: Some(5), ..Usage::default() };
    let zero = || "0".to_owned();
    let cost = Cost { total: zero(), prompt: zero(), completion: zero(), is_byok: false };
    let said = deltas.iter().filter(|delta| !matches!(delta, Delta::Usage(_)));
    let chunks: Vec<Chunk> = said.map(|delta| Chunk::of(vec![delta.clone()])).collect();
    let mut writer = dialect.write_stream(&head);
    let mut stream = Vec::new();
    chunks.iter().for_each(|chunk| writer.chunk(chunk, &mut stream));
    writer.end(&usage, &cost, &mut stream);
    let mut reply = Reply::fold(&chunks);
    reply.usage = usage;
    let whole = dialect.write_reply(&reply, &head, &cost);
    let text = |bytes: Vec<u8>| Value::String(String::from_utf8(bytes).unwrap());
    json!({
        "stream": {"sse": [{"raw": text(stream)}], "split": 100},
        "whole": {"body": text(whole)},
    })
}

/// What it was asked last, and how often since it was last told what to say.
pub(super) async fn asked(double: &Double) -> (Value, usize) {
    let log = double.log(NAME).await;
    let all = log.as_array().unwrap();
    (all.last().map(|one| one["body"].clone()).unwrap_or_default(), all.len())
}
