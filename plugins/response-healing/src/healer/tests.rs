//! What holds for every text, not only for those of the corpus.

use super::{Ending, Expected, Healer};
use proptest::prelude::*;
use serde_json::Value;

/// What a text becomes in these pieces, and how it ends. What follows the JSON counts as well.
fn healed<'a>(pieces: impl IntoIterator<Item = &'a str>, is_cut: bool) -> (String, Ending) {
    let mut healer = Healer::new(Expected::default());
    let mut out = String::new();
    for piece in pieces {
        healer.push(piece);
        out.push_str(&healer.take());
    }
    let ending = healer.finish(is_cut);
    out.push_str(&healer.take());
    out.push_str(healer.tail());
    (out, ending)
}

fn characters(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.char_indices().map(|(at, character)| (at, at + character.len_utf8()));
    ends.map(|(begin, end)| &text[begin..end])
}

/// Any JSON value; its strings and keys are rich in what has a meaning elsewhere.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[ -~]{0,12}",
        "([,:{}\\[\\]\"'`/#.\n ]|true|null|[a-c0-2]){0,14}",
        "(\"[a-z]{0,3}\"?:? ?|, |\\\\|\\n){0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// An object or array as text, in one of serde's two forms, perhaps with other white space.
fn json() -> impl Strategy<Value = String> {
    let root = prop_oneof![
        prop::collection::vec(value(), 0..4).prop_map(Value::from),
        prop::collection::vec(("[a-z]{1,8}|.{0,5}", value()), 0..4)
            .prop_map(|fields| Value::Object(fields.into_iter().collect())),
    ];
    (root, any::<bool>(), "[ \n\t\r]{0,3}", "[ \n]{0,3}").prop_map(
        |(value, pretty, lead, trail)| {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            format!("{lead}{text}{trail}")
        },
    )
}

/// A text made of what broken JSON is made of.
fn noise() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just("("),
        Just(")"),
        Just(","),
        Just(":"),
        Just("\""),
        Just("'"),
        Just("`"),
        Just("```json"),
        Just("“"),
        Just("”"),
        Just("\\"),
        Just("\\\""),
        Just("\\u00"),
        Just("\\n"),
        Just("\n"),
        Just(" "),
        Just("\"a\": "),
        Just("b: "),
        Just("'c': "),
        Just("12"),
        Just("-"),
        Just("1,000"),
        Just("0x1F"),
        Just("true"),
        Just("None"),
        Just("NaN"),
        Just("word"),
        Just("..."),
        Just("// c\n"),
        Just("/* c */"),
        Just("#"),
        Just("<think>"),
        Just("</think>"),
        Just("{\"x\": \""),
        Just("\"}"),
        Just("é"),
        Just("\u{feff}"),
        Just("，"),
        Just("\"\"\""),
        Just("\"y\", "),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn valid_json_goes_through_byte_for_byte_at_every_cut(text in json()) {
        prop_assert_eq!(healed([text.as_str()], false).0, text.clone());
        prop_assert_eq!(healed(characters(&text), true).0, text.clone());
        for (cut, _) in text.char_indices() {
            let (before, after) = text.split_at(cut);
            prop_assert_eq!(&healed([before, after], false).0, &text, "cut at {}", cut);
        }
    }

    #[test]
    fn every_beginning_of_valid_json_is_completed(text in json(), is_cut: bool) {
        let text = text.trim_end();
        for (cut, _) in text.char_indices().filter(|(cut, _)| !text[..*cut].trim().is_empty()) {
            let mut healer = Healer::new(Expected::default());
            healer.push(&text[..cut]);
            let ending = healer.finish(is_cut);
            // Without a word that it was cut, brackets in an open string are ambiguous.
            if is_cut || ending == Ending::Json {
                let out = healer.take();
                prop_assert!(serde_json::from_str::<Value>(&out).is_ok(), "{:?}: {}", &text[..cut], out);
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic_and_no_cut_changes_what_comes_of_it(text in noise(), is_cut: bool) {
        let whole = healed([text.as_str()], is_cut);
        prop_assert_eq!(&healed(characters(&text), is_cut), &whole);
        for (cut, _) in text.char_indices() {
            let (before, after) = text.split_at(cut);
            prop_assert_eq!(&healed([before, after], is_cut), &whole, "cut at {}", cut);
        }
    }

    #[test]
    fn what_has_no_json_stays_as_it_is(text in "[a-zA-Z0-9 .,!?'\n]{0,80}") {
        let unchanged = (text.clone(), Ending::NoJson);
        prop_assert_eq!(healed([text.as_str()], false), unchanged);
    }

    #[test]
    fn what_is_healed_is_json(text in noise(), is_cut: bool) {
        let mut healer = Healer::new(Expected::default());
        healer.push(&text);
        if healer.finish(is_cut) == Ending::Json {
            let out = healer.take();
            prop_assert!(serde_json::from_str::<Value>(&out).is_ok(), "{:?}: {}", text, out);
        }
    }
}

#[test]
fn text_that_is_certain_is_not_held() {
    let text = r#"{"title": "A walk, at last", "n": [1, 22], "ok": true}"#;
    let mut healer = Healer::new(Expected::default());
    let mut longest = 0;
    let (mut came, mut gone) = (0, 0);
    for piece in characters(text) {
        healer.push(piece);
        came += piece.len();
        gone += healer.take().len();
        longest = longest.max(came - gone);
    }
    // The longest wait is for a literal and its key: `true` may become `true-ish`.
    assert_eq!(longest, r#", "ok": true"#.len());
}

#[test]
fn hostile_texts_are_read_in_one_go() {
    // A quadratic reader would need hours for these; nothing is timed here.
    let long = 512 << 10;
    for pattern in [
        "{",
        "[",
        "\"",
        "{\"a\": \"",
        "\\",
        "{\"a\": \"x\" ",
        ", ",
        "'",
        "```",
        "{\"a\":1}",
        "\" ",
        "(",
        "[1 ",
    ] {
        let text = pattern.repeat(long / pattern.len());
        for lead in ["", "{\"a\": \"", "[\"x ", "{\"a\": "] {
            let text = format!("{lead}{text}");
            let pieces = text.as_bytes().chunks(7).map(|piece| std::str::from_utf8(piece).unwrap());
            healed(pieces, true);
        }
    }
}
