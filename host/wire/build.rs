//! Lists `providers/*.toml` and `models/*.toml` for `src/shipped.rs` to embed, so that a new file
//! is found without an edit. It does not read them: what is wrong in one fails `cargo test`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let mut source = String::new();
    for (name, folder) in [("PROVIDER_FILES", "providers"), ("MODEL_FILES", "models")] {
        println!("cargo::rerun-if-changed={folder}");
        list(&root, folder, name, &mut source)?;
    }
    fs::write(Path::new(&variable("OUT_DIR")?).join("shipped_files.rs"), source)
}

/// Appends `static NAME: &[(path, text)]`. Sorted, so that two builds are alike.
fn list(root: &Path, folder: &str, name: &str, source: &mut String) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    let mut rows = String::new();
    for path in files {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let shown = format!("{folder}/{file}");
        writeln!(rows, "    ({shown:?}, include_str!({path:?})),").map_err(io::Error::other)?;
    }
    writeln!(source, "static {name}: &[(&str, &str)] = &[\n{rows}];").map_err(io::Error::other)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}
