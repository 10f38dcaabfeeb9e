//! A version that runs beside the serving one and changes nothing: what it would have done is
//! compared, counted and logged, so that an operator can see a new version on real traffic. It
//! reaches nothing outside the sandbox, so one that asks hosts or models is seen without them.

use std::sync::Arc;

use wire::{Chunk, Delta, Reply, Request};

use super::fault::Failed;
use super::load::Plugin;
use super::media::Held;
use super::select::Selected;
use super::stage::Stage;
use super::view::GenerationView;

/// A shadow at work. It sees what the serving version sees.
pub(super) struct Shadow {
    stage: Stage,
    /// What came out of the shadow and of the serving version.
    own: Vec<Delta>,
    theirs: Vec<Delta>,
    differs: bool,
    is_done: bool,
}

impl Shadow {
    /// A shadow that has not run yet.
    pub(super) fn new(
        plugin: &Arc<Plugin>,
        serving: &Selected,
        view: &Arc<GenerationView>,
    ) -> Self {
        let selected = Selected {
            plugin: Arc::clone(plugin),
            options: Arc::clone(&serving.options),
            is_disabled: false,
            shadow: None,
        };
        let stage = Stage::new(selected, &Arc::new(view.shadow()));
        Self { stage, own: Vec::new(), theirs: Vec::new(), differs: false, is_done: false }
    }

    /// Runs the request hook on what the serving version saw. Compares the kinds of the decisions:
    /// what a replaced request became shows in the reply.
    pub(super) async fn on_request(&mut self, request: &Request, held: &mut Vec<Held>, kind: u8) {
        if !self.stage.selected.plugin.hooks.request {
            return;
        }
        match self.stage.on_request(request, held).await {
            Ok(decision) => self.differs |= super::pipeline::kind(&decision) != kind,
            Err(failed) => self.fail(&failed),
        }
    }

    /// Takes a chunk through the shadow; `theirs` is what the serving version made of it.
    pub(super) async fn pass(&mut self, chunk: Chunk, theirs: &[Delta]) {
        if self.is_done || !self.stage.transforms() {
            return;
        }
        self.theirs.extend_from_slice(theirs);
        match self.stage.pass(chunk).await {
            Ok(chunk) => self.own.extend(chunk.deltas),
            // It would have ended the reply, and the serving version did not.
            Err(_) => self.end(true),
        }
        if self.own.len().max(self.theirs.len()) >= DELTAS_MAX {
            self.compare();
        }
    }

    /// The clean end: what the serving version gave back is `theirs`.
    pub(super) async fn finish(&mut self, theirs: &[Delta]) {
        if self.is_done {
            return;
        }
        if self.stage.transforms() {
            self.theirs.extend_from_slice(theirs);
            match self.stage.finish().await {
                Ok(deltas) => self.own.extend(deltas),
                Err(_) => self.differs = true,
            }
        }
        self.compare();
    }

    fn fail(&mut self, failed: &Failed) {
        // Its policy is not asked for: a shadow ends nothing.
        let _ = self.stage.fail(failed);
        self.end(true);
    }

    fn compare(&mut self) {
        let fold = |deltas: &mut Vec<Delta>| Reply::fold([&Chunk::of(std::mem::take(deltas))]);
        let differs = fold(&mut self.own) != fold(&mut self.theirs);
        self.end(differs);
    }

    fn end(&mut self, differs: bool) {
        if std::mem::replace(&mut self.is_done, true) {
            return;
        }
        let differs = differs || self.differs;
        let about = &self.stage.selected.plugin.description;
        let result = if differs { "differs" } else { "same" };
        let (id, version) = (about.id.clone(), about.version.as_str());
        if differs {
            tracing::info!(id, version, "a shadow would have done something else");
        }
        metrics::counter!("patchbay_plugin_shadow_total", "plugin" => id, "result" => result)
            .increment(1);
    }
}

/// A longer reply is compared up to here.
const DELTAS_MAX: usize = 10_000;
