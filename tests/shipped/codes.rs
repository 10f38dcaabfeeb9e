//! Pseudonyms: a case has those of the test's key, and a gateway makes those of its client's. They
//! differ in a code of eight characters, which is put right in what a case says before it is played.

use std::collections::BTreeMap;

use wire::{Delta, Json};

/// The case's codes with the gateway's.
#[derive(Debug, Default)]
pub(super) struct Codes(BTreeMap<String, String>);

impl Codes {
    /// Learns from a text as the case has it and as the upstream was sent it.
    pub(super) fn learn(&mut self, case: &str, sent: &str) {
        for (case, sent) in codes(case).zip(codes(sent)) {
            self.0.insert(case.to_owned(), sent.to_owned());
        }
    }

    /// A text with the gateway's codes.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (case, sent) in &self.0 {
            text = text.replace(case, sent);
            text = text.replace(&case.to_uppercase(), &sent.to_uppercase());
        }
        text
    }

    /// The same for deltas, over which a code may be spread.
    pub(super) fn deltas(&self, deltas: &[Delta]) -> Vec<Delta> {
        let mut deltas = deltas.to_vec();
        if self.0.is_empty() {
            return deltas;
        }
        let mut streams: BTreeMap<(u16, u8, u16), Vec<&mut String>> = BTreeMap::new();
        for delta in &mut deltas {
            let (stream, text) = match delta {
                Delta::Text { choice, text } => ((*choice, 0, 0), text),
                Delta::Reasoning { choice, text, .. } => ((*choice, 1, 0), text),
                Delta::Refusal { choice, text } => ((*choice, 2, 0), text),
                Delta::ToolCall { choice, index, arguments, .. } => {
                    ((*choice, 3, *index), arguments)
                }
                Delta::Annotation { json, .. } => {
                    *json = Json::parse(self.text(json.as_str())).unwrap();
                    continue;
                }
                _ => continue,
            };
            streams.entry(stream).or_default().push(text);
        }
        for pieces in streams.into_values() {
            let whole: String = pieces.iter().map(|piece| piece.as_str()).collect();
            let mut rest = self.text(&whole);
            for piece in pieces {
                let after = rest.split_off(piece.len());
                *piece = std::mem::replace(&mut rest, after);
            }
        }
        deltas
    }
}

/// The codes of a text: eight small letters and digits after a `_`, of which the second is a digit.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.split('_').skip(1).filter_map(|piece| {
        let code = piece.get(..8)?;
        let is_one = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let second = code.as_bytes().get(1)?;
        (code.bytes().all(is_one) && second.is_ascii_digit()).then_some(code)
    })
}
