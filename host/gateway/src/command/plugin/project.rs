//! `patchbay plugin new`: a project of its own, from the template, the SDK and the contract that
//! the program carries. It builds wherever Rust and a package registry are.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::super::announce;

/// What to make.
#[derive(Debug, Args)]
pub(in crate::command) struct New {
    /// What requests will name: lower-case letters, digits and `-`.
    name: String,
    /// The project's folder; without it, one of that name here.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Writes the project and says what to type next.
///
/// # Errors
/// When the name is none, or the folder has something in it.
pub(super) fn run(new: &New) -> Result<(), anyhow::Error> {
    check(&new.name)?;
    let dir = new.dir.clone().unwrap_or_else(|| PathBuf::from(&new.name));
    let is_taken = match std::fs::read_dir(&dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => dir.exists(),
    };
    let shown = dir.display();
    anyhow::ensure!(!is_taken, "{shown} has something in it; name another folder by --dir");
    for (path, text) in files(&new.name) {
        let path = dir.join(path);
        write(&path, &text).with_context(|| path.display().to_string())?;
    }
    announce::line(&format!(
        "Made {shown}: src/lib.rs is the plugin, sdk/TUTORIAL.md says how to go on. Next:\n\n  \
         cd {shown}\n  patchbay plugin test\n  patchbay plugin add ."
    ));
    Ok(())
}

/// The id that a plugin of that name has must be one, and its type's name too.
fn check(name: &str) -> Result<(), anyhow::Error> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = name.starts_with(|char: char| char.is_ascii_lowercase())
        && name.bytes().all(is_letter)
        && !name.ends_with('-')
        && name.len() <= NAME_BYTES_MAX;
    anyhow::ensure!(
        is_name,
        "`{}` is no name for a plugin: use up to {NAME_BYTES_MAX} lower-case letters, digits and \
         `-`, a letter first",
        name.escape_debug()
    );
    Ok(())
}

/// Path in the project, and content.
fn files(name: &str) -> Vec<(String, String)> {
    let mut files = vec![
        ("README.md".to_owned(), README.replace("{name}", name)),
        (".gitignore".to_owned(), "/target\n".to_owned()),
    ];
    for (path, text) in carried::SOURCES {
        let (path, text) = match path.strip_prefix("examples/plugin-template/") {
            Some("README.md") => continue,
            Some("Cargo.toml") => ("Cargo.toml", manifest(name, text)),
            Some(own) => (own, renamed(name, text)),
            None if *path == "LICENSE" => ("sdk/LICENSE", (*text).to_owned()),
            None => (*path, (*text).to_owned()),
        };
        files.push((path.to_owned(), text));
    }
    files
}

/// The template's manifest, made one that stands alone. Version and licence are the author's: the
/// inherited ones are the SDK's.
fn manifest(name: &str, text: &str) -> String {
    let text = text
        .replace("plugin-template", &format!("plugin-{name}"))
        .replace("A plugin to copy: replaces", "Replaces")
        .replace("version.workspace = true", "version = \"0.1.0\"")
        .replace("rust-version = \"0.1.0\"", "rust-version.workspace = true")
        .replace("license.workspace = true\n", "");
    format!(
        "{text}\n# How plugins are built, and what the SDK in `sdk` inherits.\n{}",
        carried::MANIFEST_END
    )
}

fn renamed(name: &str, text: &str) -> String {
    text.replace("A plugin to copy: replaces", "Replaces")
        .replace("\"template\"", &format!("\"{name}\""))
        .replace("Template", &type_name(name, text))
}

/// `no-leaks` becomes `NoLeaks`; a name that the source uses for something else gets an ending.
fn type_name(name: &str, source: &str) -> String {
    let upper = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        first.to_ascii_uppercase() + rest
    };
    let own = name.split('-').map(upper).collect::<String>();
    let mut words = source.split(|char: char| !char.is_alphanumeric());
    if words.any(|word| word == own) { format!("{own}Plugin") } else { own }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}

/// As the gateway's own rule for ids.
const NAME_BYTES_MAX: usize = 64;

const README: &str = "\
# {name}

A plugin for Patchbay. It replaces words in the answer, also where a word arrives in pieces.

    patchbay plugin test      # builds it and runs its cases in the gateway's sandbox
    cargo test                # runs them natively, where a debugger works
    patchbay plugin add .     # puts it into the plugin folder of a gateway

Then ask for it in a request:

    \"plugins\": [{\"id\": \"{name}\", \"replace\": {\"cat\": \"dog\"}}]

`sdk/TUTORIAL.md` goes on from here.
";

/// What the build script wrote down.
#[expect(unreachable_pub, reason = "written by the build script, for whoever includes it")]
mod carried {
    include!(concat!(env!("OUT_DIR"), "/project.rs"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, path: &str) -> String {
        let file = files(name).into_iter().find(|(own, _)| own == path);
        file.map(|(_, text)| text).unwrap()
    }

    #[test]
    fn the_type_is_named_after_the_plugin_unless_the_name_is_taken() {
        let names =
            [("no-leaks", "NoLeaks"), ("delta", "DeltaPlugin"), ("options", "OptionsPlugin")];
        for (name, own) in names {
            let source = file(name, "src/lib.rs");
            assert!(source.contains(&format!("pub struct {own} {{")), "{name}: {source}");
            assert!(source.contains(&format!("export!({own}: stream);")), "{name}: {source}");
            assert!(source.contains(&format!("Description::new(\"{name}\"")), "{name}: {source}");
        }
    }

    #[test]
    fn the_manifest_stands_alone() {
        let manifest: toml::Table = file("shout", "Cargo.toml").parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some("plugin-shout"));
        assert_eq!(manifest["package"]["version"].as_str(), Some("0.1.0"));
        assert_eq!(manifest["workspace"]["members"].as_array().unwrap().len(), 1);
        assert_eq!(manifest["profile"]["plugin"]["opt-level"].as_str(), Some("s"));
        let versions = &manifest["workspace"]["dependencies"];
        assert_eq!(versions["patchbay-sdk"]["path"].as_str(), Some("sdk"));
        for name in ["serde", "serde_json", "wit-bindgen"] {
            assert!(versions.get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn only_names_that_can_be_ids_are_taken() {
        for name in ["a", "no-leaks", "v2"] {
            check(name).unwrap();
        }
        for name in ["", "Shout", "2x", "-a", "a-", "a_b", "../a", "a b"] {
            assert!(check(name).unwrap_err().to_string().contains("lower-case"), "{name}");
        }
    }
}
