//! `grants.toml`: what was granted when a plugin was added, beside the configuration.
//!
//! ```toml
//! [grant]
//! web = ["http=https://api.exa.ai"]
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::super::grant;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Granted {
    /// By plugin.
    grant: BTreeMap<String, Spanned<Vec<Spanned<String>>>>,
}

/// The grants by plugin.
///
/// # Errors
/// Names the line and what is wrong there.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let granted = read(text)?.grant.into_iter();
    Ok(granted.map(|(id, list)| (id, strings(list.get_ref()))).collect())
}

/// The file with more granted to a plugin. Everything else in it stays as it is written.
///
/// # Errors
/// As [`parse`], and when one of `more` is no grant.
pub(super) fn add(text: &str, id: &str, more: &[String]) -> Result<String, String> {
    more.iter().try_for_each(|one| grant::check(one))?;
    let mut grants = read(text)?.grant;
    let own = grants.remove(id);
    let mut list = own.as_ref().map(|own| strings(own.get_ref())).unwrap_or_default();
    for one in more.iter().filter(|one| !one.is_empty()) {
        if !list.contains(one) {
            list.push(one.clone());
        }
    }
    let shown = shown(&list);
    let last = grants.values().map(|list| list.span().end).max();
    let mut out = text.to_owned();
    match (own, last) {
        (Some(own), _) => out.replace_range(own.span(), &shown),
        // After the line of the last entry, and what is noted at its end.
        (None, Some(end)) => {
            let rest = text.get(end..).unwrap_or_default();
            let end = end.saturating_add(rest.find('\n').unwrap_or(rest.len()));
            out.insert_str(end, &format!("\n{id} = {shown}"));
        }
        (None, None) => {
            // An empty table of that name would stand there twice.
            let without: Vec<_> = text.lines().filter(|line| line.trim() != "[grant]").collect();
            out = without.join("\n");
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&format!("[grant]\n{id} = {shown}\n"));
        }
    }
    let mut wanted = parse(text)?;
    wanted.insert(id.to_owned(), list);
    if parse(&out).as_ref() == Ok(&wanted) {
        return Ok(out);
    }
    // It is written in a way that could not be added to.
    let lines = wanted.iter().map(|(id, list)| format!("{id} = {}\n", self::shown(list)));
    Ok(format!("[grant]\n{}", lines.collect::<String>()))
}

fn read(text: &str) -> Result<Granted, String> {
    let granted: Granted = toml::from_str(text).map_err(|error| error.to_string())?;
    for list in granted.grant.values() {
        for one in list.get_ref() {
            let before = text.get(..one.span().start).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            grant::check(one.get_ref()).map_err(|error| format!("line {line}: {error}"))?;
        }
    }
    Ok(granted)
}

fn strings(list: &[Spanned<String>]) -> Vec<String> {
    list.iter().map(|one| one.get_ref().clone()).collect()
}

fn shown(list: &[String]) -> String {
    toml::Value::from(list.to_vec()).to_string()
}
