//! What a plugin says of itself, checked, and the limits it gets: what it asks for, capped by the
//! operator.

use wire::Json;

use super::bindings::types as wit;
use super::grant;
use super::schemas::Schemas;
use super::trigger::Trigger;
use crate::config::{Config, OnError, PluginLimits};

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
    /// What in a request enables it.
    pub(crate) triggers: Vec<Trigger>,
    /// Capabilities wanted.
    pub(crate) capabilities: Vec<String>,
}

impl Description {
    /// Whether a model's name stands for it.
    pub(crate) fn chooses_model(&self) -> bool {
        self.triggers.iter().any(|trigger| matches!(trigger, Trigger::Model(_)))
    }

    /// Its triggers in the notation in which they are described.
    pub(crate) fn triggers_shown(&self) -> Vec<String> {
        self.triggers.iter().map(ToString::to_string).collect()
    }
}

/// What a plugin is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It keeps something from happening, so its failure ends the generation.
    Guard,
    /// It improves something; without it the generation goes on.
    Transform,
    /// It only looks.
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

    /// What its failure means where the operator does not say.
    pub(crate) fn on_error(self) -> OnError {
        match self {
            Self::Guard => OnError::Closed,
            Self::Transform | Self::Observe => OnError::Open,
        }
    }
}

/// Checks a description.
///
/// # Errors
/// Names the field and what it must be.
pub(super) fn check(
    it: wit::Description,
    config: &Config,
    is_shipped: bool,
) -> Result<(Description, Schemas, PluginLimits), String> {
    // What is wrong is told in its own words, which may be long.
    checked(it, config, is_shipped).map_err(|reason| {
        match reason.char_indices().nth(REASON_CHARS_MAX) {
            Some((end, _)) => format!("{}…", reason.get(..end).unwrap_or_default()),
            None => reason,
        }
    })
}

fn checked(
    it: wit::Description,
    config: &Config,
    is_shipped: bool,
) -> Result<(Description, Schemas, PluginLimits), String> {
    check_sizes(&it)?;
    let is_id_letter =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins = it.id.bytes().next().is_some_and(|byte| byte != b'-');
    if !begins || it.id.len() > ID_BYTES_MAX || !it.id.bytes().all(is_id_letter) {
        let rule = "use 1 to 64 lower-case letters, digits and `-`";
        return Err(format!("id `{}` is no id: {rule}", it.id.escape_debug()));
    }
    if !is_version(&it.version) {
        return Err(format!("version `{}` is none: write `1.2.3`", it.version.escape_debug()));
    }
    let triggers: Vec<Trigger> =
        it.triggers.iter().map(|text| text.parse()).collect::<Result<_, String>>()?;
    for wanted in &it.capabilities {
        grant::check(wanted).map_err(|error| format!("capability {error}"))?;
    }
    let limits = limits(&it, config, is_shipped)?;
    let (options, schemas) = schema(it.options, &triggers)?;
    let description = Description {
        id: it.id,
        version: it.version,
        kind: match it.kind {
            wit::Kind::Guard => Kind::Guard,
            wit::Kind::Transform => Kind::Transform,
            wit::Kind::Observe => Kind::Observe,
        },
        summary: it.summary,
        options,
        triggers,
        capabilities: it.capabilities,
    };
    Ok((description, schemas, limits))
}

/// Nothing in it may be so much that listing plugins would be work.
fn check_sizes(it: &wit::Description) -> Result<(), String> {
    let sizes = [
        ("summary", "bytes", it.summary.len(), SUMMARY_BYTES_MAX),
        ("options", "bytes", it.options.len(), OPTIONS_BYTES_MAX),
        ("triggers", "entries", it.triggers.len(), TRIGGERS_MAX),
        ("limits", "entries", it.limits.len(), LIMITS_MAX),
        ("capabilities", "entries", it.capabilities.len(), CAPABILITIES_MAX),
    ];
    match sizes.iter().find(|(.., size, most)| size > most) {
        None => Ok(()),
        Some((field, what, size, most)) => {
            Err(format!("{field} has {size} {what}; {most} are allowed"))
        }
    }
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

fn schema(text: String, triggers: &[Trigger]) -> Result<(Json, Schemas), String> {
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("options is not JSON: {error}"))?;
    if !value.is_object() {
        return Err("options must be a JSON Schema, an object".to_owned());
    }
    let tools = triggers.iter().filter_map(Trigger::tool);
    let schemas = Schemas::read(&value, tools)
        .map_err(|error| format!("options is not a JSON Schema: {error}"))?;
    let json = Json::parse(text).map_err(|error| format!("options is not JSON: {error}"))?;
    Ok((json, schemas))
}

/// What a plugin may use: what it asks for, up to what the operator lets it. A shipped one knows what
/// its work takes: where the operator says nothing of that plugin, it may ask for more than others.
fn limits(
    it: &wit::Description,
    config: &Config,
    is_shipped: bool,
) -> Result<PluginLimits, String> {
    let own = config.plugin.get(&it.id).map(|table| &table.limits);
    it.limits.iter().try_fold(ceilings(&it.id, config)?, |limits, asked| {
        let is_decided = own.is_some_and(|own| own.contains_key(&asked.name.replace('-', "_")));
        let limited = match is_shipped && !is_decided {
            true => limits.set(&asked.name, asked.value),
            false => limits.lower(&asked.name, asked.value),
        };
        limited.map_err(|error| format!("limit: {error}"))
    })
}

/// What the operator lets a plugin use.
///
/// # Errors
/// Names what is no limit; the configuration was checked, so there is none.
pub(super) fn ceilings(id: &str, config: &Config) -> Result<PluginLimits, String> {
    match config.plugin.get(id) {
        Some(table) => config.plugins.limits.with(&table.limits),
        None => Ok(config.plugins.limits.clone()),
    }
}

const ID_BYTES_MAX: usize = 64;
const TRIGGERS_MAX: usize = 16;
const SUMMARY_BYTES_MAX: usize = 500;
/// The schema is kept as text and compiled, and shown whole.
const OPTIONS_BYTES_MAX: usize = 64 << 10;
/// More than there are.
const LIMITS_MAX: usize = 64;
const CAPABILITIES_MAX: usize = 64;
/// A refusal is read by people, and stands in logs.
const REASON_CHARS_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PluginTable;

    fn described() -> wit::Description {
        wit::Description {
            id: "hello".to_owned(),
            version: "1.2.3".to_owned(),
            kind: wit::Kind::Transform,
            summary: String::new(),
            options: "{}".to_owned(),
            triggers: Vec::new(),
            limits: Vec::new(),
            capabilities: Vec::new(),
        }
    }

    fn refusal(change: impl FnOnce(&mut wit::Description)) -> String {
        let mut it = described();
        change(&mut it);
        check(it, &Config::default(), false).map(|_| ()).unwrap_err()
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
        assert!(refusal(|it| it.triggers.push("suffix=a:b".into())).starts_with("suffix `a:b`"));
        assert!(refusal(|it| it.capabilities.push("fly".into())).starts_with("capability `fly`"));
        assert!(refusal(|it| it.summary = "x".repeat(501)).starts_with("summary has 501 bytes"));
        assert!(
            refusal(|it| it.triggers = vec!["suffix=a".into(); 17]).starts_with("triggers has 17")
        );
        assert!(refusal(|it| it.options = " ".repeat(70_000)).starts_with("options has 70000"));
        assert!(refusal(|it| it.id = "ü".repeat(1 << 20)).chars().count() <= 501);
        let limit = wit::Limit { name: "luck".into(), value: 1 };
        assert!(refusal(|it| it.limits.push(limit)).contains("`luck`"));
    }

    #[test]
    fn a_plugin_gets_what_it_asks_for_up_to_the_ceilings() {
        let mut config = Config::default();
        let mut it = described();
        it.limits.push(wit::Limit { name: "cpu-ms".into(), value: 1_000_000 });
        it.limits.push(wit::Limit { name: "held-ms".into(), value: 5 });
        let limits = toml::Table::from_iter([("memory_bytes".to_owned(), 7.into())]);
        let table = PluginTable { limits, ..Default::default() };
        config.plugin.insert("hello".to_owned(), table);
        let (_, _, limits) = check(it.clone(), &config, false).unwrap();
        assert_eq!(limits.cpu_ms, config.plugins.limits.cpu_ms);
        assert_eq!(limits.held_ms, 5);
        assert_eq!(limits.memory_bytes, 7);
        it.limits.push(wit::Limit { name: "memory-bytes".into(), value: 8 });
        let (_, _, limits) = check(it, &config, true).unwrap();
        assert_eq!((limits.cpu_ms, limits.held_ms), (1_000_000, 5), "a shipped one may ask");
        assert_eq!(limits.memory_bytes, 7, "the operator's word holds for it too");
    }
}
