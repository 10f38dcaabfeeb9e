//! `search`: the operator's indexes of documents.

use super::super::bindings::search::{self, Hit};
use super::super::bindings::types::PluginError;
use super::super::host::State;

impl search::Host for State {
    async fn query(
        &mut self,
        index: String,
        text: String,
        count: u32,
    ) -> wasmtime::Result<Result<Vec<Hit>, PluginError>> {
        let id = &self.plugin.id;
        if !self.grants.allows_index(&index) {
            if let Some(script) = self.view.outside.script() {
                script.note_denied("search", &index);
            }
            let fix = format!("add \"search={}\" to plugin.{id}.grant", index.escape_debug());
            return Ok(Err(PluginError::Denied(format!("that index was not granted: {fix}"))));
        }
        let most = self.limits.searches;
        if self.used.searches >= most {
            let setting = format!("plugin.{id}.limits.searches");
            return Ok(Err(PluginError::Limit(format!("more than {most} queries ({setting})"))));
        }
        self.used.searches = self.used.searches.saturating_add(1);
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(HITS_MAX);
        Ok(self.view.outside.search(index, text, count).await)
    }
}

/// More hits than that are not given, however many are asked for.
const HITS_MAX: usize = 100;
