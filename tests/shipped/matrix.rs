//! Every case on every surface, streamed and not.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wire::{Choice, Chunk, Delta, FinishReason, Reply, ToolCall};

use super::case::{self, Case, Decision};
use super::codes::Codes;
use super::upstream::{self, asked, say, say_aside};
use super::{exceptions, request};
use crate::harness::{Double, Gateway};
use crate::spoken::{Surface, Told, surfaces};

/// The gateway and its upstream.
struct Stage {
    double: Double,
    gateway: Gateway,
}

/// A case on a surface.
struct Cell<'a> {
    case: &'a Case,
    surface: &'a Surface,
    stream: bool,
}

#[tokio::test]
async fn every_case_of_every_shipped_plugin_holds_on_every_surface() {
    let cases: Vec<Case> = case::plugins().iter().flat_map(|id| case::of(id)).collect();
    let double = Double::start();
    let gateway = Gateway::start(&upstream::config(&double, &cases)).await;
    let stage = Stage { double, gateway };
    let known = ["openai-chat", "openai-responses", "anthropic-messages"];
    let surfaces: Vec<Surface> =
        surfaces().into_iter().filter(|it| known.contains(&it.dialect.name())).collect();
    let mut failed: Vec<String> = Vec::new();
    let mut used: Vec<usize> = Vec::new();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for case in &cases {
        let codes = stage.learn(case, &surfaces[0]).await;
        for surface in &surfaces {
            // A case that says how it is asked holds for that alone.
            let only = case.request["stream"].as_bool();
            for stream in [false, true].into_iter().filter(|it| only.is_none_or(|only| only == *it))
            {
                let cell = Cell { case, surface, stream };
                let place = format!("{} on {} ({stream})", case.name, surface.dialect.name());
                match (stage.play(&cell, &codes).await, exception(&cell)) {
                    (Ok(()), _) => {
                        *counts.entry((&case.plugin, surface.dialect.name())).or_default() += 1;
                    }
                    (Err(_), Some(at)) => used.push(at),
                    (Err(why), None) => failed.push(format!("{place}: {why}")),
                }
            }
        }
    }
    report(&counts);
    for (at, (surface, case, _)) in exceptions::CELLS.iter().enumerate() {
        if !used.contains(&at) {
            failed.push(format!("{case} on {surface} holds: take it out of the exceptions"));
        }
    }
    for plugin in case::plugins() {
        let is_excepted = exceptions::PLUGINS.iter().any(|(id, _)| *id == plugin);
        let is_missing = |name: &&&str| !counts.contains_key(&(plugin.as_str(), **name));
        match known.iter().find(is_missing) {
            Some(name) if !is_excepted => failed.push(format!("{plugin} has no cell on {name}")),
            None if is_excepted => failed.push(format!("{plugin} has cells on every surface")),
            _ => {}
        }
    }
    assert!(failed.is_empty(), "{} cells:\n{}", failed.len(), failed.join("\n"));
}

fn report(counts: &BTreeMap<(&str, &str), usize>) {
    for ((plugin, surface), count) in counts {
        println!("{plugin:20} {surface:20} {count:4} cells");
    }
    println!("{} cells hold", counts.values().sum::<usize>());
}

/// The exception that a cell has.
fn exception(cell: &Cell<'_>) -> Option<usize> {
    let surface = cell.surface.dialect.name();
    exceptions::CELLS
        .iter()
        .position(|(on, case, _)| (*on == "*" || *on == surface) && *case == cell.case.name)
}

impl Stage {
    /// Asks in a cell's words.
    async fn ask(&self, cell: &Cell<'_>) -> Result<Told, String> {
        let Cell { case, surface, stream } = cell;
        let (request, mut more) = request::read(&case.request, surface.dialect.name(), *stream);
        let mut entry = json!({"id": case.plugin});
        for (name, value) in &case.options {
            entry[name] = value.clone();
        }
        more["plugins"] = json!([entry]);
        let body = surface.body(&request);
        let body = body.map_err(|error| format!("it can't be asked: {error}"))?;
        if surface.dialect.name() == "openai-chat" {
            more["messages"] = request::with_fields(&body["messages"], &case.request);
        }
        Ok(surface.ask(&self.gateway, &request, &more).await)
    }

    /// What stands for the case's pseudonyms here.
    async fn learn(&self, case: &Case, surface: &Surface) -> Codes {
        let mut codes = Codes::default();
        if let (Decision::Replace(replaced), "pii") = (&case.decision, case.plugin.as_str()) {
            say(
                &self.double,
                &[Delta::Finish { choice: 0, reason: FinishReason::Stop, native: None }],
            )
            .await;
            self.ask(&Cell { case, surface, stream: false }).await.unwrap();
            let (sent, _) = asked(&self.double).await;
            codes.learn(&replaced["messages"].to_string(), &sent["messages"].to_string());
        }
        codes
    }

    /// Plays a cell.
    async fn play(&self, cell: &Cell<'_>, codes: &Codes) -> Result<(), String> {
        let case = cell.case;
        let nothing = vec![
            Delta::Text { choice: 0, text: "Fine.".to_owned() },
            Delta::Finish { choice: 0, reason: FinishReason::Stop, native: None },
        ];
        let said = case.deltas.as_ref().map(|deltas| codes.deltas(deltas));
        let expected = match &said {
            Some(_) => codes.deltas(&case.expect),
            None => nothing.clone(),
        };
        say(&self.double, &said.unwrap_or(nothing)).await;
        say_aside(&self.double, &case.asides).await;
        let told = self.ask(cell).await?;
        let (sent, count) = asked(&self.double).await;
        match &case.decision {
            Decision::Reject(status, metadata) => {
                check(count == 0, || "the model was asked".to_owned())?;
                return refused(cell, &told, *status, metadata);
            }
            Decision::Replace(replaced) => check_sent(replaced, &sent, codes)?,
            Decision::Pass => {}
        }
        if let Some(status) = case.stop {
            return refused(cell, &told, status, &case.stop_metadata);
        }
        check(told.status == 200, || format!("status {}: {}", told.status, told.body))?;
        check(told.failure.is_none(), || format!("{:?}", told.failure))?;
        same(cell, &expected, &told)
    }
}

fn check(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// The upstream was sent the texts of the plugin's request.
fn check_sent(replaced: &Value, sent: &Value, codes: &Codes) -> Result<(), String> {
    let sent = timeless(&sent.to_string());
    for text in request::texts(replaced) {
        let wanted = timeless(&Value::String(codes.text(&text)).to_string());
        let inner = wanted.trim_matches('"');
        check(sent.contains(inner), || format!("`{inner}` was not sent: {sent}"))?;
    }
    Ok(())
}

/// A text without the time of day, as a case's clock stands still, and without the space that JSON
/// may have or not.
fn timeless(text: &str) -> String {
    let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let text = days.iter().fold(text.to_owned(), |text, day| text.replace(day, "Day"));
    let letters = text.chars().filter(|letter| *letter != ' ');
    letters.map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect()
}

/// The client was told no: by a status where nothing was sent yet, else in the stream.
fn refused(
    cell: &Cell<'_>,
    told: &Told,
    status: u16,
    metadata: &serde_json::Map<String, Value>,
) -> Result<(), String> {
    let Some(failure) = &told.failure else { return Err(format!("no error: {}", told.body)) };
    let is_late = cell.stream && cell.case.stop.is_some() && told.status == 200;
    check(told.status == status || is_late, || format!("{}: {}", told.status, told.body))?;
    check(!failure.message.is_empty(), || told.body.clone())?;
    if cell.surface.dialect.name() == "openai-chat" {
        for (name, value) in metadata {
            let stands = format!("\"{name}\":{value}");
            check(told.body.contains(&stands), || format!("no {stands}: {}", told.body))?;
        }
    }
    Ok(())
}

/// The client got what the case says.
fn same(cell: &Cell<'_>, expected: &[Delta], told: &Told) -> Result<(), String> {
    let chunks: Vec<Chunk> = expected.iter().map(|delta| Chunk::of(vec![delta.clone()])).collect();
    let mut expected = Reply::fold(&chunks);
    let surface = cell.surface.dialect.name();
    let most = if surface == "openai-chat" { usize::MAX } else { 1 };
    if surface == "anthropic-messages" {
        // There a refusal is a text.
        for choice in &mut expected.choices {
            let refusal = std::mem::take(&mut choice.refusal);
            choice.text.push_str(&refusal);
        }
    }
    let wanted: Vec<String> = expected.choices.iter().take(most).map(shown).collect();
    let got: Vec<String> = told.reply.choices.iter().map(shown).collect();
    check(got == wanted, || format!("\n  wanted {wanted:?}\n  got    {got:?}"))
}

/// What of a choice every surface shows.
fn shown(choice: &Choice) -> String {
    let thought: String = choice.reasoning.iter().map(|(text, _)| text.as_str()).collect();
    let finish = choice.finish.as_ref().map(|(reason, _)| reason.as_str());
    let calls: Vec<String> = choice.tool_calls.iter().map(call).collect();
    let Choice { text, refusal, .. } = choice;
    format!("{text:?} thinking {thought:?} refusing {refusal:?} calling {calls:?} by {finish:?}")
}

/// A call. Ids that a plugin made up have the generation's in them.
fn call(call: &ToolCall) -> String {
    let arguments = serde_json::from_str::<Value>(&call.arguments);
    let arguments = arguments.map_or(call.arguments.clone(), |json| json.to_string());
    let id = if call.id.contains("gen-") { "made up" } else { &call.id };
    format!("{}({arguments}) as {id}", call.name)
}
