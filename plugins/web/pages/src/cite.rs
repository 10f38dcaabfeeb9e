//! Citations: a link of the reply that leads to a source becomes an annotation, right behind the
//! text that completes it. No text waits for that.

use std::collections::HashSet;

use patchbay_sdk::{Delta, Error, FinishReason, Interest, JsonDelta, Stream, TextDelta, Verdict};
use serde_json::json;

use crate::cut;
use crate::links::{Link, Links};
use crate::source::{Source, Sources};

/// One choice's stream.
///
/// Offsets count the characters (Unicode code points) of the choice's text; the end is exclusive. A
/// choice that ends without any link to a source has them all as annotations at its end, from 0 to
/// 0: they stand for the whole text.
#[derive(Debug)]
pub(crate) struct Citing {
    choice: u16,
    sources: Sources,
    /// Whether there may be sources at all.
    is_idle: bool,
    links: Links,
    has_text: bool,
    /// The sources that have been cited, by their addresses.
    cited: HashSet<String>,
    /// Bytes that annotations may still have.
    room: usize,
    is_done: bool,
}

impl Citing {
    /// A choice that begins. `is_idle` says that it will have no sources, so that it need not look.
    pub(crate) fn new(choice: u16, sources: &Sources, is_idle: bool) -> Self {
        Self {
            choice,
            sources: sources.clone(),
            is_idle,
            links: Links::default(),
            has_text: false,
            cited: HashSet::new(),
            room: BYTES_MAX,
            is_done: false,
        }
    }

    /// The text with the annotations between its pieces; none if it has no link to a source.
    fn text(&mut self, text: &str, out: &mut Vec<Delta>) -> bool {
        let mut found = Vec::new();
        self.links.push(text, |at, link| found.push((at, link)));
        self.has_text |= !text.trim().is_empty();
        let mut from = 0;
        for (at, link) in found {
            let Some(annotation) = self.annotation(&link) else { continue };
            if let Some(piece) = text.get(from..at).filter(|piece| !piece.is_empty()) {
                out.push(Delta::text(self.choice, piece));
            }
            out.push(annotation);
            from = at;
        }
        let is_cut = from > 0 || !out.is_empty();
        if let Some(rest) = text.get(from..).filter(|rest| is_cut && !rest.is_empty()) {
            out.push(Delta::text(self.choice, rest));
        }
        is_cut
    }

    fn annotation(&mut self, link: &Link) -> Option<Delta> {
        let source = self.sources.of(&link.url)?;
        self.cite(&source, link.start, link.end)
    }

    /// A source's text stands in its first annotation only, and none of them is longer than there is
    /// room: a host bounds what comes out of a reply.
    fn cite(&mut self, source: &Source, start: u64, end: u64) -> Option<Delta> {
        let is_first = self.cited.insert(source.url.clone());
        let text = is_first.then(|| cut(&source.text, CONTENT_CHARS_MAX));
        let forms = [text, None].map(|text| citation(source, text, start, end));
        let json = forms.into_iter().find(|json| json.len() <= self.room)?;
        self.room = self.room.saturating_sub(json.len());
        Some(Delta::Annotation(JsonDelta { choice: self.choice, json }))
    }

    /// What is left to say where the text ends.
    fn end(&mut self, is_last: bool, out: &mut Vec<Delta>) {
        if let Some(link) = self.links.end() {
            out.extend(self.annotation(&link));
        }
        if is_last
            && !std::mem::replace(&mut self.is_done, true)
            && self.cited.is_empty()
            && self.has_text
        {
            for source in self.sources.all() {
                out.extend(self.cite(&source, 0, 0));
            }
        }
    }
}

fn citation(source: &Source, text: Option<&str>, start: u64, end: u64) -> String {
    let title = cut(&source.title, TITLE_CHARS_MAX);
    let mut citation = json!({"url": source.url, "title": title});
    if let Some(citation) = citation.as_object_mut() {
        citation.extend(text.map(|text| ("content".to_owned(), json!(text))));
        citation.insert("start_index".into(), json!(start));
        citation.insert("end_index".into(), json!(end));
    }
    json!({"type": "url_citation", "url_citation": citation}).to_string()
}

impl Stream for Citing {
    fn interest(&self) -> Interest {
        if self.is_idle { Interest::empty() } else { Interest::TEXT | Interest::FINISH }
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        let mut is_changed = false;
        for delta in batch {
            let mut own = Vec::new();
            match &delta {
                Delta::Text(TextDelta { text, .. }) => {
                    if self.text(text, &mut own) {
                        is_changed = true;
                    } else {
                        own.push(delta);
                    }
                }
                Delta::Finish(finish) => {
                    // What a client's tool gives is answered in another reply.
                    self.end(finish.reason != FinishReason::ToolCalls, &mut own);
                    is_changed |= !own.is_empty();
                    own.push(delta);
                }
                _ => own.push(delta),
            }
            out.extend(own);
        }
        Ok(if is_changed { Verdict::Emit(out) } else { Verdict::Pass })
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        let mut out = Vec::new();
        if !self.is_idle {
            self.end(!self.is_done, &mut out);
        }
        Ok(if out.is_empty() { Verdict::Pass } else { Verdict::Emit(out) })
    }
}

/// What a hook may give out beyond its input is 64 KiB, and a whole reply may come at once.
const BYTES_MAX: usize = 48 << 10;

const CONTENT_CHARS_MAX: usize = 4000;

const TITLE_CHARS_MAX: usize = 300;
