//! Finds the known kinds in a text, of which more may come. Each recogniser looks at one place and
//! says what begins there; of several the first in [`Finder::at`]'s order counts.
//!
//! To add a kind: a name in [`Kind`], a module here, a line in [`Finder::at`].

mod address;
pub(crate) mod email;
mod iban;
mod number;
mod secret;
#[cfg(test)]
mod tests;

use crate::edge;
use crate::kind::Kind;
use crate::look::{Look, Seen};
pub(crate) use number::Number;

/// Which kinds are looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finder {
    kinds: Vec<Kind>,
    numbers: Vec<Number>,
}

impl Finder {
    pub(crate) fn new(wanted: &[Kind]) -> Self {
        let kinds = [Kind::Secret, Kind::Iban, Kind::Email, Kind::IpAddress];
        let numbers = [Number::Card, Number::Ssn, Number::Phone];
        let is_wanted = |kind: Kind| wanted.contains(&kind);
        Self {
            kinds: kinds.into_iter().filter(|kind| is_wanted(*kind)).collect(),
            numbers: numbers.into_iter().filter(|number| is_wanted((*number).into())).collect(),
        }
    }

    /// What begins at a place.
    pub(crate) fn at(&self, look: Look<'_>) -> Seen<Kind> {
        let may_begin = look.byte(look.at).is_some_and(may_begin);
        if !may_begin || !edge::is_free(look.text.as_bytes(), look.at) {
            return Seen::No;
        }
        for kind in &self.kinds {
            let seen = match kind {
                Kind::Secret => secret::at(look),
                Kind::Iban => iban::at(look),
                Kind::Email => email::at(look),
                Kind::IpAddress => address::at(look),
                Kind::CreditCard | Kind::Ssn | Kind::Phone => Seen::No,
            };
            match seen {
                Seen::No => {}
                Seen::Open => return Seen::Open,
                Seen::Match(end, ()) => return Seen::Match(end, *kind),
            }
        }
        if self.numbers.is_empty() {
            return Seen::No;
        }
        match number::at(look, &self.numbers) {
            Seen::No => Seen::No,
            Seen::Open => Seen::Open,
            Seen::Match(end, number) => Seen::Match(end, number.into()),
        }
    }
}

/// Whether anything begins with this byte. Letters of other scripts begin addresses.
fn may_begin(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"+(:-".contains(&byte)
}
