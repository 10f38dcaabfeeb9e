//! JSON Schemas of what a surface sends: `schemas/<surface>.json` has one for a whole `reply`, for a
//! stream's `event` and for an `error`. Where `PATCHBAY_OPENAPI` names OpenRouter's own document, the
//! operations that it describes are held against that as well.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::upstream::{folder, text};

/// A surface's schemas, compiled, by kind.
pub(crate) struct Schemas(BTreeMap<String, Vec<Validator>>);

impl Schemas {
    /// Of a surface; `None` where it has none.
    pub(crate) fn read(surface: &str) -> Option<Self> {
        let path = folder("schemas").join(format!("{surface}.json"));
        let kinds: Map<String, Value> =
            serde_json::from_str(&path.exists().then(|| text(&path))?).unwrap();
        let definitions = kinds.get("$defs").cloned().unwrap_or_default();
        let document = document();
        let mut schemas = BTreeMap::new();
        for (kind, schema) in kinds.into_iter().filter(|(kind, _)| kind != "$defs") {
            let mut schema = schema;
            schema["$defs"] = definitions.clone();
            let mut compiled = vec![compile(&schema)];
            let theirs = NAMES.iter().find(|(name, of, _)| (*name, *of) == (surface, &kind));
            if let (Some(document), Some((_, _, theirs))) = (&document, theirs) {
                let mut whole = match theirs.split_once(' ') {
                    Some((method, path)) => reply_of(document, path, method),
                    None => json!({"$ref": format!("#/components/schemas/{theirs}")}),
                };
                whole["components"] = document["components"].clone();
                compiled.push(compile(&whole));
            }
            schemas.insert(kind, compiled);
        }
        Some(Self(schemas))
    }

    /// Checks a body or an event's data.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub(crate) fn check(&self, kind: &str, body: &[u8]) -> Result<(), String> {
        let body: Value =
            serde_json::from_slice(body).map_err(|error| format!("{kind}: {error}"))?;
        for schema in self.0.get(kind).into_iter().flatten() {
            let wrong: Vec<String> = schema
                .iter_errors(&body)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            if !wrong.is_empty() {
                return Err(format!("the schema of {kind}: {}; in {body}", wrong.join("; ")));
            }
        }
        Ok(())
    }
}

/// What the document says that an operation replies.
fn reply_of(document: &Value, path: &str, method: &str) -> Value {
    document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
        .clone()
}

/// What OpenRouter's document calls them: surface, kind, its name or the operation.
const NAMES: &[(&str, &str, &str)] = &[
    ("openai-chat", "reply", "ChatResult"),
    ("openai-chat", "event", "ChatStreamChunk"),
    ("openai-responses", "reply", "OpenResponsesResult"),
    ("anthropic-messages", "reply", "MessagesResult"),
    ("calls", "models", "get /models"),
    ("calls", "count", "get /models/count"),
    ("calls", "endpoints", "get /models/{author}/{slug}/endpoints"),
    ("calls", "embeddings", "post /embeddings"),
    ("calls", "rerank", "post /rerank"),
];

/// The document as JSON, where there is one.
fn document() -> Option<Value> {
    let path = std::env::var_os("PATCHBAY_OPENAPI").filter(|path| !path.is_empty())?;
    Some(serde_json::from_str(&text(path.as_ref())).expect("PATCHBAY_OPENAPI names JSON"))
}

fn compile(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).unwrap_or_else(|error| panic!("{error}: {schema}"))
}
