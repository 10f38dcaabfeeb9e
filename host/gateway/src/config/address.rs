//! Where a provider is reached and what it is shown, as far as that differs from one operator to the
//! next: variables in addresses, and credentials of clouds.

use std::collections::BTreeMap;

use wire::{Auth, Variable};

use super::Secret;

/// A base URL whose variables are filled in, but for `{model}`.
#[derive(Debug)]
pub(super) struct Address {
    /// Where paths begin.
    pub(super) base_url: String,
    /// The variable `region`.
    pub(super) region: Option<String>,
    /// The variable that is missing, with the fix.
    pub(super) obstacle: Option<String>,
}

impl Address {
    /// Fills a base URL in. A variable that the provider declares and nobody sets is an obstacle.
    ///
    /// # Errors
    /// Names the variable that no address can hold, or that is not declared.
    pub(super) fn of(
        slug: &str,
        base_url: &str,
        declared: &BTreeMap<String, Variable>,
        values: &BTreeMap<String, String>,
    ) -> Result<Self, anyhow::Error> {
        let mut filled = base_url.trim_end_matches('/').to_owned();
        let mut obstacle = None;
        for name in wire::placeholders(base_url).filter(|name| *name != "model") {
            let Some(value) = values.get(name) else {
                let setting = format!("variables = {{ {name} = \"…\" }}");
                let env = declared.get(name).and_then(|variable| variable.env.first());
                obstacle.get_or_insert(match env {
                    Some(env) => format!(
                        "{env} is not set; set it, or `{setting}` in a [[provider]] table with \
                         slug = \"{slug}\""
                    ),
                    None => format!("provider `{slug}` needs `{setting}`"),
                });
                continue;
            };
            let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            anyhow::ensure!(
                !value.is_empty() && value.bytes().all(is_fit),
                "provider `{slug}`: variables.{name} is `{value}`; an address takes letters, \
                 digits, `-`, `.` and `_`"
            );
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        Ok(Self { base_url: filled, region: values.get("region").cloned(), obstacle })
    }
}

/// The values of a shipped provider's variables: the operator's, the environment's, the default. A
/// service account knows its `project`.
pub(super) fn variables(
    shipped: &wire::Provider,
    given: Option<&BTreeMap<String, String>>,
    credential: Option<&Secret>,
    environment: &impl Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let mut values = given.cloned().unwrap_or_default();
    for (name, variable) in &shipped.variables {
        let found = || variable.env.iter().find_map(|name| set(environment, name));
        let own = || match (&shipped.auth, name.as_str()) {
            (Auth::GoogleServiceAccount, "project") => project(credential?.expose()),
            _ => None,
        };
        if values.contains_key(name) {
            continue;
        }
        if let Some(value) = found().or_else(own).or_else(|| variable.default.clone()) {
            values.insert(name.clone(), value);
        }
    }
    values
}

/// The credential that the environment holds. Amazon's has parts, each in a variable of its own.
pub(super) fn credential(
    auth: &Auth,
    names: &[String],
    environment: &impl Fn(&str) -> Option<String>,
) -> Option<Secret> {
    let found = names.iter().find_map(|name| set(environment, name));
    let parts = || {
        if !matches!(auth, Auth::AwsSigv4 { .. }) {
            return None;
        }
        let id = set(environment, "AWS_ACCESS_KEY_ID")?;
        let secret = set(environment, "AWS_SECRET_ACCESS_KEY")?;
        let session = set(environment, "AWS_SESSION_TOKEN").map(|token| format!(":{token}"));
        Some(format!("{id}:{secret}{}", session.unwrap_or_default()))
    };
    found.or_else(parts).map(Secret::new)
}

/// The credential as it is used: a service account's key may lie in a file. With why it can't be.
pub(super) fn usable(
    slug: &str,
    auth: &Auth,
    credential: Option<Secret>,
) -> (Option<Secret>, Option<String>) {
    let is_path =
        |secret: &&Secret| !matches!(secret.expose().trim_start().chars().next(), Some('{'));
    let path = credential.as_ref().filter(|_| *auth == Auth::GoogleServiceAccount).filter(is_path);
    let Some(path) = path.map(|secret| secret.expose().to_owned()) else {
        return (credential, None);
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => (Some(Secret::new(text)), None),
        Err(error) => {
            let why = format!("provider `{slug}`: the key file {path} can't be read: {error}");
            (credential, Some(why))
        }
    }
}

fn set(environment: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    environment(name).filter(|text| !text.is_empty())
}

fn project(key: &str) -> Option<String> {
    let key: serde_json::Value = serde_json::from_str(key).ok()?;
    key.get("project_id")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
