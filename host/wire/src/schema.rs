//! JSON Schemas for providers that hold a model to them exactly, and take only a part of JSON
//! Schema for that. Gemini's form is another language altogether and has a module of its own.
//!
//! Names of members are never taken for keywords: only what stands where a schema stands is
//! rewritten.

use serde_json::{Map, Value, json};

/// What a provider takes.
#[derive(Debug)]
pub(crate) struct Subset {
    /// Whether every member has to be demanded; one that may be absent becomes one that may be
    /// `null`.
    demands_all: bool,
    /// Keywords that are refused and that only narrow what fits: they are left out.
    dropped: &'static [&'static str],
    /// Formats of texts that are known.
    formats: &'static [&'static str],
}

/// <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>
pub(crate) const OPENAI: Subset = Subset {
    demands_all: true,
    dropped: &[
        "default",
        "minLength",
        "maxLength",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "examples",
    ],
    formats: &[
        "date-time",
        "time",
        "date",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uuid",
    ],
};

/// <https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations>
pub(crate) const ANTHROPIC: Subset = Subset {
    demands_all: false,
    dropped: &[
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
    ],
    formats: &[
        "date-time",
        "time",
        "date",
        "duration",
        "email",
        "hostname",
        "uri",
        "ipv4",
        "ipv6",
        "uuid",
    ],
};

/// The schema within a subset; `None` where it would say something else there: maps, `not`,
/// conditions, anything goes.
pub(crate) fn fit(schema: &Value, subset: &Subset) -> Option<Value> {
    let mut out = Map::new();
    for (key, value) in schema.as_object()? {
        match key.as_str() {
            "properties" | "$defs" | "definitions" => {
                let members = value.as_object()?.iter();
                let members = members.map(|(name, one)| Some((name.clone(), fit(one, subset)?)));
                out.insert(key.clone(), Value::Object(members.collect::<Option<_>>()?));
            }
            "items" => {
                out.insert(key.clone(), fit(value, subset)?);
            }
            "anyOf" | "oneOf" if !out.contains_key("anyOf") => {
                let choices = value.as_array()?.iter().map(|one| fit(one, subset));
                out.insert("anyOf".to_owned(), Value::Array(choices.collect::<Option<_>>()?));
            }
            "additionalProperties" if *value == Value::Bool(false) => {}
            "format" if !value.as_str().is_some_and(|name| subset.formats.contains(&name)) => {}
            "minItems" if !subset.demands_all && value.as_u64().is_none_or(|least| least > 1) => {}
            key if subset.dropped.contains(&key) => {}
            key if INEXPRESSIBLE.contains(&key) => return None,
            _ => {
                out.insert(key.clone(), value.clone());
            }
        }
    }
    if is_object(&out) {
        close(&mut out, schema.get("additionalProperties").is_some(), subset)?;
    }
    // An empty schema takes anything, which no provider can hold a model to.
    (!out.is_empty()).then_some(Value::Object(out))
}

fn is_object(schema: &Map<String, Value>) -> bool {
    let is_named = |kind: &Value| kind == "object";
    let by_type = schema.get("type").is_some_and(|kind| {
        is_named(kind) || kind.as_array().is_some_and(|kinds| kinds.iter().any(is_named))
    });
    by_type || schema.contains_key("properties")
}

/// Says that there are no other members, which is true of the schema or at least of its intent; an
/// object of which nothing is said is a map, though.
fn close(out: &mut Map<String, Value>, is_closed: bool, subset: &Subset) -> Option<()> {
    let demanded = out.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(members) = out.get_mut("properties").and_then(Value::as_object_mut) {
        if subset.demands_all {
            for (name, member) in members.iter_mut() {
                if !demanded.iter().any(|demand| demand == name) {
                    allow_null(member);
                }
            }
            let names: Vec<Value> = members.keys().map(|name| json!(name)).collect();
            out.insert("required".to_owned(), Value::Array(names));
        }
    } else if !is_closed {
        return None;
    }
    out.insert("additionalProperties".to_owned(), Value::Bool(false));
    Some(())
}

/// Lets a member be `null`.
fn allow_null(schema: &mut Value) {
    let nothing = json!({"type": "null"});
    let Some(fields) = schema.as_object_mut() else { return };
    if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
        if !choices.contains(&nothing) {
            choices.push(nothing);
        }
        return;
    }
    let is_plain = !fields.contains_key("const") && !fields.contains_key("$ref");
    match fields.get_mut("type").filter(|_| is_plain) {
        Some(Value::Array(kinds)) if kinds.iter().any(|kind| kind == "null") => return,
        Some(Value::Array(kinds)) => kinds.push(json!("null")),
        Some(kind) => *kind = json!([kind.clone(), "null"]),
        None => {
            *schema = json!({"anyOf": [schema.clone(), nothing]});
            return;
        }
    }
    if let Some(Value::Array(values)) = fields.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

/// What changes which values fit and has no counterpart in any subset.
const INEXPRESSIBLE: [&str; 18] = [
    "additionalProperties",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "prefixItems",
    "contains",
    "dependentSchemas",
    "dependentRequired",
    "dependencies",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$dynamicRef",
];

#[cfg(test)]
mod tests;
