//! JSON Schema to Gemini's `Schema` (a subset of OpenAPI 3.0) and back. What the subset can't say
//! without loss gives `None`, and the caller sends the JSON Schema itself in the newer field.

use serde_json::{Map, Value, json};

/// The schema in Gemini's form: references put in place, unions as `anyOf`, `null` as `nullable`.
/// `None` where meaning would be lost: recursion, maps, tuples, `not`, values without a type,
/// enumerations of anything but texts.
pub(super) fn to_gemini(schema: &Value) -> Option<Value> {
    Rewriter { root: schema, open: Vec::new(), left: NODES_MAX, depth: 0 }
        .rewrite(schema)
        .map(Value::Object)
}

/// A schema of Gemini's form as JSON Schema: types in lower case, `nullable` as a union.
pub(super) fn from_gemini(schema: &Value) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let nullable = fields.get("nullable").and_then(Value::as_bool).unwrap_or(false);
    let mut out = Map::new();
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("nullable" | "propertyOrdering" | "property_ordering", _) => {}
            ("type", Value::String(name)) => {
                let name = name.to_ascii_lowercase();
                let value = if nullable { json!([name, "null"]) } else { json!(name) };
                out.insert("type".to_owned(), value);
            }
            ("properties" | "$defs" | "defs", Value::Object(members)) => {
                let members = members.iter().map(|(name, one)| (name.clone(), from_gemini(one)));
                out.insert(key.clone(), Value::Object(members.collect()));
            }
            ("items" | "additionalProperties", value) => {
                out.insert(key.clone(), from_gemini(value));
            }
            ("anyOf" | "any_of", Value::Array(choices)) => {
                let mut choices: Vec<Value> = choices.iter().map(from_gemini).collect();
                if nullable {
                    choices.push(json!({"type": "null"}));
                }
                out.insert("anyOf".to_owned(), Value::Array(choices));
            }
            (key, value) => {
                let key = plain_key(key);
                out.insert(key.to_owned(), number_of(key, value).unwrap_or(value.clone()));
            }
        }
    }
    Value::Object(out)
}

/// Protobuf writes whole numbers of 64 bits as text; JSON Schema knows them as numbers only.
fn number_of(key: &str, value: &Value) -> Option<Value> {
    let is_limit = key.starts_with("min") || key.starts_with("max");
    let number: u64 = value.as_str().filter(|_| is_limit)?.parse().ok()?;
    Some(number.into())
}

fn plain_key(key: &str) -> &str {
    match key {
        "min_items" => "minItems",
        "max_items" => "maxItems",
        "min_length" => "minLength",
        "max_length" => "maxLength",
        "min_properties" => "minProperties",
        "max_properties" => "maxProperties",
        key => key,
    }
}

/// One walk. `left` and `depth` bound what references may expand to.
struct Rewriter<'a> {
    root: &'a Value,
    open: Vec<&'a str>,
    left: usize,
    depth: usize,
}

impl<'a> Rewriter<'a> {
    fn rewrite(&mut self, schema: &'a Value) -> Option<Map<String, Value>> {
        self.left = self.left.checked_sub(1)?;
        if self.depth == DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        let out = self.schema(schema);
        self.depth -= 1;
        out
    }

    fn schema(&mut self, schema: &'a Value) -> Option<Map<String, Value>> {
        let fields = schema.as_object()?;
        if fields.keys().any(|key| INEXPRESSIBLE.contains(&key.as_str())) {
            return None;
        }
        if let Some(values) = fields.get("additionalProperties")
            && !values.is_boolean()
        {
            return None;
        }
        let mut out = self.plain(fields)?;
        self.kind(fields, &mut out)?;
        if let Some(target) = fields.get("$ref") {
            let target = self.follow(target.as_str()?)?;
            merge(&mut out, target)?;
        }
        for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            let part = self.rewrite(part)?;
            merge(&mut out, part)?;
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(choices) = fields.get(key) {
                self.union(choices.as_array()?, &mut out)?;
            }
        }
        complete(out)
    }

    /// What is the same on both sides, and the members below.
    fn plain(&mut self, fields: &'a Map<String, Value>) -> Option<Map<String, Value>> {
        let mut out = Map::new();
        for (key, value) in fields {
            match key.as_str() {
                key if KEPT.contains(&key) => {
                    out.insert(key.to_owned(), value.clone());
                }
                "format" if FORMATS.contains(&value.as_str()?) => {
                    out.insert(key.clone(), value.clone());
                }
                "enum" | "const" => {
                    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                    enumerate(&values, &mut out)?;
                }
                "items" => {
                    let items = self.rewrite(value)?;
                    out.insert(key.clone(), Value::Object(items));
                }
                "properties" => {
                    let mut members = Map::new();
                    for (name, member) in value.as_object()? {
                        let member = self.rewrite(member)?;
                        members.insert(name.clone(), Value::Object(member));
                    }
                    out.insert(key.clone(), Value::Object(members));
                }
                _ => {}
            }
        }
        Some(out)
    }

    fn kind(&mut self, fields: &Map<String, Value>, out: &mut Map<String, Value>) -> Option<()> {
        match fields.get("type") {
            None => {}
            Some(Value::String(name)) => kind_of(name, out)?,
            Some(Value::Array(names)) => {
                let mut names: Vec<&str> =
                    names.iter().map(Value::as_str).collect::<Option<_>>()?;
                if names.contains(&"null") {
                    out.insert("nullable".to_owned(), Value::Bool(true));
                    names.retain(|name| *name != "null");
                }
                match names.as_slice() {
                    [] => return None,
                    [name] => kind_of(name, out)?,
                    names => spread(names, out)?,
                }
            }
            Some(_) => return None,
        }
        Some(())
    }

    fn follow(&mut self, target: &'a str) -> Option<Map<String, Value>> {
        if self.open.contains(&target) {
            return None;
        }
        let schema = self.root.pointer(target.strip_prefix('#')?)?;
        self.open.push(target);
        let out = self.rewrite(schema);
        self.open.pop();
        out
    }

    fn union(&mut self, choices: &'a [Value], out: &mut Map<String, Value>) -> Option<()> {
        let mut members = Vec::with_capacity(choices.len());
        for choice in choices {
            if choice.get("type").and_then(Value::as_str) == Some("null") {
                out.insert("nullable".to_owned(), Value::Bool(true));
            } else {
                members.push(self.rewrite(choice)?);
            }
        }
        if members.len() == 1 {
            return merge(out, members.pop()?);
        }
        if out.contains_key("anyOf") || members.is_empty() {
            return None;
        }
        let members = members.into_iter().map(Value::Object).collect();
        out.insert("anyOf".to_owned(), Value::Array(members));
        Some(())
    }
}

fn kind_of(name: &str, out: &mut Map<String, Value>) -> Option<()> {
    if !TYPES.contains(&name.to_ascii_lowercase().as_str()) {
        return None;
    }
    out.insert("type".to_owned(), Value::String(name.to_ascii_uppercase()));
    Some(())
}

/// A union of bare types. Limits and members would have to be dealt out among them.
fn spread(names: &[&str], out: &mut Map<String, Value>) -> Option<()> {
    if out.keys().any(|key| !matches!(key.as_str(), "title" | "description" | "nullable")) {
        return None;
    }
    let mut choices = Vec::with_capacity(names.len());
    for name in names {
        let mut choice = Map::new();
        kind_of(name, &mut choice)?;
        choices.push(Value::Object(complete(choice)?));
    }
    out.insert("anyOf".to_owned(), Value::Array(choices));
    Some(())
}

/// Only texts can be enumerated; `null` among them makes the value nullable.
fn enumerate(values: &[Value], out: &mut Map<String, Value>) -> Option<()> {
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::String(_) => texts.push(value.clone()),
            Value::Null => {
                out.insert("nullable".to_owned(), Value::Bool(true));
            }
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => return None,
        }
    }
    if texts.is_empty() {
        return None;
    }
    out.insert("type".to_owned(), json!("STRING"));
    out.insert("format".to_owned(), json!("enum"));
    out.insert("enum".to_owned(), Value::Array(texts));
    Some(())
}

/// Adds what `more` says. Members and demands add up, words nearer to the use win, and anything
/// else that is said differently can't be said at all.
fn merge(out: &mut Map<String, Value>, more: Map<String, Value>) -> Option<()> {
    for (key, value) in more {
        match (out.get_mut(&key), value) {
            (None, value) => {
                out.insert(key, value);
            }
            (Some(Value::Object(ours)), Value::Object(theirs)) if key == "properties" => {
                for (name, member) in theirs {
                    if ours.get(&name).is_some_and(|known| *known != member) {
                        return None;
                    }
                    ours.insert(name, member);
                }
            }
            (Some(Value::Array(ours)), Value::Array(theirs)) if key == "required" => {
                for name in theirs {
                    if !ours.contains(&name) {
                        ours.push(name);
                    }
                }
            }
            (Some(_), _) if matches!(key.as_str(), "title" | "description") => {}
            (Some(ours), theirs) if *ours == theirs => {}
            (Some(_), _) => return None,
        }
    }
    Some(())
}

/// Fills in the type that the other fields imply, and refuses what Gemini would refuse.
fn complete(mut out: Map<String, Value>) -> Option<Map<String, Value>> {
    if !out.contains_key("type") && !out.contains_key("anyOf") {
        let implied = match (out.contains_key("properties"), out.contains_key("items")) {
            (true, _) => "OBJECT",
            (_, true) => "ARRAY",
            _ => return None,
        };
        out.insert("type".to_owned(), json!(implied));
    }
    let members = out.get("properties").and_then(Value::as_object);
    match out.get("type").and_then(Value::as_str) {
        Some("OBJECT") if members.is_none_or(Map::is_empty) => return None,
        Some("ARRAY") if !out.contains_key("items") => return None,
        _ => {}
    }
    let names: Option<Vec<String>> = members.map(|members| members.keys().cloned().collect());
    if let (Some(Value::Array(demands)), Some(names)) = (out.get_mut("required"), names) {
        // Gemini refuses a demand for a member that is not described.
        demands
            .retain(|demand| demand.as_str().is_some_and(|name| names.iter().any(|n| n == name)));
    }
    if out.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        out.remove("required");
    }
    Some(out)
}

/// How many schemas one may expand to before it is sent unexpanded.
const NODES_MAX: usize = 10_000;

/// How deep: what JSON readers take, with room for the body around it.
const DEPTH_MAX: usize = 60;

const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];

const FORMATS: [&str; 6] = ["date-time", "enum", "float", "double", "int32", "int64"];

/// The same on both sides.
const KEPT: [&str; 13] = [
    "title",
    "description",
    "required",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "nullable",
];

/// What changes which values fit and has no counterpart.
const INEXPRESSIBLE: [&str; 13] = [
    "not",
    "if",
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
    "$recursiveRef",
];

#[cfg(test)]
mod tests;
