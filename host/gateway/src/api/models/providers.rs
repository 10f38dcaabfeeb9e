//! `GET /providers`: who is known here, with a credential or without, and where their rules stand.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::shape::{self, Data};
use crate::app::App;
use crate::config::catalog::Provider;

/// `GET /providers`
pub(super) async fn list(State(app): State<App>) -> Response {
    let data: Vec<_> = app.catalog.providers.values().map(|one| provider(one)).collect();
    shape::json(Ok(Data { data }))
}

fn provider(provider: &Provider) -> Value {
    let policy = &provider.policy;
    let centers = (!policy.datacenters.is_empty()).then_some(&policy.datacenters);
    json!({
        "name": provider.name,
        "slug": provider.slug,
        "privacy_policy_url": policy.privacy_policy_url,
        "terms_of_service_url": policy.terms_of_service_url,
        "status_page_url": policy.status_page_url,
        "headquarters": policy.headquarters,
        "datacenters": centers,
    })
}
