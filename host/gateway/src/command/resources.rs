//! What the system lets this process have, against what the configuration may need. Found out at
//! the start, since under load it would look like something else.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Takes as many open files as the system gives, and warns of what can't work when everything is
/// in use that the configuration allows.
pub(super) fn check(config: &Config) {
    let files = raise_files();
    let wanted = files_wanted(config);
    if files < wanted {
        let requests_max = config.server.requests_max;
        tracing::warn!(
            files,
            wanted,
            requests_max,
            "too few open files for server.requests_max: raise the hard limit (ulimit -Hn {wanted}, \
             or LimitNOFILE= in a service file) or lower server.requests_max"
        );
    }
    let wanted = mappings_wanted(config);
    if let Some(mappings) = mappings().filter(|mappings| *mappings < wanted) {
        let instances_max = config.plugins.instances_max;
        tracing::warn!(
            mappings,
            wanted,
            instances_max,
            "too few memory mappings for plugins.instances_max: sysctl -w \
             vm.max_map_count={wanted}, or lower plugins.instances_max"
        );
    }
}

/// Open files that this process may have now.
fn raise_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let now = if raised.is_ok() { limit.maximum } else { limit.current };
    // Without a limit there is no number.
    now.unwrap_or(u64::MAX)
}

/// A connection to the client and one to the provider for each request, and a few of our own.
fn files_wanted(config: &Config) -> u64 {
    let requests = u64::try_from(config.server.requests_max).unwrap_or(u64::MAX);
    requests.saturating_mul(2).saturating_add(OWN_FILES)
}

/// What a full pool of plugin instances takes.
fn mappings_wanted(config: &Config) -> u64 {
    let large = match config.plugin.values().any(|table| table.limits.contains_key("memory_bytes"))
    {
        true => config.plugins.large_instances_max,
        false => 0,
    };
    let instances = u64::from(config.plugins.instances_max).saturating_add(u64::from(large));
    let stacks = u64::from(config.plugins.waiting_max).saturating_mul(STACK_MAPPINGS);
    instances.saturating_mul(INSTANCE_MAPPINGS).saturating_add(stacks).saturating_add(OWN_MAPPINGS)
}

/// Memory mappings that a process may have; none where the system does not say.
fn mappings() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    text.trim().parse().ok()
}

/// The store, the log, sockets that listen.
const OWN_FILES: u64 = 64;

/// A plugin's memory is mapped in up to four parts: what it began with, what it changed, what it
/// may still grow into, and the guard.
const INSTANCE_MAPPINGS: u64 = 4;

/// A stack and the guard below it; all of them are there from the start.
const STACK_MAPPINGS: u64 = 2;

/// The program itself.
const OWN_MAPPINGS: u64 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_fit_an_ordinary_system() {
        // 65,530 is what Linux allows unless told otherwise.
        assert!(mappings_wanted(&Config::default()) <= 65_530);
    }

    #[test]
    fn a_raised_limit_is_what_the_system_gives() {
        assert_eq!(raise_files(), getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX));
    }
}
