//! `log`: lines in the host's log under the target `plugin`, bounded in number and length. Lines
//! that are too many are dropped, and the last one that is kept says so.

use tracing::Level;

use super::super::bindings::log;
use super::super::bindings::types::FieldResult;
use super::super::host::{State, as_usize};
use crate::config::PluginLimits;

/// What an instance may still log.
#[derive(Debug)]
pub(crate) struct Lines {
    left: u64,
    bytes_max: usize,
    last_error: Option<String>,
}

impl Lines {
    /// The allowance of a new instance.
    pub(in crate::plugin) fn new(limits: &PluginLimits) -> Self {
        let bytes_max = as_usize(limits.log_line_bytes);
        Self { left: limits.log_lines, bytes_max, last_error: None }
    }

    /// The last line of level `error`. A panicking plugin writes its message just before it traps.
    pub(in crate::plugin) fn last_error(&self) -> Option<String> {
        self.last_error.clone()
    }
}

impl log::Host for State {
    fn enabled(&mut self, level: log::Level) -> wasmtime::Result<bool> {
        Ok(self.lines.left > 0 && is_enabled(level))
    }

    fn write(
        &mut self,
        level: log::Level,
        message: String,
        fields: Vec<FieldResult>,
    ) -> wasmtime::Result<()> {
        let message = shorten(message, self.lines.bytes_max);
        if matches!(level, log::Level::Error) {
            // Kept even when no line is left: it explains the trap that may follow.
            self.lines.last_error = Some(message.clone());
        }
        if self.lines.left == 0 || !is_enabled(level) {
            return Ok(());
        }
        self.lines.left -= 1;
        let line = Line {
            plugin: &self.plugin.id,
            generation: &self.view.id,
            fields: &shorten(join(&fields), self.lines.bytes_max),
            message: &message,
        };
        line.write(level);
        if self.lines.left == 0 {
            let line = Line { message: "no more lines of this plugin (log_lines)", ..line };
            line.write(log::Level::Warn);
        }
        Ok(())
    }
}

/// One line; the level of a `tracing` event is fixed where it is written.
pub(in crate::plugin) struct Line<'a> {
    /// Whose.
    pub(in crate::plugin) plugin: &'a str,
    /// In which generation.
    pub(in crate::plugin) generation: &'a str,
    /// `name=value`, joined.
    pub(in crate::plugin) fields: &'a str,
    /// What it says.
    pub(in crate::plugin) message: &'a str,
}

impl Line<'_> {
    /// Writes it.
    pub(in crate::plugin) fn write(&self, level: log::Level) {
        let Self { plugin, generation, fields, message } = self;
        macro_rules! event {
            ($level:expr) => {
                tracing::event!(target: "plugin", $level, plugin, generation, fields, "{message}")
            };
        }
        match level {
            log::Level::Trace => event!(Level::TRACE),
            log::Level::Debug => event!(Level::DEBUG),
            log::Level::Info => event!(Level::INFO),
            log::Level::Warn => event!(Level::WARN),
            log::Level::Error => event!(Level::ERROR),
        }
    }
}

fn is_enabled(level: log::Level) -> bool {
    match level {
        log::Level::Trace => tracing::enabled!(target: "plugin", Level::TRACE),
        log::Level::Debug => tracing::enabled!(target: "plugin", Level::DEBUG),
        log::Level::Info => tracing::enabled!(target: "plugin", Level::INFO),
        log::Level::Warn => tracing::enabled!(target: "plugin", Level::WARN),
        log::Level::Error => tracing::enabled!(target: "plugin", Level::ERROR),
    }
}

fn join(fields: &[FieldResult]) -> String {
    let pairs: Vec<_> = fields.iter().map(|it| format!("{}={}", it.name, it.value)).collect();
    pairs.join(" ")
}

/// Cuts at a character's edge.
fn shorten(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let end = (0..=bytes_max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_between_characters() {
        assert_eq!(shorten("äöü".to_owned(), 3), "ä…");
        assert_eq!(shorten("äöü".to_owned(), 6), "äöü");
    }
}
