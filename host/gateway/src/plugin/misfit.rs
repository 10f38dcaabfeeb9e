//! What is wrong with a plugin's options, in words that name the fix.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::load::Plugin;
use crate::config::nearest;

/// Says which option does not fit, and what would.
pub(super) fn explain(plugin: &Plugin, error: &ValidationError<'_>) -> String {
    let id = &plugin.description.id;
    let path = error.instance_path().to_string();
    let place = if path.is_empty() { String::new() } else { format!(" at {path}") };
    let what = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } if path.is_empty() => {
            unknown(unexpected, &names(plugin))
        }
        ValidationErrorKind::Enum { options } => {
            let known = options.as_array().into_iter().flatten().map(Value::to_string);
            let known = known.collect::<Vec<_>>().join(", ");
            format!("{} is none of {known}", error.instance())
        }
        ValidationErrorKind::Required { property } if path.is_empty() => {
            format!("{property} is missing; set it in the request or in [plugin.{id}.options]")
        }
        _ => error.to_string(),
    };
    format!("options of `{id}`{place}: {what}")
}

/// Options that there are not, and those that may be meant.
fn unknown(unexpected: &[String], names: &[String]) -> String {
    let known = || names.iter().map(String::as_str);
    let told = unexpected.iter().map(|name| match nearest::to(name, known()) {
        Some(near) => format!("there is no `{}`; did you mean `{near}`?", name.escape_debug()),
        None if names.is_empty() => format!("there is no `{}`: it has none", name.escape_debug()),
        None => format!("there is no `{}`; there are {}", name.escape_debug(), names.join(", ")),
    });
    told.collect::<Vec<_>>().join(" ")
}

/// The names of a plugin's options.
fn names(plugin: &Plugin) -> Vec<String> {
    let schema: Value = plugin.description.options.read().unwrap_or_default();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}
