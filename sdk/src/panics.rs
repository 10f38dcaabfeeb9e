//! What a panic leaves behind: a line in the plugin's log. The abort that follows is a bare trap,
//! which would tell the author nothing.

use crate::log::{self, Level};
use std::panic::PanicHookInfo;

/// Writes message and place.
pub(crate) fn report(panic: &PanicHookInfo<'_>) {
    let mut message = panic.to_string();
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    log::write(Level::Error, &message, &[]);
}

/// A panic's message may hold a whole prompt.
const MESSAGE_BYTES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::{MESSAGE_BYTES_MAX, report};
    use crate::log::Level;
    use crate::testing::logged;

    #[test]
    fn a_panic_is_logged_with_its_place_and_never_at_any_length() {
        let lines = std::thread::spawn(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(report));
            for message in ["short".to_owned(), "ü".repeat(MESSAGE_BYTES_MAX)] {
                assert!(std::panic::catch_unwind(|| panic!("{message}")).is_err());
            }
            std::panic::set_hook(before);
            logged()
        });
        let lines = lines.join().unwrap();
        let [(Level::Error, short), (Level::Error, long)] = lines.as_slice() else {
            panic!("{lines:?}");
        };
        assert!(short.contains("panics.rs:") && short.ends_with("short"), "{short}");
        assert!((MESSAGE_BYTES_MAX - 1..=MESSAGE_BYTES_MAX).contains(&long.len()));
    }
}
