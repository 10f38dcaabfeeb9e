//! Which plugins a request goes through, in which order, with which options, and why.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde_json::{Map, Value};
use wire::{ErrorType, Failure, PluginEntry};

use super::load::Plugin;
use super::registry::{Registry, Serving};
use crate::config::{Config, PluginTable};
use crate::error::{Error, Side};

/// A plugin with its options for one generation.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    /// The version that this generation keeps.
    pub(crate) plugin: Arc<Plugin>,
    /// One JSON object; it fits the plugin's schema.
    pub(crate) options: Arc<str>,
    /// Whether it is passed over, as it failed too often.
    pub(crate) is_disabled: bool,
    /// A version that runs beside it and changes nothing.
    pub(crate) shadow: Option<Arc<Plugin>>,
}

/// Why a plugin runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The operator wants it on every request.
    Always,
    /// The operator wants it unless a request switches it off.
    Default,
    /// The key wants it unless a request switches it off.
    Key,
    /// The request names it.
    Request,
    /// Something in the request enables it: a suffix of its model, a tool, a file.
    Trigger,
}

impl Why {
    /// The name in the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Default => "default",
            Self::Key => "key",
            Self::Request => "request",
            Self::Trigger => "trigger",
        }
    }
}

/// What a generation brings that bears on its plugins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The generation's id. It draws the lot where a new version serves some only.
    pub(crate) id: &'a str,
    /// The request's `plugins`.
    pub(crate) entries: &'a [PluginEntry],
    /// The plugins that something else in it enables.
    pub(crate) triggered: &'a [String],
    /// The key's own defaults.
    pub(crate) defaults: &'a [PluginEntry],
}

impl<'a> Wanted<'a> {
    /// What a request brings.
    pub(crate) fn of(
        id: &'a str,
        entries: &'a [PluginEntry],
        triggered: &'a [String],
        defaults: &'a [PluginEntry],
    ) -> Self {
        Self { id, entries, triggered, defaults }
    }

    fn entry(&self, id: &str) -> Option<&'a PluginEntry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Whether a plugin that would run for this reason was switched off. What the request says
    /// counts before what its key says, and the key's word counts only against the operator's.
    fn is_off(&self, id: &str, why: Why) -> bool {
        let keys = || self.default(id).filter(|_| matches!(why, Why::Default));
        let entry = self.entry(id).or_else(keys);
        why != Why::Always && entry.is_some_and(|entry| !entry.enabled)
    }

    fn default(&self, id: &str) -> Option<&'a PluginEntry> {
        self.defaults.iter().find(|entry| entry.id == id)
    }

    /// A number below a hundred, the same for a plugin throughout a generation.
    fn draw(&self, plugin: &str) -> u8 {
        let mut hasher = DefaultHasher::new();
        (self.id, plugin).hash(&mut hasher);
        u8::try_from(hasher.finish() % 100).unwrap_or(0)
    }
}

impl Registry {
    /// The ids of the plugins that run, in order: the operator's `always`, who chooses the model, the
    /// operator's `default`, the key's, those the request names, those that something else in it
    /// enables. Request hooks run in
    /// this order, stream hooks in reverse.
    pub(crate) fn order<'a>(
        &'a self,
        wanted: &Wanted<'a>,
        config: &'a Config,
    ) -> Vec<(&'a str, Why)> {
        let tables = |is: fn(&PluginTable) -> bool| {
            config.plugin.iter().filter(move |(_, table)| is(table)).map(|(id, _)| id.as_str())
        };
        let always = tables(|table| table.always).map(|id| (id, Why::Always));
        let default = tables(|table| table.default).map(|id| (id, Why::Default));
        let on = |entries: &'a [PluginEntry]| {
            entries.iter().filter(|entry| entry.enabled).map(|entry| entry.id.as_str())
        };
        let key = on(wanted.defaults).map(|id| (id, Why::Key));
        let named = on(wanted.entries).map(|id| (id, Why::Request));
        let triggered = wanted.triggered.iter().map(|id| (id.as_str(), Why::Trigger));
        // Who chooses the model goes before those that look at it.
        let chooses = |(id, _): &(&str, Why)| {
            self.find(id).is_some_and(|plugin| plugin.description.chooses_model())
        };
        let (choosing, triggered): (Vec<_>, Vec<_>) = triggered.partition(chooses);
        let mut order: Vec<(&str, Why)> = Vec::new();
        for (id, why) in
            always.chain(choosing).chain(default).chain(key).chain(named).chain(triggered)
        {
            if !wanted.is_off(id, why) && !order.iter().any(|(known, _)| *known == id) {
                order.push((id, why));
            }
        }
        order
    }

    /// The plugins of a request, each with the version that serves it and its options.
    ///
    /// # Errors
    /// An unknown, disabled or repeated plugin, options that don't fit, or too many plugins.
    pub(crate) fn select(
        &self,
        wanted: &Wanted<'_>,
        config: &Config,
    ) -> Result<Vec<Selected>, Error> {
        self.check_names(wanted.entries)?;
        let order = self.checked_order(wanted, config)?.into_iter();
        order.map(|(id, why)| self.selected(id, why, wanted, config)).collect()
    }

    /// Checks what is to become a key's defaults: what would be refused on each of its requests.
    ///
    /// # Errors
    /// An unknown, disabled or repeated plugin, options that don't fit, or too many plugins.
    pub(crate) fn check_defaults(
        &self,
        defaults: &[PluginEntry],
        config: &Config,
    ) -> Result<(), Error> {
        self.check_names(defaults)?;
        let wanted = Wanted { id: "", entries: &[], triggered: &[], defaults };
        for (id, why) in self.checked_order(&wanted, config)? {
            let plugin = self.find(id).filter(|_| wanted.default(id).is_some());
            plugin.map(|plugin| checked_options(plugin, why, &wanted, config)).transpose()?;
        }
        Ok(())
    }

    fn check_names(&self, entries: &[PluginEntry]) -> Result<(), Error> {
        for (index, entry) in entries.iter().enumerate() {
            if self.find(&entry.id).is_none() {
                return Err(self.no_such(index, &entry.id));
            }
            if entries.iter().take(index).any(|earlier| earlier.id == entry.id) {
                let message = format!("plugins[{index}].id: `{}` stands twice", entry.id);
                return Err(Error::client(ErrorType::InvalidRequest, message));
            }
        }
        Ok(())
    }

    fn checked_order<'a>(
        &'a self,
        wanted: &Wanted<'a>,
        config: &'a Config,
    ) -> Result<Vec<(&'a str, Why)>, Error> {
        let order = self.order(wanted, config);
        let most = config.plugins.per_request_max;
        if order.len() > most {
            let message = format!("plugins: {} on one request, at most {most}", order.len());
            return Err(Error::client(ErrorType::InvalidRequest, message));
        }
        Ok(order)
    }

    fn selected(
        &self,
        id: &str,
        why: Why,
        wanted: &Wanted<'_>,
        config: &Config,
    ) -> Result<Selected, Error> {
        let Some(Serving { plugin, is_disabled, shadow }) = self.serving(id, wanted.draw(id))
        else {
            return Err(not_loaded(id, why));
        };
        let options = checked_options(plugin, why, wanted, config)?;
        Ok(Selected {
            plugin: Arc::clone(plugin),
            options: Arc::from(options.to_string()),
            is_disabled,
            shadow: shadow.map(Arc::clone),
        })
    }

    fn no_such(&self, index: usize, id: &str) -> Error {
        let known: Vec<_> = self.list().map(|plugin| plugin.description.id.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let id = id.escape_debug();
        let message = format!("plugins[{index}].id: there is no plugin `{id}`; loaded: {known}");
        Error::client(ErrorType::InvalidRequest, message)
    }
}

/// A plugin's options, as it may have them.
fn checked_options(
    plugin: &Plugin,
    why: Why,
    wanted: &Wanted<'_>,
    config: &Config,
) -> Result<Value, Error> {
    let id = plugin.description.id.as_str();
    let table = config.plugin.get(id);
    if table.is_some_and(|table| table.enabled == Some(false) && !table.always) {
        let message =
            format!("plugins: the operator has switched off `{id}` (plugin.{id}.enabled)");
        return Err(Error::client(ErrorType::PermissionDenied, message));
    }
    let options = Value::Object(options(id, why, wanted, table)?);
    let misfit = |what| Error::client(ErrorType::InvalidRequest, format!("plugins: {what}"));
    plugin.schemas.check_options(id, &options).map_err(misfit)?;
    Ok(options)
}

/// The operator's options, over them the key's, over them the request's. Where the operator wants
/// the plugin on every request, nobody talks it out of its task: there the operator's win, the key,
/// which is of the operator's making, adds what they leave open, and the request adds nothing.
fn options(
    id: &str,
    why: Why,
    wanted: &Wanted<'_>,
    table: Option<&PluginTable>,
) -> Result<Map<String, Value>, Error> {
    let mut options = match table.map(|table| serde_json::to_value(&table.options)) {
        Some(Ok(Value::Object(options))) => options,
        Some(Err(error)) => return Err(Error::us(error)),
        _ => Map::new(),
    };
    let requested = wanted.entry(id).filter(|_| why != Why::Always);
    for entry in wanted.default(id).into_iter().chain(requested) {
        let own: Map<String, Value> = entry.options.read().map_err(|error| {
            let message = format!("plugins: options of `{id}` must be an object: {error}");
            Error::client(ErrorType::InvalidRequest, message)
        })?;
        match why {
            Why::Always => own.into_iter().for_each(|(name, value)| {
                options.entry(name).or_insert(value);
            }),
            _ => options.extend(own),
        }
    }
    Ok(options)
}

/// What should run without being named is missing: serving without it would be wrong.
fn not_loaded(id: &str, why: Why) -> Error {
    let place = match why {
        Why::Always => format!("plugin.{id}.always"),
        Why::Default => format!("plugin.{id}.default"),
        _ => "the key's plugins".to_owned(),
    };
    let message = format!("Plugin `{id}` must run on this request ({place}), and it is not loaded");
    let mut failure = Failure::new(ErrorType::ProviderOverloaded, message);
    failure.retry_after_ms = Some(1000);
    Error { failure, side: Side::Us, source: None }
}
