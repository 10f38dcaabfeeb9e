//! Personal data and secrets: found in requests, and there blocked, masked, counted, or given
//! another name that becomes the value again in the reply, so that the upstream never sees it.
//!
//! A request goes through [`redact`]: [`walk`] shows every text, [`rules`] find values in it, and
//! [`pseudonyms`] name them. A reply goes through [`choice`]: for each of its texts a [`channel`]
//! puts values back ([`restore`]) and looks for those that the model made.

mod channel;
mod choice;
mod edge;
mod find;
mod json;
mod kind;
mod literals;
mod look;
mod options;
mod pseudonyms;
mod redact;
mod restore;
mod rules;
mod tape;
#[cfg(test)]
mod tests;
mod walk;

use channel::Reply;
use choice::Choice;
use options::Options;
use patchbay_sdk::{
    Decision, Description, Error, Generation, Kind, Plugin, Rejection, Request, ResponseFormat,
    Stream, metrics, report,
};
use pseudonyms::Pseudonyms;
use redact::Finds;
use rules::{Rule, Rules};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

/// The plugin, for one generation.
pub struct Pii {
    /// Or why the options can't be used.
    reply: Result<Rc<Reply>, Error>,
}

impl Plugin for Pii {
    fn describe() -> Description {
        Description::new("pii", env!("CARGO_PKG_VERSION"), Kind::Guard)
            .summary("Keeps personal data and secrets from the model, and puts them back.")
            .options(OPTIONS)
            .limit("cpu-ms", 500)
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        let options: Options = generation.options()?;
        let reply = Rules::new(&options).map(|rules| {
            let pseudonyms = Pseudonyms::new(generation.key());
            let (output, known) = (options.output, HashSet::new());
            let counts = RefCell::default();
            Rc::new(Reply { pseudonyms, rules, output, is_json: false, known, counts })
        });
        Ok(Self { reply })
    }

    fn on_request(&mut self, _: &Generation, mut request: Request) -> Result<Decision, Error> {
        let reply = match &mut self.reply {
            Ok(reply) => reply,
            Err(error) => return Decision::refuse_options("pii", error.clone()),
        };
        let reply = Rc::get_mut(reply)
            .ok_or_else(|| Error::Internal("the request came after its reply".into()))?;
        reply.is_json = matches!(
            request.response_format,
            Some(ResponseFormat::JsonObject | ResponseFormat::JsonSchema(_))
        );
        let finds = Finds::of(&mut request, &reply.rules, &mut reply.pseudonyms);
        if finds.is_empty() {
            return Ok(Decision::Pass);
        }
        reply.known = finds.values().map(str::to_owned).collect();
        tell("request", &finds.counts(&reply.rules));
        if let Some(rule) = finds.blocked(&reply.rules) {
            return Ok(Decision::Reject(blocked(rule)));
        }
        let replaced = finds.replace(&mut request, &reply.rules, &mut reply.pseudonyms);
        Ok(if replaced { Decision::Replace(request) } else { Decision::Pass })
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        let reply = self.reply.as_ref().map_err(Clone::clone)?;
        Ok(Box::new(Choice::new(choice, Rc::clone(reply))))
    }
}

fn blocked(rule: &Rule) -> Rejection {
    let message = match rule.kind {
        Some(_) => format!("Blocked PII detected: {}", rule.label),
        None => format!("Request blocked by content filter: {}", rule.mask()),
    };
    Rejection::new(403, message).metadata("patterns", vec![rule.label.clone()])
}

/// Tells clients and operators how many values of which kind there were, and never which.
fn tell(place: &str, counts: &BTreeMap<(String, &'static str), u64>) {
    let mut lines = Vec::new();
    for ((label, action), count) in counts {
        metrics::count("found", *count, &[("place", place), ("label", label), ("action", action)]);
        lines.push(format!("{count} {label} ({action})"));
    }
    if !lines.is_empty() {
        let summary = format!("{place}: {}", lines.join(", "));
        report::stage("guardrail", "pii").summary(&summary).send();
    }
}

patchbay_sdk::export!(Pii: request, stream);

const OPTIONS: &str = include_str!("options.json");

patchbay_sdk::cases![
    "cases/allowed.json",
    "cases/annotation.json",
    "cases/blocked.json",
    "cases/blocked_pattern.json",
    "cases/choices.json",
    "cases/flagged.json",
    "cases/history.json",
    "cases/json_answer.json",
    "cases/masked.json",
    "cases/output_annotations.json",
    "cases/output_blocked.json",
    "cases/output_masked.json",
    "cases/patterns.json",
    "cases/reasoning.json",
    "cases/respelled.json",
    "cases/restored.json",
    "cases/tool_arguments.json",
    "cases/torn.json",
    "cases/untouched.json",
    "cases/user_only.json",
];
