//! The values that were found, to be replaced wherever they stand: as found, and also inside of
//! words or without what they were found by.

use crate::rules::Found;
use std::collections::HashMap;

/// Values, and what stands for each.
pub(crate) struct Literals {
    instead: HashMap<String, String>,
    /// The lengths of the values that begin so, the longest first.
    lengths: HashMap<Head, Vec<usize>>,
    /// A bit for each hash of a beginning, so that most places are passed at one look.
    heads: Vec<bool>,
}

type Head = [u8; HEAD_BYTES];

impl Literals {
    pub(crate) fn new(instead: HashMap<String, String>) -> Self {
        let mut lengths: HashMap<Head, Vec<usize>> = HashMap::new();
        let mut heads = vec![false; 1 << HASH_BITS];
        for value in instead.keys() {
            let Some(head) = value.as_bytes().first_chunk() else { continue };
            lengths.entry(*head).or_default().push(value.len());
            if let Some(bit) = heads.get_mut(hash(head)) {
                *bit = true;
            }
        }
        for lengths in lengths.values_mut() {
            lengths.sort_unstable_by(|a, b| b.cmp(a));
            lengths.dedup();
        }
        Self { instead, lengths, heads }
    }

    /// The text with its values replaced: those found in it, and between them any. `None` when
    /// there is none.
    pub(crate) fn replace(&self, text: &str, found: &[Found]) -> Option<String> {
        let mut out = String::new();
        let (mut from, mut count) = (0, 0);
        for it in found {
            let value = text.get(it.range.clone()).unwrap_or_default();
            let Some(instead) = self.instead.get(value) else { continue };
            count += 1 + self.between(text.get(from..it.range.start).unwrap_or_default(), &mut out);
            out.push_str(instead);
            from = it.range.end;
        }
        count += self.between(text.get(from..).unwrap_or_default(), &mut out);
        (count > 0).then_some(out)
    }

    /// Replaces values in the text between those found, and says how many.
    fn between(&self, text: &str, out: &mut String) -> usize {
        let (mut from, mut at, mut count) = (0, 0, 0);
        while let Some(head) = text.as_bytes().get(at..).and_then(<[u8]>::first_chunk) {
            let Some((length, instead)) = self.at(text, at, head) else {
                at += 1;
                continue;
            };
            out.push_str(text.get(from..at).unwrap_or_default());
            out.push_str(instead);
            at += length;
            from = at;
            count += 1;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        count
    }

    /// The longest value that begins at a place, as its length and what stands for it.
    fn at(&self, text: &str, at: usize, head: &Head) -> Option<(usize, &str)> {
        if !self.heads.get(hash(head)).is_some_and(|is_head| *is_head) {
            return None;
        }
        self.lengths.get(head)?.iter().find_map(|length| {
            let instead = self.instead.get(text.get(at..at + length)?)?;
            Some((*length, instead.as_str()))
        })
    }
}

fn hash(head: &Head) -> usize {
    let [a, b, c, d, ..] = *head;
    let mixed = u32::from_le_bytes([a, b, c, d]).wrapping_mul(0x9e37_79b1);
    usize::try_from(mixed >> (32 - HASH_BITS)).unwrap_or_default()
}

/// A shorter value would be found by chance, a `42` in every number.
const HEAD_BYTES: usize = 7;
const HASH_BITS: u32 = 12;

#[cfg(test)]
mod tests {
    use super::Literals;

    #[test]
    fn the_longest_value_at_a_place_is_replaced_anywhere() {
        let values = [("4155550", "A"), ("41555501", "B"), ("jörg@x.de", "C"), ("short", "D")];
        let instead = values.map(|(value, instead)| (value.to_owned(), instead.to_owned()));
        let literals = Literals::new(instead.into());
        let replaced = |text: &str| literals.replace(text, &[]);
        assert_eq!(replaced("x4155550y, 415555019, übjörg@x.de"), Some("xAy, B9, übC".into()));
        assert_eq!(replaced("short, 415555, ö"), None);
    }
}
