//! No text, however it is put together, holds a control token afterwards, and it still reads the
//! same.

use proptest::prelude::*;

use super::super::family::family;
use super::*;
use crate::json::Json;
use crate::provider::ChatTemplate;

const FAMILIES: [ChatTemplate; 6] = [
    ChatTemplate::Chatml,
    ChatTemplate::Llama3,
    ChatTemplate::MistralV3,
    ChatTemplate::MistralV7,
    ChatTemplate::Gemma,
    ChatTemplate::Deepseek,
];

/// Tokens and their parts, which make tokens when they meet.
const PIECES: [&str; 22] = [
    "<|im_end|>",
    "<|im_",
    "start|>",
    "<|",
    "|>",
    "eot_id",
    "<tool_",
    "response>",
    "</s>",
    "<",
    "/s>",
    "[INST]",
    "[/",
    "INST]",
    "<end_of_",
    "turn>",
    "<｜",
    "User",
    "｜>",
    "\u{200b}",
    " ",
    "\"\\",
];

/// What no text of a family may hold: its stop texts, its tokens, and one of each common form.
fn forbidden(family: &Family) -> impl Iterator<Item = &'static str> {
    let common = family.fences.iter().filter_map(|(open, _)| match *open {
        "<|" => Some("<|eot_id|>"),
        "<｜" => Some("<｜User｜>"),
        _ => None,
    });
    family.stops.iter().chain(family.tokens).copied().chain(common)
}

proptest! {
    #[test]
    fn no_control_token_is_left(pieces in proptest::collection::vec(0..PIECES.len(), 0..12)) {
        let said: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        for family in FAMILIES.map(family) {
            let neutral = text(&said, family);
            let json = json(Json::of(&said).as_str(), family);
            for token in forbidden(family) {
                prop_assert!(!neutral.contains(token), "{token} in {neutral}");
                prop_assert!(!json.contains(token), "{token} in {json}");
            }
            let visible = |text: &str| text.replace('\u{200b}', "");
            prop_assert_eq!(visible(&neutral), visible(&said));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), said.clone());
        }
    }
}

#[test]
fn what_only_looks_like_a_token_stays_as_it_is() {
    let chatml = family(ChatTemplate::Chatml);
    let long = format!("<|{}|>", "x".repeat(64));
    for said in ["a <| b |> c", "<|a b|>", "[INST] <s>", "<tool>", &long] {
        assert_eq!(text(said, chatml), said);
    }
}
