//! Goes over a schema once: compiles its patterns, and refuses what is not checked.

use regex_lite::Regex;
use serde_json::Value;
use std::collections::HashMap;

/// Every pattern of the schema, compiled.
pub(super) fn patterns(root: &Value) -> Result<HashMap<String, Regex>, String> {
    let mut patterns = HashMap::new();
    let mut open = vec![root];
    while let Some(schema) = open.pop() {
        let Value::Object(fields) = schema else {
            if schema.is_boolean() {
                continue;
            }
            return Err("a schema is an object, true or false".into());
        };
        for (keyword, value) in fields {
            match keyword.as_str() {
                "pattern" => compile(value.as_str(), &mut patterns)?,
                "$ref" => check_reference(value.as_str(), root)?,
                "additionalProperties"
                | "propertyNames"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else" => open.push(value),
                "items" if value.is_array() => open.extend(value.as_array().into_iter().flatten()),
                "items" => open.push(value),
                "prefixItems" | "allOf" | "anyOf" | "oneOf" => {
                    open.extend(value.as_array().ok_or_else(|| format!("`{keyword}` is no list"))?);
                }
                "properties" | "patternProperties" | "dependentSchemas" | "$defs"
                | "definitions" => {
                    let named = value.as_object();
                    let named = named.ok_or_else(|| format!("`{keyword}` is no object"))?;
                    if keyword == "patternProperties" {
                        named.keys().try_for_each(|key| compile(Some(key), &mut patterns))?;
                    }
                    open.extend(named.values());
                }
                other if NOT_CHECKED.contains(&other) => {
                    return Err(format!("the schema's keyword `{other}` is not checked"));
                }
                _ => {}
            }
        }
    }
    Ok(patterns)
}

fn compile(pattern: Option<&str>, into: &mut HashMap<String, Regex>) -> Result<(), String> {
    let pattern = pattern.ok_or("a pattern is a text")?;
    let regex = Regex::new(pattern).map_err(|error| format!("the pattern {pattern:?}: {error}"))?;
    into.insert(pattern.into(), regex);
    Ok(())
}

fn check_reference(reference: Option<&str>, root: &Value) -> Result<(), String> {
    let target = reference.and_then(|reference| target(reference, root));
    target.map(|_| ()).ok_or_else(|| "a `$ref` that leads out of the schema is not checked".into())
}

/// What a reference inside the schema names.
pub(super) fn target<'a>(reference: &str, root: &'a Value) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

const NOT_CHECKED: [&str; 8] = [
    "$dynamicRef",
    "$recursiveRef",
    "$anchor",
    "$dynamicAnchor",
    "dependencies",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];
