//! What changes when one version of a plugin takes the place of another.

use std::collections::BTreeMap;

use super::sandbox;
use crate::config::PluginLimits;
use crate::plugin::Plugin;

/// The changes from one version to the next, a line each; none when they are alike.
pub(super) fn between(before: &Plugin, after: &Plugin) -> Vec<String> {
    let (old, new) = (&before.description, &after.description);
    let mut lines = Vec::new();
    let mut changed = |what: &str, from: &str, to: &str| {
        if from != to {
            lines.push(format!("{what:<13}{from} -> {to}"));
        }
    };
    changed("version", &old.version, &new.version);
    changed("kind", old.kind.as_str(), new.kind.as_str());
    changed("lane", before.lane.as_str(), after.lane.as_str());
    let lists = [
        ("capabilities", old.capabilities.clone(), new.capabilities.clone()),
        ("hooks", sandbox::hooks(before), sandbox::hooks(after)),
        ("triggers", old.triggers_shown(), new.triggers_shown()),
    ];
    for (what, from, to) in lists {
        let changes = changes(&from, &to);
        if !changes.is_empty() {
            lines.push(format!("{what:<13}{}", changes.join(", ")));
        }
    }
    let (from, to) = (limits(&before.limits), limits(&after.limits));
    for (name, value) in &to {
        let before = from.get(name).unwrap_or(value);
        if before != value {
            lines.push(format!("{:<13}{name} {before} -> {value}", "limit"));
        }
    }
    lines
}

/// What came, with a plus, and what went, with a minus.
fn changes(from: &[String], to: &[String]) -> Vec<String> {
    let came = to.iter().filter(|name| !from.contains(name)).map(|name| format!("+ {name}"));
    let went = from.iter().filter(|name| !to.contains(name)).map(|name| format!("- {name}"));
    came.chain(went).collect()
}

/// Every limit by the name of its setting.
pub(super) fn limits(limits: &PluginLimits) -> BTreeMap<String, String> {
    // They are numbers only: what could fail is left out by failing.
    let table = toml::Table::try_from(limits).unwrap_or_default();
    table.into_iter().map(|(name, value)| (name, value.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_and_what_went_is_told_apart() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (from, to) = (list(&["http=https://a.org", "search"]), list(&["search", "models"]));
        assert_eq!(changes(&from, &to), ["+ models", "- http=https://a.org"]);
        assert!(changes(&from, &from).is_empty());
    }

    #[test]
    fn limits_go_by_the_names_of_their_settings() {
        let all = limits(&PluginLimits { cpu_ms: 7, searches: 9, ..PluginLimits::default() });
        assert_eq!(all.get("cpu_ms").map(String::as_str), Some("7"));
        assert_eq!(all.get("searches").map(String::as_str), Some("9"));
    }
}
