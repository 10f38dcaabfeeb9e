//! A plugin that misbehaves on purpose: `do` says how, `at` where. It is for the tests of the
//! sandbox and is never shipped. To add a deed: a line in [`Act`] and what it does, in `harm`
//! where it needs nothing of the reply, in `verdict` where it is something that is given back.
//!
//! A failure's consequence depends on the plugin's kind, and what a plugin says of itself is said
//! before any options: tests write another kind over [`lies::KIND`] and a lie over [`lies::LIE`]
//! in the built file.

mod act;
mod given;
mod lies;

use patchbay_sdk::{
    Decision, Delta, Description, Error, Generation, Plugin, Request, Stream, Verdict,
};
use serde::Deserialize;

use act::Act;

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
    /// The CPU that [`Act::Drip`] takes each time.
    #[serde(default)]
    ms: u64,
    /// The pieces that a stream lets pass before the deed.
    #[serde(default)]
    after: u32,
    /// Whether it holds those instead, and does the deed at the end if that comes first.
    #[serde(default)]
    hold: bool,
}

/// A status that no rejection may have.
fn ok() -> u16 {
    200
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
        lies::describe()
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        let deed: Deed = generation.options()?;
        if deed.at == Place::New {
            deed.harm()?;
        }
        Ok(Self { deed })
    }

    fn on_request(&mut self, _: &Generation, request: Request) -> Result<Decision, Error> {
        if self.deed.at != Place::Request {
            return Ok(Decision::Pass);
        }
        if let Some(request) = given::request(self.deed.act, request) {
            return Ok(Decision::Replace(request));
        }
        Ok(match self.deed.verdict()? {
            Verdict::Emit(deltas) => Decision::Answer(deltas),
            Verdict::Stop(rejection) => Decision::Reject(rejection),
            Verdict::Pass | Verdict::Hold => Decision::Pass,
        })
    }

    fn stream(&mut self, _: &Generation, _: u16) -> Result<Box<dyn Stream>, Error> {
        Ok(Box::new(Choice { deed: self.deed, pushes: 0, is_done: false }))
    }

    fn on_complete(&mut self, _: &Generation, _: patchbay_sdk::Outcome) {
        if self.deed.at == Place::Complete {
            // An audit hook has nothing to return, so only the harm itself counts.
            drop(self.deed.harm());
        }
    }
}

struct Choice {
    deed: Deed,
    pushes: u32,
    is_done: bool,
}

impl Stream for Choice {
    fn push(&mut self, _: Vec<Delta>) -> Result<Verdict, Error> {
        let Deed { at, after, hold, .. } = self.deed;
        let is_now = at == Place::Push && self.pushes >= after;
        self.pushes = self.pushes.saturating_add(1);
        match is_now {
            true => {
                self.is_done = true;
                self.deed.verdict()
            }
            false if hold => Ok(Verdict::Hold),
            false => Ok(Verdict::Pass),
        }
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let Deed { act, at, hold, .. } = self.deed;
        if act == Act::AfterStop {
            return Ok(Verdict::Emit(vec![Delta::text(0, "after the stop")]));
        }
        let is_now = at == Place::Finish || (hold && !self.is_done);
        if is_now { self.deed.verdict() } else { Ok(Verdict::Pass) }
    }
}

impl Deed {
    /// Does what needs no verdict to be harmful.
    fn harm(self) -> Result<(), Error> {
        self.act.harm(self.ms)
    }

    /// Does the harm, or answers with something harmful.
    fn verdict(self) -> Result<Verdict, Error> {
        self.harm()?;
        given::verdict(self.act, self.status)
    }
}

patchbay_sdk::export!(Hostile: request, stream, audit);
