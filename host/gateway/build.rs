//! Builds the shipped plugins to WebAssembly and writes `shipped.rs`, which the gateway includes.
//! The template and the plugins of the tests are built too: tests find them by
//! `PATCHBAY_TEMPLATE_WASM` and the like (`FOR_TESTS`).
//!
//! The plugins are built by a cargo of their own, in a target directory of their own: in this
//! one's it would wait for ever for the lock that the outer cargo holds.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

#[path = "build/shipment.rs"]
mod shipment;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            for line in message.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = root.ancestors().nth(2).ok_or("the gateway is not inside the workspace")?;
    for path in WATCHED {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    let shipped = folders(&root.join("plugins"))?;
    let mut packages: Vec<String> = shipped.iter().map(|id| format!("plugin-{id}")).collect();
    packages.extend(FOR_TESTS.map(|(package, _)| package.to_owned()));

    add_target_if_missing()?;
    let built = build_plugins(root, &out, &packages)?;

    let mut list = "/// The shipped plugins: id and core module.\n\
                    pub static SHIPPED: &[(&str, &[u8])] = &[\n"
        .to_owned();
    for id in &shipped {
        let whole = copy(&built, &format!("plugin-{id}"), &out)?;
        let shipped = out.join(format!("shipped-{id}.wasm"));
        shipment::pack(&whole, &shipped)?;
        writeln!(
            list,
            "    ({id:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/shipped-{id}.wasm\"))),"
        )
        .map_err(|error| error.to_string())?;
    }
    list.push_str("];\n");
    for (package, name) in FOR_TESTS {
        let path = copy(&built, package, &out)?;
        println!("cargo::rustc-env={name}={}", path.display());
    }
    fs::write(out.join("shipped.rs"), list).map_err(|error| format!("shipped.rs: {error}"))?;
    let project = project(root)?;
    fs::write(out.join("project.rs"), project).map_err(|error| format!("project.rs: {error}"))
}

/// Each folder of `plugins` that has a manifest, in order of name.
fn folders(plugins: &Path) -> Result<Vec<String>, String> {
    let entries =
        fs::read_dir(plugins).map_err(|error| format!("{}: {error}", plugins.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

/// The toolchain in use may lack the plugins' target; rustup can add it.
fn add_target_if_missing() -> Result<(), String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let printed = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("{}: {error}", rustc.display()))?;
    let folder = PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim());
    if printed.status.success() && folder.is_dir() {
        return Ok(());
    }
    let toolchain = env::var("RUSTUP_TOOLCHAIN").ok();
    let mut arguments = vec!["target", "add", TARGET];
    if let Some(toolchain) = &toolchain {
        arguments.extend(["--toolchain", toolchain]);
    }
    let added = Command::new("rustup").args(&arguments).status();
    if added.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(format!(
        "the plugins are built for {TARGET}, which this toolchain lacks; add it with\n    rustup {}\n\
         (without rustup: install your distribution's Rust standard library for that target)",
        arguments.join(" ")
    ))
}

/// Runs cargo on the packages and returns the folder of their `.wasm` files.
fn build_plugins(root: &Path, out: &Path, packages: &[String]) -> Result<PathBuf, String> {
    let target_dir = plugins_target_dir(out)?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(root).args(["build", "--lib", "--target", TARGET, "--profile", "plugin"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    let linked = format!("target.{TARGET}.rustflags=[{SHORT_NUMBERS:?}]");
    cargo.args(["--config", &linked]).env("CARGO_TARGET_DIR", &target_dir);
    for name in FOREIGN {
        cargo.env_remove(name);
    }
    let status = cargo.status().map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !status.success() {
        return Err(format!(
            "the plugins do not build; to see why:\n    cargo build --lib --target {TARGET} \
             --profile plugin -p {}",
            packages.join(" -p ")
        ));
    }
    Ok(target_dir.join(TARGET).join("plugin"))
}

/// `plugins` in the outer target directory, one for debug and release. `OUT_DIR` is
/// `<target>[/<triple>]/<profile>/build/<package>/out`.
fn plugins_target_dir(out: &Path) -> Result<PathBuf, String> {
    let above = out.ancestors().nth(4).ok_or("OUT_DIR is not inside a target directory")?;
    let triple = variable("TARGET")?;
    let is_triple = above.file_name().is_some_and(|name| *name == *triple);
    let target = if is_triple { above.parent().unwrap_or(above) } else { above };
    Ok(target.join("plugins"))
}

/// Copies a plugin into `OUT_DIR`, so that another build of the plugins never changes the file
/// under a gateway that is being compiled.
fn copy(built: &Path, package: &str, out: &Path) -> Result<PathBuf, String> {
    let from = built.join(format!("{}.wasm", package.replace('-', "_")));
    let to = out.join(format!("{package}.wasm"));
    fs::copy(&from, &to).map_err(|error| format!("{}: {error}", from.display()))?;
    Ok(to)
}

/// The text of `project.rs`.
fn project(root: &Path) -> Result<String, String> {
    let mut files = vec![root.join("LICENSE")];
    for folder in PROJECT {
        add_sources(&root.join(folder), &mut files)?;
    }
    let mut text = "/// Path in the repository, and content.\n\
                    pub static SOURCES: &[(&str, &str)] = &[\n"
        .to_owned();
    for file in &files {
        let name = file.strip_prefix(root).unwrap_or(file).display().to_string();
        let file = file.display().to_string();
        writeln!(text, "    ({name:?}, include_str!({file:?})),")
            .map_err(|error| error.to_string())?;
    }
    let manifest = project_manifest(root)?;
    write!(
        text,
        "];\n\n/// What makes the manifest of the template one that stands alone.\n\
         pub static MANIFEST_END: &str = {manifest:?};\n"
    )
    .map_err(|error| error.to_string())?;
    Ok(text)
}

/// The sources below a folder, in order of path.
fn add_sources(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        if name == "target" || name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if path.is_dir() {
            add_sources(&path, files)?;
        } else if path.extension().is_some_and(|kind| KINDS.iter().any(|known| kind == *known)) {
            files.push(path);
        }
    }
    Ok(())
}

/// The tables that the manifests of the SDK and the template inherit from, with the repository's
/// own versions and profile.
fn project_manifest(root: &Path) -> Result<String, String> {
    let whole = manifest(&root.join("Cargo.toml"))?;
    let table = |outer: &str, inner: &str| {
        let found = whole.get(outer).and_then(|table| table.get(inner)?.as_table());
        found.ok_or_else(|| format!("Cargo.toml has no [{outer}.{inner}]"))
    };
    let versions = table("workspace", "dependencies")?;
    let mut dependencies = toml::Table::new();
    for folder in ["sdk", "examples/plugin-template"] {
        let own = manifest(&root.join(folder).join("Cargo.toml"))?;
        let names = own.get("dependencies").and_then(toml::Value::as_table);
        for name in names.into_iter().flat_map(toml::Table::keys) {
            let version = versions.get(name).ok_or_else(|| {
                format!("{folder} depends on `{name}`, which has no version in Cargo.toml")
            })?;
            dependencies.insert(name.clone(), version.clone());
        }
    }
    let workspace = toml::Table::from_iter([
        ("resolver".to_owned(), "3".into()),
        ("members".to_owned(), vec!["sdk"].into()),
        ("package".to_owned(), table("workspace", "package")?.clone().into()),
        ("dependencies".to_owned(), dependencies.into()),
        ("lints".to_owned(), toml::Table::new().into()),
    ]);
    let profile = table("profile", "plugin")?.clone();
    let profile = toml::Table::from_iter([("plugin".to_owned(), profile.into())]);
    let end = toml::Table::from_iter([
        ("workspace".to_owned(), workspace.into()),
        ("profile".to_owned(), profile.into()),
    ]);
    toml::to_string(&end).map_err(|error| error.to_string())
}

fn manifest(path: &Path) -> Result<toml::Table, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).ok_or_else(|| format!("cargo did not set {name}"))
}

const TARGET: &str = "wasm32-unknown-unknown";

/// Every call and address that the linker writes has five bytes else, though few need more than
/// three. It refuses to shorten them beside debug information, which the profile leaves out.
const SHORT_NUMBERS: &str = "-Clink-arg=--compress-relocations";

/// Package, and the variable that tells tests where it lies.
const FOR_TESTS: [(&str, &str); 4] = [
    ("plugin-template", "PATCHBAY_TEMPLATE_WASM"),
    ("plugin-hostile", "PATCHBAY_HOSTILE_WASM"),
    ("plugin-caller", "PATCHBAY_CALLER_WASM"),
    ("plugin-censor", "PATCHBAY_CENSOR_WASM"),
];

/// What a project of `patchbay plugin new` is made of, from the workspace's root.
const PROJECT: [&str; 3] = ["examples/plugin-template", "sdk", "wit"];

/// The kinds of files in there that are sources.
const KINDS: [&str; 5] = ["json", "md", "rs", "toml", "wit"];

/// What the plugins are made of, from the workspace's root.
const WATCHED: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "examples/plugin-template",
    "host/gateway/build",
    "host/gateway/build.rs",
    "plugins",
    "sdk",
    "tests/plugins/caller",
    "tests/plugins/censor",
    "tests/plugins/hostile",
    "wit",
];

/// Set for the host's build; they would be wrong for the plugins'.
const FOREIGN: [&str; 7] = [
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_UNSTABLE_BUILD_STD",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
    "__CARGO_DEFAULT_LIB_METADATA",
];
