//! What the operator types, and what the first and later starts say.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::answers::{ask, whole};
use crate::harness::{Double, Gateway, http};

/// The program with a configuration file, and nothing of this process's own setup.
fn patchbay(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
    command.arg("--config").arg(folder.join("patchbay.toml")).args(arguments).current_dir(folder);
    for name in ["PATCHBAY_MANAGEMENT_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"]
    {
        command.env_remove(name);
    }
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    patchbay(folder, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A gateway that was started without the harness's management key.
struct Bare {
    child: Child,
    printed: String,
}

impl Bare {
    fn start(mut command: Command) -> Self {
        let mut child = command.env("RUST_LOG", "warn").stdout(Stdio::piped()).spawn().unwrap();
        let mut printed = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            printed.push_str(&line.unwrap());
            printed.push('\n');
            if printed.contains("\"messages\"") {
                break;
            }
        }
        Self { child, printed }
    }

    fn url(&self) -> &str {
        self.printed.split_whitespace().find(|word| word.starts_with("http://127")).unwrap()
    }

    fn after(&self, words: &str) -> Option<&str> {
        Some(self.printed.split_once(words)?.1.split_whitespace().next().unwrap())
    }

    async fn status(&self, path: &str, key: &str) -> u16 {
        let url = format!("{}{path}", self.url());
        http().get(url).bearer_auth(key).send().await.unwrap().status().as_u16()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with a configuration of its own.
fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = format!("[server]\nlisten = \"127.0.0.1:0\"\n{config}");
    std::fs::write(folder.path().join("patchbay.toml"), config).unwrap();
    folder
}

#[tokio::test]
async fn the_first_start_shows_its_keys_once() {
    let folder = folder("");
    let first = Bare::start(patchbay(folder.path(), &[]));
    let management = first.after("Management key, shown once: ").unwrap().to_owned();
    let inference = first.after("Inference key, shown once: ").unwrap().to_owned();
    assert!(first.printed.contains(&format!("Bearer {inference}\"")), "{}", first.printed);
    assert!(first.printed.contains("patchbay/sim"), "{}", first.printed);
    assert!(first.printed.contains("OPENAI_API_KEY is not set"), "{}", first.printed);
    assert_eq!(first.status("/api/v1/keys", &management).await, 200);
    assert_eq!(first.status("/api/v1/key", &inference).await, 200);
    // The printed line, as a shell would send it.
    let body = first.printed.split_once("-d '").unwrap().1.split_once('\'').unwrap().0;
    let url = format!("{}/api/v1/chat/completions", first.url());
    let call = http().post(url).bearer_auth(&inference).body(body.to_owned());
    let reply = call.send().await.unwrap().text().await.unwrap();
    assert!(reply.contains("data: [DONE]"), "{reply}");
    drop(first);
    let later = Bare::start(patchbay(folder.path(), &[]));
    assert!(later.printed.contains("Bearer $PATCHBAY_API_KEY\""), "{}", later.printed);
    assert!(!later.printed.contains("shown once"), "{}", later.printed);
    assert_eq!(later.status("/api/v1/keys", &management).await, 200);
    assert_eq!(later.status("/api/v1/key", &inference).await, 200);
}

#[tokio::test]
async fn it_serves_on_when_nobody_reads_what_it_prints() {
    let folder = folder("");
    let mut child = patchbay(folder.path(), &[]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let started = Bare { child, printed: first };
    // The pipe is closed, and more was to be printed.
    assert_eq!(started.status("/health/ready", "").await, 200);
    assert_eq!(started.status("/api/v1/key", "").await, 401);
}

#[tokio::test]
async fn the_operator_may_choose_the_management_key() {
    let folder = folder("");
    let chosen = "chosen-by-the-operator-0123456789abcdef";
    let mut command = patchbay(folder.path(), &[]);
    command.env("PATCHBAY_MANAGEMENT_KEY", chosen);
    let started = Bare::start(command);
    assert!(!started.printed.contains("Management key"), "{}", started.printed);
    assert!(!started.printed.contains(chosen), "{}", started.printed);
    assert!(started.after("Inference key, shown once: ").is_some(), "{}", started.printed);
    assert_eq!(started.status("/api/v1/keys", chosen).await, 200);
    drop(started);
    let mut command = patchbay(folder.path(), &[]);
    let refused = command.env("PATCHBAY_MANAGEMENT_KEY", "short").output().unwrap();
    assert!(!refused.status.success());
    let said = text(&refused.stderr);
    assert!(said.contains("PATCHBAY_MANAGEMENT_KEY") && said.contains("32"), "{said}");
}

#[tokio::test]
async fn a_good_configuration_is_checked_and_nothing_is_made() {
    let double = Double::start();
    let folder = folder(&double.model("plain", "openai-chat", true));
    let checked = run(folder.path(), &["check"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let said = text(&checked.stdout);
    assert!(said.contains("Ready: ") && said.contains("test/plain"), "{said}");
    let made: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(made.len(), 1, "{made:?}");
}

#[test]
fn a_wrong_configuration_is_refused_with_the_fix() {
    let wrong = [
        ("lisen = \"127.0.0.1:1\"", vec!["line 3", "lisen", "did you mean `listen`?"]),
        ("[biling]\nmode = \"prepaid\"", vec!["biling", "did you mean `billing`?"]),
        ("[billing]\nmode = \"prepayed\"", vec!["prepayed", "did you mean `prepaid`?"]),
        ("[limits]\nwindow_s = 0", vec!["limits.window_s"]),
        ("[upstream]\nidle_ms = \"soon\"", vec!["idle_ms", "soon"]),
        ("[[provider]]\nslug = \"mine\"", vec!["mine", "dialect"]),
        (
            "[[provider]]\nslug = \"mine\"\ndialect = \"openai-chat\"\ncredential = \"none\"\n\
             base_url = \"localhost\"",
            vec!["mine", "base_url", "http://"],
        ),
        (
            "[[model]]\nid = \"a/b\"\ncontext_length = 1\n[[model.endpoint]]\n\
             provider = \"nobody\"\nmodel = \"m\"",
            vec!["a/b", "nobody", "openai"],
        ),
        (
            "[[provider]]\nslug = \"openai\"\ncredential = \"env:PATCHBAY_TEST_UNSET\"",
            vec!["PATCHBAY_TEST_UNSET"],
        ),
        (
            "[plugin.datetime.options]\nprecison = \"day\"",
            vec!["[plugin.datetime.options]", "`precison`", "did you mean `precision`?"],
        ),
        (
            "[plugin.web.options]\nmax_results = 100",
            vec!["[plugin.web.options] at /max_results", "25"],
        ),
        (
            "[plugin.guard]\nalways = true\nenabled = false",
            vec!["[plugin.guard]", "`always = true`"],
        ),
        ("[plugin.pii]\ndefault = true\nenabled = false", vec!["[plugin.pii]", "remove one"]),
        ("[plugins]\nper_request_max = 0", vec!["plugins.per_request_max", "at least 1"]),
        (
            "[plugin.pii.limits]\nmemory_bytes = 1000",
            vec!["`pii`", "memory_bytes in [plugin.pii.limits]", "1000"],
        ),
    ];
    for (config, words) in wrong {
        let folder = folder(config);
        for arguments in [&["check"][..], &[]] {
            let refused = run(folder.path(), arguments);
            assert!(!refused.status.success(), "{config}");
            let said = text(&refused.stderr);
            for word in &words {
                assert!(said.contains(word), "{config}: {said}");
            }
            assert!(said.contains("patchbay.toml") || !config.contains("lisen"), "{said}");
        }
    }
    let missing = Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .args(["--config", "/nowhere/patchbay.toml", "check"])
        .output()
        .unwrap();
    assert!(!missing.status.success());
    assert!(text(&missing.stderr).contains("/nowhere/patchbay.toml"));
}

#[tokio::test]
async fn a_table_of_a_plugin_that_is_not_there_fails_the_check_and_a_start_warns_of_it() {
    let folder = folder("[plugin.moderatoin]\nenabled = false\n[plugin.zzz]\n");
    let refused = run(folder.path(), &["check"]);
    assert!(!refused.status.success(), "{}", text(&refused.stdout));
    let log = folder.path().join("log");
    let mut command = patchbay(folder.path(), &[]);
    command.stderr(std::fs::File::create(&log).unwrap());
    let started = Bare::start(command);
    assert_eq!(started.status("/health/ready", "").await, 200, "its file may still come");
    for said in [text(&refused.stderr), std::fs::read_to_string(log).unwrap()] {
        assert!(said.contains("[plugin.moderatoin]"), "{said}");
        assert!(said.contains("did you mean `moderation`?"), "{said}");
        assert!(said.contains("there is no plugin `zzz`; there are: auto-router, "), "{said}");
    }
}

#[tokio::test]
async fn a_grant_or_a_secret_that_nothing_comes_of_fails_the_check_and_a_start_warns_of_it() {
    let folder = folder(
        "[plugin.datetime]\ngrant = [\"http=https://example.com\"]\n\
         [plugin.web.secrets.EXA_KEY]\nvalue = \"secret\"\nhosts = [\"https://api.exa.ai\"]\n\
         [plugin.web.secrets.EXA_API_KEY]\nvalue = \"secret\"\nhosts = []\n",
    );
    let refused = run(folder.path(), &["check"]);
    assert!(!refused.status.success(), "{}", text(&refused.stdout));
    let log = folder.path().join("log");
    let mut command = patchbay(folder.path(), &[]);
    command.stderr(std::fs::File::create(&log).unwrap());
    let started = Bare::start(command);
    assert_eq!(started.status("/health/ready", "").await, 200, "it may be put right");
    for said in [text(&refused.stderr), std::fs::read_to_string(log).unwrap()] {
        for told in [
            "plugin.datetime.grant: `http=https://example.com`: it wants nothing",
            "[plugin.web.secrets.EXA_KEY] is not granted, or not wanted: it wants ",
            "[plugin.web.secrets.EXA_API_KEY] may be sent nowhere",
        ] {
            assert!(said.contains(&format!("nothing comes of {told}")), "{told}: {said}");
        }
    }
}

#[test]
fn a_file_that_is_no_plugin_fails_the_check() {
    let folder = folder("");
    std::fs::create_dir(folder.path().join("plugins.d")).unwrap();
    std::fs::write(folder.path().join("plugins.d/mine.wasm"), b"no plugin").unwrap();
    let refused = run(folder.path(), &["check"]);
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("mine.wasm: refused at"), "{said}");
}

#[tokio::test]
async fn a_taken_port_is_refused() {
    let gateway = Gateway::start("").await;
    let address = gateway.url.strip_prefix("http://").unwrap();
    let folder = folder("");
    let config = format!("[server]\nlisten = \"{address}\"\n");
    std::fs::write(folder.path().join("patchbay.toml"), config).unwrap();
    let refused = run(folder.path(), &[]);
    assert!(!refused.status.success());
    let said = text(&refused.stderr);
    assert!(said.contains(address) && said.contains("server.listen"), "{said}");
}

#[tokio::test]
async fn a_second_process_on_the_same_store_is_refused() {
    let gateway = Gateway::start("").await;
    let refused = run(gateway.folder(), &[]);
    assert!(!refused.status.success());
    let said = text(&refused.stderr);
    assert!(said.contains("store"), "{said}");
    assert_eq!(gateway.get("/key").await.0, 200);
}

#[tokio::test]
async fn keys_change_from_the_command_line_while_the_gateway_runs() {
    let double = Double::start();
    double.script("plain", &whole("Hello")).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    let made = run(gateway.folder(), &["key", "create", "from outside", "--limit", "5"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let key = text(&made.stdout).trim().to_owned();
    until_status(&gateway, &key, 200).await;
    let listed = text(&run(gateway.folder(), &["key", "list"]).stdout);
    let row = listed.lines().find(|line| line.contains("from outside")).unwrap();
    assert!(row.contains("enabled") && row.contains("inference"), "{row}");
    assert!(!listed.contains(&key), "{listed}");
    let hash = row.split_whitespace().next().unwrap();
    let disabled = run(gateway.folder(), &["key", "disable", &hash[..16]]);
    assert!(disabled.status.success(), "{}", text(&disabled.stderr));
    until_status(&gateway, &key, 401).await;
    assert!(run(gateway.folder(), &["key", "enable", hash]).status.success());
    until_status(&gateway, &key, 200).await;
    assert!(run(gateway.folder(), &["key", "delete", hash]).status.success());
    until_status(&gateway, &key, 401).await;
    let unknown = run(gateway.folder(), &["key", "disable", "ffffffffff"]);
    assert!(!unknown.status.success());
    assert!(text(&unknown.stderr).contains("patchbay key list"));
}

/// Asks with a key until that has the wanted status.
async fn until_status(gateway: &Gateway, key: &str, wanted: u16) {
    let mut last = 0;
    for _ in 0..200 {
        last = gateway.post_with(key, ask("plain").to_string()).await.status().as_u16();
        if last == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the key did not come to have status {wanted}, but {last}");
}
