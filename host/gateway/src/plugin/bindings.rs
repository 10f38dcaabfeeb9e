//! The Rust side of `wit/`, generated. Parameters borrow, so that a request or a delta is copied
//! once, straight into the guest's memory. The exports are there twice: what a plugin that never
//! waits is called by, and in [`waiting`] what one that may wait is called by.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "host",
    imports: {
        "patchbay:plugin/http": async | trappable,
        "patchbay:plugin/models": async | trappable,
        "patchbay:plugin/search": async | trappable,
        default: trappable,
    },
    ownership: Borrowing { duplicate_if_necessary: true },
    with: { "patchbay:plugin/context.generation": super::host::Generation },
});

/// The hooks of plugins that may wait.
pub(super) mod waiting {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "host",
        imports: { default: trappable },
        exports: { default: async },
        ownership: Borrowing { duplicate_if_necessary: true },
        with: {
            "patchbay:plugin/types": super::patchbay::plugin::types,
            "patchbay:plugin/context": super::patchbay::plugin::context,
            "patchbay:plugin/log": super::patchbay::plugin::log,
            "patchbay:plugin/metrics": super::patchbay::plugin::metrics,
            "patchbay:plugin/state": super::patchbay::plugin::state,
            "patchbay:plugin/system": super::patchbay::plugin::system,
            "patchbay:plugin/tokens": super::patchbay::plugin::tokens,
            "patchbay:plugin/secrets": super::patchbay::plugin::secrets,
            "patchbay:plugin/catalog": super::patchbay::plugin::catalog,
            "patchbay:plugin/report": super::patchbay::plugin::report,
            "patchbay:plugin/bill": super::patchbay::plugin::bill,
            "patchbay:plugin/http": super::patchbay::plugin::http,
            "patchbay:plugin/models": super::patchbay::plugin::models,
            "patchbay:plugin/search": super::patchbay::plugin::search,
        },
    });

    pub(in crate::plugin) use exports::patchbay::plugin::{
        audit_hook, plugin as about, request_hook, stream_hook, tool_hook,
    };
}

pub(super) use exports::patchbay::plugin::{
    audit_hook, plugin as about, request_hook, stream_hook, tool_hook,
};
pub(super) use patchbay::plugin::{
    bill, catalog, context, http, log, metrics, models, report, search, secrets, state, system,
    tokens, types,
};
