//! Tool calls one after the other. Some hosts stream the arguments of several calls in turns, or words
//! between them, which a dialect can't show that closes a block before it opens the next: what belongs
//! to a later block waits here until the call before is whole.

use crate::chunk::Delta;

/// The calls of one choice's stream.
#[derive(Debug, Default)]
pub(crate) struct CallOrder {
    /// The call whose pieces go through.
    open: Option<u16>,
    /// What came of its arguments.
    arguments: Arguments,
    /// What belongs to later blocks, in the order in which it came.
    held: Vec<Delta>,
}

impl CallOrder {
    /// Writes a delta, unless it has to wait; and behind it what needs to wait no more.
    pub(crate) fn pass(&mut self, delta: &Delta, write: &mut impl FnMut(&Delta)) {
        let is_later = match delta {
            Delta::ToolCall { index, .. } => Some(*index) != self.open,
            Delta::Text { .. } | Delta::Reasoning { .. } | Delta::Refusal { .. } => true,
            Delta::Finish { .. } => {
                self.rest(write);
                false
            }
            _ => false,
        };
        if is_later && self.open.is_some() && !self.arguments.is_whole() {
            self.held.push(delta.clone());
            return;
        }
        self.write(delta, write);
        while self.arguments.is_whole() && self.release(write) {}
    }

    /// Writes all that waits: no call goes on.
    pub(crate) fn rest(&mut self, write: &mut impl FnMut(&Delta)) {
        while self.release(write) {}
    }

    /// Writes what came first of what waits, of a call all that waits; whether there was any.
    fn release(&mut self, write: &mut impl FnMut(&Delta)) -> bool {
        let index_of = |delta: &Delta| match delta {
            Delta::ToolCall { index, .. } => Some(*index),
            _ => None,
        };
        let Some(first) = self.held.first() else { return false };
        let call = index_of(first);
        let (its, held): (Vec<Delta>, Vec<Delta>) = match call {
            None => (vec![self.held.remove(0)], std::mem::take(&mut self.held)),
            Some(_) => std::mem::take(&mut self.held)
                .into_iter()
                .partition(|delta| index_of(delta) == call),
        };
        self.held = held;
        its.iter().for_each(|delta| self.write(delta, write));
        true
    }

    fn write(&mut self, delta: &Delta, write: &mut impl FnMut(&Delta)) {
        if let Delta::ToolCall { index, arguments, .. } = delta {
            if self.open != Some(*index) {
                self.open = Some(*index);
                self.arguments = Arguments::default();
            }
            self.arguments.push(arguments);
        }
        write(delta);
    }
}

/// How far a JSON object has come.
#[derive(Debug, Default)]
struct Arguments {
    depth: usize,
    has_begun: bool,
    in_text: bool,
    is_escaped: bool,
}

impl Arguments {
    fn push(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.in_text => self.is_escaped = true,
                b'"' => self.in_text = !self.in_text,
                b'{' | b'[' if !self.in_text => {
                    self.depth += 1;
                    self.has_begun = true;
                }
                b'}' | b']' if !self.in_text => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.has_begun && self.depth == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::FinishReason;

    fn piece(index: u16, text: &str) -> Delta {
        let name = text.is_empty().then(|| format!("call {index}"));
        Delta::ToolCall { choice: 0, index, id: name.clone(), name, arguments: text.to_owned() }
    }

    /// The calls' pieces in the order in which they are written.
    fn order(pieces: &[(u16, &str)]) -> Vec<(u16, String)> {
        let mut order = CallOrder::default();
        let mut written = Vec::new();
        let mut write = |delta: &Delta| match delta {
            Delta::ToolCall { index, arguments, .. } => written.push((*index, arguments.clone())),
            _ => written.push((u16::MAX, String::new())),
        };
        for (index, text) in pieces {
            order.pass(&piece(*index, text), &mut write);
        }
        let finish = Delta::Finish { choice: 0, reason: FinishReason::ToolCalls, native: None };
        order.pass(&finish, &mut write);
        written
    }

    #[test]
    fn pieces_that_come_in_turns_are_written_call_by_call() {
        let came = [(0, ""), (1, ""), (0, "{\"a\":"), (1, "{\"b\":"), (0, "\"}\"}"), (1, "[]}")];
        let expected =
            [(0, ""), (0, "{\"a\":"), (0, "\"}\"}"), (1, ""), (1, "{\"b\":"), (1, "[]}")];
        let mut expected: Vec<_> =
            expected.iter().map(|(index, text)| (*index, (*text).to_owned())).collect();
        expected.push((u16::MAX, String::new()));
        assert_eq!(order(&came), expected);
    }

    #[test]
    fn calls_that_come_one_after_the_other_wait_for_nothing() {
        let mut order = CallOrder::default();
        let mut written = 0;
        let came = [(0, ""), (0, "{}"), (1, ""), (1, "{\"b\":"), (1, "1}"), (2, "{}")];
        for (at, (index, text)) in came.iter().enumerate() {
            order.pass(&piece(*index, text), &mut |_| written += 1);
            assert_eq!(written, at + 1);
        }
    }

    #[test]
    fn words_between_the_pieces_of_a_call_come_behind_it() {
        let mut order = CallOrder::default();
        let mut written = Vec::new();
        let text = Delta::Text { choice: 0, text: "Hm.".to_owned() };
        for delta in [piece(0, "{"), text.clone(), piece(1, "{}"), piece(0, "}"), text.clone()] {
            order.pass(&delta, &mut |delta| written.push(delta.clone()));
        }
        assert_eq!(written, [piece(0, "{"), piece(0, "}"), text.clone(), piece(1, "{}"), text]);
    }

    #[test]
    fn a_call_whose_arguments_never_come_holds_up_the_others_until_the_end_only() {
        let written = order(&[(0, ""), (1, ""), (2, ""), (1, "{}"), (2, "{}")]);
        let calls: Vec<u16> = written.iter().map(|(index, _)| *index).collect();
        assert_eq!(calls, [0, 1, 1, 2, 2, u16::MAX]);
    }
}
