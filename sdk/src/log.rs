//! Lines in the host's log. The host adds plugin and generation, and bounds length and number.

pub use crate::bindings::base::patchbay::plugin::log::Level;
use crate::{Field, host};

/// Whether a line of this level would be kept.
pub fn enabled(level: Level) -> bool {
    host::log::enabled(level)
}

/// Writes a line. The macros ([`info!`](crate::info) and so on) ask [`enabled`] first.
pub fn write(level: Level, message: &str, fields: &[Field]) {
    host::log::write(level, message, fields);
}

/// Writes a line at the level, if it would be kept: `log_at!(Level::Warn, "{n} left")`.
#[macro_export]
macro_rules! log_at {
    ($level:expr, $($message:tt)+) => {{
        let level = $level;
        if $crate::log::enabled(level) {
            $crate::log::write(level, &::std::format!($($message)+), &[]);
        }
    }};
}

/// Logs at level trace, like `format!`.
#[macro_export]
macro_rules! trace { ($($message:tt)+) => { $crate::log_at!($crate::log::Level::Trace, $($message)+) }; }

/// Logs at level debug, like `format!`.
#[macro_export]
macro_rules! debug { ($($message:tt)+) => { $crate::log_at!($crate::log::Level::Debug, $($message)+) }; }

/// Logs at level info, like `format!`.
#[macro_export]
macro_rules! info { ($($message:tt)+) => { $crate::log_at!($crate::log::Level::Info, $($message)+) }; }

/// Logs at level warn, like `format!`.
#[macro_export]
macro_rules! warn { ($($message:tt)+) => { $crate::log_at!($crate::log::Level::Warn, $($message)+) }; }

/// Logs at level error, like `format!`.
#[macro_export]
macro_rules! error { ($($message:tt)+) => { $crate::log_at!($crate::log::Level::Error, $($message)+) }; }
