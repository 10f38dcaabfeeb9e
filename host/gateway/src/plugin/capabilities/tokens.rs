//! `tokens`: the host's tokenizers.

use super::super::bindings::tokens;
use super::super::cases;
use super::super::host::State;

impl tokens::Host for State {
    fn count(&mut self, model: String, text: String) -> wasmtime::Result<tokens::Counted> {
        if self.view.outside.script().is_some() {
            return Ok(cases::count_tokens(&text));
        }
        // Whoever counts first pays for nobody else.
        self.allowance.excuse(|| crate::tokens::load(&model));
        let count = crate::tokens::count(&model, &text);
        let tokens = u32::try_from(count.tokens).unwrap_or(u32::MAX);
        Ok(tokens::Counted { tokens, is_estimated: count.is_estimated })
    }
}
