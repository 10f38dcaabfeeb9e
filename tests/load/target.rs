//! What is measured: the double itself, nginx before it, and the gateway before it, each in a
//! process of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use crate::client::{Ask, Connection};
use crate::clock;
use crate::measure::Plan;
use crate::process::{MANAGEMENT_KEY, Process};

/// One thing to send load through.
pub(crate) struct Target {
    /// The column's heading.
    pub(crate) name: String,
    /// The process whose CPU and memory count.
    pub(crate) process: Process,
    address: SocketAddr,
    path: &'static str,
    authorization: Option<String>,
    plugins: Option<Value>,
}

impl Target {
    /// The request for a model of the load pattern.
    pub(crate) fn ask(&self, model: &str, is_stream: bool) -> Ask {
        self.ask_with(model, is_stream, self.plugins.as_ref())
    }

    /// The same with other plugins.
    pub(crate) fn ask_with(&self, model: &str, is_stream: bool, plugins: Option<&Value>) -> Ask {
        let mut body = serde_json::Map::new();
        body.insert("model".to_owned(), format!("double/{model}").into());
        let question = json!([{"role": "user", "content": "Say something short."}]);
        body.insert("messages".to_owned(), question);
        if is_stream {
            body.insert("stream".to_owned(), true.into());
        }
        if let Some(plugins) = plugins {
            body.insert("plugins".to_owned(), plugins.clone());
        }
        Ask {
            address: self.address,
            method: Method::POST,
            path: self.path.to_owned(),
            content_type: JSON,
            body: Bytes::from(Value::Object(body).to_string()),
            authorization: self.authorization.clone(),
        }
    }

    /// The request that puts a plugin in place of the one with its id.
    pub(crate) fn put_plugin(&self, id: &str, wasm: Bytes) -> Ask {
        let put = manage(self.address, Method::PUT, &format!("/api/v1/plugins/{id}"), wasm);
        Ask { content_type: "application/wasm", ..put }
    }
}

/// A request to a gateway's management surface.
fn manage(address: SocketAddr, method: Method, path: &str, body: Bytes) -> Ask {
    Ask {
        address,
        method,
        path: path.to_owned(),
        content_type: JSON,
        body,
        authorization: Some(format!("Bearer {MANAGEMENT_KEY}")),
    }
}

const JSON: &str = "application/json";

/// Starts the double.
///
/// # Errors
/// When it can't be started, with what it said.
pub(crate) fn double(program: &Path, folder: &Path) -> Result<Target, anyhow::Error> {
    let mut process = Process::start(program, ["--listen", "127.0.0.1:0"], folder, "double")?;
    let address = process.first_line()?.parse().context("the double's address")?;
    Ok(Target {
        name: "direct".to_owned(),
        process,
        address,
        path: DIRECT_PATH,
        authorization: None,
        plugins: None,
    })
}

/// Starts nginx as a plain reverse proxy before the double, as one process with one worker's
/// event loop.
///
/// # Errors
/// When it is not installed, or does not answer.
pub(crate) async fn nginx(
    double: &Target,
    plan: &Plan,
    folder: &Path,
) -> Result<Target, anyhow::Error> {
    let address = free_address()?;
    let upstream = double.address;
    // nginx pays memory for every connection that it may have, so no more than are needed.
    let connections = 2 * plan.live_streams.max(plan.paced_streams) + 512;
    let text = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\n\
         pid nginx.pid;\nerror_log stderr error;\n\
         events {{ worker_connections {connections}; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 100000000;\n  tcp_nodelay on;\n\
           upstream double {{ server {upstream}; keepalive 1024; \
             keepalive_requests 100000000; }}\n\
           server {{\n    listen {address};\n    location / {{\n\
               proxy_pass http://double;\n      proxy_http_version 1.1;\n\
               proxy_set_header Connection \"\";\n      proxy_buffering off;\n    }}\n  }}\n}}\n"
    );
    let config = folder.join("nginx.conf");
    std::fs::write(&config, text)?;
    let prefix = format!("{}/", folder.display());
    let args = ["-p", &prefix, "-c", "nginx.conf", "-e", "stderr"];
    let process = Process::start(Path::new("nginx"), args, folder, "nginx")?;
    let mut target = Target {
        name: "nginx".to_owned(),
        process,
        address,
        path: DIRECT_PATH,
        authorization: None,
        plugins: None,
    };
    let ask = target.ask("small", false);
    wait_until_ready(&mut target.process, &ask).await?;
    Ok(target)
}

/// How a gateway is started.
pub(crate) struct Gateway<'a> {
    /// The binary.
    pub(crate) program: &'a Path,
    /// Further plugins' `.wasm` files.
    pub(crate) wasm: &'a [PathBuf],
    /// The requests' field `plugins`.
    pub(crate) plugins: Option<Value>,
    /// The column's heading.
    pub(crate) name: String,
}

/// Starts a gateway before the double, with a store, a key and a folder of its own.
///
/// # Errors
/// When it does not start or does not take the key, with what it said.
pub(crate) async fn gateway(
    gateway: Gateway<'_>,
    double: &Target,
    plan: &Plan,
    folder: &Path,
) -> Result<Target, anyhow::Error> {
    let slug: String = gateway.name.chars().filter(char::is_ascii_alphanumeric).collect();
    let folder = folder.join(&slug);
    std::fs::create_dir_all(folder.join("plugins.d"))?;
    for file in gateway.wasm {
        let name = file.file_name().context("--wasm takes a file")?;
        std::fs::copy(file, folder.join("plugins.d").join(name))
            .with_context(|| format!("can't copy {}", file.display()))?;
    }
    let address = free_address()?;
    std::fs::write(folder.join("load.toml"), config(address, double.address, plan))?;
    let args = ["--config", "load.toml"];
    let mut process = Process::start(gateway.program, args, &folder, "gateway")?;
    let ready = manage(address, Method::GET, "/health/ready", Bytes::new());
    wait_until_ready(&mut process, &ready).await?;
    let name = Bytes::from_static(br#"{"name":"load"}"#);
    let make = manage(address, Method::POST, "/api/v1/keys", name);
    let made = Connection::open(address).await?.whole(&make).await.context("making a key")?;
    let made: Value = serde_json::from_slice(&made)?;
    let key =
        made.get("key").and_then(Value::as_str).context("the new key's reply has no `key`")?;
    let target = Target {
        name: gateway.name,
        process,
        address,
        path: "/api/v1/chat/completions",
        authorization: Some(format!("Bearer {key}")),
        plugins: gateway.plugins,
    };
    let small = target.ask("small", false);
    Connection::open(address).await?.whole(&small).await.context("the first request")?;
    Ok(target)
}

const DIRECT_PATH: &str = "/fast/v1/chat/completions";

fn config(listen: SocketAddr, double: SocketAddr, plan: &Plan) -> String {
    // A plugin that fails is measured failing, not passed over.
    let mut text = format!(
        "[server]\nlisten = \"{listen}\"\n[store]\nurl = \"sqlite:load.db\"\n\
         [limits]\nrequests = 0\n[plugins]\ndir = \"plugins.d\"\ninstances_max = 40000\n\
         breaker.failures = 60000\n\
         [[provider]]\nslug = \"double\"\ndialect = \"openai-chat\"\n\
         base_url = \"http://{double}/fast/v1\"\ncredential = \"none\"\n"
    );
    for model in plan.models() {
        text.push_str(&format!(
            "[[model]]\nid = \"double/{model}\"\ncontext_length = 8192\n[[model.endpoint]]\n\
             provider = \"double\"\nmodel = \"{model}\"\n\
             price = {{ prompt = \"0.15\", completion = \"0.60\" }}\n"
        ));
    }
    text
}

/// A port that was free a moment ago: what listens on it can't tell which it chose.
fn free_address() -> Result<SocketAddr, anyhow::Error> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

async fn wait_until_ready(process: &mut Process, ask: &Ask) -> Result<(), anyhow::Error> {
    let until = clock::now() + Duration::from_secs(60);
    loop {
        let answered = match Connection::open(ask.address).await {
            Ok(mut connection) => connection.whole(ask).await.map(drop),
            Err(error) => Err(error),
        };
        let Err(error) = answered else { return Ok(()) };
        anyhow::ensure!(process.is_running(), "it ended: {}", process.complaint());
        let complaint = || format!("not ready within a minute: {}", process.complaint());
        if clock::now() > until {
            return Err(error).with_context(complaint);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
