//! Rules about single files: what they open with, how long they are, how they are named, and what
//! must not stand in them.

use crate::tree::{File, Finding, Tree};

/// Every Rust file opens with `//!`.
pub(crate) fn header(tree: &Tree) -> Vec<Finding> {
    let bare = tree.rust().filter(|file| !file.text.starts_with("//! "));
    let fix = "open it with `//! `: what it is, and what it deliberately does not do";
    bare.map(|file| Finding::new(&file.path, fix)).collect()
}

/// No file is longer than people read, tests apart.
pub(crate) fn length(tree: &Tree) -> Vec<Finding> {
    let long = tree.rust().filter(|file| !file.is_test()).filter_map(|file| {
        let lines = file.without_tests().lines().count();
        let fix = format!(
            "{lines} lines without tests, at most {LINES_MAX}; split it by phase or noun, \
             `{stem}.rs` as the table of contents of `{stem}/`",
            stem = file.stem(),
        );
        (lines > LINES_MAX).then(|| Finding::new(&file.path, fix))
    });
    long.collect()
}

/// No file or folder is named after what it is not.
pub(crate) fn name(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        if file.path.ends_with("/mod.rs") {
            let fix = "no mod.rs: name it after its folder and put it beside it";
            findings.push(Finding::new(&file.path, fix));
        }
        let stems = file.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
        for stem in stems.filter(|stem| EMPTY_NAMES.contains(stem)) {
            let fix = format!("`{stem}` says nothing; name it after what it does");
            findings.push(Finding::new(&file.path, fix));
        }
    }
    findings
}

/// Nothing is marked as unfinished.
pub(crate) fn unfinished(tree: &Tree) -> Vec<Finding> {
    // Written in halves, or this file would be found.
    let marks = [["FIX", "ME"].concat(), ["TO", "DO"].concat(), ["XX", "X"].concat()];
    let fix = "finish it, or open an issue; a mark in the text is read by nobody";
    in_text(tree, |line| {
        let found = marks.iter().any(|mark| words(line).any(|word| word == mark));
        found.then(|| fix.to_owned())
    })
}

/// Nothing holds on the machine where it was written only: its paths, its package registry.
pub(crate) fn machine(tree: &Tree) -> Vec<Finding> {
    let paths = ["/ro|ot/", "/ho|me/", "/Us|ers/", "/wo|rk/ma|in", "/wo|rk/sha|red"];
    let registries = [
        "artif|actory",
        "jf|rog",
        "nex|us3",
        "dev|pi",
        "verda|ccio",
        "index-|url",
        "find-|links",
        "registry.|npmjs",
        "py|pi.org",
        "sparse|+http",
        "replace|-with",
        "cargo.|lock-mirror",
    ];
    let whole = |parts: &&str| parts.replace('|', "");
    let paths = paths.iter().map(whole).collect::<Vec<_>>();
    let registries = registries.iter().map(whole).collect::<Vec<_>>();
    in_text(tree, |line| {
        if let Some(path) = paths.iter().find(|path| line.contains(path.as_str())) {
            return Some(format!("`{path}` is one machine's path; use one below the repository"));
        }
        let lower = line.to_ascii_lowercase();
        let host = registries.iter().find(|host| lower.contains(host.as_str()))?;
        Some(format!(
            "`{host}` names a package registry; leave that to each machine's own settings"
        ))
    })
}

fn in_text(tree: &Tree, wrong: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for File { path, text } in &tree.files {
        for (index, line) in text.lines().enumerate() {
            if let Some(fix) = wrong(line) {
                findings.push(Finding::new(format!("{path}:{}", index + 1), fix));
            }
        }
    }
    findings
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|char: char| !char.is_alphanumeric() && char != '_')
}

const LINES_MAX: usize = 500;

const EMPTY_NAMES: [&str; 8] =
    ["utils", "util", "helpers", "helper", "common", "misc", "shared", "stuff"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_header_is_found() {
        let tree = Tree::of(&[("a.rs", "use b;\n"), ("b.rs", "//! B.\n"), ("c.toml", "")]);
        assert_eq!(header(&tree)[0].place, "a.rs");
        assert_eq!(header(&tree).len(), 1);
    }

    #[test]
    fn only_lines_outside_tests_count() {
        let long = "//! A.\n".repeat(LINES_MAX);
        let with_tests = format!("{long}#[cfg(test)]\nmod tests {{\n    use x;\n}}\n");
        let longer = format!("{long}//! One too many.\n");
        let tree = Tree::of(&[("a.rs", &with_tests), ("b.rs", &longer), ("b/tests.rs", &longer)]);
        let findings = length(&tree);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().starts_with("b.rs: 501 lines"), "{}", findings[0]);
    }

    #[test]
    fn a_name_that_says_nothing_is_found_in_files_and_folders() {
        let tree =
            Tree::of(&[("x/utils.rs", ""), ("common/y.rs", ""), ("x/mod.rs", ""), ("a.rs", "")]);
        assert_eq!(name(&tree).len(), 3);
    }

    #[test]
    fn a_mark_of_unfinished_work_is_found_as_a_whole_word() {
        let line = format!("{}: later\n{}LIST\n", ["TO", "DO"].concat(), ["TO", "DO"].concat());
        let tree = Tree::of(&[("a.md", &line)]);
        let places = unfinished(&tree).into_iter().map(|finding| finding.place);
        assert_eq!(places.collect::<Vec<_>>(), ["a.md:1"]);
    }

    #[test]
    fn a_machine_s_path_and_registry_are_found() {
        let path = ["/ro", "ot/x"].concat();
        let host = format!("url = \"https://{}.example.com\"", ["Artif", "actory"].concat());
        let tree = Tree::of(&[("a.rs", &path), ("b.toml", &host), ("c.rs", "\"/v1/models\"")]);
        let findings = machine(&tree);
        assert_eq!(findings.len(), 2);
        assert!(findings[1].fix.contains("registry"), "{}", findings[1]);
    }
}
