//! `patchbay serve`: start, wait for a signal, stop in order.

use std::thread;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{announce, resources};
use crate::api::{self, Listener};
use crate::app::App;
use crate::config::{Config, ProviderTable, Secret};
use crate::sim;

/// The simulated model's id.
pub(super) const SIM_MODEL: &str = "patchbay/sim";

/// Serves until SIGTERM or SIGINT; then running replies end, within `server.drain_ms`.
///
/// # Errors
/// What keeps it from starting, with the fix.
pub(super) fn run(mut config: Config) -> Result<(), anyhow::Error> {
    crate::telemetry::log();
    resources::check(&config);
    let sim = sim::bind().context("the simulated model could not listen")?;
    add_sim(&mut config, sim.local_addr()?.port())?;
    let threads = match config.server.threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let listener = Listener::bind(&config.server, threads)?;
    let address = listener.address;
    let runtime = runtime()?;
    runtime.block_on(async move {
        let app = App::build(config).await?;
        let keys = app.auth.first_start(std::env::var("PATCHBAY_MANAGEMENT_KEY").ok()).await?;
        let (stop, stopped) = watch::channel(false);
        let mut serving = Vec::new();
        for socket in listener.into_sockets() {
            serving.push(spawn(&app, socket, stopped.clone())?);
        }
        tokio::spawn(sim::serve(sim));
        let upkeep = app.clone();
        tokio::spawn(async move { upkeep.upkeep().await });
        let keys = announce::NewKeys { management: keys.management, inference: keys.inference };
        announce::serving(address, &app.catalog, &keys);
        wait_for_signal().await?;
        tracing::info!("stopping: no new requests, running replies end");
        let _ = stop.send(true);
        let left = app.drain().await;
        if left > 0 {
            tracing::warn!("{left} replies were cut off after server.drain_ms");
        }
        // The connections have their replies; their threads end by themselves.
        join(serving).await;
        app.store.close().await?;
        Ok(())
    })
}

/// The simulated model, as a provider and a model like any other.
fn add_sim(config: &mut Config, port: u16) -> Result<(), anyhow::Error> {
    config.provider.push(ProviderTable {
        slug: sim::PROVIDER.to_owned(),
        name: Some("Patchbay (simulated)".to_owned()),
        dialect: Some("openai-chat".to_owned()),
        base_url: Some(format!("http://127.0.0.1:{port}/v1")),
        variables: Default::default(),
        query: None,
        auth: None,
        credential: Some(Secret::new("none")),
        cancel: Some(true),
        quirks: None,
        policy: Some(nothing_is_kept()),
    });
    for text in [SIM, SIM_EMBED, SIM_RERANK] {
        let model = toml::from_str(text).context("a simulated model's own entry")?;
        config.model.push(model);
    }
    Ok(())
}

/// What is said to it leaves neither this process nor a trace.
fn nothing_is_kept() -> wire::Policy {
    wire::Policy {
        trains: Some(false),
        retains_prompts: Some(false),
        zdr: Some(true),
        ..wire::Policy::default()
    }
}

const SIM: &str = r#"
id = "patchbay/sim"
name = "Patchbay: simulated model"
description = "A simulated model, so that everything can be tried without a key. It knows nothing."
context_length = 131072
supported_parameters = ["max_tokens", "reasoning", "include_reasoning", "tools", "tool_choice", "temperature", "stop", "seed"]
reasoning = "effort"
[[endpoint]]
provider = "patchbay-sim"
model = "sim"
price = { prompt = "0", completion = "0" }
price_source = "a simulation costs nothing"
price_date = "2026-11-21"
"#;

const SIM_EMBED: &str = r#"
id = "patchbay/sim-embed"
name = "Patchbay: simulated embeddings"
description = "Simulated embeddings: texts that share words are near each other."
context_length = 131072
output_modalities = ["embeddings"]
[[endpoint]]
provider = "patchbay-sim"
model = "sim-embed"
price = { prompt = "0", completion = "0" }
price_source = "a simulation costs nothing"
price_date = "2026-11-21"
"#;

const SIM_RERANK: &str = r#"
id = "patchbay/sim-rerank"
name = "Patchbay: simulated ranking"
description = "A simulated ranking: documents that share words with the query come first."
context_length = 131072
output_modalities = ["rerank"]
[[endpoint]]
provider = "patchbay-sim"
model = "sim-rerank"
price = { prompt = "0", completion = "0" }
price_source = "a simulation costs nothing"
price_date = "2026-11-21"
"#;

/// A thread with its own runtime, socket and connection pool: a connection never changes cores.
fn spawn(
    app: &App,
    socket: std::net::TcpListener,
    stop: watch::Receiver<bool>,
) -> Result<thread::JoinHandle<()>, anyhow::Error> {
    let app = app.for_thread()?;
    let body = move || {
        let served = runtime().and_then(|runtime| {
            runtime.block_on(async {
                api::serve(api::router(&app), socket, &app.config.server, stop).await?;
                // Generations outlive their connections: the runtime must outlive them.
                app.drain().await;
                Ok(())
            })
        });
        if let Err(error) = served {
            tracing::error!("a serving thread ended: {error:#}");
        }
    };
    Ok(thread::Builder::new().name("serve".to_owned()).spawn(body)?)
}

fn runtime() -> Result<Runtime, anyhow::Error> {
    Builder::new_current_thread().enable_all().build().context("the runtime could not start")
}

async fn wait_for_signal() -> Result<(), anyhow::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Waits for the threads, but not for a connection that never closes.
async fn join(serving: Vec<thread::JoinHandle<()>>) {
    let limit = std::time::Duration::from_secs(2);
    let all = tokio::task::spawn_blocking(|| {
        for thread in serving {
            let _ = thread.join();
        }
    });
    let _ = tokio::time::timeout(limit, all).await;
}
