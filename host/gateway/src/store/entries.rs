//! A key's default plugins as JSON, in the form of a request's `plugins`: the API shows them so,
//! and stores keep them so.

use serde_json::{Map, Value};
use wire::{Json, PluginEntry};

/// `[{"id": …, "enabled": …, …options}]`
pub(crate) fn write_entries(entries: &[PluginEntry]) -> Value {
    entries.iter().map(write_entry).collect()
}

/// Reads the same. `null` is none.
///
/// # Errors
/// Names the field and what it must be.
pub(crate) fn read_entries(value: Value) -> Result<Vec<PluginEntry>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(entries) => {
            let entries = entries.into_iter().enumerate();
            entries.map(|(index, entry)| read_entry(index, entry)).collect()
        }
        _ => Err("plugins: expected a list such as [{\"id\": \"reasoning\"}], or null".to_owned()),
    }
}

fn write_entry(entry: &PluginEntry) -> Value {
    let mut fields = Map::new();
    fields.insert("id".to_owned(), entry.id.as_str().into());
    fields.insert("enabled".to_owned(), entry.enabled.into());
    // Whoever made the entry made its options an object.
    fields.extend(entry.options.read::<Map<String, Value>>().unwrap_or_default());
    Value::Object(fields)
}

fn read_entry(index: usize, entry: Value) -> Result<PluginEntry, String> {
    let Value::Object(mut fields) = entry else {
        return Err(format!("plugins[{index}]: expected an object with an id"));
    };
    let Some(Value::String(id)) = fields.remove("id") else {
        return Err(format!("plugins[{index}].id: expected a plugin's id"));
    };
    let enabled = match fields.remove("enabled") {
        None => true,
        Some(Value::Bool(enabled)) => enabled,
        Some(_) => return Err(format!("plugins[{index}].enabled: expected true or false")),
    };
    Ok(PluginEntry { id, enabled, options: Json::of(&fields) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let value = json!([{"id": "a", "enabled": true, "replace": {"cat": "dog"}},
            {"id": "b", "enabled": false}]);
        let entries = read_entries(value.clone()).unwrap();
        assert_eq!(write_entries(&entries), value);
        assert_eq!(read_entries(write_entries(&entries)), Ok(entries));
        assert_eq!(read_entries(Value::Null), Ok(Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (json!({"id": "a"}), "plugins: expected a list"),
            (json!("a"), "plugins: expected a list"),
            (json!(["a"]), "plugins[0]: expected an object"),
            (json!([{"id": "a"}, {}]), "plugins[1].id:"),
            (json!([{"id": 7}]), "plugins[0].id:"),
            (json!([{"id": "a", "enabled": "no"}]), "plugins[0].enabled:"),
        ];
        for (value, expected) in cases {
            let error = read_entries(value).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
