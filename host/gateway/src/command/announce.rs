//! What is printed for people: where it listens, what is ready, and a line to paste.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;

use crate::config::catalog::Catalog;

/// The keys that a first start made, to be shown once.
#[derive(Debug, Default)]
pub(super) struct NewKeys {
    /// For `/keys`, `/credits` and `/plugins`.
    pub(super) management: Option<String>,
    /// For generations.
    pub(super) inference: Option<String>,
}

/// Says that it serves, and how to try it.
pub(super) fn serving(address: SocketAddr, catalog: &Catalog, keys: &NewKeys) {
    line(&format!("Patchbay {} listens on http://{address}\n", env!("CARGO_PKG_VERSION")));
    if let Some(key) = &keys.management {
        line(&format!("Management key, shown once: {key}"));
    }
    if let Some(key) = &keys.inference {
        line(&format!("Inference key, shown once:  {key}\n"));
    }
    line(&models(catalog));
    let key = keys.inference.as_deref().unwrap_or("$PATCHBAY_API_KEY");
    line(&curl(address, catalog, key));
}

/// Says what can be served, and why the rest can't.
pub(super) fn models(catalog: &Catalog) -> String {
    let mut ready = Vec::new();
    let mut obstacles: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (id, served) in &catalog.models {
        if served.ready().next().is_some() {
            // Nobody shall take it for a real one.
            let is_real = !id.starts_with(crate::command::serve::SIM_MODEL);
            ready.push(if is_real { id.clone() } else { format!("{id} (simulated)") });
            continue;
        }
        let reasons: Vec<_> =
            served.endpoints.iter().filter_map(|endpoint| endpoint.obstacle.clone()).collect();
        let reason = if reasons.is_empty() { "no endpoint".to_owned() } else { reasons.join("; ") };
        obstacles.entry(reason).or_default().push(id);
    }
    let mut text = format!("Ready: {}\n", ready.join(", "));
    for (reason, models) in obstacles {
        text.push_str(&format!("Not ready, {reason}: {}\n", models.join(", ")));
    }
    text
}

/// Says what went wrong, cause by cause.
pub(super) fn error(error: &anyhow::Error) {
    let _ = writeln!(io::stderr(), "patchbay: {error:#}");
}

/// A line for whoever reads; where nobody does (`patchbay | head -1`), it goes on all the same.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// A request that works when pasted. The simulated model needs nobody's key.
fn curl(address: SocketAddr, catalog: &Catalog, key: &str) -> String {
    let model = crate::command::serve::SIM_MODEL;
    let model = match catalog.models.contains_key(model) {
        true => model,
        false => catalog.models.keys().next().map_or("author/name", String::as_str),
    };
    format!(
        "Try it:\n\n  curl -N http://{address}/api/v1/chat/completions \\\n    \
         -H 'Content-Type: application/json' -H \"Authorization: Bearer {key}\" \\\n    \
         -d '{{\"model\":\"{model}\",\"stream\":true,\"messages\":[{{\"role\":\"user\",\
         \"content\":\"Hello!\"}}]}}'\n"
    )
}
