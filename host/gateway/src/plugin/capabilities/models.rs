//! `models`: a model asked through the gateway, on the bill of the generation, within what the
//! operator lets this plugin spend on it.

use wire::FinishReason;

use super::super::bindings::models::{self, Completion, Embeddings};
use super::super::bindings::types::{PluginError, RequestResult};
use super::super::convert;
use super::super::host::State;
use super::super::outside::{Answered, Call, Services};
use crate::error::{Error, Side};

impl models::Host for State {
    async fn complete(
        &mut self,
        request: RequestResult,
    ) -> wasmtime::Result<Result<Completion, PluginError>> {
        let held = convert::Host {
            request: &wire::Request::default(),
            held: &self.media,
            surface: self.view.surface,
        };
        let request = match convert::lift_request(request, &held) {
            Ok(request) => request,
            Err(failed) => return Ok(Err(PluginError::Options(failed.detail))),
        };
        let (models, call) = match self.ask(&request.model) {
            Ok(asked) => asked,
            Err(refused) => return Ok(Err(refused)),
        };
        let answered = models.complete(call, request).await;
        Ok(self.charge(answered).map(|it| Completion {
            choices: it.answer.choices.into_iter().map(choice).collect(),
            usage: convert::lower_usage(&it.usage),
            model: it.model,
            provider: it.provider,
            cost_nanos: it.cost_nanos,
        }))
    }

    async fn embed(
        &mut self,
        model: String,
        inputs: Vec<String>,
    ) -> wasmtime::Result<Result<Embeddings, PluginError>> {
        let (models, call) = match self.ask(&model) {
            Ok(asked) => asked,
            Err(refused) => return Ok(Err(refused)),
        };
        let answered = models.embed(call, model, inputs).await;
        Ok(self.charge(answered).map(|it| Embeddings {
            vectors: it.answer,
            usage: convert::lower_usage(&it.usage),
            model: it.model,
            cost_nanos: it.cost_nanos,
        }))
    }
}

impl State {
    /// Whether the plugin may ask this model now, and what the call may cost.
    fn ask(&mut self, model: &str) -> Result<(std::sync::Arc<dyn Services>, Call), PluginError> {
        let id = &self.plugin.id;
        if !self.grants.allows_model(model) {
            if let Some(script) = self.view.outside.script() {
                script.note_denied("models", model);
            }
            let fix = format!("add \"models={model}\" to plugin.{id}.grant");
            return Err(PluginError::Denied(format!("`{model}` was not granted: {fix}")));
        }
        let Some(models) = self.view.outside.services() else {
            return Err(PluginError::Denied("there are no models here".to_owned()));
        };
        let most = self.limits.model_calls;
        if self.used.model_calls >= most {
            let setting = format!("plugin.{id}.limits.model_calls");
            return Err(PluginError::Limit(format!("more than {most} calls ({setting})")));
        }
        self.used.model_calls = self.used.model_calls.saturating_add(1);
        let nanos_max = self.limits.model_nanos.saturating_sub(self.used.model_nanos);
        let setting = format!("plugin.{id}.limits.model_nanos");
        Ok((models, Call { plugin: id.clone(), nanos_max, setting }))
    }

    fn charge<T>(
        &mut self,
        answered: Result<Answered<T>, Error>,
    ) -> Result<Answered<T>, PluginError> {
        let answered = answered.map_err(|error| {
            let message = error.failure.message;
            match error.failure.status {
                402 | 429 => PluginError::Limit(message),
                403 => PluginError::Denied(message),
                400..=499 => PluginError::Options(message),
                _ if error.side == Side::Us => PluginError::Internal(message),
                _ => PluginError::Upstream(message),
            }
        })?;
        let nanos = u64::try_from(answered.cost_nanos).unwrap_or(0);
        self.used.model_nanos = self.used.model_nanos.saturating_add(nanos);
        Ok(answered)
    }
}

fn choice(it: wire::Choice) -> models::Choice {
    let finish: Option<FinishReason> = it.finish.as_ref().map(|(reason, _)| *reason);
    let finish = finish.map(convert::lower_finish);
    models::Choice { message: convert::message_of(it), finish }
}
