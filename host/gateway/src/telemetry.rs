//! Logs and metrics: how they are set up, and the names of the numbers. Prompts, replies, keys and
//! credentials are never logged.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts logging to standard error. `RUST_LOG` chooses what (`info` without it),
/// `PATCHBAY_LOG=json` the form.
pub(crate) fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Colours are for people, not for files.
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    // A second start in one process (tests) keeps the first subscriber.
    let _ = match std::env::var("PATCHBAY_LOG").as_deref() {
        Ok("json") => builder.json().try_init(),
        _ => builder.compact().try_init(),
    };
}

/// Starts collecting metrics; a second call changes nothing.
///
/// # Errors
/// When another recorder is installed.
pub(crate) fn metrics() -> Result<(), anyhow::Error> {
    if PROMETHEUS.get().is_some() {
        return Ok(());
    }
    const SECONDS: [f64; 12] =
        [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?;
    let _ = PROMETHEUS.set(handle);
    Ok(())
}

/// Everything counted so far, in Prometheus' text form.
pub(crate) fn render() -> String {
    PROMETHEUS.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Folds what histograms collected; called now and then, or they grow.
pub(crate) fn upkeep() {
    if let Some(handle) = PROMETHEUS.get() {
        handle.run_upkeep();
    }
}

/// The numbers of every generation, registered once: a look-up by name costs more than the count.
#[derive(Clone)]
pub(crate) struct Meters {
    /// Generations that are running.
    pub(crate) running: Gauge,
    /// Generations that ended well.
    pub(crate) completed: Counter,
    /// Generations whose client left.
    pub(crate) cancelled: Counter,
    /// Generations that failed, by whose fault.
    failed: [Counter; 4],
    /// From the request to the first chunk.
    first_token: Histogram,
    /// From the request to the end.
    duration: Histogram,
    /// Attempts that failed and were followed by another.
    pub(crate) fallbacks: Counter,
}

impl Meters {
    /// Registers the numbers.
    pub(crate) fn new() -> Self {
        let failed =
            |side: &'static str| counter!("patchbay_generations_failed_total", "side" => side);
        Self {
            running: gauge!("patchbay_generations_running"),
            completed: counter!("patchbay_generations_completed_total"),
            cancelled: counter!("patchbay_generations_cancelled_total"),
            failed: SIDES.map(failed),
            first_token: histogram!("patchbay_first_token_seconds"),
            duration: histogram!("patchbay_generation_seconds"),
            fallbacks: counter!("patchbay_fallbacks_total"),
        }
    }

    /// Counts a failure of that side.
    pub(crate) fn failed(&self, side: &str) {
        let index = SIDES.iter().position(|known| *known == side);
        if let Some(counter) = index.and_then(|index| self.failed.get(index)) {
            counter.increment(1);
        }
    }

    /// Notes how long a generation took.
    pub(crate) fn took(&self, first_token: Option<Duration>, whole: Duration) {
        if let Some(first_token) = first_token {
            self.first_token.record(first_token.as_secs_f64());
        }
        self.duration.record(whole.as_secs_f64());
    }
}

/// Whose fault a failure can be, by the names of `error::Side`.
const SIDES: [&str; 4] = ["client", "upstream", "plugin", "us"];
