//! `catalog`: the models that the gateway serves.

use super::super::bindings::catalog::{self, Model};
use super::super::host::State;
use super::super::outside::Listed;

impl catalog::Host for State {
    fn list(&mut self) -> wasmtime::Result<Vec<Model>> {
        let services = self.view.outside.services();
        let models = services.map(|services| services.models()).unwrap_or_default();
        Ok(models.into_iter().map(lower).collect())
    }

    fn find(&mut self, name: String) -> wasmtime::Result<Option<Model>> {
        let services = self.view.outside.services();
        Ok(services.and_then(|services| services.model(&name)).map(lower))
    }
}

fn lower(it: Listed) -> Model {
    Model {
        id: it.id,
        name: it.name,
        created: it.created,
        context_length: it.context_length,
        completion_max: it.completion_max,
        inputs: it.inputs,
        outputs: it.outputs,
        parameters: it.parameters,
        prompt_nanos: it.prompt_nanos,
        completion_nanos: it.completion_nanos,
    }
}
