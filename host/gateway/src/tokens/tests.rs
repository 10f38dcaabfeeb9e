//! The counts that OpenAI publishes, texts meant to hurt, and pieces against the whole.

use wire::{
    Content, Json, Media, MediaData, MediaKind, Message, Other, Part, Request, ResponseFormat,
    Role, Tool,
};

use super::family::{Family, Vocabulary};
use super::pieces::pieces;
use super::{Count, at_most, count, count_request};

const VOCABULARIES: [Vocabulary; 2] = [Vocabulary::O200k, Vocabulary::Cl100k];

#[test]
fn published_counts_are_met() {
    // From OpenAI's cookbook, and with the odd line ends from tiktoken's own tests (which know
    // `cl100k` only): text, cl100k, o200k.
    let published = [
        ("", 0, 0),
        ("hello world", 2, 2),
        ("tiktoken is great!", 6, 6),
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 9, 8),
        ("rer", 1, 1),
        ("'rer", 2, 2),
        ("today\n ", 3, 3),
        ("today\n \n", 2, 2),
        ("today\n  \n", 2, 2),
    ];
    for (text, cl100k, o200k) in published {
        assert_eq!(count("openai/gpt-4", text), exact(cl100k), "gpt-4: {text:?}");
        assert_eq!(count("openai/gpt-4o", text), exact(o200k), "gpt-4o: {text:?}");
    }
}

#[test]
fn words_that_mark_turns_are_plain_text() {
    assert!(count("openai/gpt-4o", "<|endoftext|>").tokens > 1);
}

#[test]
fn openai_models_are_exact_and_others_are_estimated() {
    let o200k = [
        "openai/gpt-4o",
        "openai/gpt-4o:online",
        "gpt-4o-2024-08-06",
        "openrouter/openai/gpt-4.1-mini",
        "azure/gpt-4o",
        "openai/gpt-5",
        "openai/gpt-5.1-codex",
        "openai/gpt-oss-120b",
        "o1",
        "openai/o3-pro",
        "openai/o4-mini-high",
        "OpenAI/GPT-4o",
        "ft:gpt-4o-mini:org::id",
    ];
    let cl100k = [
        "openai/gpt-4",
        "gpt-4-0613",
        "openai/gpt-4-turbo",
        "gpt-3.5-turbo",
        "gpt-35-turbo",
        "text-embedding-3-small",
        "text-embedding-ada-002",
    ];
    let estimated = [
        "anthropic/claude-sonnet-4.5",
        "google/gemini-2.5-pro",
        "meta-llama/llama-3.1-8b-instruct",
        "somebody/gpt-4o",
        "openai/gpt-40",
        "gpt-4.9",
        "gpt-6",
        "o100",
        "",
        "/",
        ":",
    ];
    for model in o200k {
        let family = Family::of(model);
        assert_eq!((family.vocabulary, family.is_exact), (Vocabulary::O200k, true), "{model}");
    }
    for model in cl100k {
        let family = Family::of(model);
        assert_eq!((family.vocabulary, family.is_exact), (Vocabulary::Cl100k, true), "{model}");
    }
    for model in estimated {
        let family = Family::of(model);
        assert_eq!((family.vocabulary, family.is_exact), (Vocabulary::O200k, false), "{model}");
    }
}

#[test]
fn claude_makes_more_tokens_but_never_more_than_bytes() {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(100);
    let openai = count("openai/gpt-4o", &text).tokens;
    let claude = count("anthropic/claude-sonnet-4.5", &text);
    assert_eq!(claude, Count { tokens: (openai * 116).div_ceil(100), is_estimated: true });
    assert_eq!(count("anthropic/claude-sonnet-4.5", "\u{1}").tokens, at_most(1));
}

#[test]
fn hostile_texts_are_counted_and_a_cut_costs_next_to_nothing() {
    for (name, text) in hostile() {
        for vocabulary in VOCABULARIES {
            let whole = at_most(match vocabulary {
                Vocabulary::O200k => bpe_openai::o200k_base().count(text.as_str()),
                Vocabulary::Cl100k => bpe_openai::cl100k_base().count(text.as_str()),
            });
            let cuts = at_most(pieces(&text).count()) - 1;
            let counted = vocabulary.tokens(&text);
            assert!(
                counted.abs_diff(whole) <= cuts,
                "{name}, {vocabulary:?}: {counted} in {cuts} cuts, {whole} as a whole"
            );
            assert!(counted <= at_most(text.len()), "{name}");
        }
    }
}

#[test]
fn texts_with_words_are_cut_without_a_difference() {
    let prose =
        "It's  a line,\tand \u{a0}another!\n\n  \r\n \u{3000}Ünïcode 中文 — isn't it?\n/x\n";
    for text in [include_str!("request.rs").repeat(60), prose.repeat(6000)] {
        assert!(pieces(&text).count() > 5);
        let whole = bpe_openai::o200k_base().count(text.as_str());
        assert_eq!(Vocabulary::O200k.tokens(&text), at_most(whole));
        let whole = bpe_openai::cl100k_base().count(text.as_str());
        assert_eq!(Vocabulary::Cl100k.tokens(&text), at_most(whole));
    }
}

#[test]
fn pieces_are_bounded_and_join_to_the_text() {
    for (name, text) in hostile() {
        assert!(pieces(&text).all(|piece| piece.len() <= 64 * 1024), "{name}");
        assert_eq!(pieces(&text).collect::<String>(), text, "{name}");
        // A border early in every reach would make many small pieces; it can't be.
        assert!(pieces(&text).count() <= 2 * (text.len() / (60 * 1024)) + 2, "{name}");
    }
    assert_eq!(pieces("").count(), 0);
}

#[test]
fn conversations_count_what_openai_publishes() {
    let jargon = [
        (
            Role::System,
            None,
            "You are a helpful, pattern-following assistant that translates \
            corporate jargon into plain English.",
        ),
        (Role::System, Some("example_user"), "New synergies will help drive top-line growth."),
        (
            Role::System,
            Some("example_assistant"),
            "Things working well together \
            will increase revenue.",
        ),
        (
            Role::System,
            Some("example_user"),
            "Let's circle back when we have more bandwidth to touch base \
            on opportunities for increased leverage.",
        ),
        (
            Role::System,
            Some("example_assistant"),
            "Let's talk later when we're less busy \
            about how to do better.",
        ),
        (
            Role::User,
            None,
            "This late pivot means we don't have time to boil the \
            ocean for the client deliverable.",
        ),
    ];
    let request = Request {
        messages: jargon.map(|(role, name, text)| message(role, name, Part::text(text))).into(),
        ..Request::default()
    };
    assert_eq!(count_request("openai/gpt-4o", &request), estimate(124));
    assert_eq!(count_request("openai/gpt-4", &request), estimate(129));
}

#[test]
fn tools_count_what_openai_publishes() {
    let schema = r#"{"type":"object","properties":{
        "location":{"type":"string",
            "description":"The city and state, e.g. San Francisco, CA"},
        "unit":{"type":"string",
            "description":"The unit of temperature to return",
            "enum":["celsius","fahrenheit"]}
        },"required":["location"]}"#;
    let request = weather(schema);
    assert_eq!(count_request("openai/gpt-4o", &request), estimate(101));
    assert_eq!(count_request("openai/gpt-3.5-turbo", &request), estimate(105));

    // Models are shown descriptions without the point at their end.
    let pointed = weather(&schema.replace("CA\"", "CA.\"").replace("return\"", "return.\""));
    assert_eq!(count_request("openai/gpt-4o", &pointed), estimate(101));
}

#[test]
fn schemas_beyond_the_published_form_count_as_their_text() {
    let tokens = |schema: &str| count_request("openai/gpt-4o", &weather(schema)).tokens;
    let none = tokens(r#"{"type":"object","properties":{}}"#);
    for rich in [
        r#"{"properties":{"a":{"type":"object","properties":{"b":{"type":"string"}}}}}"#,
        r#"{"$defs":{"place":{"type":"string"}}}"#,
        r#"{"properties":[1,2,3]}"#,
        "[true]",
    ] {
        assert!(tokens(rich) > none, "{rich}");
    }
}

#[test]
fn media_are_flat_and_every_kind_of_content_counts() {
    let tokens = |part: Part| {
        let messages = vec![message(Role::User, None, part)];
        count_request("openai/gpt-4o", &Request { messages, ..Request::default() }).tokens
    };
    let empty = tokens(Part::text(""));
    let media = |kind, detail: Option<&str>| {
        tokens(Part::new(Content::Media(Media {
            kind,
            data: MediaData::Inline { mime: "x/y".to_owned(), base64: "A".repeat(100_000) },
            name: None,
            detail: detail.map(str::to_owned),
        }))) - empty
    };
    assert_eq!(media(MediaKind::Image, None), 765);
    assert_eq!(media(MediaKind::Image, Some("low")), 85);
    assert_eq!(media(MediaKind::Audio, None), 1920);
    assert_eq!(media(MediaKind::Video, None), 15_780);
    assert_eq!(media(MediaKind::File, None), 2500);

    let call = Content::ToolCall {
        id: "call_1".to_owned(),
        name: "hello".to_owned(),
        arguments: " world".to_owned(),
    };
    assert_eq!(tokens(Part::new(call)) - empty, 5);
    let result = Content::ToolResult {
        call_id: "call_1".to_owned(),
        parts: vec![Part::text("hello world")],
        is_error: false,
    };
    assert_eq!(tokens(Part::new(result)) - empty, 2);
    let thought = Content::Reasoning { text: "hello world".to_owned(), detail: None };
    assert_eq!(tokens(Part::new(thought)) - empty, 2);
    let json = Json::of(&"hello world");
    let other = Content::Other(Other { dialect: "openai-chat", json });
    assert!(tokens(Part::new(other)) > empty);
}

#[test]
fn a_schema_for_the_reply_counts() {
    let format = ResponseFormat::JsonSchema {
        name: "hello".to_owned(),
        description: None,
        schema: Some(Json::of(&true)),
        strict: None,
    };
    let request = Request { response_format: Some(format), ..Request::default() };
    assert_eq!(count_request("openai/gpt-4o", &request), estimate(3 + 1 + 1));
    assert_eq!(count_request("openai/gpt-4o", &Request::default()), estimate(3));
}

fn exact(tokens: u64) -> Count {
    Count { tokens, is_estimated: false }
}

fn estimate(tokens: u64) -> Count {
    Count { tokens, is_estimated: true }
}

fn message(role: Role, name: Option<&str>, part: Part) -> Message {
    Message {
        role,
        name: name.map(str::to_owned),
        parts: vec![part],
        extra: wire::Extra::default(),
    }
}

/// The cookbook's example with a tool.
fn weather(schema: &str) -> Request {
    let system = "You are a helpful assistant that can answer to questions about the weather.";
    let user = "What's the weather like in San Francisco?";
    Request {
        messages: vec![
            message(Role::System, None, Part::text(system)),
            message(Role::User, None, Part::text(user)),
        ],
        tools: vec![Tool::Function {
            name: "get_current_weather".to_owned(),
            description: Some("Get the current weather in a given location".to_owned()),
            parameters: Some(Json::parse(schema).unwrap()),
            strict: None,
            cache_control: None,
        }],
        ..Request::default()
    }
}

/// A megabyte each of what makes tokenizers quadratic or deep.
fn hostile() -> Vec<(&'static str, String)> {
    const SIZE: usize = 1_000_000;
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let of = |unit: &str| unit.repeat(SIZE / unit.len());
    let mut state = 1_u64;
    let mut random = |letters: &[u8]| -> String {
        let mut next = || {
            state =
                state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            usize::try_from(state >> 40).unwrap()
        };
        (0..SIZE).map(|_| char::from(letters[next() % letters.len()])).collect()
    };
    vec![
        ("one letter", of("a")),
        ("one capital", of("A")),
        ("two letters", of("ab")),
        ("spaces", of(" ")),
        ("spaces and a word", of(" ") + "x"),
        ("lines", of("\n")),
        ("spaces and lines", of("  \n")),
        ("digits", of("1")),
        ("marks", of("!")),
        ("one-letter words", of(" x")),
        ("han", of("中")),
        ("capitals and han", of("A中")),
        ("accents on nothing", of("\u{301}")),
        ("joined faces", of("👨\u{200d}")),
        ("nul", of("\0")),
        ("a border early in each reach", of(&format!("a {}", "a".repeat(65_000)))),
        ("random letters", random(b"abcdefghijklmnopqrstuvwxyz")),
        ("random bytes in base64", random(BASE64)),
    ]
}
