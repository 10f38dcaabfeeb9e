//! `patchbay plugin …` as an author and an operator type it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::harness::Gateway;

/// The program in a folder, with the configuration there and nobody at a terminal.
fn plugin(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
    command.current_dir(folder).stdin(Stdio::null());
    command.arg("--config").arg(folder.join("patchbay.toml")).arg("plugin").args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Said {
    Said::of(plugin(folder, arguments).output().unwrap())
}

/// How a command ended, and all that it printed.
#[derive(Debug)]
struct Said {
    is_good: bool,
    text: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        Self { is_good: output.status.success(), text: String::from_utf8(text).unwrap() }
    }

    #[track_caller]
    fn good(self, words: &[&str]) -> String {
        assert!(self.is_good, "{}", self.text);
        self.with(words)
    }

    #[track_caller]
    fn refused(self, words: &[&str]) -> String {
        assert!(!self.is_good, "{}", self.text);
        self.with(words)
    }

    #[track_caller]
    fn with(self, words: &[&str]) -> String {
        for word in words {
            assert!(self.text.contains(word), "`{word}` is not in: {}", self.text);
        }
        self.text
    }
}

/// A folder with a configuration that names its plugin folder.
fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = format!("[plugins]\ndir = \"plugins.d\"\n{config}");
    std::fs::write(folder.path().join("patchbay.toml"), config).unwrap();
    folder
}

fn template() -> PathBuf {
    PathBuf::from(env!("PATCHBAY_TEMPLATE_WASM"))
}

/// The template as a file of its own with something changed; as many bytes as before.
fn changed(folder: &Path, name: &str, from: &str, to: &str) -> String {
    let mut wasm = std::fs::read(template()).unwrap();
    let places: Vec<_> =
        (0..wasm.len()).filter(|at| wasm[*at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty() && from.len() == to.len(), "{from}");
    for place in places {
        wasm[place..place + to.len()].copy_from_slice(to.as_bytes());
    }
    let file = folder.join(name);
    std::fs::write(&file, wasm).unwrap();
    file.display().to_string()
}

#[test]
fn a_new_project_has_all_that_it_needs_under_its_own_name() {
    let folder = folder("");
    let said = run(folder.path(), &["new", "no-leaks"]);
    said.good(&["cd no-leaks", "patchbay plugin test", "patchbay plugin add ."]);
    let project = folder.path().join("no-leaks");
    for file in ["sdk/Cargo.toml", "sdk/TUTORIAL.md", "sdk/LICENSE", "wit/world.wit", ".gitignore"]
    {
        assert!(project.join(file).is_file(), "{file}");
    }
    let read = |file: &str| std::fs::read_to_string(project.join(file)).unwrap();
    assert!(read("src/lib.rs").contains("Description::new(\"no-leaks\""));
    assert!(read("src/lib.rs").contains("export!(NoLeaks: stream);"));
    assert!(read("Cargo.toml").contains("name = \"plugin-no-leaks\""));
    for own in ["src/lib.rs", "Cargo.toml", "README.md"] {
        assert!(!read(own).to_lowercase().contains("template"), "{own}");
    }
    let cases = std::fs::read_dir(project.join("cases")).unwrap().count();
    assert_eq!(cases, read("src/lib.rs").matches("\"cases/").count());
    let here: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(here.len(), 2, "the configuration and the project: {here:?}");
}

#[test]
fn a_project_is_not_made_where_something_is_nor_under_a_wrong_name() {
    let folder = folder("");
    run(folder.path(), &["new", "Shout"]).refused(&["`Shout`", "lower-case"]);
    run(folder.path(), &["new", "../shout"]).refused(&["lower-case"]);
    run(folder.path(), &["new", "shout", "--dir", "."]).refused(&["--dir"]);
    run(folder.path(), &["new", "shout"]).good(&[]);
    let before = std::fs::read(folder.path().join("shout/src/lib.rs")).unwrap();
    std::fs::write(folder.path().join("shout/src/lib.rs"), [&before[..], b"// mine"].concat())
        .unwrap();
    run(folder.path(), &["new", "shout"]).refused(&["shout", "--dir"]);
    let after = std::fs::read_to_string(folder.path().join("shout/src/lib.rs")).unwrap();
    assert!(after.ends_with("// mine"));
    run(folder.path(), &["new", "shout", "--dir", "b/c"]).good(&["cd b/c"]);
    assert!(folder.path().join("b/c/Cargo.toml").is_file());
}

#[test]
fn a_plugin_is_shown_with_what_it_wants_and_every_limit() {
    let folder = folder("[plugin.template.limits]\ncpu_ms = 7\n");
    let file = template().display().to_string();
    let said = run(folder.path(), &["inspect", &file]).good(&[
        "template 0.1.0",
        "transform",
        "stream",
        "pure",
        "cpu_ms = 7\n",
        "wall_ms = 30000",
        "compiled in",
        "SHA-256",
        "\"replace\"",
    ]);
    assert!(!said.contains("Against"), "{said}");
    assert!(!folder.path().join("plugins.d").exists(), "looking changes nothing");
    run(folder.path(), &["add", &file]).good(&["Installed template 0.1.0"]);
    run(folder.path(), &["inspect", &file]).good(&["Against template 0.1.0", "the same file"]);
    run(folder.path(), &["inspect", "template"]).good(&["template 0.1.0", "plugins.d"]);
    run(folder.path(), &["inspect", "nothing"]).refused(&["nothing", "template", "reasoning"]);
    let broken = folder.path().join("broken.wasm");
    std::fs::write(&broken, b"\0asm").unwrap();
    let broken = broken.display().to_string();
    run(folder.path(), &["inspect", &broken]).refused(&["broken.wasm", "refused at `wrap`"]);
}

#[test]
fn what_is_added_is_listed_and_goes_back_to_the_version_before() {
    let folder = folder("");
    let said = run(folder.path(), &["list"]).good(&["reasoning", "shipped"]);
    assert!(!said.contains("template"), "{said}");
    let first = template().display().to_string();
    let summary = "Replaces words in the answer.";
    let second = changed(folder.path(), "second.wasm", summary, "Exchanges words in an answer.");
    let words = ["3 cases passed", "Installed template 0.1.0", "no gateway watches it yet"];
    run(folder.path(), &["add", &first]).good(&words);
    run(folder.path(), &["rollback", "template"]).refused(&["template", "older"]);
    let words = ["Exchanges", "Against template 0.1.0", "watches the folder serves it from now on"];
    run(folder.path(), &["add", &second]).good(&words);
    let installed = folder.path().join("plugins.d/template.wasm");
    let bytes = |path: &Path| std::fs::read(path).unwrap();
    assert_eq!(bytes(&installed), bytes(Path::new(&second)));
    let listed = run(folder.path(), &["list"]).good(&["template.wasm"]);
    let row = listed.lines().find(|line| line.starts_with("template ")).unwrap();
    assert!(row.contains("stream") && row.contains("pure") && row.contains("kept 1"), "{row}");
    run(folder.path(), &["rollback", "template"]).good(&["template 0.1.0"]);
    assert_eq!(bytes(&installed), bytes(&template()));
    run(folder.path(), &["rollback", "reasoning"]).refused(&["reasoning"]);
}

#[test]
fn a_file_that_was_refused_is_listed_with_the_reason() {
    let folder = folder("");
    let dir = folder.path().join("plugins.d");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("broken.wasm"), b"\0asm").unwrap();
    run(folder.path(), &["list"]).good(&["broken.wasm", "refused at `wrap`"]);
}

#[test]
fn a_plugin_that_fails_its_own_cases_is_not_let_in() {
    let folder = folder("");
    let from = "\"expect\"";
    let file = changed(folder.path(), "wrong.wasm", from, "\"expact\"");
    run(folder.path(), &["test", &file]).refused(&["FAILED", "expact", "3 cases, "]);
    run(folder.path(), &["add", &file]).refused(&["cases failed", "nothing was installed"]);
    assert!(!folder.path().join("plugins.d").exists());
    let file = template().display().to_string();
    run(folder.path(), &["test", &file]).good(&["ok ", "template 0.1.0: 3 cases, 0 failed"]);
}

#[test]
fn further_cases_are_run_from_a_folder() {
    let folder = folder("");
    let cases = folder.path().join("more");
    std::fs::create_dir(&cases).unwrap();
    let case = json!({
        "name": "a cat is a cat", "options": {"replace": {"cat": "dog"}},
        "deltas": [{"text": "cat"}], "expect": [{"text": "cat"}],
    });
    std::fs::write(cases.join("cat.json"), case.to_string()).unwrap();
    let file = template().display().to_string();
    let said = run(folder.path(), &["test", &file, "--cases", "more"]);
    said.refused(&["FAILED  more/cat.json", "dog", "4 cases, 1 failed"]);
}

/// The project of a plugin that wants something.
fn wanting(folder: &Path) -> String {
    let project = folder.join("project");
    run(folder, &["new", "wanting", "--dir", "project"]).good(&[]);
    let source = project.join("src/lib.rs");
    let text = std::fs::read_to_string(&source).unwrap();
    let options = ".options(include_str";
    assert!(text.contains(options), "{text}");
    let text = text.replace(options, &format!(".capability(\"models=test/*\"){options}"));
    std::fs::write(source, text).unwrap();
    project.display().to_string()
}

/// Runs a command that builds, without a network. None where the crates are not on this machine.
fn offline(folder: &Path, arguments: &[&str], answer: &str) -> Option<Said> {
    let mut command = plugin(folder, arguments);
    // One target directory for all: the crates are built once.
    let target = Path::new(env!("CARGO_BIN_EXE_patchbay")).with_file_name("plugin-projects");
    command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", target);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(answer.as_bytes());
    let said = Said::of(child.wait_with_output().unwrap());
    let is_missing = ["no matching package", "--offline", "was not found in the offline"];
    if !said.is_good && is_missing.iter().any(|words| said.text.contains(words)) {
        // Past the capture: who runs the tests must see it when all pass.
        let why = "the crates of the SDK are not on this machine";
        let _ = writeln!(std::io::stderr(), "skipped: `patchbay plugin {arguments:?}`: {why}");
        return None;
    }
    Some(said)
}

#[tokio::test]
async fn from_nothing_to_a_reply_that_ones_own_plugin_changed() {
    let gateway = Gateway::start("").await;
    let folder = gateway.folder();
    run(folder, &["new", "shout"]).good(&[]);
    let Some(tested) = offline(folder, &["test", "shout"], "") else { return };
    tested.good(&["ok ", "shout 0.1.0: 3 cases, 0 failed"]);
    let built = offline(folder, &["build", "shout"], "").unwrap();
    built.good(&["plugin_shout.wasm", " KB", "compiled to machine code in"]);
    offline(folder, &["add", "shout"], "").unwrap().good(&["Installed shout 0.1.0"]);
    gateway.until("/plugins/shout", |status, _| status == 200).await;
    let body = json!({
        "model": "patchbay/sim",
        "messages": [{"role": "user", "content": "Hello!"}],
        "plugins": [{"id": "shout", "replace": {"Hello": "HELLO"}}],
    });
    let (status, reply) = gateway.chat(&body).await;
    let text = reply["choices"][0]["message"]["content"].as_str();
    assert!(status == 200 && text.is_some_and(|text| text.contains("HELLO!")), "{reply}");
    // A case that nobody lists would never be run.
    std::fs::write(folder.join("shout/cases/new.json"), "{\"name\": \"new\"}").unwrap();
    let said = offline(folder, &["test", "shout"], "").unwrap();
    said.refused(&["new.json: not listed in `cases!`", "4 cases, 1 failed"]);
}

#[test]
fn nothing_becomes_reachable_unasked() {
    let folder = folder("");
    let project = wanting(folder.path());
    let grants = folder.path().join("plugins.d/grants.toml");
    // Nobody at a terminal says yes: the answer in the pipe is not one.
    let Some(added) = offline(folder.path(), &["add", &project], "y\n") else { return };
    added.good(&["goes without models=test/*", "[plugin.wanting]", "Installed wanting 0.1.0"]);
    assert!(!grants.exists());
    run(folder.path(), &["list"]).good(&["missing models=test/*"]);
    run(folder.path(), &["inspect", "wanting"]).good(&["missing      models=test/*"]);
    let added = offline(folder.path(), &["add", &project, "--yes"], "").unwrap();
    added.good(&["was not granted: models=test/*", "Installed wanting"]);
    assert!(std::fs::read_to_string(&grants).unwrap().contains("models=test/*"));
    run(folder.path(), &["list"]).good(&["granted models=test/*"]);
    // The next version wants more, of what a grant already covers.
    let wide = "[grant]\nwanting = [\"models\"]\n";
    std::fs::write(&grants, wide).unwrap();
    let source = folder.path().join("project/src/lib.rs");
    let text = std::fs::read_to_string(&source).unwrap().replace("test/*", "*");
    std::fs::write(&source, text).unwrap();
    let refused = offline(folder.path(), &["add", &project], "y\n").unwrap();
    refused.refused(&["+ models=*, - models=test/*", "nothing was installed", "--yes"]);
    run(folder.path(), &["list"]).good(&["granted models=test/*"]);
}
