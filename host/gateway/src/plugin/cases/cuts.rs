//! The ways in which one reply can be cut, and what they have in common.

use std::collections::BTreeMap;

use wire::Delta;

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
        Delta::Text { choice, text } if text.chars().count() > 1 => {
            let piece = |letter: char| Delta::Text { choice: *choice, text: letter.to_string() };
            text.chars().map(piece).collect()
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
            (_, Delta::Text { text, .. } | Delta::Reasoning { text, detail: None, .. })
                if text.is_empty() => {}
            (
                Some(Delta::Text { choice: last, text }),
                Delta::Text { choice: next, text: more },
            ) if last == next => text.push_str(more),
            (
                Some(Delta::Reasoning { choice: last, text, detail }),
                Delta::Reasoning { choice: next, text: more, detail: next_detail },
            ) if last == next && detail == next_detail => text.push_str(more),
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
