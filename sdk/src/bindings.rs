//! What wit-bindgen makes of `wit/`. Nobody but the SDK names these paths.
//!
//! Each hook has its own `generate!`, so that a plugin links the custom section (and so exports)
//! of just the hooks it names in `export!`. The types and the host's interfaces are generated
//! once, in `base`; the others point there.

/// What every plugin has: the types, the host's interfaces, and `describe`.
pub mod base {
    wit_bindgen::generate!({
        inline: "
            package patchbay:sdk;
            world base-part { include patchbay:plugin/base@0.1.0; }
        ",
        path: "../wit",
        world: "patchbay:sdk/base-part",
        additional_derives: [PartialEq],
        generate_unused_types: true,
        export_macro_name: "export_base",
        generate_all,
        pub_export_macro: true,
        runtime_path: "::patchbay_sdk::rt",
    });
}

/// The part of a plugin that one hook is.
macro_rules! hook {
    ($(#[$about:meta])* $name:ident, $world:tt, $wit:tt, $export:tt) => {
        $(#[$about])*
        pub mod $name {
            wit_bindgen::generate!({
                inline: $wit,
                path: "../wit",
                world: $world,
                additional_derives: [PartialEq],
                with: {
                    "patchbay:plugin/types@0.1.0": crate::bindings::base::patchbay::plugin::types,
                    "patchbay:plugin/context@0.1.0":
                        crate::bindings::base::patchbay::plugin::context,
                },
                export_macro_name: $export,
                generate_all,
                pub_export_macro: true,
                runtime_path: "::patchbay_sdk::rt",
            });
        }
    };
}

hook!(
    /// Before the model is asked.
    request,
    "patchbay:sdk/request-part",
    "package patchbay:sdk; world request-part { export patchbay:plugin/request-hook@0.1.0; }",
    "export_request"
);

hook!(
    /// Inside the reply.
    stream,
    "patchbay:sdk/stream-part",
    "package patchbay:sdk; world stream-part { export patchbay:plugin/stream-hook@0.1.0; }",
    "export_stream"
);

hook!(
    /// After the reply.
    audit,
    "patchbay:sdk/audit-part",
    "package patchbay:sdk; world audit-part { export patchbay:plugin/audit-hook@0.1.0; }",
    "export_audit"
);

hook!(
    /// Tools that the plugin runs.
    tools,
    "patchbay:sdk/tools-part",
    "package patchbay:sdk; world tools-part { export patchbay:plugin/tool-hook@0.1.0; }",
    "export_tools"
);
