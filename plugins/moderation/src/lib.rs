//! Asks a moderation model about what the client sends and, if wanted, about what the model
//! answers. Whatever it objects to is refused, or only reported. When it can't be asked, the guard
//! has failed, and the operator's `on_error` decides.

mod finding;
mod judge;
mod options;
mod passages;

use judge::Judge;
use options::{Options, Output, ScanScope};
use passages::Passages;
use patchbay_sdk::{
    Content, Decision, Delta, Description, Error, Generation, Interest, Kind, Message, Plugin,
    Rejection, Request, Role, Stream, ToolResultPart, Verdict,
};

/// The plugin, for one generation.
pub struct Moderation {
    options: Options,
    judge: Result<Judge, Error>,
    /// What the user asked last, for judging the answer.
    question: String,
}

impl Plugin for Moderation {
    fn describe() -> Description {
        Description::new("moderation", env!("CARGO_PKG_VERSION"), Kind::Guard)
            .summary("Asks a moderation model about requests and replies.")
            .options(OPTIONS)
            .limit("cpu-ms", 500)
            .capability("models")
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        let options: Options = generation.options()?;
        Ok(Self { judge: Judge::new(&options), options, question: String::new() })
    }

    fn on_request(&mut self, _: &Generation, request: Request) -> Result<Decision, Error> {
        let judge = match &self.judge {
            Ok(judge) => judge,
            Err(error) => return Decision::refuse_options("moderation", error.clone()),
        };
        self.question = end_of(&request.last_user_text().unwrap_or_default());
        // Before the reply is on its way. The input's first question tells, too.
        if self.options.output != Output::Off && judge.is_unknown() {
            return judge.refuse(Error::Options(String::new()));
        }
        if !self.options.input {
            return Ok(Decision::Pass);
        }
        let scope = self.options.scan_scope;
        let own = request.messages.iter();
        let own = own.filter(|it| scope == ScanScope::AllMessages || it.role == Role::User);
        let texts: Vec<String> = own.map(text).filter(|text| !text.trim().is_empty()).collect();
        let input = texts.join("\n\n");
        if input.chars().count() > self.options.max_input_chars {
            let max = self.options.max_input_chars;
            return Ok(Decision::Reject(Rejection::new(
                400,
                format!(
                    "The input is longer than {max} characters, the most that is moderated (option `max_input_chars`)"
                ),
            )));
        }
        for part in parts(&input) {
            let objection = match judge.ask(part, None) {
                Ok(objection) => objection,
                Err(error) => return judge.refuse(error),
            };
            if let Some(rejection) = objection.and_then(|it| judge.object(it, "input")) {
                return Ok(Decision::Reject(rejection));
            }
        }
        Ok(Decision::Pass)
    }

    fn stream(&mut self, _: &Generation, _: u16) -> Result<Box<dyn Stream>, Error> {
        let min_chars = match self.options.output {
            Output::Off => return Ok(Box::new(Untouched)),
            Output::Passages => Some(self.options.passage_chars),
            Output::Whole => None,
        };
        let judge = self.judge.clone()?;
        Ok(Box::new(Passages::new(judge, self.question.clone(), min_chars)))
    }
}

/// All that a message says, the results of tools too.
fn text(message: &Message) -> String {
    let mut texts = Vec::new();
    for part in &message.parts {
        match &part.content {
            Content::Text(text) | Content::Refusal(text) => texts.push(text.as_str()),
            Content::ToolCall(call) => texts.push(&call.arguments),
            Content::ToolResult(result) => {
                texts.extend(result.parts.iter().filter_map(|part| match part {
                    ToolResultPart::Text(text) => Some(text.as_str()),
                    ToolResultPart::Other(other) => Some(&other.json),
                    ToolResultPart::Media(_) => None,
                }));
            }
            // Search results and documents in blocks; a model's own are what a provider made.
            Content::Other(other) if message.role == Role::User => texts.push(&other.json),
            _ => {}
        }
    }
    texts.join("\n")
}

/// The text in parts that a model can be shown.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(PART_CHARS).map_or(rest.len(), |(at, _)| at);
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        parts.push(part);
        rest = after;
    }
    parts
}

/// The last part of a long question.
fn end_of(text: &str) -> String {
    parts(text).last().copied().unwrap_or_default().to_owned()
}

/// A stream that nobody looks at.
struct Untouched;

impl Stream for Untouched {
    fn interest(&self) -> Interest {
        Interest::empty()
    }

    fn push(&mut self, _: Vec<Delta>) -> Result<Verdict, Error> {
        Ok(Verdict::Pass)
    }
}

const PART_CHARS: usize = 8_000;

patchbay_sdk::export!(Moderation: request, stream);

const OPTIONS: &str = include_str!("options.json");

patchbay_sdk::cases![
    "cases/all_messages.json",
    "cases/categories.json",
    "cases/flag.json",
    "cases/in_parts.json",
    "cases/json_flagged.json",
    "cases/json_scores.json",
    "cases/output_passages.json",
    "cases/output_second_passage.json",
    "cases/output_unsafe.json",
    "cases/output_whole.json",
    "cases/safe.json",
    "cases/too_long.json",
    "cases/unsafe.json",
    "cases/unserved.json",
    "cases/user_only.json",
];

#[cfg(test)]
mod tests {
    use super::{CASES, Moderation, parts};
    use patchbay_sdk::catalog::Model;
    use patchbay_sdk::testing::{Facts, Failures, asked, check, generation, kit};
    use patchbay_sdk::{
        Content, Decision, Error, Message, Other, Part, Plugin, Rejection, Request, Role,
    };

    #[test]
    fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
        check::<Moderation>(env!("CARGO_MANIFEST_DIR"), CASES)
    }

    fn moderation(options: &str) -> Result<Moderation, Error> {
        Moderation::new(&generation(Facts { options: options.into(), ..Facts::default() }))
    }

    #[test]
    fn without_a_model_the_error_names_the_setting() {
        let mut plugin = moderation("{}").unwrap();
        let request = Request::new("test/model");
        let decision = plugin.on_request(&generation(Facts::default()), request);
        let Ok(Decision::Reject(Rejection { status: 400, message: reason, .. })) = decision else {
            panic!("{decision:?}")
        };
        assert!(reason.contains("`model` is not set") && reason.contains("[plugin.moderation]"));
    }

    #[test]
    fn a_verdict_that_cannot_be_read_and_a_model_that_fails_are_errors() {
        let request = || Request::new("test/model").message(Message::user("Hello"));
        let no_verdict = "I'd rather not say.";
        let gone = Error::Upstream("gone".into());
        kit().model(no_verdict).model("\n").model_fails(gone).model(no_verdict);
        let table = [
            (
                "meta/llama-guard",
                "`conversation`, gave no verdict: set `format` to `instructions`, which",
            ),
            ("meta/llama-guard", "wrote nothing within 500 tokens: raise `max_tokens`"),
            ("meta/llama-guard", "gone"),
            ("a/chat", "`instructions`, gave no verdict: set `format` to `conversation`, which"),
        ];
        for (model, expected) in table {
            let mut plugin = moderation(&format!(r#"{{"model":"{model}"}}"#)).unwrap();
            let error = plugin.on_request(&generation(Facts::default()), request()).unwrap_err();
            assert!(error.reason().contains(expected), "{error}");
        }
    }

    /// Why a request is refused as the client's mistake.
    fn refusal(options: &str) -> String {
        let request = Request::new("test/model").message(Message::user("Hello"));
        let decision =
            moderation(options).unwrap().on_request(&generation(Facts::default()), request);
        let Ok(Decision::Reject(Rejection { status: 400, message, .. })) = decision else {
            panic!("{decision:?}")
        };
        message
    }

    #[test]
    fn a_model_that_cannot_be_asked_is_refused_with_those_that_can() {
        let kit = || kit().catalog(Model::new("a/chat")).catalog(Model::new("b/llama-guard"));
        kit().model_fails(Error::Options("no such model".into()));
        let told = refusal(r#"{"model":"acme/none"}"#);
        let expected = "`acme/none` is not served here for text. Name `b/llama-guard` or `a/chat`";
        assert!(told.contains(expected), "{told}");
        kit();
        let told = refusal(r#"{"model":"acme/none","input":false,"output":"whole"}"#);
        assert!(told.contains(expected), "{told}");
        kit().model_fails(Error::Denied("`a/chat` was not granted: add it".into()));
        assert!(refusal(r#"{"model":"a/chat"}"#).contains("`a/chat` was not granted"));
    }

    #[test]
    fn options_that_leave_nothing_to_do_are_refused() {
        let told = refusal(r#"{"model":"a/chat","input":false}"#);
        assert!(told.contains("neither requests nor replies are looked at"), "{told}");
        let told = refusal(r#"{"model":"a/chat","prompt":"No cats.","format":"conversation"}"#);
        assert!(told.contains("is not shown `prompt`"), "{told}");
    }

    #[test]
    fn models_made_for_it_see_the_conversation_and_others_are_instructed() {
        let roles = |model: &str| {
            kit().model("safe");
            let mut plugin = moderation(&format!(r#"{{"model":"{model}"}}"#)).unwrap();
            let request = Request::new("test/model").message(Message::user("Hello"));
            plugin.on_request(&generation(Facts::default()), request).unwrap();
            let messages = asked().remove(0).messages;
            messages.iter().map(|message| message.role).collect::<Vec<_>>()
        };
        assert_eq!(roles("meta-llama/llama-guard-4-12b"), [Role::User]);
        assert_eq!(roles("openai/gpt-oss-safeguard-20b"), [Role::System, Role::User]);
        assert_eq!(roles("openai/gpt-4o-mini"), [Role::System, Role::User]);
    }

    #[test]
    fn a_users_block_of_a_surfaces_own_is_shown() {
        kit().model("safe");
        let json = r#"{"type":"search_result","content":[{"text":"bad words"}]}"#.to_owned();
        let block = Content::Other(Other { kind: "anthropic-messages".to_owned(), json });
        let message = Message::user("Hello").part(Part::new(block));
        let mut plugin = moderation(r#"{"model":"a/chat"}"#).unwrap();
        let request = Request::new("test/model").message(message);
        plugin.on_request(&generation(Facts::default()), request).unwrap();
        assert!(asked().remove(0).messages[1].text().contains("bad words"));
    }

    #[test]
    fn a_long_input_is_shown_in_parts() {
        let text = "é".repeat(20_000);
        let lengths: Vec<usize> = parts(&text).iter().map(|part| part.chars().count()).collect();
        assert_eq!(lengths, [8_000, 8_000, 4_000]);
    }
}
