//! The deeds, and those that are done within the sandbox and against the host's functions.

use patchbay_sdk::{Error, metrics, state, system};
use serde::Deserialize;

/// What it does.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    /// Never comes back.
    Loop,
    /// Takes some time, and comes back.
    Drip,
    /// Takes memory until there is none.
    Memory,
    /// Makes handles without end.
    Handles,
    /// Calls itself without end.
    Stack,
    /// Panics with a message of more than 4 KB.
    Panic,
    /// Traps without a word.
    Trap,
    /// Returns an error.
    Error,
    /// Writes log lines without end.
    Log,
    /// Calls everything else of the host without end.
    Calls,
    /// Asks for all the randomness there is.
    Random,
    /// Hands the host more in one call than it may.
    BigCall,
    /// Fills its state until it is refused.
    State,
    /// Makes ten thousand metrics.
    Cardinality,
    /// Writes metrics as if it were the host, and such as nobody could read.
    Forge,
    /// Keeps all deltas, and gives nothing back.
    Hold,
    /// Emits 64 MiB of text.
    Huge,
    /// Emits a million empty deltas.
    Many,
    /// Emits deltas of a choice that is not its own.
    Stray,
    /// Emits text that is no UTF-8.
    Utf8,
    /// Emits an annotation that nests a hundred thousand times.
    Deep,
    /// The same in what is of another dialect.
    DeepOther,
    /// The same in the request's further fields.
    DeepExtra,
    /// The same in a tool's schema.
    DeepTool,
    /// The same in what a rejection says.
    DeepMetadata,
    /// Says that the reply took no tokens.
    Usage,
    /// Stops with the status that the options name.
    Status,
    /// Stops, and emits more at the end.
    AfterStop,
    /// Emits something else each time.
    Coin,
}

impl Act {
    /// What needs no verdict to be harmful.
    pub(crate) fn harm(self, ms: u64) -> Result<(), Error> {
        match self {
            Self::Loop => loop {
                std::hint::black_box(());
            },
            Self::Drip => burn(ms),
            Self::Memory => {
                let mut eaten: Vec<Vec<u8>> = Vec::new();
                loop {
                    // Written, not only reserved: pages that nobody touches cost nothing.
                    eaten.push(std::hint::black_box(vec![1; PIECE_BYTES]));
                }
            }
            Self::Handles => handles::leak(),
            Self::Stack => {
                std::hint::black_box(deeper(0));
            }
            #[expect(clippy::panic, reason = "that is the deed")]
            Self::Panic => panic!("on purpose {}", "!".repeat(PANIC_BYTES)),
            Self::Trap => std::process::abort(),
            Self::Error => return Err(Error::Internal("on purpose".into())),
            Self::Log => loop {
                patchbay_sdk::info!("{}", "spam ".repeat(1000));
            },
            Self::Calls => loop {
                call_all();
            },
            Self::Random => {
                std::hint::black_box(system::random_bytes(u32::MAX));
            }
            Self::BigCall => state::set("big", &vec![1; BIG_CALL_BYTES], None)?,
            Self::State => fill_state()?,
            Self::Cardinality => (0..10_000).for_each(|number: u32| {
                let value = number.to_string();
                metrics::count("flood", 1, &[("number", &value)]);
                metrics::observe(&format!("flood_{value}"), 1.0, &[]);
            }),
            Self::Forge => forge(),
            _ => {}
        }
        Ok(())
    }
}

/// Uses that much CPU. The clock is the wall's, so on a busy machine it is less.
fn burn(ms: u64) {
    let until = system::monotonic_ns().saturating_add(ms.saturating_mul(1_000_000));
    while system::monotonic_ns() < until {
        std::hint::black_box([0_u8; 64]);
    }
}

/// Each call needs the previous one's frame, so that it cannot become a loop.
#[expect(unconditional_recursion, reason = "that is the deed")]
fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 32]);
    deeper(depth.wrapping_add(1)).wrapping_add(frame.iter().sum())
}

/// What comes back does not matter; that the host is asked does.
fn call_all() {
    metrics::count("calls", 1, &[]);
    let counted = state::increment("calls", 1, None);
    let asked = (state::get("calls"), system::random_bytes(1024), system::unix_ms());
    drop((counted, asked));
}

fn fill_state() -> Result<(), Error> {
    let value = vec![1; 1024];
    for number in 0_u32.. {
        state::set(&format!("key {number}"), &value, None)?;
    }
    Ok(())
}

fn forge() {
    let lies = [("fault", "trap"), ("plugin", "template")];
    for name in ["faults_total", "broken_total", "forged"] {
        metrics::count(name, 1_000_000, &lies);
        metrics::count(name, 1_000_000, &[("fault", "trap")]);
    }
    metrics::count("quoted", 1, &[("value", "a\"} 7\nforged_line 7\n\\")]);
    metrics::count("twice", 1, &[("label", "a"), ("label", "b")]);
    metrics::observe("bounds", 1.0, &[("quantile", "0.5")]);
    metrics::observe("bounds_le", 1.0, &[("le", "0.5")]);
    metrics::observe("no_number", f64::NAN, &[]);
}

/// Handles of the plugin's own making. Natively there are none.
#[expect(unsafe_code, reason = "the generated code makes no handle without a value")]
mod handles {
    #[cfg(not(target_arch = "wasm32"))]
    unsafe extern "C" fn new(_: usize) -> u32 {
        0
    }

    #[cfg(target_arch = "wasm32")]
    #[link(wasm_import_module = "[export]patchbay:plugin/stream-hook@0.1.0")]
    unsafe extern "C" {
        #[link_name = "[resource-new]transformer"]
        fn new(value: usize) -> u32;
    }

    /// More than any instance may hold.
    pub(super) fn leak() {
        for value in 0..10_000_000 {
            // SAFETY: the host keeps the number and gives it back; nobody takes it for an address,
            // since nobody is ever handed one of these.
            std::hint::black_box(unsafe { new(value) });
        }
    }
}

const BIG_CALL_BYTES: usize = 2 << 20;
const PANIC_BYTES: usize = 8 << 10;
const PIECE_BYTES: usize = 64 << 10;
