//! The request: its messages, on their way past the rules.

use crate::arguments::Arguments;
use crate::filter::{Filter, Rules};
use crate::line::Line;
use crate::options::ScanScope;
use crate::seen::Seen;
use patchbay_sdk::scan::Match;
use patchbay_sdk::{Content, Decision, Field, Message, Rejection, Request, Role, ToolResultPart};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// What becomes of a request.
pub(crate) fn decide(filter: &Filter, scope: ScanScope, mut request: Request) -> Decision {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let mut pass = Pass { filter, seen: Rc::clone(&seen), has_changed: false, flagged: None };
    for message in &mut request.messages {
        match scope {
            ScanScope::AllMessages => pass.message(message),
            ScanScope::UserOnly if message.role == Role::User => pass.message(message),
            ScanScope::UserOnly => {}
        }
    }
    if matches!(scope, ScanScope::AllMessages) {
        pass.beside_messages(&mut request);
    }
    let (has_changed, flagged) = (pass.has_changed, pass.flagged);
    let mut seen = seen.borrow_mut();
    let refused: Option<Rejection> = flagged.map(|flagged| seen.refuse_request(&flagged));
    seen.report("input");
    match refused {
        Some(rejection) => Decision::Reject(rejection),
        None if has_changed => Decision::Replace(request),
        None => Decision::Pass,
    }
}

struct Pass<'a> {
    filter: &'a Filter,
    seen: Rc<RefCell<Seen>>,
    has_changed: bool,
    /// The first text with something in it that blocks.
    flagged: Option<String>,
}

impl Pass<'_> {
    /// The texts of a message are one text to the model, so they are one here; so are those of a
    /// tool's result.
    fn message(&mut self, message: &mut Message) {
        self.texts(message.name.iter_mut().collect());
        self.fields(&mut message.extra);
        let mut own = Vec::new();
        for part in &mut message.parts {
            match &mut part.content {
                Content::Text(text) | Content::Refusal(text) => own.push(text),
                Content::ToolResult(result) => self.result(&mut result.parts),
                Content::ToolCall(call) => {
                    self.look_at(&call.name);
                    self.json(&mut call.arguments);
                }
                // Providers want thoughts back as they were.
                Content::Reasoning(thought) => self.look_at(&thought.text),
                Content::Other(other) => self.json(&mut other.json),
                Content::Media(media) => self.texts(media.name.iter_mut().collect()),
            }
        }
        self.texts(own);
    }

    /// What else of a request a model may read, or is told of: a text that it is to predict, what it
    /// stops at, who asks.
    fn beside_messages(&mut self, request: &mut Request) {
        for stop in &mut request.sampling.stop {
            self.texts(vec![stop]);
        }
        self.texts(request.user.iter_mut().collect());
        self.fields(&mut request.extra);
    }

    /// Fields that the gateway does not know, and some that it reads itself.
    fn fields(&mut self, fields: &mut [Field]) {
        for field in fields.iter_mut().filter(|field| !GATEWAYS.contains(&field.name.as_str())) {
            self.look_at(&field.name);
            self.json(&mut field.value);
        }
    }

    fn result(&mut self, parts: &mut [ToolResultPart]) {
        let mut own = Vec::new();
        for part in parts {
            match part {
                ToolResultPart::Text(text) => own.push(text),
                ToolResultPart::Other(other) => self.json(&mut other.json),
                ToolResultPart::Media(media) => self.texts(media.name.iter_mut().collect()),
            }
        }
        self.texts(own);
    }

    fn texts(&mut self, mut texts: Vec<&mut String>) {
        let whole: String = texts.iter().map(|text| text.as_str()).collect();
        self.look_at(&whole);
        let Some(rules) = &self.filter.mask else { return };
        let matches = rules.scanner.find_all(&whole);
        if matches.is_empty() {
            return;
        }
        self.has_changed = true;
        for it in &matches {
            self.seen.borrow_mut().mask(rules.label(it.rule));
        }
        let mut from = 0;
        for text in &mut texts {
            let own = from..from + text.len();
            from = own.end;
            **text = masked(&whole, own, &matches, rules);
        }
    }

    /// JSON, read for what it means. What providers sign or encrypt has no words in it.
    fn json(&mut self, text: &mut String) {
        let blocked = self.blocked();
        let mut arguments = Arguments::new(Line::new(self.filter, &self.seen));
        let masked = arguments.push(text) + &arguments.end();
        self.note(blocked, text);
        if *text != masked {
            *text = masked;
            self.has_changed = true;
        }
    }

    /// A text that is not masked, or not here.
    fn look_at(&mut self, text: &str) {
        let blocked = self.blocked();
        if let Some(rules) = &self.filter.block {
            for it in rules.scanner.find_all(text) {
                self.seen.borrow_mut().block(rules.label(it.rule));
            }
        }
        if let Some(rules) = &self.filter.flag {
            for it in rules.scanner.find_all(text) {
                self.seen.borrow_mut().flag(rules.label(it.rule));
            }
        }
        self.note(blocked, text);
    }

    fn blocked(&self) -> usize {
        self.seen.borrow().blocked.len()
    }

    fn note(&mut self, blocked_before: usize, text: &str) {
        if self.flagged.is_none() && self.blocked() > blocked_before {
            self.flagged = Some(text.to_owned());
        }
    }
}

/// Fields that never leave the gateway as they are.
const GATEWAYS: [&str; 4] = ["models", "provider", "session_id", "transforms"];

/// The part `own` of a text, with a label where a match begins in it.
fn masked(whole: &str, own: Range<usize>, matches: &[Match], rules: &Rules) -> String {
    let (mut out, mut at) = (String::new(), own.start);
    for it in matches.iter().filter(|it| it.range.start < own.end && it.range.end > own.start) {
        if it.range.start >= own.start {
            out.push_str(whole.get(at..it.range.start).unwrap_or_default());
            out.push_str(&format!("[{}]", rules.label(it.rule)));
        }
        at = it.range.end.min(own.end);
    }
    out + whole.get(at..own.end).unwrap_or_default()
}
