//! What neighbours feel of a plugin that never comes back: clients that ask for small replies, at
//! first alone and then beside requests at a fixed rate whose plugin loops until its CPU time is
//! over. The bound is that time: nobody should wait for more than one such call.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::client::Connection;
use crate::clock;
use crate::measure::Spread;
use crate::target::Target;

/// Clients beside the hostile ones.
const NEIGHBOURS: usize = 64;
/// A neighbour asks so often, so that all together leave the machine room.
const PAUSE: Duration = Duration::from_millis(50);
/// What the plugin may use, where nobody says otherwise.
const CPU_MS: f64 = 50.0;

/// How long neighbours waited.
pub(crate) struct Felt {
    /// Hostile requests in a second.
    rate: u32,
    /// Alone.
    alone: Spread,
    /// Beside the hostile requests.
    beside: Spread,
    /// Hostile requests that were answered, without their plugin.
    answered: usize,
    /// Those that were not, and why.
    failures: Vec<String>,
}

impl Felt {
    /// As a table of one row.
    pub(crate) fn row(&self) -> String {
        let Self { rate, alone, beside, answered, failures } = self;
        let bound = alone.p99 + CPU_MS;
        let holds = if beside.p99 <= bound { "holds" } else { "does not hold" };
        let mut text = format!(
            "| neighbours | endless loops per second | answered | p50 alone | p50 beside | \
             p99 alone | p99 beside | p99 alone + cpu_ms |\n|---|---|---|---|---|---|---|---|\n\
             | {NEIGHBOURS} | {rate} | {answered} | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} ms | \
             {bound:.1} ms, {holds} |\n",
            alone.p50, beside.p50, alone.p99, beside.p99
        );
        for failure in failures.iter().take(10) {
            text.push_str(&format!("- {failure}\n"));
        }
        text
    }
}

/// Measures both, each for `window`; `rate` hostile requests come in a second.
///
/// # Errors
/// When a neighbour's request fails.
pub(crate) async fn felt(
    target: &Target,
    window: Duration,
    rate: u32,
) -> Result<Felt, anyhow::Error> {
    let alone = neighbours(target, window).await?;
    let loops = json!([{"id": "hostile", "do": "loop"}]);
    let (beside, (answered, failures)) =
        tokio::join!(neighbours(target, window), attack(target, &loops, window, rate));
    Ok(Felt { rate, alone, beside: beside?, answered, failures })
}

async fn neighbours(target: &Target, window: Duration) -> Result<Spread, anyhow::Error> {
    let until = clock::now() + window;
    let mut clients = JoinSet::new();
    for _ in 0..NEIGHBOURS {
        let ask = target.ask("small", false);
        clients.spawn(async move {
            let mut connection = Connection::open(ask.address).await?;
            let mut took = Vec::new();
            while clock::now() < until {
                let begin = clock::now();
                connection.whole(&ask).await.context("a neighbour's request")?;
                took.push(u64::try_from(begin.elapsed().as_nanos())?);
                tokio::time::sleep(PAUSE).await;
            }
            Ok::<_, anyhow::Error>(took)
        });
    }
    let mut took = Vec::new();
    while let Some(client) = clients.join_next().await {
        took.extend(client??);
    }
    Spread::of(took)
}

async fn attack(
    target: &Target,
    plugins: &Value,
    window: Duration,
    rate: u32,
) -> (usize, Vec<String>) {
    let until = clock::now() + window;
    let ask = target.ask_with("small", false, Some(plugins));
    let mut due = tokio::time::interval(Duration::from_secs(1) / rate.max(1));
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut requests = JoinSet::new();
    while clock::now() < until {
        due.tick().await;
        let ask = ask.clone();
        requests.spawn(async move { Connection::open(ask.address).await?.whole(&ask).await });
    }
    let (mut answered, mut failures) = (0, Vec::new());
    while let Some(request) = requests.join_next().await {
        match request.map_err(anyhow::Error::from).flatten() {
            Ok(_) => answered += 1,
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    (answered, failures)
}
