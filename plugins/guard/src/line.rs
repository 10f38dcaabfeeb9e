//! One text that comes in pieces, on its way past the rules: first those that block, then those
//! that mask. Those that flag only look on.

use crate::filter::{Filter, Rules};
use crate::seen::Seen;
use patchbay_sdk::scan::{Piece, Scan};
use std::cell::RefCell;
use std::rc::Rc;

/// What has left a [`Line`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Passed {
    Text(String),
    /// A label in brackets, in the place of this text.
    Mask(String, String),
}

/// The text's way past the rules.
pub(crate) struct Line {
    filter: Filter,
    block: Option<Scan>,
    mask: Option<Scan>,
    flag: Option<Scan>,
    seen: Rc<RefCell<Seen>>,
}

impl Line {
    /// At the text's beginning. What is found is written into `seen`.
    pub(crate) fn new(filter: &Filter, seen: &Rc<RefCell<Seen>>) -> Self {
        let scan = |rules: &Option<Rules>| rules.as_ref().map(|rules| rules.scanner.scan());
        Self {
            block: scan(&filter.block),
            mask: scan(&filter.mask),
            flag: scan(&filter.flag),
            filter: filter.clone(),
            seen: Rc::clone(seen),
        }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        let is_empty = |scan: &Option<Scan>| scan.as_ref().is_none_or(Scan::is_empty);
        is_empty(&self.block) && is_empty(&self.mask)
    }

    /// More text. True says that it goes on as it is, and `out` is unchanged; otherwise what may
    /// go on by now is in `out`.
    pub(crate) fn push(&mut self, text: &str, out: &mut Vec<Passed>) -> bool {
        self.look_on(text);
        let blocks = self.block.as_mut().is_some_and(|block| !block.passes(text));
        if !blocks && self.mask.as_mut().is_none_or(|mask| mask.passes(text)) {
            return true;
        }
        if blocks {
            if let Some(block) = &mut self.block {
                block.push(text);
            }
            self.take_block(out);
        } else {
            self.push_mask(text, out);
        }
        false
    }

    /// Gives out what is held, although it may still become a match.
    pub(crate) fn release(&mut self, out: &mut Vec<Passed>) {
        self.block.iter_mut().for_each(Scan::pause);
        self.take_block(out);
        self.mask.iter_mut().for_each(Scan::pause);
        self.take_mask(out);
    }

    /// The text ends here.
    pub(crate) fn end(&mut self, out: &mut Vec<Passed>) {
        for scan in [&mut self.block, &mut self.mask, &mut self.flag].into_iter().flatten() {
            scan.end();
        }
        self.look_on("");
        self.take_block(out);
        self.take_mask(out);
    }

    fn look_on(&mut self, text: &str) {
        let (Some(flag), Some(rules)) = (&mut self.flag, &self.filter.flag) else { return };
        if !text.is_empty() && flag.passes(text) {
            return;
        }
        if !text.is_empty() {
            flag.push(text);
        }
        while let Some(piece) = flag.take() {
            if let Piece::Match { rule, .. } = piece {
                self.seen.borrow_mut().flag(rules.label(rule));
            }
        }
    }

    fn take_block(&mut self, out: &mut Vec<Passed>) {
        while let Some(piece) = self.block.as_mut().and_then(Scan::take) {
            match piece {
                Piece::Text(text) => self.push_mask(&text, out),
                Piece::Match { rule, .. } => {
                    let label = self.filter.block.as_ref().map(|rules| rules.label(rule));
                    self.seen.borrow_mut().block(label.unwrap_or_default());
                }
            }
        }
    }

    fn push_mask(&mut self, text: &str, out: &mut Vec<Passed>) {
        if self.mask.as_mut().is_none_or(|mask| mask.passes(text)) {
            return add(text.to_owned(), out);
        }
        if let Some(mask) = &mut self.mask {
            mask.push(text);
        }
        self.take_mask(out);
    }

    fn take_mask(&mut self, out: &mut Vec<Passed>) {
        while let Some(piece) = self.mask.as_mut().and_then(Scan::take) {
            match piece {
                Piece::Text(text) => add(text, out),
                Piece::Match { rule, text } => {
                    let label = self.filter.mask.as_ref().map(|rules| rules.label(rule));
                    let label = label.unwrap_or_default();
                    self.seen.borrow_mut().mask(label);
                    out.push(Passed::Mask(format!("[{label}]"), text));
                }
            }
        }
    }
}

fn add(text: String, out: &mut Vec<Passed>) {
    if !text.is_empty() {
        out.push(Passed::Text(text));
    }
}

/// What has left as one text.
pub(crate) fn joined(passed: Vec<Passed>) -> String {
    let texts = passed.into_iter().map(|piece| match piece {
        Passed::Text(text) | Passed::Mask(text, _) => text,
    });
    texts.collect()
}
