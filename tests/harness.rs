//! What process-level tests stand on: the built gateway and the upstream double, each a process of
//! its own on loopback, ended by its handle.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]
#![allow(clippy::print_stdout, reason = "cargo shows a failed test's output")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The management key that every test gateway is given.
pub const MANAGEMENT_KEY: &str =
    "sk-or-v1-00000000000000000000000000000000000000000000000000000000000000aa";

/// A client that knows no proxy and no real provider.
pub fn http() -> reqwest::Client {
    // Another client of this process may have chosen it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The gateway closes idle connections; one that it is about to close must not be used.
    let builder = reqwest::Client::builder().no_proxy().pool_idle_timeout(Duration::from_secs(2));
    builder.timeout(Duration::from_secs(60)).build().unwrap()
}

/// A running gateway.
pub struct Gateway {
    child: Child,
    /// `http://127.0.0.1:<port>`
    pub url: String,
    /// An inference key, made through the API.
    pub key: String,
    /// What the start printed, up to the line to paste.
    pub printed: String,
    config: PathBuf,
    http: reqwest::Client,
    folder: std::sync::Arc<TempDir>,
}

impl Gateway {
    /// Starts one. `config` is TOML added to a listener on a free port and a store, plugin folder
    /// and rate limit of the test's own.
    pub async fn start(config: &str) -> Self {
        Self::start_logging(config, "warn").await
    }

    /// The same with a log as full as `filter` says, for tests of what must not be in it.
    pub async fn start_logging(config: &str, filter: &str) -> Self {
        let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(folder.path().join("plugins.d")).unwrap();
        let file = folder.path().join("patchbay.toml");
        std::fs::write(&file, complete(config, folder.path())).unwrap();
        Self::launch(&file, folder, None, filter).await
    }

    async fn launch(
        file: &Path,
        folder: std::sync::Arc<TempDir>,
        key: Option<String>,
        filter: &str,
    ) -> Self {
        let log = folder.path().join(LOG);
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .arg("--config")
            .arg(file)
            .current_dir(folder.path())
            .env("PATCHBAY_MANAGEMENT_KEY", MANAGEMENT_KEY)
            .env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or(filter.to_owned()))
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .env_remove("OPENAI_API_KEY")
            .env_remove("ANTHROPIC_API_KEY")
            .env_remove("GEMINI_API_KEY")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut printed = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.by_ref() {
            printed.push_str(&line.unwrap());
            printed.push('\n');
            if printed.contains("\"messages\"") {
                break;
            }
        }
        // A full pipe would stop the gateway.
        std::thread::spawn(move || lines.for_each(drop));
        let url = printed.split_whitespace().find(|word| word.starts_with("http://127"));
        let Some(url) = url.map(str::to_owned) else {
            let said = std::fs::read_to_string(folder.path().join(LOG)).unwrap();
            panic!("the gateway did not start:\n{printed}{said}");
        };
        let http = http();
        let config = file.to_owned();
        let mut gateway = Self { child, url, key: String::new(), printed, config, http, folder };
        gateway.key = match key {
            Some(key) => key,
            None => gateway.new_key(json!({"name": "test"})).await,
        };
        gateway
    }

    /// Makes a key; returns the key itself.
    pub async fn new_key(&self, fields: Value) -> String {
        let made = self.manage(reqwest::Method::POST, "/keys", Some(fields)).await;
        assert_eq!(made.0, 201, "{}", made.1);
        made.1["key"].as_str().unwrap().to_owned()
    }

    /// A management call: status and body.
    pub async fn manage(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let url = format!("{}/api/v1{path}", self.url);
        let mut call = self.http.request(method, url).bearer_auth(MANAGEMENT_KEY);
        if let Some(body) = body {
            call = call.header("content-type", "application/json").body(body.to_string());
        }
        read(call.send().await.unwrap()).await
    }

    /// A client whose connections to it are used again.
    pub fn client(&self) -> &reqwest::Client {
        &self.http
    }

    /// A call with the inference key.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}/api/v1{path}", self.url);
        read(self.http.get(url).bearer_auth(&self.key).send().await.unwrap()).await
    }

    /// Posts a chat completion and returns the response as it begins.
    pub async fn post(&self, body: &Value) -> reqwest::Response {
        self.post_with(&self.key, body.to_string()).await
    }

    /// The same with another key and any body.
    pub async fn post_with(&self, key: &str, body: String) -> reqwest::Response {
        self.http
            .post(format!("{}/api/v1/chat/completions", self.url))
            .bearer_auth(key)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// A whole chat completion: status and body.
    pub async fn chat(&self, body: &Value) -> (u16, Value) {
        read(self.post(body).await).await
    }

    /// A streamed chat completion, read to its end.
    pub async fn stream(&self, body: &Value) -> Streamed {
        let mut body = body.clone();
        body["stream"] = json!(true);
        let response = self.post(&body).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        Streamed::read(&response.text().await.unwrap())
    }

    /// Uploads a plugin: status and body.
    pub async fn upload(&self, id: &str, wasm: Vec<u8>) -> (u16, Value) {
        let url = format!("{}/api/v1/plugins/{id}", self.url);
        let call = self.http.put(url).bearer_auth(MANAGEMENT_KEY);
        read(call.header("content-type", "application/wasm").body(wasm).send().await.unwrap()).await
    }

    /// The metrics' text.
    pub async fn metrics(&self) -> String {
        let url = format!("{}/metrics", self.url);
        self.http.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// Asks until the answer is as wanted; fails with the last answer.
    pub async fn until(&self, path: &str, wanted: impl Fn(u16, &Value) -> bool) -> Value {
        let mut last = (0, Value::Null);
        for _ in 0..500 {
            last = self.manage(reqwest::Method::GET, path, None).await;
            if wanted(last.0, &last.1) {
                return last.1;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} did not come to be as wanted; at last: {last:?}");
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join(LOG)).unwrap()
    }

    /// The watched folder.
    pub fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins.d")
    }

    /// The test's own folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process's id, for signals.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut would the process.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as an init system would.
    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits until it has ended; says whether it ended well.
    pub fn wait(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    /// Whether it has ended, and if so, whether it ended well.
    pub fn has_ended(&mut self) -> Option<bool> {
        self.child.try_wait().unwrap().map(|status| status.success())
    }

    /// Starts it again with the same store and key.
    pub async fn restart(mut self) -> Self {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let (file, folder) = (self.config.clone(), std::sync::Arc::clone(&self.folder));
        Self::launch(&file, folder, Some(self.key.clone()), "warn").await
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            // Shown with what the test says; it may be the reason.
            let log = std::fs::read_to_string(self.folder.path().join(LOG));
            println!("{}", log.unwrap_or_default());
        }
    }
}

/// The gateway's standard error, in the test's own folder.
const LOG: &str = "gateway.log";

/// A configuration for tests: what the test says, on top of a place of its own.
fn complete(config: &str, folder: &Path) -> String {
    let mut whole: toml::Table = toml::from_str(config).unwrap();
    let mut default = |table: &str, key: &str, value: toml::Value| {
        let table = whole.entry(table).or_insert_with(|| toml::Table::new().into());
        table.as_table_mut().unwrap().entry(key).or_insert(value);
    };
    let store = format!("sqlite:{}", folder.join("patchbay.db").display());
    default("server", "listen", "127.0.0.1:0".into());
    default("store", "url", store.into());
    default("plugins", "dir", folder.join("plugins.d").display().to_string().into());
    default("limits", "requests", 0.into());
    toml::to_string(&whole).unwrap()
}

async fn read(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A streamed reply, read to its end.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Streamed {
    /// The chunks, as JSON.
    pub chunks: Vec<Value>,
    /// The comments.
    pub comments: Vec<String>,
    /// Whether `[DONE]` came last.
    pub is_done: bool,
}

impl Streamed {
    /// Reads a whole body.
    pub fn read(body: &str) -> Self {
        let mut read = Self::default();
        for line in body.lines() {
            if let Some(comment) = line.strip_prefix(':') {
                read.comments.push(comment.trim().to_owned());
            } else if line == "data: [DONE]" {
                read.is_done = true;
            } else if let Some(data) = line.strip_prefix("data: ") {
                assert!(!read.is_done, "an event after [DONE]: {line}");
                read.chunks.push(serde_json::from_str(data).unwrap());
            }
        }
        read
    }

    /// All of one text field of the deltas, joined.
    pub fn joined(&self, field: &str) -> String {
        let deltas = self.chunks.iter().map(|chunk| &chunk["choices"][0]["delta"][field]);
        deltas.filter_map(Value::as_str).collect()
    }

    /// The finish reasons, in order.
    pub fn finishes(&self) -> Vec<&str> {
        let finishes = self.chunks.iter().map(|chunk| &chunk["choices"][0]["finish_reason"]);
        finishes.filter_map(Value::as_str).collect()
    }

    /// The usage, which must stand in the last chunk.
    pub fn usage(&self) -> &Value {
        &self.chunks.last().unwrap()["usage"]
    }
}

/// A running upstream double.
pub struct Double {
    child: Child,
    /// `http://127.0.0.1:<port>`
    pub url: String,
    http: reqwest::Client,
}

impl Double {
    /// Starts one.
    pub fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_double"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let http = http();
        Self { child, url: format!("http://{}", address.trim()), http }
    }

    /// Sets what it answers under `/{name}/…`.
    pub async fn script(&self, name: &str, script: &Value) {
        let url = format!("{}/_double/script/{name}", self.url);
        let response = self.http.put(url).body(script.to_string()).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    }

    /// What it received under `/{name}/…`.
    pub async fn log(&self, name: &str) -> Value {
        let url = format!("{}/_double/log/{name}", self.url);
        read(self.http.get(url).send().await.unwrap()).await.1
    }

    /// The same once so many requests came and so many answers ended; fails after half a minute.
    pub async fn log_when(&self, name: &str, received: usize, ended: usize) -> Value {
        let wanted = format!("received={received}&ended={ended}&within_ms=30000");
        let url = format!("{}/_double/log/{name}?{wanted}", self.url);
        let (status, log) = read(self.http.get(url).send().await.unwrap()).await;
        assert_eq!(status, 200, "{received} requests and {ended} ends did not come: {log}");
        log
    }

    /// Forgets what it received under a name.
    pub async fn forget(&self, name: &str) {
        let url = format!("{}/_double/log/{name}", self.url);
        let response = self.http.delete(url).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    }

    /// Lets the streams under a name go on that wait after `gate_after`.
    pub async fn release(&self, name: &str) {
        let url = format!("{}/_double/release/{name}", self.url);
        let response = self.http.post(url).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    }

    /// A provider and a model `test/{name}` behind this double, as configuration.
    pub fn model(&self, name: &str, dialect: &str, cancel: bool) -> String {
        format!(
            "[[provider]]\nslug = \"{name}\"\ndialect = \"{dialect}\"\nbase_url = \"{}/{name}\"\n\
             credential = \"none\"\ncancel = {cancel}\n\
             [[model]]\nid = \"test/{name}\"\ncontext_length = 100000\n\
             input_modalities = [\"text\", \"image\", \"file\"]\n\
             supported_parameters = [\"tools\", \"tool_choice\", \"reasoning\", \"max_tokens\"]\n\
             [[model.endpoint]]\nprovider = \"{name}\"\nmodel = \"up\"\nmax_output_tokens = 1000\n\
             price = {{ prompt = \"1\", completion = \"2\" }}\n",
            self.url
        )
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
