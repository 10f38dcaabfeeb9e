//! The catalog as plugins see it.

use ledger::{Counts, Price};

use crate::app::App;
use crate::config::catalog::Served;
use crate::plugin::Listed;
use crate::routing;

/// Every model for conversations that can be asked, by id.
pub(super) fn models(app: &App) -> Vec<Listed> {
    let served = app.catalog.models.values().map(AsRef::as_ref);
    let can_be_asked = |it: &&Served| it.model.converses() && it.ready().next().is_some();
    served.filter(can_be_asked).map(listed).collect()
}

/// A model by any name that a request may use.
pub(super) fn model(app: &App, name: &str) -> Option<Listed> {
    let plugins = app.plugins.snapshot();
    let named = routing::name(&app.catalog, name, |suffix| plugins.is_suffix(suffix)).ok()?;
    app.catalog.models.get(&named.id).map(|served| listed(served))
}

/// Most tokens that a model reads and writes, wherever it is served.
pub(super) fn context_of(app: &App, id: &str) -> Option<u64> {
    context(app.catalog.models.get(id)?)
}

fn context(served: &Served) -> Option<u64> {
    served.ready().map(|endpoint| u64::from(endpoint.context_length)).max()
}

/// The best that an endpoint offers of each.
fn listed(served: &Served) -> Listed {
    let model = &served.model;
    let names = |list: &[wire::Modality]| list.iter().map(|it| it.as_str().to_owned()).collect();
    let million = |counts: Counts| {
        let prices = served.ready().filter_map(|endpoint| endpoint.price.as_ref());
        let nanos = prices.map(|price: &Price| price.cost(&counts).total.nanos()).min();
        nanos.and_then(|nanos| u64::try_from(nanos).ok())
    };
    let most = served.ready().filter_map(|endpoint| endpoint.max_output_tokens).max();
    Listed {
        id: model.id.clone(),
        name: model.name.clone().unwrap_or_else(|| model.id.clone()),
        created: model.created,
        context_length: context(served),
        completion_max: most.map(u64::from),
        inputs: names(&model.input_modalities),
        outputs: names(&model.output_modalities),
        parameters: model.supported_parameters.clone(),
        prompt_nanos: million(Counts { prompt: 1_000_000, ..Counts::default() }),
        completion_nanos: million(Counts { completion: 1_000_000, ..Counts::default() }),
    }
}
