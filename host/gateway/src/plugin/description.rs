//! What a plugin says of itself, checked, and the limits it gets: what it asks for, capped by the
//! operator.

use jsonschema::Validator;
use wire::Json;

use super::bindings::about;
use super::capability;
use crate::config::{self, Config};

/// A checked description.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    /// What requests name.
    pub(crate) id: String,
    /// `1.2.3`
    pub(crate) version: String,
    /// Decides what its failures do.
    pub(crate) kind: Kind,
    /// One sentence.
    pub(crate) summary: String,
    /// JSON Schema of its options.
    pub(crate) options: Json,
    /// Model suffixes that enable it.
    pub(crate) suffixes: Vec<String>,
    /// Capabilities wanted.
    pub(crate) capabilities: Vec<String>,
}

/// What a plugin's failure does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ends the generation.
    Guard,
    /// Leaves the plugin out; what it held is released unchanged.
    Transform,
    /// Is ignored.
    Observe,
}

impl Kind {
    /// The name in the management API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Transform => "transform",
            Self::Observe => "observe",
        }
    }
}

/// What a plugin may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// CPU per call in milliseconds.
    pub(crate) cpu_ms: u32,
    /// Linear memory in bytes.
    pub(crate) memory_bytes: usize,
    /// Bytes that it may hold back, over all choices.
    pub(crate) held_bytes: usize,
    /// How long it may hold them.
    pub(crate) held_ms: u64,
    /// How many times its input its output may be.
    pub(crate) expansion: usize,
}

/// Checks a description.
///
/// # Errors
/// Names the field and what it must be.
pub(super) fn check(
    it: about::Description,
    config: &Config,
) -> Result<(Description, Validator, Limits), String> {
    let is_id_letter =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_word = |word: &str, bytes_max| {
        let begins = word.bytes().next().is_some_and(|byte| byte != b'-');
        begins && word.len() <= bytes_max && word.bytes().all(is_id_letter)
    };
    if !is_word(&it.id, ID_BYTES_MAX) {
        let rule = "use 1 to 64 lower-case letters, digits and `-`";
        return Err(format!("id `{}` is no id: {rule}", it.id.escape_debug()));
    }
    if !is_version(&it.version) {
        return Err(format!("version `{}` is none: write `1.2.3`", it.version.escape_debug()));
    }
    if it.summary.len() > SUMMARY_BYTES_MAX {
        return Err(format!("summary is longer than {SUMMARY_BYTES_MAX} bytes"));
    }
    if let Some(suffix) = it.suffixes.iter().find(|suffix| !is_word(suffix, SUFFIX_BYTES_MAX)) {
        let rule = "use 1 to 32 lower-case letters, digits and `-`";
        return Err(format!("suffix `{}` is none: {rule}", suffix.escape_debug()));
    }
    if let Some(name) =
        it.capabilities.iter().find(|name| !capability::LINKED.contains(&name.as_str()))
    {
        let known = capability::LINKED.join(", ");
        return Err(format!("capability `{name}` is not one of this version's ({known})"));
    }
    let (options, validator) = schema(it.options)?;
    let limits = limits(&it.limits, &config.plugins, config.plugin.get(&it.id))?;
    let description = Description {
        id: it.id,
        version: it.version,
        kind: match it.kind {
            about::Kind::Guard => Kind::Guard,
            about::Kind::Transform => Kind::Transform,
            about::Kind::Observe => Kind::Observe,
        },
        summary: it.summary,
        options,
        suffixes: it.suffixes,
        capabilities: it.capabilities,
    };
    Ok((description, validator, limits))
}

/// `1.2.3`, or `1.2.3-rc.1`.
fn is_version(version: &str) -> bool {
    let (numbers, label) = version.split_once('-').unwrap_or((version, "0"));
    let is_label_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    let numbers: Vec<_> = numbers.split('.').collect();
    version.len() <= 64
        && numbers.len() == 3
        && numbers.iter().all(|number| number.parse::<u32>().is_ok())
        && !label.is_empty()
        && label.bytes().all(is_label_byte)
}

fn schema(text: String) -> Result<(Json, Validator), String> {
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("options is not JSON: {error}"))?;
    if !value.is_object() {
        return Err("options must be a JSON Schema, an object".to_owned());
    }
    let validator = jsonschema::validator_for(&value)
        .map_err(|error| format!("options is not a JSON Schema: {error}"))?;
    let json = Json::parse(text).map_err(|error| format!("options is not JSON: {error}"))?;
    Ok((json, validator))
}

/// What was asked for, at most the operator's ceiling for this plugin, at most that for all.
fn limits(
    asked: &[about::Limit],
    ceilings: &config::Plugins,
    table: Option<&config::PluginTable>,
) -> Result<Limits, String> {
    let mut limits = Limits {
        cpu_ms: ceilings.cpu_ms,
        memory_bytes: ceilings.memory_bytes_max,
        held_bytes: ceilings.held_bytes_max,
        held_ms: ceilings.held_ms_max,
        expansion: ceilings.expansion_max,
    };
    for limit in asked {
        let bytes = usize::try_from(limit.value).unwrap_or(usize::MAX);
        match limit.name.as_str() {
            "cpu-ms" => {
                let cpu_ms = u32::try_from(limit.value).unwrap_or(u32::MAX);
                limits.cpu_ms = limits.cpu_ms.min(cpu_ms);
            }
            "memory-bytes" => limits.memory_bytes = limits.memory_bytes.min(bytes),
            "held-bytes" => limits.held_bytes = limits.held_bytes.min(bytes),
            "held-ms" => limits.held_ms = limits.held_ms.min(limit.value),
            name => {
                let known = "cpu-ms, memory-bytes, held-bytes, held-ms";
                return Err(format!("limit `{}` is none of {known}", name.escape_debug()));
            }
        }
    }
    if let Some(table) = table {
        limits.cpu_ms = limits.cpu_ms.min(table.cpu_ms.unwrap_or(u32::MAX));
        limits.memory_bytes = limits.memory_bytes.min(table.memory_bytes_max.unwrap_or(usize::MAX));
    }
    Ok(limits)
}

const ID_BYTES_MAX: usize = 64;
const SUFFIX_BYTES_MAX: usize = 32;
const SUMMARY_BYTES_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> about::Description {
        about::Description {
            id: "hello".to_owned(),
            version: "1.2.3".to_owned(),
            kind: about::Kind::Transform,
            summary: String::new(),
            options: "{}".to_owned(),
            suffixes: Vec::new(),
            limits: Vec::new(),
            capabilities: Vec::new(),
        }
    }

    fn refusal(change: impl FnOnce(&mut about::Description)) -> String {
        let mut it = described();
        change(&mut it);
        check(it, &Config::default()).map(|_| ()).unwrap_err()
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(refusal(|it| it.id = "Hello".into()).starts_with("id `Hello`"));
        assert!(refusal(|it| it.id = "-a".into()).starts_with("id `-a`"));
        assert!(refusal(|it| it.id = String::new()).starts_with("id ``"));
        assert!(refusal(|it| it.version = "1.2".into()).starts_with("version `1.2`"));
        assert!(refusal(|it| it.options = "{".into()).starts_with("options is not JSON"));
        assert!(refusal(|it| it.options = "[]".into()).contains("an object"));
        assert!(refusal(|it| it.options = r#"{"type":7}"#.into()).contains("JSON Schema"));
        assert!(refusal(|it| it.suffixes.push("a:b".into())).starts_with("suffix `a:b`"));
        assert!(refusal(|it| it.capabilities.push("fly".into())).starts_with("capability `fly`"));
        let limit = about::Limit { name: "luck".into(), value: 1 };
        assert!(refusal(|it| it.limits.push(limit)).starts_with("limit `luck`"));
    }

    #[test]
    fn a_plugin_gets_what_it_asks_for_up_to_the_ceilings() {
        let mut config = Config::default();
        let mut it = described();
        it.limits.push(about::Limit { name: "cpu-ms".into(), value: 1_000_000 });
        it.limits.push(about::Limit { name: "held-ms".into(), value: 5 });
        let table = config::PluginTable { memory_bytes_max: Some(7), ..Default::default() };
        config.plugin.insert("hello".to_owned(), table);
        let (_, _, limits) = check(it, &config).unwrap();
        assert_eq!(limits.cpu_ms, config.plugins.cpu_ms);
        assert_eq!(limits.held_ms, 5);
        assert_eq!(limits.memory_bytes, 7);
    }
}
