//! Rules about the gateway's modules: who may import whom, and which framework is known where.

use crate::tree::{File, Finding, Tree};

/// Modules by rank, the highest first. A module imports lower ranks only, so equals never know
/// each other and each can be read alone. What stands below a module belongs to it.
///
/// `app` holds the parts, each built once; those that put them to use stand above it.
const RANKS: [&[&str]; 8] = [
    &["main", "lib"],
    &["command"],
    &["api"],
    &["generation"],
    &["app"],
    &["plugin", "routing", "upstream", "billing", "cache", "auth", "limit", "sim"],
    &["store"],
    &["config", "telemetry", "clock", "error", "tokens"],
];

/// Crates that one place only may name, so that replacing one is a change there.
const FRAMEWORKS: [(&str, &[&str]); 7] = [
    ("axum", &["api"]),
    ("wasmtime", &["plugin"]),
    ("wasmtime_wasi", &["plugin"]),
    ("wasmparser", &["plugin"]),
    ("wit_component", &["plugin"]),
    ("rusqlite", &["store"]),
    ("reqwest", &["upstream", "plugin/egress"]),
];

const SOURCE: &str = "host/gateway/src/";

/// Modules import only lower ranks.
pub(crate) fn ranks(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (module, file) in modules(tree) {
        let Some(own) = rank(module) else {
            let fix = format!("`{module}` has no rank; give it one in tests/tidy/src/gateway.rs");
            findings.push(Finding::new(&file.path, fix));
            continue;
        };
        let code = file.code();
        let mut imported = imports(&code);
        imported.sort_unstable();
        imported.dedup();
        for name in imported.into_iter().filter(|name| *name != module) {
            // What has no rank is reported where it stands; a macro or a re-export is no module.
            let Some(other) = rank(name) else { continue };
            if other > own {
                continue;
            }
            let relation = if other == own { "its equal" } else { "above it" };
            let fix = format!(
                "`{module}` imports `{name}`, which is {relation}; take what it needs as an \
                 argument, or move what both need to a lower rank"
            );
            findings.push(Finding::new(&file.path, fix));
        }
    }
    findings
}

/// A framework's name appears in its module only.
pub(crate) fn frameworks(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, file) in modules(tree) {
        let below = file.path.strip_prefix(SOURCE).unwrap_or(&file.path);
        let code = file.code();
        for (name, places) in FRAMEWORKS {
            let home = |place: &&str| {
                below
                    .strip_prefix(*place)
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            if !places.iter().any(home) && names_crate(&code, name) {
                let fix = format!(
                    "`{name}` belongs into `{}` alone; give that module a function or type of ours",
                    places.join("` and `"),
                );
                findings.push(Finding::new(&file.path, fix));
            }
        }
    }
    findings
}

/// Every file that is not only tests, with the module it belongs to.
fn modules(tree: &Tree) -> impl Iterator<Item = (&str, &File)> {
    tree.rust().filter(|file| !file.is_test()).filter_map(|file| {
        let below = file.path.strip_prefix(SOURCE)?;
        let top = below.split('/').next().unwrap_or(below);
        Some((top.strip_suffix(".rs").unwrap_or(top), file))
    })
}

fn rank(module: &str) -> Option<usize> {
    RANKS.iter().position(|rank| rank.contains(&module))
}

/// The first names after every `crate::`, `{…}` included.
fn imports(code: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|char| char == '$' || char.is_alphanumeric() || char == '_') {
            continue;
        }
        let rest = code[at + path.len()..].trim_start();
        match rest.strip_prefix('{') {
            None => names.push(identifier(rest)),
            Some(group) => names.extend(group_names(group)),
        }
    }
    names
}

/// The names that a `use crate::{…}` begins its parts with; `group` begins after the brace.
fn group_names(group: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let (mut depth, mut begin) = (1, 0);
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && char == ',') {
            names.push(identifier(group[begin..at].trim_start()));
            begin = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn identifier(text: &str) -> &str {
    let end = text.find(|char: char| !char.is_alphanumeric() && char != '_');
    &text[..end.unwrap_or(text.len())]
}

/// Whether code has a path that begins with a crate's name, or imports it.
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let free = !before.is_some_and(|char| char.is_alphanumeric() || "_\"-".contains(char));
        let (lead, after) = (code[..at].trim_end(), &code[at + name.len()..]);
        free && (after.starts_with("::")
            || (lead.ends_with("use") && after.starts_with([';', ' '])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks_of(path: &str, text: &str) -> Vec<Finding> {
        ranks(&Tree::of(&[(&format!("{SOURCE}{path}"), text)]))
    }

    #[test]
    fn a_lower_rank_may_be_imported() {
        let text =
            "use crate::config::Config;\nuse crate::{clock, error::Error};\nuse crate::store;";
        assert_eq!(ranks_of("routing/order.rs", text), []);
        assert_eq!(ranks_of("routing.rs", "use crate::routing::order::x;"), []);
    }

    #[test]
    fn an_equal_or_a_higher_one_may_not() {
        let equal = ranks_of("routing.rs", "use crate::upstream::Attempt;");
        assert!(equal[0].fix.contains("`routing` imports `upstream`, which is its equal"));
        let higher = ranks_of("store/sqlite.rs", "fn f() { crate::api::serve() }");
        assert!(higher[0].fix.contains("which is above it"), "{}", higher[0]);
        let grouped =
            ranks_of("config.rs", "use crate::{\n    clock::{now, Clock},\n    store,\n};");
        assert_eq!(grouped.len(), 2);
    }

    #[test]
    fn comments_tests_and_macros_are_no_imports() {
        let text = "//! X.\n// crate::api\nmacro_rules! m { () => { $crate::api::x() } }\n\
                    #[cfg(test)]\nmod tests {\n    use crate::api;\n}\n";
        assert_eq!(ranks_of("error.rs", text), []);
        assert_eq!(ranks_of("error/tests.rs", "use crate::api;"), []);
    }

    #[test]
    fn a_module_without_a_rank_is_found() {
        assert!(ranks_of("novel.rs", "//! New.").remove(0).fix.contains("has no rank"));
    }

    #[test]
    fn a_framework_outside_its_module_is_found() {
        let of =
            |path: &str, text: &str| frameworks(&Tree::of(&[(&format!("{SOURCE}{path}"), text)]));
        assert_eq!(of("billing.rs", "use axum::Json;").len(), 1);
        assert_eq!(of("store.rs", "fn f(x: &reqwest::Client) {}").len(), 1);
        assert_eq!(of("apis.rs", "use axum::Json;").len(), 1);
        assert_eq!(of("api/models.rs", "use axum::Json;"), []);
        assert_eq!(of("plugin/egress.rs", "use reqwest::Client;"), []);
        assert_eq!(of("billing.rs", "let name = \"axum::x\"; // axum::y\nlet my_axum::z;"), []);
    }
}
