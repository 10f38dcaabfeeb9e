//! A query's values, read by name. Each error is a 400 that names the parameter and what would be
//! right. A parameter without a value counts as not given, unknown ones are ignored, and of one
//! that is there twice the first counts.

use std::str::FromStr;

use ledger::{Counts, Money, Price};
use wire::ErrorType;

use crate::error::Error;

/// The query.
#[derive(Debug)]
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    /// Takes the pairs as they were sent.
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether a switch is on.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| value == "true" || value == "1")
    }

    /// A list with commas, in small letters; empty when not given.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let parts = self.text(name).unwrap_or_default().split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_lowercase).collect()
    }

    /// The same, each one of those known.
    pub(super) fn some_of(&self, name: &str, known: &[&str]) -> Result<Vec<String>, Error> {
        let list = self.list(name);
        match list.iter().find(|part| !known.contains(&part.as_str())) {
            Some(part) => Err(wrong(name, &format!("some of {}", known.join(", ")), part)),
            None => Ok(list),
        }
    }

    /// One of those known.
    pub(super) fn one_of(
        &self,
        name: &str,
        known: &[&'static str],
    ) -> Result<Option<&'static str>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let found = known.iter().copied().find(|one| *one == text);
        let expected = || format!("one of {}", known.join(", "));
        found.map(Some).ok_or_else(|| wrong(name, &expected(), text))
    }

    /// A number; `expected` says which.
    pub(super) fn number<T: FromStr>(
        &self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| wrong(name, expected, text))
    }

    /// What a million tokens may cost, in USD.
    pub(super) fn usd(&self, name: &str) -> Result<Option<Money>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let price = Price::read([("prompt", text), ("completion", "0")]);
        let expected = "USD per million tokens, like 0.25, with at most 6 places";
        let price = price.map_err(|_| wrong(name, expected, text))?;
        let million = Counts { prompt: 1_000_000, ..Counts::default() };
        Ok(Some(price.cost(&million).total))
    }
}

fn wrong(name: &str, expected: &str, found: &str) -> Error {
    Error::client(ErrorType::InvalidRequest, format!("{name}: expected {expected}, found {found}"))
}
