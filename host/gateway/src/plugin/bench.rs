//! What the benchmarks of plugins measure. It is public for that alone.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use wire::{Chunk, Content, Delta, Extra, Message, Part, Request, Role, Source};

use super::capability::Environment;
use super::compile::{Compiler, Workshop};
use super::engine::Sandboxes;
use super::fault::{Failed, Fault};
use super::instance::Instance;
use super::load::{Loader, Origin, Plugin};
use super::pipeline::{Pipeline, Requested};
use super::registry;
use super::select::Selected;
use super::view::GenerationView;
use crate::clock;
use crate::config::Config;

/// A plugin that is loaded, with its options.
pub struct Guest {
    selected: Selected,
    chat: Request,
    view: Arc<GenerationView>,
}

impl Guest {
    /// Loads a plugin's file.
    ///
    /// # Errors
    /// When it is refused.
    pub fn load(wasm: &[u8], options: &str) -> Result<Self, anyhow::Error> {
        Self::of(wasm, options, Origin::Upload)
    }

    /// Loads a plugin with the limits that shipped ones may ask for.
    ///
    /// # Errors
    /// When it is refused.
    pub fn load_shipped(wasm: &[u8], options: &str) -> Result<Self, anyhow::Error> {
        Self::of(wasm, options, Origin::Shipped)
    }

    fn of(wasm: &[u8], options: &str, origin: Origin) -> Result<Self, anyhow::Error> {
        let mut config = Config::default();
        config.plugins.instances_max = 4_200;
        let sandboxes = Sandboxes::new(&config)?;
        let workshop = Workshop::new(&config.plugins, Compiler::Here)?;
        let loader = Loader { workshop: &workshop, sandboxes: &sandboxes, config: &config };
        let environment = |id: &str, limits: &_| Environment::new(id, limits);
        let plugin: Plugin = loader.load(wasm, origin, 1, &environment)?;
        let given: serde_json::Value = serde_json::from_str(options)?;
        let fits = plugin.schemas.check_options(&plugin.description.id, &given);
        fits.map_err(anyhow::Error::msg)?;
        let selected = Selected {
            plugin: Arc::new(plugin),
            options: options.into(),
            is_disabled: false,
            shadow: None,
        };
        Ok(Self { selected, chat: chat(), view: Arc::new(view()) })
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

    /// The request hooks of a generation with this plugin, `count` times, on a chat of 4 KB.
    ///
    /// # Errors
    /// When a plugin fails or does not let the request pass.
    pub fn request(&self, count: usize) -> Result<(), anyhow::Error> {
        let mut pipeline = Pipeline::new(vec![self.selected.clone(); count], view());
        match at_once(pipeline.on_request(self.chat.clone()))?? {
            Requested::Go(_) => Ok(()),
            Requested::Answer(..) => Err(anyhow::anyhow!("the plugin answered")),
        }
    }

    /// How much longer than its limit a call ran that never ends by itself.
    ///
    /// # Errors
    /// When it did not end by its limit.
    pub fn overrun(&self) -> Result<Duration, anyhow::Error> {
        let mut instance = self.instance()?;
        let (transformer, _) = at_once(instance.transformer(0))?.map_err(failed)?;
        let limit = Duration::from_millis(self.selected.plugin.limits.cpu_ms);
        let begun = clock::now();
        let result = at_once(instance.push(transformer, &[text("x")]))?;
        let took = clock::now().saturating_duration_since(begun);
        match result {
            Err(error) if error.fault == Fault::Timeout => Ok(took.saturating_sub(limit)),
            Err(error) => Err(failed(error)),
            Ok(_) => Err(anyhow::anyhow!("the call ended by itself")),
        }
    }

    fn instance(&self) -> Result<Instance, anyhow::Error> {
        let Selected { plugin, options, .. } = &self.selected;
        at_once(Instance::new(plugin, &self.view, options))?.map_err(failed)
    }
}

/// The shipped plugins: id and file.
pub fn shipped() -> &'static [(&'static str, &'static [u8])] {
    registry::SHIPPED
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
        at_once(self.pipeline.push(chunk, &mut self.out))??;
        Ok(self.out.len())
    }
}

/// What a plugin that never waits does is over when it is asked for. One that may wait gives its
/// thread back now and then, and needs a runtime around it.
fn at_once<T>(call: impl Future<Output = T>) -> Result<T, anyhow::Error> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => Ok(runtime.block_on(call)),
        Err(_) => call.now_or_never().ok_or_else(|| anyhow::anyhow!("the plugin waits")),
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

/// Sixteen turns of 256 letters.
fn chat() -> Request {
    let turn = |number: u32| {
        let role = if number.is_multiple_of(2) { Role::User } else { Role::Assistant };
        let part = Part::new(Content::Text("lorem ip ".repeat(28)));
        Message { role, name: None, parts: vec![part], extra: Extra::default() }
    };
    Request { messages: (0..16).map(turn).collect(), stream: true, ..Request::default() }
}

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.to_owned() }
}

fn failed(failed: Failed) -> anyhow::Error {
    let Failed { fault, detail } = failed;
    anyhow::anyhow!("{fault}: {detail}")
}

fn view() -> GenerationView {
    GenerationView::of_load(Duration::from_secs(3_600))
}
