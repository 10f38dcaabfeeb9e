//! `metrics`: numbers on the host's `/metrics`, named `patchbay_plugin_<name>`. A plugin can't
//! flood them: names and label values are bounded, and what is over is dropped, with one warning.

use std::collections::{HashMap, HashSet};

use metrics::Label;
use parking_lot::Mutex;

use super::super::bindings::metrics as wit;
use super::super::host::State;

/// The series a plugin has made.
#[derive(Debug, Default)]
pub(crate) struct Series(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// By name: which kind.
    names: HashMap<String, Kind>,
    /// Name and labels as one text.
    series: HashSet<String>,
    has_warned: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    Observe,
}

impl Series {
    /// Whether this series may be written. It is remembered if it is new.
    fn admits(&self, plugin: &str, kind: Kind, name: &str, labels: &[wit::Label]) -> bool {
        let mut known = self.0.lock();
        let is_admitted = known.admit(kind, name, labels);
        if !is_admitted && !known.has_warned {
            known.has_warned = true;
            tracing::warn!(plugin, name, NAMES_MAX, SERIES_MAX, "a plugin's metric was dropped");
        }
        is_admitted
    }
}

impl Known {
    fn admit(&mut self, kind: Kind, name: &str, labels: &[wit::Label]) -> bool {
        let names = labels.iter().map(|label| label.name.as_str());
        let are_valid = names.clone().chain([name]).all(is_name) && labels.len() <= LABELS_MAX;
        let are_short = labels.iter().all(|label| label.value.len() <= VALUE_BYTES_MAX);
        let are_reserved = names.clone().any(|name| RESERVED_LABELS.contains(&name));
        let are_distinct = names.clone().collect::<HashSet<_>>().len() == labels.len();
        if !are_valid || !are_short || are_reserved || !are_distinct || is_the_hosts(name) {
            return false;
        }
        match self.names.get(name) {
            Some(known) if *known != kind => return false,
            Some(_) => {}
            None if self.names.len() >= NAMES_MAX => return false,
            None => {
                self.names.insert(name.to_owned(), kind);
            }
        }
        let mut series = name.to_owned();
        for label in labels {
            series.push_str(&format!("\0{}\0{}", label.name, label.value));
        }
        if self.series.contains(&series) {
            return true;
        }
        self.series.len() < SERIES_MAX && self.series.insert(series)
    }
}

impl wit::Host for State {
    fn count(&mut self, name: String, by: u64, labels: Vec<wit::Label>) -> wasmtime::Result<()> {
        if self.plugin.series.admits(&self.plugin.id, Kind::Count, &name, &labels) {
            let labels = self.labelled(labels);
            metrics::counter!(format!("patchbay_plugin_{name}"), labels).increment(by);
        }
        Ok(())
    }

    fn observe(
        &mut self,
        name: String,
        value: f64,
        labels: Vec<wit::Label>,
    ) -> wasmtime::Result<()> {
        if self.plugin.series.admits(&self.plugin.id, Kind::Observe, &name, &labels) {
            let labels = self.labelled(labels);
            metrics::histogram!(format!("patchbay_plugin_{name}"), labels).record(value);
        }
        Ok(())
    }
}

impl State {
    fn labelled(&self, labels: Vec<wit::Label>) -> Vec<Label> {
        let own = Label::new("plugin", self.plugin.id.clone());
        let theirs = labels.into_iter().map(|label| Label::new(label.name, label.value));
        std::iter::once(own).chain(theirs).collect()
    }
}

fn is_name(name: &str) -> bool {
    let mut letters = name.bytes();
    name.len() <= NAME_BYTES_MAX
        && letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether it would be taken for a number of the host's own, or for a part of a histogram.
fn is_the_hosts(name: &str) -> bool {
    RESERVED_NAMES.contains(&name) || RESERVED_ENDS.iter().any(|end| name.ends_with(end))
}

/// What the host itself counts about plugins, without `patchbay_plugin_`.
const RESERVED_NAMES: [&str; 5] =
    ["broken_total", "faults_total", "http_bytes_total", "http_requests_total", "shadow_total"];
/// What a histogram's own lines end with.
const RESERVED_ENDS: [&str; 3] = ["_bucket", "_sum", "_count"];
/// What the host and Prometheus write themselves.
const RESERVED_LABELS: [&str; 3] = ["plugin", "le", "quantile"];

const NAMES_MAX: usize = 20;
const SERIES_MAX: usize = 100;
const LABELS_MAX: usize = 4;
const NAME_BYTES_MAX: usize = 64;
const VALUE_BYTES_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, value: &str) -> wit::Label {
        wit::Label { name: name.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn names_and_label_values_are_bounded() {
        let mut known = Known::default();
        let names = (0..50).filter(|n| known.admit(Kind::Count, &format!("name_{n}"), &[])).count();
        assert_eq!(names, NAMES_MAX);
        let series = (0..500)
            .filter(|n| known.admit(Kind::Count, "name_0", &[label("user", &n.to_string())]));
        assert_eq!(series.count(), SERIES_MAX - NAMES_MAX);
        assert!(known.admit(Kind::Count, "name_0", &[label("user", "3")]), "a known series stays");
    }

    #[test]
    fn what_prometheus_could_not_read_is_dropped() {
        let mut known = Known::default();
        for name in ["", "Upper", "with-dash", "0digit", "a b", &"x".repeat(65)] {
            assert!(!known.admit(Kind::Count, name, &[]), "{name}");
        }
        for name in ["plugin", "le", "quantile"] {
            assert!(!known.admit(Kind::Count, "ok", &[label(name, "other")]), "{name}");
        }
        assert!(!known.admit(Kind::Count, "ok", &[label("a", "1"), label("a", "2")]));
        for name in ["faults_total", "broken_total", "bounds_bucket", "bounds_sum"] {
            assert!(!known.admit(Kind::Count, name, &[]), "{name}");
        }
        assert!(known.admit(Kind::Count, "ok", &[]));
        assert!(!known.admit(Kind::Observe, "ok", &[]), "one name, one kind");
    }
}
