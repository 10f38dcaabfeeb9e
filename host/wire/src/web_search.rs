//! The wish that the provider itself searches the web, which every dialect says differently. Read
//! here from all of their forms; each dialect writes its own. What a gateway searches by itself
//! (`openrouter:web_search` with another engine) is none of this.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Json, Object};
use crate::request::{Request, Tool};

/// A native web search as the client wants it. What is empty is left to the provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebSearch {
    /// How much of what is found the model reads (`low`, `medium`, `high`).
    pub context_size: Option<String>,
    /// Only these hosts, paths included (`example.com/blog`).
    pub allowed_domains: Vec<String>,
    /// Not these.
    pub excluded_domains: Vec<String>,
    /// Most searches of one reply.
    pub max_uses: Option<u32>,
    /// Roughly where the person is.
    pub user_location: Option<UserLocation>,
}

/// Roughly where a person is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UserLocation {
    /// `Berlin`.
    pub city: Option<String>,
    /// `Bavaria`.
    pub region: Option<String>,
    /// Two letters (`DE`).
    pub country: Option<String>,
    /// An IANA name (`Europe/Berlin`).
    pub timezone: Option<String>,
}

impl UserLocation {
    /// What is known, by the names that the dialects share.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("city", &self.city),
            ("region", &self.region),
            ("country", &self.country),
            ("timezone", &self.timezone),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

impl WebSearch {
    /// The search that a request wishes for: the first tool that is one, else chat's options.
    pub fn of_request(request: &Request) -> Option<Self> {
        let by_tool = request.tools.iter().find_map(Self::of_tool);
        by_tool.or_else(|| {
            let fields = request.extra.fields_of("openai-chat").iter();
            let options = fields.into_iter().find(|(name, _)| name == OPTIONS);
            options.and_then(|(_, json)| Some(Self::of_fields(&json.read().ok()?)))
        })
    }

    /// The search that a tool stands for, in any dialect's form; `None` for every other tool.
    pub fn of_tool(tool: &Tool) -> Option<Self> {
        match tool {
            Tool::Function { .. } => None,
            Tool::Other(other) => Self::of_json(&other.json),
        }
    }

    fn of_json(json: &Json) -> Option<Self> {
        let fields: Object<'_> = json.read().ok()?;
        let inner = |name: &str| read::<Object<'_>>(fields.field(name)?);
        let text = |object: &Object<'_>, name: &str| read::<String>(object.field(name)?);
        let parameters = inner("parameters").unwrap_or_default();
        let engine = text(&parameters, "engine").or(text(&fields, "engine"));
        let is_native = match text(&fields, "type").as_deref() {
            Some("openrouter:web_search") => engine.as_deref() == Some("native"),
            // OpenAI's and Anthropic's tools carry their versions in their names.
            Some(kind) if kind.starts_with("web_search") => {
                engine.is_none_or(|engine| matches!(engine.as_str(), "native" | "auto"))
            }
            Some(_) => false,
            None => {
                let google = GOOGLES.iter().find_map(|name| inner(name));
                return google.map(|google| Self::of_fields(&google));
            }
        };
        let flat = Self::of_fields(&fields);
        is_native.then(|| Self::of_fields(&parameters).or(flat))
    }

    fn of_fields(fields: &Object<'_>) -> Self {
        let filters = fields.field("filters").and_then(read::<Object<'_>>);
        let filters = filters.unwrap_or_default();
        let list = |names: [&str; 3]| {
            let found = names.iter().find_map(|name| fields.field(name).or(filters.field(name)));
            found.and_then(read).unwrap_or_default()
        };
        let location = fields.field("user_location").and_then(read::<Object<'_>>);
        // Chat has one level more than the others.
        let location = location.and_then(|location| {
            let raw = location.field("approximate").or(fields.field("user_location"))?;
            read::<UserLocation>(raw)
        });
        Self {
            context_size: fields.field("search_context_size").and_then(read),
            allowed_domains: list(["allowed_domains", "allowedDomains", "include_domains"]),
            excluded_domains: list(["excluded_domains", "blocked_domains", "excludeDomains"]),
            max_uses: fields.field("max_uses").and_then(read),
            user_location: location.filter(|location| location.fields().next().is_some()),
        }
    }

    /// What is said here, else what is said there.
    fn or(self, other: Self) -> Self {
        let list = |ours: Vec<String>, theirs| if ours.is_empty() { theirs } else { ours };
        Self {
            context_size: self.context_size.or(other.context_size),
            allowed_domains: list(self.allowed_domains, other.allowed_domains),
            excluded_domains: list(self.excluded_domains, other.excluded_domains),
            max_uses: self.max_uses.or(other.max_uses),
            user_location: self.user_location.or(other.user_location),
        }
    }
}

/// A value that is what it should be; what is not is passed over.
fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// Chat's own field.
pub(crate) const OPTIONS: &str = "web_search_options";

/// What a dialect that has no form for the wish is asked for in vain.
pub(crate) const WHAT: &str = "native web search";

/// Gemini's names of the tool, in both spellings.
const GOOGLES: [&str; 4] =
    ["googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Other;

    fn of(json: &str) -> Option<WebSearch> {
        let json = Json::parse(json).unwrap();
        WebSearch::of_tool(&Tool::Other(Other { dialect: "openai-chat", json }))
    }

    #[test]
    fn every_dialects_form_is_the_same_wish() {
        let wish = WebSearch {
            context_size: Some("low".to_owned()),
            allowed_domains: vec!["a.com".to_owned()],
            max_uses: Some(2),
            user_location: Some(UserLocation {
                country: Some("DE".to_owned()),
                ..UserLocation::default()
            }),
            ..WebSearch::default()
        };
        let forms = [
            r#"{"type":"web_search_preview","search_context_size":"low","max_uses":2,"filters":{"allowed_domains":["a.com"]},"user_location":{"type":"approximate","country":"DE"}}"#,
            r#"{"type":"web_search","parameters":{"search_context_size":"low","max_uses":2,"allowed_domains":["a.com"],"user_location":{"type":"approximate","approximate":{"country":"DE"}}}}"#,
            r#"{"type":"openrouter:web_search","parameters":{"engine":"native","search_context_size":"low","max_uses":2,"allowed_domains":["a.com"],"user_location":{"country":"DE"}}}"#,
            r#"{"type":"web_search_20250305","name":"web_search","search_context_size":"low","max_uses":2,"allowed_domains":["a.com"],"user_location":{"type":"approximate","country":"DE"}}"#,
        ];
        for form in forms {
            assert_eq!(of(form), Some(wish.clone()), "{form}");
        }
        let none = Some(WebSearch::default());
        assert_eq!(of(r#"{"google_search":{}}"#), none);
        assert_eq!(of(r#"{"googleSearch":{"timeRangeFilter":{}}}"#), none);
    }

    #[test]
    fn other_engines_and_tools_are_none() {
        for form in [
            r#"{"type":"openrouter:web_search"}"#,
            r#"{"type":"openrouter:web_search","parameters":{"engine":"exa"}}"#,
            r#"{"type":"web_search","engine":"parallel"}"#,
            r#"{"type":"bash_20250124","name":"bash"}"#,
            r#"{"codeExecution":{}}"#,
        ] {
            assert_eq!(of(form), None, "{form}");
        }
    }
}
