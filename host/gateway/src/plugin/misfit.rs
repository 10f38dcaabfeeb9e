//! What does not fit a plugin's schema, in words that name the fix.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use crate::config::nearest;

/// Says where something does not fit, and what would: what stands behind the name of the whole.
/// `names` are what may stand in it.
pub(super) fn explain(error: &ValidationError<'_>, names: &[String]) -> String {
    let path = error.instance_path().to_string();
    let place = if path.is_empty() { String::new() } else { format!(" at {path}") };
    let what = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } if path.is_empty() => {
            unknown(unexpected, names)
        }
        // So the validator names a property where no property is allowed at all.
        ValidationErrorKind::FalseSchema if path.is_empty() && names.is_empty() => {
            format!("there are none: leave {} out", error.instance())
        }
        ValidationErrorKind::Enum { options } => {
            let known = options.as_array().into_iter().flatten().map(Value::to_string);
            let known = known.collect::<Vec<_>>().join(", ");
            format!("{} is none of {known}", error.instance())
        }
        ValidationErrorKind::Required { property } if path.is_empty() => {
            format!("{property} is missing")
        }
        _ => error.to_string(),
    };
    format!("{place}: {what}")
}

/// Names that there are not, and those that may be meant.
fn unknown(unexpected: &[String], names: &[String]) -> String {
    let known = || names.iter().map(String::as_str);
    let told = unexpected.iter().map(|name| match nearest::to(name, known()) {
        Some(near) => format!("there is no `{}`; did you mean `{near}`?", name.escape_debug()),
        None => format!("there is no `{}`.", name.escape_debug()),
    });
    let told = told.collect::<Vec<_>>().join(" ");
    match names {
        [] => format!("{told} There are none"),
        names => format!("{told} There are: {}", names.join(", ")),
    }
}
