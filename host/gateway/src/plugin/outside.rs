//! What lies outside the sandbox and is reached through the host: the network, models, indexes.
//! A test of a plugin finds a script in its place.

use std::pin::Pin;
use std::sync::Arc;

use wire::{Reply, Request, Usage};

use super::bindings::search::Hit;
use super::bindings::types::PluginError;
use super::cases::Script;
use super::egress::{Errand, Fetched, Gate, Refusal};
use crate::error::Error;

/// Where calls that leave the sandbox go.
#[derive(Clone)]
pub(crate) enum Outside {
    /// Nowhere: there is nothing to reach.
    Nothing,
    /// The world.
    World(Arc<World>),
    /// A plugin's case, which says what there is.
    Script(Arc<Script>),
}

/// The world, as one generation reaches it.
pub(crate) struct World {
    /// The network.
    pub(super) gate: Arc<Gate>,
    /// The documents.
    pub(super) indexes: Arc<index::Indexes>,
    /// Models, on the bill of the generation.
    pub(super) models: Arc<dyn Models>,
}

/// Models for plugins. Each call is routed, held and billed like a client's, under the generation
/// that the plugin runs for.
pub(crate) trait Models: Send + Sync {
    /// Asks a model. The call goes on and is billed even when the future is dropped.
    fn complete(&self, call: Call, request: Request) -> Asked<Reply>;

    /// Turns texts into vectors.
    fn embed(&self, call: Call, model: String, inputs: Vec<String>) -> Asked<Vec<Vec<f32>>>;
}

/// A call that is on its way.
pub(crate) type Asked<T> = Pin<Box<dyn Future<Output = Result<Answered<T>, Error>> + Send>>;

/// Who asks, and what it may cost.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The plugin.
    pub(crate) plugin: String,
    /// The most that the call may cost, in nano-dollars.
    pub(crate) nanos_max: u64,
    /// The setting that says so.
    pub(crate) setting: String,
}

/// What a call brought.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    /// The model that answered.
    pub(crate) model: String,
    /// Its provider.
    pub(crate) provider: String,
    /// The answer.
    pub(crate) answer: T,
    /// Token counts.
    pub(crate) usage: Usage,
    /// Nano-dollars.
    pub(crate) cost_nanos: i64,
}

impl Outside {
    /// Sends a request through the egress gate.
    pub(super) async fn fetch(&self, errand: Errand<'_>) -> Result<Fetched, Refusal> {
        match self {
            Self::Nothing => Err(Refusal::Denied("there is no network here".to_owned())),
            Self::World(world) => world.gate.fetch(errand).await,
            Self::Script(script) => script.fetch(&errand),
        }
    }

    /// Searches an index, on a thread that may wait for the disk.
    pub(super) async fn search(
        &self,
        index: String,
        text: String,
        count: usize,
    ) -> Result<Vec<Hit>, PluginError> {
        let indexes = match self {
            Self::Nothing => return Err(PluginError::Denied("there is no index here".to_owned())),
            Self::World(world) => Arc::clone(&world.indexes),
            Self::Script(script) => return script.search(&index, count),
        };
        let search = move || indexes.query(&index, &text, count);
        let found = tokio::task::spawn_blocking(search).await;
        let found = found.map_err(|error| PluginError::Internal(error.to_string()))?;
        let hits = found.map_err(|error| PluginError::Upstream(error.to_string()))?;
        Ok(hits.into_iter().map(hit).collect())
    }

    /// The models, if there are any.
    pub(super) fn models(&self) -> Option<Arc<dyn Models>> {
        match self {
            Self::Nothing => None,
            Self::World(world) => Some(Arc::clone(&world.models)),
            Self::Script(script) => {
                let models: Arc<dyn Models> = Arc::<Script>::clone(script);
                Some(models)
            }
        }
    }

    /// The script, if a case is running.
    pub(super) fn script(&self) -> Option<&Script> {
        match self {
            Self::Nothing | Self::World(_) => None,
            Self::Script(script) => Some(script),
        }
    }
}

fn hit(it: index::Hit) -> Hit {
    let index::Hit { source, title, headings, text, offset, score, .. } = it;
    Hit { source, title, headings, text, offset, score }
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::World(_) => "World",
            Self::Script(_) => "Script",
        })
    }
}
