//! A plugin that misbehaves on purpose: `do` says how, `at` where. It is for the tests of the
//! sandbox and is never shipped.
//!
//! A failure's consequence depends on the plugin's kind, so tests need one of each: they write
//! another kind over [`KIND`] in the built file.

use patchbay_sdk::{
    Decision, Delta, Description, Error, Generation, Kind, Plugin, Request, Stream, Verdict,
};
use serde::Deserialize;

/// The plugin, for one generation.
pub struct Hostile {
    deed: Deed,
}

#[derive(Clone, Copy, Deserialize)]
struct Deed {
    #[serde(rename = "do")]
    act: Act,
    #[serde(default)]
    at: Place,
    /// What [`Act::Status`] stops with.
    #[serde(default = "ok")]
    status: u16,
}

/// A status that no rejection may have.
fn ok() -> u16 {
    200
}

/// What it does.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    /// Never comes back.
    Loop,
    /// Takes memory until there is none.
    Memory,
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
    /// Keeps all deltas, and gives nothing back.
    Hold,
    /// Emits 64 MiB of text.
    Huge,
    /// Emits deltas of a choice that is not its own.
    Stray,
    /// Stops with the status that the options name.
    Status,
}

/// Where it does it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    New,
    Request,
    #[default]
    Push,
    Finish,
    Complete,
}

impl Plugin for Hostile {
    fn describe() -> Description {
        // Not known to the compiler, or it would leave the bytes out.
        let (id, kind) = match std::hint::black_box(&KIND) {
            kind if kind.ends_with(b"guard    ") => ("hostile-guard", Kind::Guard),
            kind if kind.ends_with(b"observe  ") => ("hostile-observer", Kind::Observe),
            _ => ("hostile", Kind::Transform),
        };
        Description::new(id, "0.1.0", kind).summary("Misbehaves on purpose.").options(OPTIONS)
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        let deed: Deed = generation.options()?;
        if deed.at == Place::New {
            deed.act.harm()?;
        }
        Ok(Self { deed })
    }

    fn on_request(&mut self, _: &Generation, _: Request) -> Result<Decision, Error> {
        if self.deed.at != Place::Request {
            return Ok(Decision::Pass);
        }
        Ok(match self.deed.verdict()? {
            Verdict::Emit(deltas) => Decision::Answer(deltas),
            Verdict::Stop(rejection) => Decision::Reject(rejection),
            Verdict::Pass | Verdict::Hold => Decision::Pass,
        })
    }

    fn stream(&mut self, _: &Generation, _: u16) -> Result<Box<dyn Stream>, Error> {
        Ok(Box::new(Choice(self.deed)))
    }

    fn on_complete(&mut self, _: &Generation, _: patchbay_sdk::Outcome) {
        if self.deed.at == Place::Complete {
            // An audit hook has nothing to return, so only the harm itself counts.
            drop(self.deed.act.harm());
        }
    }
}

struct Choice(Deed);

impl Stream for Choice {
    fn push(&mut self, _: Vec<Delta>) -> Result<Verdict, Error> {
        if self.0.at == Place::Push { self.0.verdict() } else { Ok(Verdict::Pass) }
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        if self.0.at == Place::Finish { self.0.verdict() } else { Ok(Verdict::Pass) }
    }
}

impl Deed {
    /// Does the harm, or answers with something harmful.
    fn verdict(self) -> Result<Verdict, Error> {
        self.act.harm()?;
        Ok(match self.act {
            Act::Hold => Verdict::Hold,
            Act::Huge => Verdict::Emit(vec![Delta::text(0, "x".repeat(HUGE_BYTES))]),
            Act::Stray => Verdict::Emit(vec![Delta::text(u16::MAX, "stray")]),
            Act::Status => {
                let field = |name: &str, value: &str| patchbay_sdk::Field {
                    name: name.into(),
                    value: value.into(),
                };
                Verdict::Stop(patchbay_sdk::Rejection {
                    status: self.status,
                    message: "rejected on purpose".into(),
                    metadata: vec![
                        field("reasons", r#"["violence"]"#),
                        field("flagged_input", r#""a word""#),
                        field("plugin", r#""somebody else""#),
                    ],
                    retry_after_ms: Some(2500),
                })
            }
            _ => Verdict::Pass,
        })
    }
}

impl Act {
    /// What needs no verdict to be harmful.
    fn harm(self) -> Result<(), Error> {
        match self {
            Self::Loop => loop {
                std::hint::black_box(());
            },
            Self::Memory => {
                let mut eaten: Vec<Vec<u8>> = Vec::new();
                loop {
                    // Written, not only reserved: pages that nobody touches cost nothing.
                    eaten.push(std::hint::black_box(vec![1; PIECE_BYTES]));
                }
            }
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
            Self::Hold | Self::Huge | Self::Stray | Self::Status => {}
        }
        Ok(())
    }
}

/// Each call needs the previous one's frame, so that it cannot become a loop.
#[expect(unconditional_recursion, reason = "that is the deed")]
fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 32]);
    deeper(depth.wrapping_add(1)).wrapping_add(frame.iter().sum())
}

patchbay_sdk::export!(Hostile: request, stream, audit);

const HUGE_BYTES: usize = 64 << 20;
const PANIC_BYTES: usize = 8 << 10;
const PIECE_BYTES: usize = 64 << 10;

/// The kind that `describe` names. Tests look for these bytes and write `guard` or `observe` there,
/// padded to the same length.
static KIND: [u8; 23] = *b"hostile kind: transform";

const OPTIONS: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["do"],
  "properties": {
    "do": {
      "enum": ["loop", "memory", "stack", "panic", "trap", "error", "log", "hold", "huge",
               "stray", "status"]
    },
    "at": { "enum": ["new", "request", "push", "finish", "complete"], "default": "push" },
    "status": { "type": "integer", "minimum": 0, "maximum": 65535, "default": 200 }
  }
}"#;
