//! A matrix of outcomes: who asked, for what, of whom. Every cell is filled or has its reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use crate::upstream::DIALECTS;

/// Features in order, each with whether it is asked for whole (`false`), streamed or both.
pub(crate) type Features = &'static [(&'static str, &'static [bool])];

/// What came of one cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// It works.
    Good,
    /// It can't be, and why.
    No(String),
    /// It should work and does not.
    Failed(String),
}

/// Where a cell stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The client or the surface.
    pub(crate) who: String,
    pub(crate) feature: String,
    pub(crate) upstream: String,
    pub(crate) streamed: bool,
}

/// All cells.
#[derive(Debug)]
pub(crate) struct Matrix {
    title: &'static str,
    features: Features,
    rows: Vec<String>,
    cells: BTreeMap<Place, Outcome>,
}

impl Matrix {
    pub(crate) fn new(title: &'static str, features: Features) -> Self {
        Self { title, features, rows: Vec::new(), cells: BTreeMap::new() }
    }

    pub(crate) fn set(&mut self, place: Place, outcome: Outcome) {
        if !self.rows.contains(&place.who) {
            self.rows.push(place.who.clone());
        }
        self.cells.insert(place, outcome);
    }

    /// Prints it past the capture, for whoever runs the tests must see it when all pass; then fails
    /// on cells that failed and on cells that nobody filled.
    pub(crate) fn settle(&self) {
        let mut printed = self.print();
        let mut wrong = String::new();
        for (place, outcome) in &self.cells {
            if let Outcome::Failed(why) = outcome {
                let _ = writeln!(wrong, "  {place}: {why}");
            }
        }
        for place in self.empty() {
            let _ = writeln!(wrong, "  {place}: nothing was reported, not even why");
        }
        let good = self.cells.values().filter(|outcome| **outcome == Outcome::Good).count();
        let _ = writeln!(printed, "{}: {good} of {} cells are ok", self.title, self.cells.len());
        let _ = std::io::stderr().write_all(printed.as_bytes());
        assert!(wrong.is_empty(), "{}:\n{wrong}", self.title);
    }

    fn empty(&self) -> Vec<Place> {
        let mut empty = Vec::new();
        for who in &self.rows {
            for (feature, modes) in self.features {
                for (upstream, streamed) in
                    DIALECTS.iter().flat_map(|name| modes.iter().map(move |mode| (name, *mode)))
                {
                    let place = Place::new(who, feature, upstream, streamed);
                    if !self.cells.contains_key(&place) {
                        empty.push(place);
                    }
                }
            }
        }
        empty
    }

    fn print(&self) -> String {
        let mut reasons: Vec<&str> = Vec::new();
        let mut out = format!("\n{}; a cell is whole/streamed\n", self.title);
        for who in &self.rows {
            let _ = write!(out, "\n{who:28}");
            for dialect in DIALECTS {
                let _ = write!(out, " {dialect:>18}");
            }
            for (feature, modes) in self.features {
                let _ = write!(out, "\n  {feature:26}");
                for dialect in DIALECTS {
                    let marks: Vec<String> = modes
                        .iter()
                        .map(|mode| {
                            self.mark(&Place::new(who, feature, dialect, *mode), &mut reasons)
                        })
                        .collect();
                    let _ = write!(out, " {:>18}", marks.join("/"));
                }
            }
            out.push('\n');
        }
        out.push('\n');
        for (at, reason) in reasons.iter().enumerate() {
            let _ = writeln!(out, "  {}: {reason}", letters(at));
        }
        out
    }

    fn mark<'a>(&'a self, place: &Place, reasons: &mut Vec<&'a str>) -> String {
        match self.cells.get(place) {
            Some(Outcome::Good) => "ok".to_owned(),
            Some(Outcome::Failed(_)) => "FAILED".to_owned(),
            None => "?".to_owned(),
            Some(Outcome::No(why)) => {
                let known = reasons.iter().position(|reason| reason == why);
                letters(known.unwrap_or_else(|| {
                    reasons.push(why);
                    reasons.len() - 1
                }))
            }
        }
    }
}

impl Place {
    pub(crate) fn new(who: &str, feature: &str, upstream: &str, streamed: bool) -> Self {
        let [who, feature, upstream] = [who, feature, upstream].map(str::to_owned);
        Self { who, feature, upstream, streamed }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mode = if self.streamed { "streamed" } else { "whole" };
        write!(f, "{}, {} {mode}, {}", self.who, self.feature, self.upstream)
    }
}

/// `a` to `z`, then `ba` and so on.
fn letters(number: usize) -> String {
    let last = char::from(b'a' + u8::try_from(number % 26).unwrap());
    let first = if number < 26 { String::new() } else { letters(number / 26) };
    format!("{first}{last}")
}
