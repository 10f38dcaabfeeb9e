//! The macros that a plugin ends with.

/// Exports a plugin's hooks: any of `request`, `stream`, `tools`,
/// `audit`. What is not named is not
/// exported, and the host never calls it. Outside WebAssembly it expands to nothing.
#[macro_export]
macro_rules! export {
    ($plugin:ident : $($hook:ident),+ $(,)?) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Exported;

            impl $crate::wasm::Exported for Exported {
                type Plugin = $plugin;
                fn slot() -> &'static ::std::thread::LocalKey<$crate::wasm::Slot<$plugin>> {
                    ::std::thread_local! {
                        static SLOT: $crate::wasm::Slot<$plugin> =
                            const { ::std::cell::RefCell::new(None) };
                    }
                    &SLOT
                }
            }

            $crate::bindings::base::export_base!(Exported with_types_in $crate::bindings::base);
            $($crate::export_hook!($hook Exported);)+
        };
    };
}

/// One hook of [`export!`]. A name that is not here is a compile error.
#[doc(hidden)]
#[macro_export]
macro_rules! export_hook {
    (request $ty:ident) => {
        $crate::bindings::request::export_request!($ty with_types_in $crate::bindings::request);
    };
    (stream $ty:ident) => {
        $crate::bindings::stream::export_stream!($ty with_types_in $crate::bindings::stream);
    };
    (tools $ty:ident) => {
        $crate::bindings::tools::export_tools!($ty with_types_in $crate::bindings::tools);
    };
    (audit $ty:ident) => {
        $crate::bindings::audit::export_audit!($ty with_types_in $crate::bindings::audit);
    };
}

/// The plugin's cases, by path from its `Cargo.toml`:
/// `patchbay_sdk::cases!["cases/plain.json", "cases/split.json"];`
///
/// Makes `CASES`, what [`testing::check`](crate::testing::check) runs. In the `.wasm` they stand
/// one after the other in the custom section `patchbay:cases`, so that a host can run them too.
#[macro_export]
macro_rules! cases {
    ($($path:literal),+ $(,)?) => {
        /// The plugin's cases: path and text.
        #[cfg(not(target_arch = "wasm32"))]
        pub const CASES: &[(&str, &str)] = &[
            $(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)))),+
        ];
        $(
            #[cfg(target_arch = "wasm32")]
            const _: () = {
                const TEXT: &[u8] =
                    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path));
                #[unsafe(link_section = "patchbay:cases")]
                static CASE: [u8; TEXT.len()] =
                    *include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path));
            };
        )+
    };
}
