//! The ways in which one reply can be cut, and what they have in common.

use crate::{Delta, ReasoningDelta, TextDelta};
use std::collections::BTreeMap;

/// Every way to replay `deltas`: its name, and the batches.
pub(super) fn ways(deltas: &[Delta]) -> [(&'static str, Vec<Vec<Delta>>); 5] {
    let one = |deltas: &[Delta]| deltas.iter().map(|delta| vec![delta.clone()]).collect();
    let merged = joined(deltas);
    [
        ("delta by delta", one(deltas)),
        ("as one batch", vec![deltas.to_vec()]),
        ("cut at every character", one(&cut(deltas))),
        ("joined", one(&merged)),
        ("joined, as one batch", vec![merged]),
    ]
}

fn cut(deltas: &[Delta]) -> Vec<Delta> {
    let pieces = |delta: &Delta| match delta {
        Delta::Text(TextDelta { choice, text }) if text.chars().count() > 1 => {
            text.chars().map(|character| Delta::text(*choice, character)).collect()
        }
        other => vec![other.clone()],
    };
    deltas.iter().flat_map(pieces).collect()
}

/// Neighbouring texts, and neighbouring thoughts of one block, made one. Empty ones vanish.
fn joined(deltas: &[Delta]) -> Vec<Delta> {
    let mut out: Vec<Delta> = Vec::new();
    for delta in deltas {
        match (out.last_mut(), delta) {
            (_, Delta::Text(TextDelta { text, .. })) if text.is_empty() => {}
            (_, Delta::Reasoning(ReasoningDelta { text, detail: None, .. })) if text.is_empty() => {
            }
            (Some(Delta::Text(last)), Delta::Text(next)) if last.choice == next.choice => {
                last.text.push_str(&next.text);
            }
            (Some(Delta::Reasoning(last)), Delta::Reasoning(next))
                if last.choice == next.choice && last.detail == next.detail =>
            {
                last.text.push_str(&next.text);
            }
            _ => out.push(delta.clone()),
        }
    }
    out
}

/// What one choice's reader sees. How choices interleave, and how texts are cut, does not count.
pub(super) fn by_choice(deltas: &[Delta]) -> BTreeMap<Option<u16>, Vec<Delta>> {
    let mut choices: BTreeMap<Option<u16>, Vec<Delta>> = BTreeMap::new();
    for delta in deltas {
        choices.entry(delta.choice()).or_default().push(delta.clone());
    }
    choices.into_iter().map(|(choice, deltas)| (choice, joined(&deltas))).collect()
}
