//! Decides what goes: numbers in, fates out. What stands nearest to both ends stays; what stands in
//! the middle goes. Time grows with the number of units (and the sorting of their texts), never
//! with its square.

#[cfg(test)]
mod tests;

/// Messages that share one fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// How many messages they are.
    pub(crate) messages: u64,
    /// Tokens of what can't be cut.
    pub(crate) base: u64,
    /// Tokens of each text that can.
    pub(crate) texts: Vec<u64>,
    pub(crate) hold: Hold,
}

/// What may become of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nothing: it stays as it is.
    Whole,
    /// Its texts may be cut.
    Present,
    /// It may also be removed.
    Free,
}

/// What becomes of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    /// No text may be longer than so many tokens.
    Cut(u64),
    Drop,
}

impl Unit {
    pub(crate) fn total(&self) -> u64 {
        sum(&self.texts).saturating_add(self.base)
    }
}

/// Makes a conversation fit so many tokens. Nothing when it can't: what must stay is too much.
pub(crate) fn by_tokens(units: &[Unit], room: u64) -> Option<Vec<Fate>> {
    let total = |hold: Hold| {
        let units = units.iter().filter(move |unit| unit.hold == hold);
        units.fold(0_u64, |sum, unit| sum.saturating_add(unit.total()))
    };
    let room = room.checked_sub(total(Hold::Whole))?;
    if let Some(room) = room.checked_sub(total(Hold::Present)) {
        return Some(two_ended(units, room, Unit::total, true));
    }
    let present = || units.iter().filter(|unit| unit.hold == Hold::Present);
    let base = present().fold(0_u64, |sum, unit| sum.saturating_add(unit.base));
    let texts: Vec<u64> = present().flat_map(|unit| &unit.texts).copied().collect();
    let level = level(texts, room.checked_sub(base)?)?;
    let fate = |unit: &Unit| match unit.hold {
        Hold::Whole => Fate::Keep,
        Hold::Present => Fate::Cut(level),
        Hold::Free => Fate::Drop,
    };
    Some(units.iter().map(fate).collect())
}

/// Keeps at most so many messages, as many from the beginning as from the end. System messages do
/// not count.
pub(crate) fn by_messages(units: &[Unit], messages_max: u64) -> Vec<Fate> {
    let present = units.iter().filter(|unit| unit.hold == Hold::Present);
    let present = present.fold(0_u64, |sum, unit| sum.saturating_add(unit.messages));
    let room = messages_max.saturating_sub(present);
    two_ended(units, room, |unit| unit.messages, false)
}

/// Fills the room from both ends, always at the end that has less so far. A unit too large for what
/// is left ends its side; before that, where texts may be cut, it is cut to what its side has left.
fn two_ended(units: &[Unit], room: u64, cost: fn(&Unit) -> u64, cuts: bool) -> Vec<Fate> {
    let mut fates: Vec<Fate> = units.iter().map(|_| Fate::Keep).collect();
    let mut set = |index: usize, fate: Fate| {
        if let Some(slot) = fates.get_mut(index) {
            *slot = fate;
        }
    };
    let free = units.iter().enumerate().filter(|(_, unit)| unit.hold == Hold::Free);
    let free: Vec<(usize, &Unit)> = free.collect();
    let mut middle = free.as_slice();
    let mut sides = [Side::default(), Side::default()];
    let mut left = room;
    let mut unseen = free.iter().fold(0_u64, |sum, (_, unit)| sum.saturating_add(cost(unit)));
    while let Some(at_end) = Side::next(&sides) {
        let split = if at_end { middle.split_last() } else { middle.split_first() };
        let Some(((index, unit), rest)) = split else { break };
        let [head, tail] = &mut sides;
        let (side, other) = if at_end { (tail, &*head) } else { (head, &*tail) };
        let mut used = cost(unit);
        if used > left {
            side.is_closed = true;
            // While the other end still grows, it has a claim to its half, if it needs so much.
            let claim = if other.is_closed { 0 } else { unseen.saturating_sub(used) };
            let half = (room / 2).saturating_sub(side.used);
            let share = left.saturating_sub(claim).max(half).min(left);
            let level = share.checked_sub(unit.base).filter(|_| cuts && !unit.texts.is_empty());
            let Some(level) = level.and_then(|share| level_of(&unit.texts, share)) else {
                continue;
            };
            set(*index, Fate::Cut(level));
            used = share;
        }
        unseen = unseen.saturating_sub(cost(unit));
        side.used = side.used.saturating_add(used);
        left = left.saturating_sub(used);
        middle = rest;
    }
    middle.iter().for_each(|(index, _)| set(*index, Fate::Drop));
    fates
}

/// One end of the conversation.
#[derive(Default)]
struct Side {
    used: u64,
    is_closed: bool,
}

impl Side {
    /// Whether the end's turn is next, or the beginning's; nothing when both are closed.
    fn next([head, tail]: &[Self; 2]) -> Option<bool> {
        match (head.is_closed, tail.is_closed) {
            (true, true) => None,
            (false, false) => Some(tail.used <= head.used),
            (head_is_closed, _) => Some(head_is_closed),
        }
    }
}

fn level_of(texts: &[u64], room: u64) -> Option<u64> {
    level(texts.to_vec(), room)
}

/// The greatest length to which all texts may be cut so that they fit; nothing when hardly
/// anything would be left of them.
fn level(mut texts: Vec<u64>, room: u64) -> Option<u64> {
    texts.sort_unstable();
    let mut left = room;
    let mut count = u64::try_from(texts.len()).ok()?;
    for text in texts {
        let level = left / count.max(1);
        if text > level {
            return (level >= LEVEL_MIN).then_some(level);
        }
        left = left.saturating_sub(text);
        count = count.saturating_sub(1);
    }
    Some(u64::MAX)
}

fn sum(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |sum, number| sum.saturating_add(*number))
}

/// A text is not cut to less than this, mark included.
const LEVEL_MIN: u64 = 32;
