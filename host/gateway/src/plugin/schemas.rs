//! What a plugin takes, by the JSON Schema of its description: its options, which the operator, a
//! key and a request may give, and the parameters of the tools that stand for it.
//!
//! A tool's parameters are options of the plugin, unless the schema's `$defs` has an entry by the
//! tool's type: then they are what that says.

use std::collections::BTreeMap;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};
use wire::Json;

use super::misfit;

/// The schema, ready to check by.
#[derive(Debug)]
pub(super) struct Schemas {
    options: Schema,
    /// Of the tools whose parameters are not the options, by type.
    tools: BTreeMap<String, Schema>,
}

/// What one object must be.
#[derive(Debug)]
struct Schema {
    validator: Validator,
    /// What may stand in it.
    names: Vec<String>,
}

impl Schemas {
    /// Reads the schema of the options. `tools` are the types of the tools that stand for the
    /// plugin.
    ///
    /// # Errors
    /// Says what is no schema.
    pub(super) fn read<'a>(
        schema: &Value,
        tools: impl Iterator<Item = &'a str>,
    ) -> Result<Self, String> {
        let shared = schema.get("$defs");
        let own = |kind: &'a str| {
            let mut own = shared?.get(kind)?.clone();
            if let (Some(own), Some(shared)) = (own.as_object_mut(), shared) {
                own.insert("$defs".to_owned(), shared.clone());
            }
            Some((kind, own))
        };
        let tools = tools.filter_map(own).map(|(kind, own)| {
            let read = Schema::read(&own).map_err(|error| format!("$defs.{kind}: {error}"))?;
            Ok((kind.to_owned(), read))
        });
        Ok(Self { options: Schema::read(schema)?, tools: tools.collect::<Result<_, String>>()? })
    }

    /// Checks the options of a request.
    ///
    /// # Errors
    /// Names the option and the fix.
    pub(super) fn check_options(&self, id: &str, options: &Value) -> Result<(), String> {
        let Err(error) = self.options.validator.validate(options) else { return Ok(()) };
        let what = misfit::explain(&error, &self.options.names);
        let fix = match error.kind() {
            ValidationErrorKind::Required { .. } if is_whole(&error) => {
                format!("; set it in the request or in [plugin.{id}.options]")
            }
            _ => String::new(),
        };
        Err(format!("options of `{id}`{what}{fix}"))
    }

    /// Checks what the operator sets for all requests. What is missing a request may bring.
    ///
    /// # Errors
    /// Names the option and the fix.
    pub(super) fn check_table(&self, id: &str, options: &toml::Table) -> Result<(), String> {
        let options = serde_json::to_value(options).map_err(|error| error.to_string())?;
        let mut errors = self.options.validator.iter_errors(&options);
        let is_set = |error: &ValidationError<'_>| !is_whole(error) || is_unknown(error);
        match errors.find(is_set) {
            None => Ok(()),
            Some(error) => {
                let what = misfit::explain(&error, &self.options.names);
                Err(format!("[plugin.{id}.options]{what}"))
            }
        }
    }

    /// Checks what a tool of this type says, laid over the options. Null says nothing.
    ///
    /// # Errors
    /// Names the parameter and the fix.
    pub(super) fn check_tool(&self, kind: &str, tool: &Json, options: &str) -> Result<(), String> {
        // Names without a colon are those of other APIs' tools, which say what they do there.
        if !kind.contains(':') {
            return Ok(());
        }
        let mut said = parameters(tool).map_err(|what| format!("`{kind}`: {what}"))?;
        let schema = self.tools.get(kind).unwrap_or(&self.options);
        if !self.tools.contains_key(kind) {
            let mut all: Map<String, Value> = serde_json::from_str(options).unwrap_or_default();
            all.extend(said);
            said = all;
        }
        let said = Value::Object(said);
        let Err(error) = schema.validator.validate(&said) else { return Ok(()) };
        Err(format!("parameters of `{kind}`{}", misfit::explain(&error, &schema.names)))
    }
}

impl Schema {
    fn read(schema: &Value) -> Result<Self, String> {
        let validator = jsonschema::validator_for(schema).map_err(|error| error.to_string())?;
        let properties = schema.get("properties").and_then(Value::as_object);
        let names = properties.into_iter().flatten().map(|(name, _)| name.clone());
        Ok(Self { validator, names: names.collect() })
    }
}

/// Whether an error is about the object itself, and not about something in it.
fn is_whole(error: &ValidationError<'_>) -> bool {
    error.instance_path().as_str().is_empty()
}

fn is_unknown(error: &ValidationError<'_>) -> bool {
    matches!(
        error.kind(),
        ValidationErrorKind::AdditionalProperties { .. }
            | ValidationErrorKind::FalseSchema
            | ValidationErrorKind::UnevaluatedProperties { .. }
            | ValidationErrorKind::PropertyNames { .. }
    )
}

/// What a tool says, under `parameters` or beside its type.
fn parameters(tool: &Json) -> Result<Map<String, Value>, String> {
    let mut said: Map<String, Value> = tool.read().map_err(|error| error.to_string())?;
    let inner = said.remove("parameters");
    said.retain(|name, _| !ENVELOPE.contains(&name.as_str()));
    match inner {
        None | Some(Value::Null) => {}
        Some(Value::Object(inner)) => said.extend(inner),
        Some(_) => return Err("`parameters` must be an object".to_owned()),
    }
    said.retain(|_, value| !value.is_null());
    Ok(said)
}

/// What every tool may say of itself.
const ENVELOPE: [&str; 5] = ["type", "name", "description", "cache_control", "defer_loading"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schemas() -> Schemas {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["place"],
            "properties": {
                "place": {"type": "string"},
                "most": {"type": "integer", "maximum": 9},
                "sites": {"type": "array", "items": {"$ref": "#/$defs/site"}}
            },
            "$defs": {
                "site": {"type": "string"},
                "acme:other": {
                    "additionalProperties": false,
                    "properties": {"site": {"$ref": "#/$defs/site"}}
                }
            }
        });
        Schemas::read(&schema, ["acme:look", "acme:other"].into_iter()).unwrap()
    }

    #[test]
    fn the_operator_may_leave_out_what_a_request_must_bring_and_nothing_may_be_wrong() {
        let check = |text: &str| schemas().check_table("look", &toml::from_str(text).unwrap());
        assert_eq!(check(""), Ok(()));
        assert_eq!(check("most = 9"), Ok(()));
        for (text, words) in [
            ("mots = 9", ["[plugin.look.options]", "did you mean `most`?"]),
            ("most = 10", ["[plugin.look.options] at /most", "10"]),
            ("sites = [1]", ["[plugin.look.options] at /sites/0", "string"]),
        ] {
            let error = check(text).unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }

    #[test]
    fn a_plugin_without_options_says_that_there_are_none() {
        let none = json!({"type": "object", "additionalProperties": false});
        let schemas = Schemas::read(&none, ["acme:look"].into_iter()).unwrap();
        let tool = Json::of(&json!({"type": "acme:look", "store": "Hamburg"}));
        let table: toml::Table = toml::from_str("store = \"Hamburg\"").unwrap();
        for (error, whole) in [
            (schemas.check_options("look", &json!({"store": "Hamburg"})), "options of `look`"),
            (schemas.check_tool("acme:look", &tool, "{}"), "parameters of `acme:look`"),
            (schemas.check_table("look", &table), "[plugin.look.options]"),
        ] {
            let told = format!("{whole}: there are none: leave \"Hamburg\" out");
            assert_eq!(error.unwrap_err(), told);
        }
        assert_eq!(schemas.check_table("look", &toml::Table::new()), Ok(()));
    }

    #[test]
    fn what_a_tool_says_are_options_unless_the_schema_has_an_entry_for_it() {
        let check = |tool: Value| {
            let kind = tool["type"].as_str().unwrap();
            schemas().check_tool(kind, &Json::of(&tool), r#"{"place":"here"}"#)
        };
        for good in [
            json!({"type": "acme:look"}),
            json!({"type": "acme:look", "name": "x", "parameters": {"most": 3, "sites": null}}),
            json!({"type": "acme:look", "most": 3, "parameters": null}),
            json!({"type": "acme:other", "parameters": {"site": "a"}}),
            json!({"type": "look", "parameters": {"filters": 7}}),
        ] {
            assert_eq!(check(good.clone()), Ok(()), "{good}");
        }
        for (bad, words) in [
            (
                json!({"type": "acme:look", "parameters": {"mots": 3}}),
                ["`acme:look`: there is no `mots`", "did you mean `most`?"],
            ),
            (json!({"type": "acme:look", "luck": 3}), ["there is no `luck`", "place, most, sites"]),
            (json!({"type": "acme:look", "parameters": {"most": "3"}}), ["at /most", "integer"]),
            (json!({"type": "acme:look", "parameters": 3}), ["`acme:look`", "must be an object"]),
            (json!({"type": "acme:other", "parameters": {"most": 3}}), ["`most`", "site"]),
            (json!({"type": "acme:other", "parameters": {"site": 3}}), ["at /site", "string"]),
        ] {
            let error = check(bad.clone()).unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{bad}: {error}");
        }
    }
}
