//! The options, as `options.json` describes them.

use serde::Deserialize;

/// The plugin's options.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Options {
    /// The embedding model.
    pub(crate) model: String,
    #[serde(default = "threshold")]
    pub(crate) threshold: f32,
    #[serde(default = "ttl_seconds")]
    pub(crate) ttl_seconds: u64,
    #[serde(default = "max_entries")]
    pub(crate) max_entries: usize,
    #[serde(default = "max_bytes")]
    pub(crate) max_bytes: usize,
    #[serde(default = "max_temperature")]
    pub(crate) max_temperature: f64,
    #[serde(default)]
    pub(crate) across_users: bool,
}

fn threshold() -> f32 {
    0.95
}

fn ttl_seconds() -> u64 {
    3600
}

fn max_entries() -> usize {
    100
}

fn max_bytes() -> usize {
    16_384
}

fn max_temperature() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::Options;
    use serde_json::{Value, json};

    #[test]
    fn the_schema_names_the_defaults() {
        let schema: Value = serde_json::from_str(crate::OPTIONS).unwrap();
        let default = |name: &str| schema["properties"][name]["default"].clone();
        let options: Options = serde_json::from_value(json!({"model": "a/b"})).unwrap();
        let threshold: f32 = serde_json::from_value(default("threshold")).unwrap();
        assert!((options.threshold - threshold).abs() < f32::EPSILON);
        assert_eq!(default("ttl_seconds"), options.ttl_seconds);
        assert_eq!(default("max_entries"), options.max_entries);
        assert_eq!(default("max_bytes"), options.max_bytes);
        assert_eq!(default("max_temperature").as_f64(), Some(options.max_temperature));
        assert_eq!(default("across_users"), options.across_users);
    }
}
