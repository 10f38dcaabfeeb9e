//! What `benches/plugin.rs` measures. It is public for that alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wire::{Chunk, Delta, Source};

use super::capability::Environment;
use super::engine::Sandbox;
use super::fault::{Failed, Fault};
use super::instance::Instance;
use super::load::{Loader, Origin, Plugin};
use super::pipeline::Pipeline;
use super::select::Selected;
use super::view::GenerationView;
use crate::clock;
use crate::config::Config;

/// A plugin that is loaded, with its options.
pub struct Guest {
    selected: Selected,
    view: Arc<GenerationView>,
}

impl Guest {
    /// Loads a plugin's file.
    ///
    /// # Errors
    /// When it is refused.
    pub fn load(wasm: &[u8], options: &str) -> Result<Self, anyhow::Error> {
        let mut config = Config::default();
        config.plugins.instances_max = 100;
        let sandbox = Sandbox::new(&config.plugins)?;
        let loader = Loader { sandbox: &sandbox, config: &config };
        let environment = |id: &str| Environment::new(id, &config.plugins);
        let plugin: Plugin = loader.load(wasm, Origin::Upload, 1, &environment)?;
        let selected = Selected { plugin: Arc::new(plugin), options: options.into() };
        Ok(Self { selected, view: Arc::new(view()) })
    }

    /// Makes an instance and drops it.
    ///
    /// # Errors
    /// When the plugin fails.
    pub fn instantiate(&self) -> Result<(), anyhow::Error> {
        self.instance().map(drop)
    }

    /// A generation with this plugin, `count` times.
    pub fn stream(&self, count: usize) -> Stream {
        Stream { pipeline: Pipeline::new(vec![self.selected.clone(); count], view()), out: vec![] }
    }

    /// How much longer than its limit a call ran that never ends by itself.
    ///
    /// # Errors
    /// When it did not end by its limit.
    pub fn overrun(&self) -> Result<Duration, anyhow::Error> {
        let mut instance = self.instance()?;
        let (transformer, _) = instance.transformer(0).map_err(failed)?;
        let limit = Duration::from_millis(u64::from(self.selected.plugin.limits.cpu_ms));
        let begun = clock::now();
        let result = instance.push(transformer, &[text("x")]);
        let took = clock::now().saturating_duration_since(begun);
        match result {
            Err(error) if error.fault == Fault::Timeout => Ok(took.saturating_sub(limit)),
            Err(error) => Err(failed(error)),
            Ok(_) => Err(anyhow::anyhow!("the call ended by itself")),
        }
    }

    fn instance(&self) -> Result<Instance, anyhow::Error> {
        let Selected { plugin, options } = &self.selected;
        Instance::new(plugin, &self.view, options).map_err(failed)
    }
}

/// A reply on its way through plugins.
pub struct Stream {
    pipeline: Pipeline,
    out: Vec<Chunk>,
}

impl Stream {
    /// One chunk through. Returns how many came out.
    ///
    /// # Errors
    /// When a plugin fails.
    pub fn push(&mut self, chunk: Chunk) -> Result<usize, anyhow::Error> {
        self.out.clear();
        self.pipeline.push(chunk, &mut self.out)?;
        Ok(self.out.len())
    }
}

/// A chunk with a piece of text, as a dialect reads it.
pub fn text_chunk(piece: &str) -> Chunk {
    let source = Source { dialect: "openai-chat", bytes: bytes::Bytes::from_static(b"{}") };
    Chunk { deltas: vec![text(piece)], source: Some(source) }
}

/// A chunk that no text plugin wants.
pub fn usage_chunk() -> Chunk {
    Chunk { deltas: vec![Delta::Usage(wire::Usage::default())], source: None }
}

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.to_owned() }
}

fn failed(failed: Failed) -> anyhow::Error {
    let Failed { fault, detail } = failed;
    anyhow::anyhow!("{fault}: {detail}")
}

fn view() -> GenerationView {
    let now: Instant = clock::now();
    GenerationView {
        id: "gen-benchmark".to_owned(),
        surface: "openai-chat",
        model: "author/name".to_owned(),
        key: "key".to_owned(),
        headers: Vec::new(),
        deadline: now.checked_add(Duration::from_secs(3_600)).unwrap_or(now),
    }
}
