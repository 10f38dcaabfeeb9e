//! The shipped plugins' own cases, in the sandbox that serves requests, with replies cut in every way.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the gateway's build left the plugins whole.
fn built(id: &str) -> PathBuf {
    Path::new(env!("PATCHBAY_TEMPLATE_WASM")).with_file_name(format!("plugin-{id}.wasm"))
}

fn shipped() -> Vec<String> {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("plugins");
    let folders = std::fs::read_dir(plugins).unwrap().map(Result::unwrap);
    let folders = folders.filter(|folder| folder.path().join("Cargo.toml").is_file());
    let mut ids: Vec<_> = folders.map(|folder| folder.file_name().into_string().unwrap()).collect();
    ids.sort();
    ids
}

#[test]
fn every_shipped_plugin_passes_ten_cases_and_more_in_the_sandbox() {
    let ids = shipped();
    assert!(ids.contains(&"reasoning".to_owned()), "{ids:?}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("patchbay.toml"), PATIENT).unwrap();
    for id in ids {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
        command.args(["--config", "patchbay.toml", "plugin", "test"]).arg(built(&id));
        let tested = command.current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8(tested.stdout).unwrap();
        let errors = String::from_utf8_lossy(&tested.stderr);
        assert!(tested.status.success(), "{id}: {said}{errors}");
        let held = said.lines().filter(|line| line.starts_with("ok ")).count();
        assert!(held >= 10, "{id} has {held} cases: {said}");
    }
}

/// The machine may be busy with other tests.
const PATIENT: &str = "[plugins]\nself_test_ms = 120000\n[plugins.limits]\ncpu_ms = 10000\n";
