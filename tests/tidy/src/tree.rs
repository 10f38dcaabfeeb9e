//! The repository as the rules see it: paths, and the text of what people write. Generated and
//! ignored things are not in it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A repository, or what a test pretends is one.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Sorted by path.
    pub(crate) files: Vec<File>,
    /// The names at the top, without dotfiles and what `.gitignore` lists.
    pub(crate) top: Vec<String>,
}

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    /// Below the root, with `/`.
    pub(crate) path: String,
    /// Empty for what is only data (fixtures, cases, binaries).
    pub(crate) text: String,
}

/// What breaks a rule: where, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) place: String,
    pub(crate) fix: String,
}

impl Finding {
    pub(crate) fn new(place: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { place: place.into(), fix: fix.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fix)
    }
}

impl Tree {
    /// This repository.
    pub(crate) fn of_repository() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let ignored = ignored(&fs::read_to_string(root.join(".gitignore")).unwrap_or_default());
        let mut tree = Self::default();
        for entry in fs::read_dir(root).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') && !ignored.iter().any(|pattern| matches(pattern, &name)) {
                tree.top.push(name);
            }
        }
        tree.top.sort();
        let hidden = [".cargo", ".ci", ".clippy.toml", ".rustfmt.toml"].map(str::to_owned);
        for name in tree.top.clone().iter().chain(&hidden) {
            tree.walk(root, &root.join(name), &ignored);
        }
        tree.files.sort_by(|left, right| left.path.cmp(&right.path));
        tree
    }

    /// Files that a test makes up, as path and text.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        let mut files = files.iter().map(file).collect::<Vec<_>>();
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Self { files, top: Vec::new() }
    }

    /// The file at a path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        let found = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(found)
    }

    /// Every Rust file.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// The names directly below a folder, each once.
    pub(crate) fn names_below(&self, folder: &str) -> Vec<&str> {
        let names = self.files.iter().filter_map(|file| {
            let rest = file.path.strip_prefix(folder)?.strip_prefix('/')?;
            rest.split('/').next()
        });
        let mut names = names.collect::<Vec<_>>();
        names.dedup();
        names
    }

    fn walk(&mut self, root: &Path, path: &Path, ignored: &[String]) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if ignored.iter().any(|pattern| matches(pattern, &name)) {
            return;
        }
        if path.is_dir() {
            let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            let mut entries = entries.collect::<Vec<PathBuf>>();
            entries.sort();
            for entry in entries {
                self.walk(root, &entry, ignored);
            }
        } else if path.is_file() {
            let below = path.strip_prefix(root).unwrap();
            let below = below.to_string_lossy().replace('\\', "/");
            let written = is_written(&below);
            // A file that another program removes meanwhile is none.
            let text =
                if written { fs::read_to_string(path).unwrap_or_default() } else { String::new() };
            self.files.push(File { path: below, text });
        }
    }
}

impl File {
    /// The name without folder and ending.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }

    /// Whether all of it is tests: `tests.rs` beside a module, or a package's tests.
    pub(crate) fn is_test(&self) -> bool {
        self.stem() == "tests" || self.path.starts_with("tests/")
    }

    /// The text without the module of tests inside it.
    pub(crate) fn without_tests(&self) -> String {
        let mut kept = String::new();
        let mut lines = self.text.lines().peekable();
        while let Some(line) = lines.next() {
            let inline = line == "#[cfg(test)]"
                && lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
            if inline {
                // rustfmt puts a module's closing brace alone at the start of a line.
                lines.by_ref().take_while(|line| *line != "}").for_each(drop);
                continue;
            }
            kept.push_str(line);
            kept.push('\n');
        }
        kept
    }

    /// The text without tests and comments. A `//` after a colon is an address, no comment.
    pub(crate) fn code(&self) -> String {
        let mut code = String::new();
        for line in self.without_tests().lines() {
            let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
            code.push_str(comment.map_or(line, |(at, _)| &line[..at]));
            code.push('\n');
        }
        code
    }
}

/// Whether people write it, in contrast to data that tests read.
fn is_written(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default();
    let below_data = path.starts_with("tests/wire/") || path.contains("/cases/");
    let data = below_data && ending != "rs";
    let written = ["rs", "toml", "wit", "md", "py", "mjs", "js", "ts", "sh", "sql"];
    !data && (written.contains(&ending) || path.starts_with(".ci/"))
}

/// The patterns of a `.gitignore`, without slashes.
fn ignored(text: &str) -> Vec<String> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.trim_matches('/').to_owned()).collect()
}

/// `*` stands for anything, at the end only: more was not needed.
fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[test]
fn tests_and_comments_are_not_code() {
    let text =
        "use a; // why\nlet x = \"http://x\";\n#[cfg(test)]\nmod tests {\n    use b;\n}\nuse c;\n";
    let tree = Tree::of(&[("x.rs", text)]);
    assert_eq!(tree.files[0].code(), "use a; \nlet x = \"http://x\";\nuse c;\n");
}

#[test]
fn ignored_names_are_known() {
    let patterns = ignored("/target\n# no\n/patchbay.db*\nnode_modules/\n");
    assert_eq!(patterns, ["target", "patchbay.db*", "node_modules"]);
    assert!(matches("patchbay.db*", "patchbay.db-wal"));
    assert!(!matches("target", "targets"));
}
