//! Texts turned into vectors: the same straight line as a call that writes a reply, with a prompt
//! and nothing else to pay.

use wire::{EmbedRequest, ErrorType, Usage};

use super::calls::within;
use super::meter::Metered;
use super::record::Record;
use super::{Ask, attempt, pair};
use crate::app::App;
use crate::clock;
use crate::error::Error;
use crate::plugin::{Answered, Call};
use crate::{routing, tokens};

/// Plan, hold, attempt, settle. The model is the one that `ask` names.
///
/// # Errors
/// What is wrong with the request, what is lacking to pay for it, or what the providers said.
pub(super) async fn run(
    app: &App,
    ask: &Ask,
    inputs: Vec<String>,
    call: &Call,
) -> Result<Answered<Vec<Vec<f32>>>, Error> {
    if inputs.is_empty() {
        return Err(Error::client(
            ErrorType::InvalidRequest,
            "inputs: expected a text, found none",
        ));
    }
    let mut record = Record::begin(app, ask).of_type("embeddings");
    let request = EmbedRequest { model: ask.request.model.clone(), inputs, dimensions: None };
    let plan = routing::plan_embeddings(&app.catalog, &request.model)?;
    let worst = plan.embed_cost_max(&request);
    within(worst, call)?;
    let hold = app.billing.hold(&ask.id, &ask.caller.hash, worst, clock::unix_ms())?;
    // Nobody can leave: the provider bills the call whether its answer is read or not.
    let (client, _waiting) = pair(std::time::Duration::MAX);
    let (reply, step) = match attempt(app, &plan, &request, &client, &mut record).await {
        Ok(attempted) => attempted,
        Err(error) => {
            hold.void();
            record.keep_failure(app, &error);
            return Err(error);
        }
    };
    let head = record.head(Some(&step), &request.model);
    let metered = metered(reply.usage, head.model.clone(), request.inputs).await;
    let billed = record.bill(Some(&step.endpoint), metered);
    hold.settle(billed.amount, record.row()).await?;
    Ok(Answered {
        model: head.model,
        provider: head.provider,
        answer: reply.vectors,
        usage: billed.metered.usage,
        cost_nanos: record.charged().nanos(),
    })
}

/// What is billed: the upstream's count of the texts, or ours where it gives none.
async fn metered(mut usage: Usage, model: String, inputs: Vec<String>) -> Metered {
    // Some say zero; a vector is not made of tokens.
    usage.completion = None;
    let is_estimated = usage.prompt.is_none();
    if is_estimated {
        let bytes = inputs.iter().map(String::len).sum();
        let count = move || inputs.iter().map(|text| tokens::count(&model, text).tokens).sum();
        let counted = tokio::task::spawn_blocking(count).await;
        usage.prompt = Some(counted.unwrap_or_else(|_| tokens::about(bytes)));
    }
    Metered { usage, is_estimated }
}

#[cfg(test)]
mod tests;
