//! `report`: what a plugin did, for the client that asks how its request was served, and for one
//! whose generation failed.

use wire::Json;

use super::super::bindings::report;
use super::super::bindings::types::FieldResult;
use super::super::convert;
use super::super::host::State;
use super::super::outside::Stage;

impl report::Host for State {
    fn stage(
        &mut self,
        kind: String,
        name: String,
        summary: Option<String>,
        data: Vec<FieldResult>,
    ) -> wasmtime::Result<()> {
        let bytes: usize = data.iter().map(|field| field.name.len() + field.value.len()).sum();
        let bytes = bytes + kind.len() + name.len() + summary.as_ref().map_or(0, String::len);
        let is_over = self.used.stages >= self.limits.stages || bytes > STAGE_BYTES_MAX;
        let Ok(data) = convert::lift_fields(data, "a stage's data") else {
            tracing::warn!(plugin = self.plugin.id, name, "a stage with data that is no JSON");
            return Ok(());
        };
        let Some(services) = self.view.outside.services().filter(|_| !is_over) else {
            return Ok(());
        };
        self.used.stages = self.used.stages.saturating_add(1);
        services.report(Stage { plugin: self.plugin.id.clone(), kind, name, summary, data });
        Ok(())
    }

    fn if_failed(&mut self, name: String, value: String) -> wasmtime::Result<()> {
        let bytes = self.used.if_failed_bytes.saturating_add(name.len() + value.len());
        let Ok(value) = Json::parse(value) else {
            tracing::warn!(plugin = self.plugin.id, name, "what is for a failure is no JSON");
            return Ok(());
        };
        if bytes > IF_FAILED_BYTES_MAX {
            let most = IF_FAILED_BYTES_MAX;
            tracing::warn!(plugin = self.plugin.id, name, most, "too much is for a failure");
        } else if let Some(services) = self.view.outside.services() {
            self.used.if_failed_bytes = bytes;
            services.if_failed(name, value);
        }
        Ok(())
    }
}

/// Clients read it in a reply's head or end.
const STAGE_BYTES_MAX: usize = 16 << 10;

/// What was read of a long document fits.
const IF_FAILED_BYTES_MAX: usize = 8 << 20;
