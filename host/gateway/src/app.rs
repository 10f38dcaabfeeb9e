//! The parts of the program, each built once, in order.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::MissedTickBehavior;
use wire::{ErrorType, Failure};

use crate::auth::Auth;
use crate::billing::Billing;
use crate::clock;
use crate::config::Config;
use crate::config::catalog::Catalog;
use crate::error::{Error, Side};
use crate::limit::Limit;
use crate::plugin::{Compiler, Plugins};
use crate::store::{self, Store, Write};
use crate::telemetry::Meters;
use crate::upstream::Upstream;

/// A handle on the parts, which every request takes along.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Everything a request needs.
#[derive(Clone)]
pub(crate) struct Parts {
    /// What the operator decided.
    pub(crate) config: Arc<Config>,
    /// What can be served.
    pub(crate) catalog: Arc<Catalog>,
    /// Keys, money and records, written down.
    pub(crate) store: Arc<dyn Store>,
    /// Who is calling.
    pub(crate) auth: Arc<Auth>,
    /// How often they may.
    pub(crate) limit: Arc<Limit>,
    /// What they owe.
    pub(crate) billing: Arc<Billing>,
    /// The plugins that are loaded.
    pub(crate) plugins: Arc<Plugins>,
    /// The way to the providers; each serving thread has its own.
    pub(crate) upstream: Upstream,
    /// What is counted.
    pub(crate) meters: Meters,
    /// Places for requests in flight; closed when the program stops.
    places: Arc<Semaphore>,
    /// True when what still runs must end.
    cut: watch::Sender<bool>,
}

impl App {
    /// Builds every part.
    ///
    /// # Errors
    /// Names the part, the setting and the fix.
    pub(crate) async fn build(config: Config) -> Result<Self, anyhow::Error> {
        let program = std::env::current_exe().context("this program can't be found")?;
        // A program of tests runs its tests when it is started, and compiles nothing.
        let compiler = if cfg!(test) { Compiler::Here } else { Compiler::Process(program) };
        crate::telemetry::metrics()?;
        let environment = |name: &str| std::env::var(name).ok();
        let catalog = Catalog::build(&config, environment)?;
        let config = Arc::new(config);
        let store = store::open(&config.store).context("the store could not be opened")?;
        let billing = Billing::load(Arc::clone(&store), &config.billing).await?;
        let auth = Auth::load(Arc::clone(&store)).await?;
        let plugins = Plugins::start(&config, compiler);
        let plugins = plugins.context("the plugins could not be loaded")?;
        for stranger in plugins.snapshot().strangers(&config) {
            // Its file or an upload may still come.
            tracing::warn!("{stranger}");
        }
        Ok(Self(Arc::new(Parts {
            catalog: Arc::new(catalog),
            auth: Arc::new(auth),
            limit: Arc::new(Limit::new(&config.limits)),
            billing: Arc::new(billing),
            plugins: Arc::new(plugins),
            upstream: Upstream::new(&config.upstream)?,
            meters: Meters::new(),
            places: Arc::new(Semaphore::new(config.server.requests_max)),
            cut: watch::Sender::new(false),
            store,
            config,
        })))
    }

    /// The same parts with a connection pool of its own, for another thread.
    ///
    /// # Errors
    /// As [`Upstream::new`].
    pub(crate) fn for_thread(&self) -> Result<Self, anyhow::Error> {
        let upstream = Upstream::new(&self.config.upstream)?;
        Ok(Self(Arc::new(Parts { upstream, ..Parts::clone(self) })))
    }

    /// A place for one more generation.
    ///
    /// # Errors
    /// 503 when there is none, or the program is about to stop.
    pub(crate) fn admit(&self) -> Result<OwnedSemaphorePermit, Error> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| {
            let message = match self.places.is_closed() {
                true => "The gateway is about to stop; try again".to_owned(),
                false => format!(
                    "{} requests are in flight, as many as may be (server.requests_max)",
                    self.config.server.requests_max
                ),
            };
            let mut failure = Failure::new(ErrorType::ProviderOverloaded, message);
            failure.retry_after_ms = Some(1000);
            Error { failure, side: Side::Us, source: None }
        })
    }

    /// Whether new generations are taken.
    pub(crate) fn is_open(&self) -> bool {
        !self.places.is_closed()
    }

    /// Takes no more generations and waits until those in flight have ended and settled. Those
    /// that take longer than `server.drain_ms` are cut off, and settle at what they sent. Returns
    /// how many were cut off.
    pub(crate) async fn drain(&self) -> usize {
        self.places.close();
        let limit = Duration::from_millis(self.config.server.drain_ms);
        let left = self.left_after(limit).await;
        if left > 0 {
            self.cut.send_replace(true);
            self.left_after(CUT).await;
        }
        left
    }

    /// Waits until no generation runs, or the time is over. Returns how many run then.
    async fn left_after(&self, limit: Duration) -> usize {
        let end = clock::now() + limit;
        loop {
            let left = self.config.server.requests_max - self.places.available_permits();
            if left == 0 || clock::now() >= end {
                return left;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Turns true when a generation that runs must end.
    pub(crate) fn cut(&self) -> watch::Receiver<bool> {
        self.cut.subscribe()
    }

    /// A new generation's id: sortable by time, and not to be guessed.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn new_generation_id(&self) -> Result<String, Error> {
        Ok(format!("gen-{}", clock::unique_name().map_err(Error::us)?))
    }

    /// What must be done now and then; never returns.
    pub(crate) async fn upkeep(&self) {
        tokio::join!(self.keep_holds(), self.keep_rest());
    }

    /// Renews live holds several times within the life of one, whatever else is slow.
    async fn keep_holds(&self) {
        let pause = Duration::from_millis(self.config.billing.hold_ms / 4);
        let mut ticks = tokio::time::interval(pause.min(UPKEEP_PAUSE));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.billing.upkeep(clock::unix_ms()).await;
        }
    }

    async fn keep_rest(&self) {
        let mut ticks = tokio::time::interval(UPKEEP_PAUSE);
        loop {
            ticks.tick().await;
            crate::telemetry::upkeep();
            self.limit.sweep();
            let old = Write::NoResponsesBefore(clock::unix_ms());
            if let Err(error) = self.store.offer(old) {
                tracing::warn!("kept replies whose time is over were not removed: {error}");
            }
            let reloaded = self.auth.reload().await.and(self.billing.reload_limits().await);
            if let Err(error) = reloaded {
                tracing::warn!("the keys could not be read again: {error:#}");
            }
        }
    }
}

/// Between two rounds of upkeep; a change by another process is seen that much later.
const UPKEEP_PAUSE: Duration = Duration::from_secs(5);

/// How long generations that are cut off may take to settle.
const CUT: Duration = Duration::from_secs(3);
