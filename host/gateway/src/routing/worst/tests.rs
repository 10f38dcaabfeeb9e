//! Holds against what providers were seen to bill.

use std::sync::Arc;

use bytes::Bytes;
use wire::{Message, Role, Source, Tool};

use super::*;
use crate::config::Config;
use crate::config::catalog::Catalog;

/// At a dollar for a token read and none for what is written, dollars are tokens of prompt.
const CATALOG: &str = r#"
[[provider]]
slug = "acme"
dialect = "openai-chat"
base_url = "http://127.0.0.1:1"
credential = "none"
[[model]]
id = "acme/small"
context_length = 200000
[[model.endpoint]]
provider = "acme"
model = "small"
price = { prompt = "1000000", completion = "0" }
[[model]]
id = "acme/embed"
context_length = 1000
output_modalities = ["embeddings"]
[[model.endpoint]]
provider = "acme"
model = "embed"
price = { prompt = "1000000", completion = "0" }
"#;

fn catalog() -> Catalog {
    Catalog::build(&Config::parse(CATALOG).unwrap(), |_| None).unwrap()
}

fn step(catalog: &Catalog, id: &str) -> Step {
    Step { model: id.into(), endpoint: Arc::clone(&catalog.models[id].endpoints[0]) }
}

/// Tokens of prompt that are held for a request with a body of that size.
fn held(request: &Request, body_bytes: usize) -> i64 {
    let plan = Plan { steps: vec![step(&catalog(), "acme/small")] };
    let worst = plan.cost_max(request, body_bytes, &Config::default().billing);
    worst.nanos() / 1_000_000_000
}

fn request(parts: Vec<Part>) -> Request {
    let message = Message { role: Role::User, name: None, parts, extra: wire::Extra::default() };
    let source = Some(Source { dialect: "openai-chat", bytes: Bytes::new() });
    Request { messages: vec![message], source, ..Request::default() }
}

fn media(kind: MediaKind, base64_bytes: usize) -> Part {
    let data = MediaData::Inline { mime: "a/b".to_owned(), base64: "A".repeat(base64_bytes) };
    Part::new(Content::Media(Media { kind, data, name: None, detail: None }))
}

#[test]
fn no_text_costs_more_than_is_held_for_it() {
    // One token a byte, which two bytes to a token would not cover.
    for text in ["\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}".repeat(100), "中文".repeat(300)] {
        let tokens = tokens::count("openai/gpt-4", &text).tokens;
        let request = request(vec![Part::text(&text)]);
        assert!(held(&request, text.len()) >= i64::try_from(tokens).unwrap());
    }
    assert_eq!(held(&request(vec![Part::text("hi")]), 100), 116);
}

#[test]
fn never_more_than_the_context_is_held() {
    assert_eq!(held(&request(vec![Part::text("hi")]), 30_000_000), 200_000);
}

#[test]
fn a_tool_brings_more_than_its_text() {
    let mut request = request(vec![]);
    request.tools = vec![Tool::Function {
        name: "f".to_owned(),
        description: None,
        parameters: None,
        strict: None,
        cache_control: None,
    }];
    assert_eq!(held(&request, 100), 100 + 2 * 16 + 1000);
}

#[test]
fn an_image_is_held_for_by_its_pixels_and_not_its_bytes() {
    let large = request(vec![media(MediaKind::Image, 3_000_000)]);
    assert_eq!(held(&large, 3_000_100), 100 + 16 + 50_000);
    let mut in_result = request(vec![Part::new(Content::ToolResult {
        call_id: "c".to_owned(),
        parts: vec![media(MediaKind::Image, 10)],
        is_error: false,
    })]);
    assert_eq!(held(&in_result, 110), 100 + 16 + 50_000);
    // Written anew by a plugin, it does not stand in the client's body.
    in_result.source = None;
    assert_eq!(held(&in_result, 110), 110 + 16 + 50_000);
}

#[test]
fn a_file_may_fill_the_context_whatever_its_size() {
    for kind in [MediaKind::Audio, MediaKind::Video, MediaKind::File] {
        assert_eq!(held(&request(vec![media(kind, 10)]), 100), 200_000, "{kind:?}");
    }
}

#[test]
fn what_is_paid_by_the_piece_is_held_for() {
    let plan = Plan { steps: vec![step(&catalog(), "acme/small")] };
    let most = plan.errand_cost_max(|endpoint| Counts {
        prompt: u64::from(endpoint.context_length),
        images: 1000,
        ..Counts::default()
    });
    assert_eq!(most.nanos() / 1_000_000_000, 200_000);
}

#[test]
fn a_prompt_that_is_sent_once_for_each_choice_is_held_for_as_often() {
    let mut several = request(vec![Part::text("hi")]);
    several.sampling.n = Some(3);
    assert_eq!(held(&several, 100), 116);
    let alone = CATALOG.replacen(
        "credential = \"none\"",
        "credential = \"none\"\nquirks = { no_n = true }",
        1,
    );
    let catalog = Catalog::build(&Config::parse(&alone).unwrap(), |_| None).unwrap();
    let plan = Plan { steps: vec![step(&catalog, "acme/small")] };
    let worst = plan.cost_max(&several, 100, &Config::default().billing);
    assert_eq!(worst.nanos() / 1_000_000_000, 3 * 116);
}
