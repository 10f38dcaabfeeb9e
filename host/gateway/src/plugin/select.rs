//! Which plugins a request goes through, in which order, with which options.

use std::sync::Arc;

use serde_json::{Map, Value};
use wire::{ErrorType, Failure, Request};

use super::load::Plugin;
use super::registry::Registry;
use crate::config::Config;
use crate::error::{Error, Side};

/// A plugin with its options for one generation.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    /// The version that this generation keeps.
    pub(crate) plugin: Arc<Plugin>,
    /// One JSON object; it fits the plugin's schema.
    pub(crate) options: Arc<str>,
}

impl Registry {
    /// The operator's `always` plugins, then those the request names, then those its model
    /// suffixes enable. A request can switch off what a suffix enabled, and nothing else.
    ///
    /// # Errors
    /// An unknown, disabled or repeated plugin, options that don't fit, or too many plugins.
    pub(crate) fn select(
        &self,
        request: &Request,
        suffixes: &[String],
        config: &Config,
    ) -> Result<Vec<Selected>, Error> {
        let entries = &request.controls.plugins;
        for (index, entry) in entries.iter().enumerate() {
            if self.find(&entry.id).is_none() {
                return Err(self.no_such(index, &entry.id));
            }
            if entries.iter().take(index).any(|earlier| earlier.id == entry.id) {
                let message = format!("plugins[{index}].id: `{}` stands twice", entry.id);
                return Err(Error::client(ErrorType::InvalidRequest, message));
            }
        }
        let mut order: Vec<&Arc<Plugin>> = Vec::new();
        let always = config.plugin.iter().filter(|(_, table)| table.always);
        let always = always.map(|(id, _)| self.find(id).ok_or_else(|| not_loaded(id)));
        let always = always.collect::<Result<Vec<_>, Error>>()?.into_iter();
        let named = entries.iter().filter(|entry| entry.enabled);
        let named = named.filter_map(|entry| self.find(&entry.id));
        let is_off = |plugin: &&Arc<Plugin>| {
            let own = |entry: &&wire::PluginEntry| entry.id == plugin.description.id;
            entries.iter().find(own).is_some_and(|entry| !entry.enabled)
        };
        let suffixed = suffixes.iter().filter_map(|suffix| self.by_suffix(suffix));
        for plugin in always.chain(named).chain(suffixed.filter(|plugin| !is_off(plugin))) {
            if !order.iter().any(|known| known.description.id == plugin.description.id) {
                order.push(plugin);
            }
        }
        let most = config.plugins.per_request_max;
        if order.len() > most {
            let message = format!("plugins: {} on one request, at most {most}", order.len());
            return Err(Error::client(ErrorType::InvalidRequest, message));
        }
        order.into_iter().map(|plugin| selected(plugin, request, config)).collect()
    }

    fn no_such(&self, index: usize, id: &str) -> Error {
        let known: Vec<_> = self.list().map(|plugin| plugin.description.id.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let id = id.escape_debug();
        let message = format!("plugins[{index}].id: there is no plugin `{id}`; loaded: {known}");
        Error::client(ErrorType::InvalidRequest, message)
    }
}

/// What the operator wants on every request is missing: serving without it would be wrong.
fn not_loaded(id: &str) -> Error {
    let message = format!(
        "Plugin `{id}` must run on every request (plugin.{id}.always), and it is not loaded"
    );
    let mut failure = Failure::new(ErrorType::ProviderOverloaded, message);
    failure.retry_after_ms = Some(1000);
    Error { failure, side: Side::Us, source: None }
}

fn selected(plugin: &Arc<Plugin>, request: &Request, config: &Config) -> Result<Selected, Error> {
    let id = &plugin.description.id;
    let table = config.plugin.get(id);
    if table.is_some_and(|table| table.enabled == Some(false) && !table.always) {
        let message =
            format!("plugins: the operator has switched off `{id}` (plugin.{id}.enabled)");
        return Err(Error::client(ErrorType::PermissionDenied, message));
    }
    let mut options = match table.map(|table| serde_json::to_value(&table.options)) {
        Some(Ok(Value::Object(options))) => options,
        Some(Err(error)) => return Err(Error::us(error)),
        _ => Map::new(),
    };
    let entry = request.controls.plugins.iter().find(|entry| entry.id == *id);
    if let Some(entry) = entry {
        let own: Map<String, Value> = entry.options.read().map_err(|error| {
            let message = format!("plugins: options of `{id}` must be an object: {error}");
            Error::client(ErrorType::InvalidRequest, message)
        })?;
        // What must run on every request must not be talked out of its task by a request.
        match table.is_some_and(|table| table.always) {
            true => own.into_iter().for_each(|(name, value)| {
                options.entry(name).or_insert(value);
            }),
            false => options.extend(own),
        }
    }
    let options = Value::Object(options);
    if let Err(error) = plugin.validator.validate(&options) {
        let path = error.instance_path().to_string();
        let place = if path.is_empty() { String::new() } else { format!(" at {path}") };
        let message = format!("plugins: options of `{id}`{place}: {error}");
        return Err(Error::client(ErrorType::InvalidRequest, message));
    }
    Ok(Selected { plugin: Arc::clone(plugin), options: Arc::from(options.to_string()) })
}
