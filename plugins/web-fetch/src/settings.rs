//! What a request wants of fetching: the plugin's options, and over them what the tool says.

use serde::Deserialize;
use serde_json::{Map, Value};
use web_pages::Sites;

/// Options in OpenRouter's names. The schema is `options.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    engine: Option<String>,
    max_uses: Option<usize>,
    max_content_tokens: Option<usize>,
    allowed_domains: Option<Vec<String>>,
    blocked_domains: Option<Vec<String>>,
}

impl Settings {
    /// Reads `over` laid over `base`. Both are objects; fields that are no settings are passed over.
    ///
    /// # Errors
    /// A value that does not fit, in a sentence for the client.
    pub(crate) fn read(
        base: &Map<String, Value>,
        over: &Map<String, Value>,
    ) -> Result<Self, String> {
        let mut all = base.clone();
        all.extend(over.iter().map(|(name, value)| (name.clone(), value.clone())));
        let settings: Self =
            serde_json::from_value(Value::Object(all)).map_err(|error| error.to_string())?;
        settings.check()?;
        Ok(settings)
    }

    /// What `options.json` can't say.
    fn check(&self) -> Result<(), String> {
        match self.engine.as_deref() {
            None | Some("auto" | "native" | "openrouter") => {}
            Some(name) => {
                let name = name.escape_debug();
                return Err(format!("the engine `{name}` is not available here: use `auto`"));
            }
        }
        self.sites().map(|_| ())
    }

    /// Which sites may be fetched.
    ///
    /// # Errors
    /// A domain that is none.
    pub(crate) fn sites(&self) -> Result<Sites, String> {
        let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
        Sites::new(&list(&self.allowed_domains), &list(&self.blocked_domains))
    }

    /// Most pages of a prompt.
    pub(crate) fn prompt_uses(&self) -> usize {
        self.max_uses.unwrap_or(5).min(PROMPT_USES_MAX)
    }

    /// Most pages by the tool.
    pub(crate) fn tool_uses(&self) -> usize {
        self.max_uses.unwrap_or(TOOL_USES_MAX)
    }

    /// Most tokens of one page.
    pub(crate) fn tokens(&self) -> usize {
        self.max_content_tokens.unwrap_or(8_000)
    }
}

/// OpenRouter's.
const TOOL_USES_MAX: usize = 50;

/// All at once, of the 16 requests that a plugin has for one generation.
const PROMPT_USES_MAX: usize = 15;
