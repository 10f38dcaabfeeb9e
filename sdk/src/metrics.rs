//! Numbers on the host's `/metrics`, named `patchbay_plugin_<name>`. The host bounds how many
//! names and label values a plugin may make and drops what is over.

use crate::bindings::base::patchbay::plugin::metrics::Label;
use crate::host;

/// Adds to a counter: `count("blocked", 1, &[("reason", "pii")])`.
pub fn count(name: &str, by: u64, labels: &[(&str, &str)]) {
    host::metrics::count(name, by, &owned(labels));
}

/// Adds a value to a histogram.
pub fn observe(name: &str, value: f64, labels: &[(&str, &str)]) {
    host::metrics::observe(name, value, &owned(labels));
}

fn owned(labels: &[(&str, &str)]) -> Vec<Label> {
    let label =
        |(name, value): &(&str, &str)| Label { name: (*name).into(), value: (*value).into() };
    labels.iter().map(label).collect()
}
