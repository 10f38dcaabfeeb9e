//! A plugin as `/plugins` shows it: the version itself, and how its line stands.

use serde_json::{Value, json};

use crate::app::App;
use crate::auth::Caller;
use crate::clock;
use crate::plugin::{Plugin, Registry, Role, Wanted};

/// Everything about a version. `state`, `serving_generation`, `trial` and `kept` are of the plugin
/// as a whole.
pub(super) fn plugin(app: &App, registry: &Registry, plugin: &Plugin) -> Value {
    let description = &plugin.description;
    let id = description.id.as_str();
    let kept = registry.kept(id).iter().map(|older| {
        json!({"version": older.description.version, "digest": older.digest,
            "generation": older.generation, "broken": older.breaker.is_broken()})
    });
    json!({
        "id": id,
        "version": description.version,
        "kind": description.kind.as_str(),
        "summary": description.summary,
        "hooks": plugin.hooks.names(),
        "lane": plugin.lane.as_str(),
        "triggers": description.triggers_shown(),
        "options": description.options,
        "capabilities": {
            "wanted": description.capabilities,
            "granted": plugin.granted(),
            "missing": plugin.missing(),
        },
        "on_error": plugin.on_error,
        "limits": *plugin.limits,
        "digest": plugin.digest,
        "bytes": plugin.bytes,
        "compiled_ms": clock::millis(plugin.compiled_in),
        "generation": plugin.generation,
        "origin": plugin.origin.as_str(),
        "state": state(app, registry, id),
        "serving_generation": serving(registry, id).map(|serving| serving.generation),
        "trial": registry.trial(id).map(|trial| {
            let (mode, weight) = match trial.role {
                Role::Canary(weight) => ("canary", Some(weight)),
                Role::Shadow | Role::Current => ("shadow", None),
            };
            json!({"version": trial.plugin.description.version, "digest": trial.plugin.digest,
                "generation": trial.plugin.generation, "mode": mode, "weight": weight,
                "broken": trial.plugin.breaker.is_broken()})
        }),
        "kept": kept.collect::<Vec<_>>(),
    })
}

/// The plugins of a request that names none, in order.
pub(super) fn order(app: &App, registry: &Registry, caller: &Caller) -> Vec<Value> {
    let wanted = Wanted::of("", &[], &[], &caller.plugins);
    let order = registry.order(&wanted, &app.config).into_iter();
    order.map(|(id, why)| json!({"id": id, "why": why.as_str()})).collect()
}

fn state(app: &App, registry: &Registry, id: &str) -> &'static str {
    let table = app.config.plugin.get(id);
    // What must run on every request runs all the same.
    if table.is_some_and(|table| table.enabled == Some(false) && !table.always) {
        return "disabled";
    }
    match registry.find(id) {
        Some(current) if current.breaker.is_broken() => "broken",
        _ => "serving",
    }
}

/// The version that new requests get, a canary's share aside. None: the plugin is passed over.
fn serving<'a>(registry: &'a Registry, id: &str) -> Option<&'a Plugin> {
    let mut versions = registry.find(id).into_iter().chain(registry.kept(id));
    versions.find(|version| !version.breaker.is_broken()).map(AsRef::as_ref)
}

/// How to read `order`.
pub(super) const HOOKS_ORDER: &str = "Request hooks run in this order, stream hooks in reverse; plugins that a request names, and \
     those that something else in it enables, come after these.";
