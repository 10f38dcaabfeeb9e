//! Builds the shipped plugins to WebAssembly and writes `shipped.rs`, which the gateway includes.
//! The template and the hostile plugin are built too: tests find them by `PATCHBAY_TEMPLATE_WASM`
//! and `PATCHBAY_HOSTILE_WASM`.
//!
//! The plugins are built by a cargo of their own, in a target directory of their own: in this
//! one's it would wait for ever for the lock that the outer cargo holds.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

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
        copy(&built, &format!("plugin-{id}"), &out)?;
        writeln!(
            list,
            "    ({id:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/plugin-{id}.wasm\"))),"
        )
        .map_err(|error| error.to_string())?;
    }
    list.push_str("];\n");
    for (package, name) in FOR_TESTS {
        let path = copy(&built, package, &out)?;
        println!("cargo::rustc-env={name}={}", path.display());
    }
    fs::write(out.join("shipped.rs"), list).map_err(|error| format!("shipped.rs: {error}"))
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
    cargo.env("CARGO_TARGET_DIR", &target_dir);
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

fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).ok_or_else(|| format!("cargo did not set {name}"))
}

const TARGET: &str = "wasm32-unknown-unknown";

/// Package, and the variable that tells tests where it lies.
const FOR_TESTS: [(&str, &str); 2] =
    [("plugin-template", "PATCHBAY_TEMPLATE_WASM"), ("plugin-hostile", "PATCHBAY_HOSTILE_WASM")];

/// What the plugins are made of, from the workspace's root.
const WATCHED: [&str; 8] = [
    "Cargo.lock",
    "Cargo.toml",
    "examples/plugin-template",
    "host/gateway/build.rs",
    "plugins",
    "sdk",
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
