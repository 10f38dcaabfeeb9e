//! One text of the reply: the answer, the thoughts, or one call's arguments. Pseudonyms become
//! values again; what else is found goes the way of the option `output`.
//!
//! A value that is put back is never looked at, and what stands before it is settled first.

use crate::json;
use crate::options::Output;
use crate::pseudonyms::Pseudonyms;
use crate::restore::Form;
use crate::rules::Rules;
use crate::tape::{Piece, Tape};
use patchbay_sdk::scan::{self, Scan};
use patchbay_sdk::{Places, Rejection};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

/// What all texts of a reply have in common.
pub(crate) struct Reply {
    pub(crate) pseudonyms: Pseudonyms,
    pub(crate) rules: Rules,
    pub(crate) output: Output,
    /// The client asked for JSON, so the answer is.
    pub(crate) is_json: bool,
    /// The values that were in the request: the client knows them.
    pub(crate) known: HashSet<String>,
    /// How many values of the model's own were found, by label.
    pub(crate) counts: RefCell<BTreeMap<String, u64>>,
}

impl Reply {
    /// Whether replies are looked at.
    pub(crate) fn is_watched(&self) -> bool {
        self.output != Output::Off || !self.pseudonyms.is_empty()
    }
}

/// One text, as it comes.
pub(crate) struct Channel {
    reply: Rc<Reply>,
    form: Form,
    plain: Tape,
    restored: Tape,
    scanned: Option<Scan>,
    found: Tape,
    /// Where the text differs from the upstream's.
    pub(crate) places: Places,
}

impl Channel {
    pub(crate) fn new(reply: Rc<Reply>, form: Form) -> Self {
        let is_searched = reply.output != Output::Off;
        let scanner = reply.rules.scanner.as_ref().filter(|_| is_searched);
        let scanned = scanner.map(scan::Scanner::scan);
        let (plain, restored, found) = <(Tape, Tape, Tape)>::default();
        Self { reply, form, plain, restored, scanned, found, places: Places::default() }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        let is_scanned = self.scanned.as_ref().is_none_or(Scan::is_empty);
        self.plain.is_empty() && self.restored.is_empty() && is_scanned && self.found.is_empty()
    }

    /// More text; what is settled, all of it at an end.
    ///
    /// # Errors
    /// The rejection that ends the reply.
    pub(crate) fn push(&mut self, text: &str, is_end: bool) -> Result<String, Rejection> {
        let mut out = String::new();
        if self.reply.output == Output::Off || self.form == Form::Plain {
            self.restore(text, is_end, &mut out)?;
            return Ok(out);
        }
        // `j\u00f6rg@…` is an address: what is searched has its letters as they are.
        self.plain.push(text);
        if is_end {
            self.plain.end();
        }
        while let Some(piece) = self.plain.take(json::escaped) {
            match piece {
                Piece::Text(text) => self.restore(&text, false, &mut out)?,
                Piece::Match(_, letter) => self.restore(&letter.to_string(), false, &mut out)?,
            }
        }
        if is_end {
            self.restore("", true, &mut out)?;
        }
        Ok(out)
    }

    /// Something else follows. What may be the beginning of a pseudonym still waits for the rest; all
    /// else is settled.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(crate) fn pause(&mut self) -> Result<String, Rejection> {
        let mut out = String::new();
        self.scan("", true, &mut out)?;
        Ok(out)
    }

    /// Puts values back.
    fn restore(&mut self, text: &str, is_end: bool, out: &mut String) -> Result<(), Rejection> {
        let reply = Rc::clone(&self.reply);
        if reply.pseudonyms.is_empty() {
            return self.scan(text, is_end, out);
        }
        self.restored.push(text);
        if is_end {
            self.restored.end();
        }
        while let Some(piece) = self.restored.take(|look| reply.pseudonyms.at(look)) {
            match piece {
                Piece::Text(text) => self.scan(&text, false, out)?,
                Piece::Match(pseudonym, value) => {
                    self.scan("", true, out)?;
                    self.put(&pseudonym, &self.form.write(&value), out);
                }
            }
        }
        if is_end { self.scan("", true, out) } else { Ok(()) }
    }

    /// Looks for the client's patterns.
    fn scan(&mut self, text: &str, is_end: bool, out: &mut String) -> Result<(), Rejection> {
        if self.reply.output == Output::Off {
            self.put(text, text, out);
            return Ok(());
        }
        let Some(mut scan) = self.scanned.take() else {
            return self.find(text, is_end, out);
        };
        scan.push(text);
        if is_end {
            scan.end();
        }
        while let Some(piece) = scan.take() {
            match piece {
                scan::Piece::Text(text) => self.find(&text, false, out)?,
                scan::Piece::Match { rule, text } => {
                    self.find("", true, out)?;
                    self.settle(rule, &text, out)?;
                }
            }
        }
        self.scanned = Some(scan);
        if is_end { self.find("", true, out) } else { Ok(()) }
    }

    /// Looks for the known kinds.
    fn find(&mut self, text: &str, is_end: bool, out: &mut String) -> Result<(), Rejection> {
        let reply = Rc::clone(&self.reply);
        self.found.push(text);
        if is_end {
            self.found.end();
        }
        while let Some(piece) = self.found.take(|look| reply.rules.finder.at(look)) {
            match piece {
                Piece::Text(text) => self.put(&text, &text, out),
                Piece::Match(text, kind) => {
                    self.settle(reply.rules.number(kind), &text, out)?;
                }
            }
        }
        Ok(())
    }

    /// A value that the model wrote.
    fn settle(&mut self, rule: usize, value: &str, out: &mut String) -> Result<(), Rejection> {
        let reply = Rc::clone(&self.reply);
        let Some(rule) = reply.rules.rule(rule) else { return Ok(()) };
        if reply.known.contains(value) || reply.rules.allows(value) {
            self.put(value, value, out);
            return Ok(());
        }
        *reply.counts.borrow_mut().entry(rule.label.clone()).or_default() += 1;
        match reply.output {
            Output::Mask => self.put(value, &self.form.write(&rule.mask()), out),
            Output::Block => {
                let message = format!("Reply blocked by content filter: {}", rule.mask());
                let labels = vec![rule.label.clone()];
                return Err(Rejection::new(403, message).metadata("patterns", labels));
            }
            Output::Flag | Output::Off => self.put(value, value, out),
        }
        Ok(())
    }

    /// Gives out a text in the place of what was read.
    fn put(&mut self, read: &str, written: &str, out: &mut String) {
        self.places.add(read, written);
        out.push_str(written);
    }
}
