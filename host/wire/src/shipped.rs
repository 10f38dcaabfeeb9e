//! The providers and models that are shipped inside the program: read once from the embedded
//! files, and checked more strictly than an operator's own.
//!
//! A test proves that all of it is right. Should a program be built with data that is not, what
//! is wrong is left out and listed by [`shipped_errors`]; nothing panics and the rest serves.

use std::sync::LazyLock;

use crate::catalog::Model;
use crate::provider::{Auth, Provider};

include!(concat!(env!("OUT_DIR"), "/shipped_files.rs"));

static SHIPPED: LazyLock<Shipped> = LazyLock::new(|| Shipped::read(PROVIDER_FILES, MODEL_FILES));

/// What was left out of the shipped data because it is wrong; empty in a program whose tests
/// passed. Whoever serves shows these at start.
pub fn shipped_errors() -> &'static [DataError] {
    &SHIPPED.errors
}

pub(crate) fn shipped() -> &'static Shipped {
    &SHIPPED
}

/// What the embedded files say.
#[derive(Debug, Default)]
pub(crate) struct Shipped {
    pub(crate) providers: Vec<Provider>,
    pub(crate) models: Vec<Model>,
    errors: Vec<DataError>,
}

impl Shipped {
    /// Reads files given as path and text. Each error leaves out the least: a provider, a model,
    /// or, where a file can't be read at all, that file.
    fn read(provider_files: &[(&str, &str)], model_files: &[(&str, &str)]) -> Self {
        let mut shipped = Self::default();
        for (file, text) in provider_files {
            if let Err(error) = shipped.add_provider(file, text) {
                shipped.errors.push(error.in_file(file));
            }
        }
        for (file, text) in model_files {
            match Model::parse_file(text) {
                Ok(models) => {
                    for model in models {
                        if let Err(error) = shipped.add_model(file, model) {
                            shipped.errors.push(error.in_file(file));
                        }
                    }
                }
                Err(error) => shipped.errors.push(error.in_file(file)),
            }
        }
        shipped
    }

    fn add_provider(&mut self, file: &str, text: &str) -> Result<(), DataError> {
        let provider = Provider::parse(text)?;
        let slug = &provider.slug;
        if stem(file) != slug {
            return Err(DataError::new("slug", format!("`{slug}` belongs into {slug}.toml")));
        }
        if self.providers.iter().any(|known| known.slug == *slug) {
            return Err(DataError::new("slug", format!("`{slug}` is there twice")));
        }
        // Nothing is told on the way to a server on the same machine.
        let is_local = provider.base_url.starts_with("http://127.0.0.1:");
        if !is_local && !provider.base_url.starts_with("https://") {
            return Err(DataError::new("base_url", "a shipped provider is reached by https://"));
        }
        if provider.auth != Auth::None && provider.credential_env.is_empty() {
            let problem = "name the variable that people keep the credential in";
            return Err(DataError::new("credential_env", problem));
        }
        self.providers.push(provider);
        Ok(())
    }

    fn add_model(&mut self, file: &str, model: Model) -> Result<(), DataError> {
        let id = &model.id;
        let author = id.split('/').next().unwrap_or_default();
        if stem(file) != author {
            return Err(DataError::new("id", format!("`{id}` belongs into {author}.toml")));
        }
        if self.models.iter().any(|known| known.id == *id) {
            return Err(DataError::new("id", format!("`{id}` is there twice")));
        }
        for (index, endpoint) in model.endpoints.iter().enumerate() {
            let wrong = |key: &str, problem: String| {
                Err(DataError::new(format!("{id}: endpoint[{index}].{key}"), problem))
            };
            let slugs = || self.providers.iter().map(|provider| provider.slug.as_str());
            if !slugs().any(|slug| slug == endpoint.provider) {
                return wrong("provider", unknown("provider", &endpoint.provider, slugs()));
            }
            if endpoint.price.is_empty() {
                return wrong("price", "a shipped endpoint has a price".to_owned());
            }
            if endpoint.price_source.is_none() {
                return wrong("price_source", "missing: where the price was read".to_owned());
            }
            if endpoint.price_date.is_none() {
                return wrong("price_date", "missing: when the price was read".to_owned());
            }
        }
        self.models.push(model);
        Ok(())
    }
}

/// What is wrong with a provider's or a model's data, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{key}: {problem}", .file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default())]
pub struct DataError {
    /// The file, where it is known.
    pub file: Option<String>,
    /// Which key (`base_url`, `openai/gpt-5.1: endpoint[0].price.prompt`).
    pub key: String,
    /// What is wrong with it, and the nearest valid one.
    pub problem: String,
}

impl DataError {
    pub(crate) fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { file: None, key: key.into(), problem: problem.into() }
    }

    /// The same, said of a file.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    /// What the TOML reader says of `text`, with the key, the line and the nearest valid name.
    pub(crate) fn of_toml(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count();
        let mut problem = error.message().trim().to_owned();
        let mut quoted = problem.split('`').skip(1).step_by(2).map(str::to_owned);
        let named = quoted.next();
        let known: Vec<String> = quoted.collect();
        if let Some(near) =
            named.as_ref().and_then(|name| nearest(name, known.iter().map(String::as_str)))
        {
            problem = format!("{problem}; did you mean `{near}`?");
        }
        let on_line = text.lines().nth(line).unwrap_or_default();
        let on_line = on_line.split('=').next().unwrap_or_default().trim();
        let key = match named {
            Some(name) if problem.contains("field `") => name,
            _ if !on_line.is_empty() => on_line.to_owned(),
            _ => "the file".to_owned(),
        };
        Self::new(key, format!("{problem} (line {})", line + 1))
    }
}

/// Says that there is no such thing, which is nearest, and which there are.
pub(crate) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let near = nearest(name, known.clone()).map(|near| format!("did you mean `{near}`? "));
    let known = known.collect::<Vec<_>>().join(", ");
    format!("there is no {what} `{name}`; {}there are: {known}", near.unwrap_or_default())
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > LIKENESS_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// A file's name without folder and ending.
fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".toml").unwrap_or(name)
}

/// Names less alike than this are no advice.
const LIKENESS_MIN: f64 = 0.7;

#[cfg(test)]
mod tests;
