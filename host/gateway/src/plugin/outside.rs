//! What lies outside the sandbox and is reached through the host: the network, models, indexes.
//! A test of a plugin finds a script in its place.

use std::pin::Pin;
use std::sync::Arc;

use ledger::Money;
use wire::{Json, Reply, Request, Usage};

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
    /// What the gateway itself does for plugins.
    pub(super) services: Arc<dyn Services>,
}

/// What the gateway does for the plugins of one generation. Each call of a model is routed, held
/// and billed like a client's, under that generation.
pub(crate) trait Services: Send + Sync {
    /// All models that the client may ask, by id.
    fn models(&self) -> Vec<Listed>;

    /// One of them, by any name that a request may use.
    fn model(&self, name: &str) -> Option<Listed>;

    /// An entry of what the client is told of the request's way.
    fn report(&self, stage: Stage);

    /// A field for the client should the generation fail.
    fn if_failed(&self, name: String, value: Json);

    /// Puts a cost of a plugin's own on the bill. Written down later.
    ///
    /// # Errors
    /// When the client can't pay it.
    fn charge(&self, plugin: &str, unit: &str, amount: Money) -> Result<(), Error>;

    /// Asks a model. The call goes on and is billed even when the future is dropped.
    fn complete(&self, call: Call, request: Request) -> Asked<Reply>;

    /// Turns texts into vectors.
    fn embed(&self, call: Call, model: String, inputs: Vec<String>) -> Asked<Vec<Vec<f32>>>;
}

/// A model as plugins see it; what is not known is absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listed {
    /// `author/name`
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
    /// Tokens read and written together.
    pub(crate) context_length: Option<u64>,
    /// Most tokens written.
    pub(crate) completion_max: Option<u64>,
    /// What it reads (`text`, `image`).
    pub(crate) inputs: Vec<String>,
    /// What it makes.
    pub(crate) outputs: Vec<String>,
    /// The parameters it takes.
    pub(crate) parameters: Vec<String>,
    /// Nano-dollars per million tokens read.
    pub(crate) prompt_nanos: Option<u64>,
    /// Nano-dollars per million tokens written.
    pub(crate) completion_nanos: Option<u64>,
}

/// What a plugin says that it did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stage {
    /// Who says so.
    pub(crate) plugin: String,
    /// `type`
    pub(crate) kind: String,
    /// What did it.
    pub(crate) name: String,
    /// One sentence.
    pub(crate) summary: Option<String>,
    /// Further fields.
    pub(crate) data: Vec<(String, Json)>,
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

    /// What the gateway does for plugins, if there is a gateway.
    pub(super) fn services(&self) -> Option<Arc<dyn Services>> {
        match self {
            Self::Nothing => None,
            Self::World(world) => Some(Arc::clone(&world.services)),
            Self::Script(script) => {
                let services: Arc<dyn Services> = Arc::<Script>::clone(script);
                Some(services)
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
