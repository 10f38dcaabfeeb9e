//! Rules about the `Cargo.toml`s: versions are written once, and the pure crates stay pure.

use crate::tree::{Finding, Tree};

/// Crates of ours that must run anywhere: they depend on nothing of ours and on no runtime.
const PURE: [&str; 3] = ["host/wire", "host/ledger", "host/index"];

/// What waits, opens sockets or files, or reads a clock.
const RUNTIMES: [&str; 17] = [
    "async-std",
    "axum",
    "futures-executor",
    "getrandom",
    "governor",
    "hyper",
    "hyper-util",
    "mio",
    "notify",
    "rand",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "wasmtime",
];

/// Versions stand in the workspace's manifest only.
pub(crate) fn versions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in manifests(tree) {
        // A manifest with its own workspace (the fuzz targets') is a root itself.
        if text.lines().any(|line| line.trim() == "[workspace]") {
            continue;
        }
        for (section, key, value) in entries(text) {
            let inherited = key.ends_with(".workspace") || value.contains("workspace = true");
            let ours = value.contains("path = ") && !value.contains("version");
            let field = ["version", "edition", "rust-version", "license"].contains(&key);
            let wrong = match section {
                "package" => field && !inherited,
                _ => section.ends_with("dependencies") && !inherited && !ours,
            };
            if wrong {
                let fix = format!(
                    "[{section}] {key}: say `{key}.workspace = true`; the version stands in the \
                     root's Cargo.toml"
                );
                findings.push(Finding::new(path, fix));
            }
        }
    }
    findings
}

/// The pure crates depend on nothing of ours and on no runtime.
pub(crate) fn purity(tree: &Tree) -> Vec<Finding> {
    let all = manifests(tree).flat_map(|(_, text)| entries(text));
    let names = all.filter(|(section, key, _)| *section == "package" && *key == "name");
    let ours = names.map(|(_, _, name)| name.trim_matches('"')).collect::<Vec<_>>();
    let mut findings = Vec::new();
    for folder in PURE {
        let path = format!("{folder}/Cargo.toml");
        let Some(file) = tree.file(&path) else { continue };
        for (section, key, _) in entries(&file.text) {
            if !section.ends_with("dependencies") {
                continue;
            }
            let name = key.strip_suffix(".workspace").unwrap_or(key);
            let what = match name {
                _ if ours.contains(&name) => "is ours",
                _ if RUNTIMES.contains(&name) => "is a runtime",
                _ => continue,
            };
            let fix = format!(
                "`{name}` {what}; this crate does neither IO nor time: let the gateway bring it"
            );
            findings.push(Finding::new(&path, fix));
        }
    }
    findings
}

/// Every manifest but the root's.
fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    let below = tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml"));
    below.map(|file| (file.path.as_str(), file.text.as_str()))
}

/// The lines `key = value` with their section. A dependency's own section
/// (`[dependencies.name]`) counts as its key. Enough of TOML for our manifests.
fn entries(text: &str) -> Vec<(&str, &str, &str)> {
    let mut section = "";
    let mut entries = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_matches(['[', ']']);
            if let Some((table, name)) = section.split_once("dependencies.") {
                let table = &section[..table.len() + "dependencies".len()];
                entries.push((table, name, ""));
            }
        } else if let Some((key, value)) = line.split_once('=')
            && !line.starts_with('#')
        {
            entries.push((section, key.trim(), value.trim()));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_outside_the_root_is_found() {
        let good = "[package]\nname = \"a\"\nversion.workspace = true\n[dependencies]\n\
                    b.workspace = true\nc = { workspace = true, features = [\"x\"] }\n\
                    d = { path = \"../d\" }\n[lints]\nworkspace = true\n";
        assert_eq!(versions(&Tree::of(&[("a/Cargo.toml", good)])), []);
        for bad in [
            "[package]\nversion = \"1.0.0\"",
            "[package]\nedition = \"2024\"",
            "[dependencies]\nb = \"1\"",
            "[dev-dependencies]\nb = { version = \"1\" }",
            "[target.'cfg(unix)'.dependencies]\nb = \"1\"",
            "[dependencies.b]\nversion = \"1\"",
        ] {
            assert_eq!(versions(&Tree::of(&[("a/Cargo.toml", bad)])).len(), 1, "{bad}");
        }
        let own = "[workspace]\n[dependencies]\nb = \"1\"";
        assert_eq!(versions(&Tree::of(&[("Cargo.toml", own), ("f/Cargo.toml", own)])), []);
    }

    #[test]
    fn a_runtime_or_one_of_ours_in_a_pure_crate_is_found() {
        let ledger = "[package]\nname = \"ledger\"\n";
        let tree = |wire: &str| {
            Tree::of(&[("host/ledger/Cargo.toml", ledger), ("host/wire/Cargo.toml", wire)])
        };
        let findings = purity(&tree("[dependencies]\nledger.workspace = true\ntokio = \"1\""));
        let fixes = findings.iter().map(|finding| finding.fix.as_str()).collect::<Vec<_>>();
        assert!(fixes[0].starts_with("`ledger` is ours"), "{fixes:?}");
        assert!(fixes[1].starts_with("`tokio` is a runtime"), "{fixes:?}");
        assert_eq!(purity(&tree("[dependencies]\nserde.workspace = true")), []);
        assert_eq!(purity(&tree("[dev-dependencies]\ntokio.workspace = true")).len(), 1);
    }
}
