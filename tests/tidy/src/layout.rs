//! Rules about what belongs together: a file and the `mod` that names it, a dialect and its
//! fixtures, a plugin and its cases, an interface and the world.

use crate::tree::{File, Finding, Tree};

/// What stands at the top, and nothing else. The toolchain's file can't hide behind a dot: rustup
/// knows it by this name only.
const TOP: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "examples",
    "host",
    "plugins",
    "rust-toolchain.toml",
    "sdk",
    "tests",
    "wit",
];

/// The visible top level is what was agreed.
pub(crate) fn top_level(tree: &Tree) -> Vec<Finding> {
    let extra = tree.top.iter().filter(|name| !TOP.contains(&name.as_str())).map(|name| {
        let fix = "does not belong at the top; put it below one of the agreed folders, or into \
                   .gitignore if it is made by a run";
        Finding::new(name, fix)
    });
    let missing = TOP.iter().filter(|name| !tree.top.iter().any(|there| there == *name));
    let missing = missing.map(|name| Finding::new(*name, "is missing at the top; write it"));
    extra.chain(missing).collect()
}

/// Every Rust file is named by a `mod`, or by a manifest.
pub(crate) fn orphans(tree: &Tree) -> Vec<Finding> {
    let lost = tree.rust().filter(|file| !is_root(tree, file) && !is_named(tree, file));
    let fix = |file: &File| {
        format!(
            "no `mod {};` names it, so it is never compiled; add that, or remove it",
            file.stem()
        )
    };
    lost.map(|file| Finding::new(&file.path, fix(file))).collect()
}

/// Every dialect has a folder of fixtures with a case in it.
pub(crate) fn dialect_fixtures(tree: &Tree) -> Vec<Finding> {
    let names = tree.names_below("host/wire/src/dialects");
    let dialects = names.iter().filter_map(|name| name.strip_suffix(".rs"));
    let bare = dialects.filter_map(|name| {
        let folder = format!("tests/wire/{}", name.replace('_', "-"));
        let fix = format!("has no fixtures; add a case folder below {folder}/");
        let has_case = tree
            .names_below(&folder)
            .iter()
            .any(|case| !tree.names_below(&format!("{folder}/{case}")).is_empty());
        (!has_case).then(|| Finding::new(format!("host/wire/src/dialects/{name}.rs"), fix))
    });
    bare.collect()
}

/// Every plugin, the template included, has cases.
pub(crate) fn plugin_cases(tree: &Tree) -> Vec<Finding> {
    let shipped = tree.names_below("plugins").into_iter().map(|name| format!("plugins/{name}"));
    let folders = shipped.chain(["examples/plugin-template".to_owned()]);
    let plugins = folders.filter(|folder| tree.file(&format!("{folder}/Cargo.toml")).is_some());
    let bare = plugins.filter(|folder| {
        let cases = tree.names_below(&format!("{folder}/cases"));
        !cases.iter().any(|case| case.ends_with(".json"))
    });
    let fix = "has no case; add cases/<what it shows>.json, run by `patchbay plugin test`";
    bare.map(|folder| Finding::new(folder, fix)).collect()
}

/// The world imports or exports every interface.
pub(crate) fn interfaces(tree: &Tree) -> Vec<Finding> {
    let Some(world) = tree.file("wit/world.wit") else {
        return vec![Finding::new("wit/world.wit", "is missing; it says what a plugin is")];
    };
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with("wit/")) {
        let Some(flat) = file.path.strip_prefix("wit/").filter(|name| name.ends_with(".wit"))
        else {
            continue;
        };
        if flat.contains('/') {
            // A frozen older version below deps/ names itself.
            continue;
        }
        for line in file.text.lines() {
            let Some(rest) = line.trim_start().strip_prefix("interface ") else { continue };
            let name = rest.trim_end_matches('{').trim();
            let named = ["import", "export"]
                .iter()
                .any(|verb| world.text.contains(&format!("{verb} {name};")));
            if !named {
                let fix = format!("`{name}` is in no world; name it in wit/world.wit");
                findings.push(Finding::new(&file.path, fix));
            }
        }
    }
    findings
}

/// Whether cargo takes the file as a root by itself, or because a manifest says so.
fn is_root(tree: &Tree, file: &File) -> bool {
    let usual = ["/src/lib.rs", "/src/main.rs", "/build.rs"];
    if usual.iter().any(|end| file.path.ends_with(end)) {
        return true;
    }
    let (folder, _) = file.path.rsplit_once('/').unwrap_or_default();
    // `x/src/bin/name.rs`, and what cargo finds beside `src/`.
    let found =
        [("/src/bin", "Cargo.toml"), ("/examples", "Cargo.toml"), ("/benches", "Cargo.toml")];
    let found = found.iter().any(|(end, manifest)| {
        let package = folder.strip_suffix(end);
        package.is_some_and(|package| tree.file(&format!("{package}/{manifest}")).is_some())
    });
    found || named_by_manifest(tree, &file.path)
}

fn named_by_manifest(tree: &Tree, path: &str) -> bool {
    let manifests = tree.files.iter().filter(|file| file.path.ends_with("Cargo.toml"));
    manifests.into_iter().any(|manifest| {
        let (folder, _) = manifest.path.rsplit_once('/').unwrap_or_default();
        let paths =
            manifest.text.split("path = \"").skip(1).filter_map(|rest| rest.split('"').next());
        paths.into_iter().any(|named| resolve(folder, named) == path)
    })
}

/// Whether the module above names it, directly or inside an inline `mod`, or an attribute does.
fn is_named(tree: &Tree, file: &File) -> bool {
    let stem = file.stem();
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let declares = |text: &str| {
        let declared = format!("mod {stem};");
        text.contains(&declared)
    };
    // The module above is `x.rs` of `x/`, or a root in the same folder; where there is none, the
    // folder itself is an inline module one level up.
    let mut above = Some(folder);
    while let Some(level) = above {
        let beside = tree.file(&format!("{level}.rs"));
        let roots = tree.rust().filter(|other| {
            other.path.rsplit_once('/').is_some_and(|(place, _)| place == level)
                && other.path != file.path
                && is_root(tree, other)
        });
        let mut holders = beside.into_iter().chain(roots).peekable();
        if holders.peek().is_some() {
            let holders = holders.collect::<Vec<_>>();
            if holders.iter().any(|holder| declares(&holder.text)) {
                return true;
            }
            break;
        }
        above = level.rsplit_once('/').map(|(up, _)| up);
    }
    let attribute = format!("{name}\"]");
    let neighbours = tree.rust().filter(|other| other.text.contains("#[path = \""));
    neighbours.into_iter().any(|other| other.text.contains(&attribute))
}

/// A relative path seen from a folder, with its `..` taken out.
fn resolve(folder: &str, relative: &str) -> String {
    let mut parts = folder.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>();
    for part in relative.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.place.as_str()).collect()
    }

    #[test]
    fn what_is_too_much_or_missing_at_the_top_is_found() {
        let top = TOP.iter().skip(1).chain(&["scripts"]).map(|name| (*name).to_owned()).collect();
        let tree = Tree { top, files: Vec::new() };
        assert_eq!(places(&top_level(&tree)), ["scripts", "Cargo.lock"]);
    }

    #[test]
    fn a_file_that_no_mod_names_is_found() {
        let tree = Tree::of(&[
            ("a/Cargo.toml", "[[test]]\npath = \"../tests/all.rs\""),
            ("a/build.rs", ""),
            ("a/src/lib.rs", "mod x;\nmod inline {\n    mod deep;\n}"),
            ("a/src/x.rs", "mod y;"),
            ("a/src/x/y.rs", "#[cfg(test)]\nmod tests;"),
            ("a/src/x/y/tests.rs", ""),
            ("a/src/inline/deep.rs", ""),
            ("a/src/x/lost.rs", ""),
            ("a/src/gone.rs", ""),
            ("a/benches/b.rs", ""),
            ("tests/all.rs", "mod e2e;"),
            ("tests/e2e.rs", ""),
        ]);
        assert_eq!(places(&orphans(&tree)), ["a/src/gone.rs", "a/src/x/lost.rs"]);
    }

    #[test]
    fn a_dialect_without_a_case_is_found() {
        let tree = Tree::of(&[
            ("host/wire/src/dialects/openai_chat.rs", ""),
            ("host/wire/src/dialects/openai_chat/read.rs", ""),
            ("host/wire/src/dialects/other_kind.rs", ""),
            ("tests/wire/openai-chat/text/request.json", ""),
            ("tests/wire/other-kind/about.md", ""),
        ]);
        let findings = dialect_fixtures(&tree);
        assert_eq!(places(&findings), ["host/wire/src/dialects/other_kind.rs"]);
        assert!(findings[0].fix.contains("tests/wire/other-kind/"));
    }

    #[test]
    fn a_plugin_without_a_case_is_found() {
        let tree = Tree::of(&[
            ("plugins/README.md", ""),
            ("plugins/a/Cargo.toml", ""),
            ("plugins/a/cases/one.json", ""),
            ("plugins/b/Cargo.toml", ""),
            ("examples/plugin-template/Cargo.toml", ""),
        ]);
        assert_eq!(places(&plugin_cases(&tree)), ["plugins/b", "examples/plugin-template"]);
    }

    #[test]
    fn an_interface_in_no_world_is_found() {
        let tree = Tree::of(&[
            ("wit/world.wit", "world w { import log; export request-hook; }"),
            ("wit/log.wit", "interface log {\n}"),
            ("wit/hooks.wit", "interface request-hook {\n}\ninterface stream-hook {\n}"),
            ("wit/deps/old/log.wit", "interface old {\n}"),
        ]);
        let findings = interfaces(&tree);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].fix.contains("`stream-hook`"));
    }
}
