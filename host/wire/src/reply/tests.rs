//! Properties of folding, over deltas made at random.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

fn detail() -> impl Strategy<Value = ReasoningDetail> {
    let kind = prop_oneof![
        Just(ReasoningKind::Text),
        Just(ReasoningKind::Summary),
        Just(ReasoningKind::Encrypted)
    ];
    let texts = (option::of("[ab]"), option::of("[fg]"), option::of("[st]"), option::of("[de]"));
    (kind, option::of(0u32..2), texts).prop_map(|(kind, index, (id, format, signature, data))| {
        ReasoningDetail { kind, id, format, index, signature, data }
    })
}

fn json() -> impl Strategy<Value = Json> {
    "[a-z]{0,3}".prop_map(|text| Json::of(&text))
}

fn delta() -> impl Strategy<Value = Delta> {
    let choice = 0u16..3;
    let finish = prop_oneof![Just(FinishReason::Stop), Just(FinishReason::ToolCalls)];
    prop_oneof![
        choice.clone().prop_map(|choice| Delta::Role { choice, role: Role::Assistant }),
        (choice.clone(), ".{0,3}").prop_map(|(choice, text)| Delta::Text { choice, text }),
        (choice.clone(), ".{0,3}").prop_map(|(choice, text)| Delta::Refusal { choice, text }),
        (choice.clone(), ".{0,2}", option::of(detail()))
            .prop_map(|(choice, text, detail)| Delta::Reasoning { choice, text, detail }),
        (choice.clone(), 0u16..5, option::of("[ij]?"), option::of("[nm]?"), "[{}]{0,2}").prop_map(
            |(choice, index, id, name, arguments)| {
                Delta::ToolCall { choice, index, id, name, arguments }
            }
        ),
        (choice.clone(), json()).prop_map(|(choice, json)| Delta::Annotation { choice, json }),
        (choice.clone(), json()).prop_map(|(choice, json)| Delta::Image { choice, json }),
        (choice.clone(), json()).prop_map(|(choice, json)| Delta::Audio { choice, json }),
        (choice.clone(), finish, option::of("[a-z]{3}"))
            .prop_map(|(choice, reason, native)| Delta::Finish { choice, reason, native }),
        (option::of(0u64..9), option::of(0u64..9)).prop_map(|(prompt, completion)| {
            Delta::Usage(Usage { prompt, completion, ..Usage::default() })
        }),
        (option::of(choice), "[a-z]{2}", json()).prop_map(|(choice, kind, json)| Delta::Other {
            choice,
            kind,
            json
        }),
    ]
}

fn in_two(delta: &Delta) -> Vec<Delta> {
    let mut parts = [delta.clone(), delta.clone()];
    let [first, second] = &mut parts;
    match (first, second) {
        (Delta::Text { text: a, .. }, Delta::Text { text: b, .. })
        | (Delta::Refusal { text: a, .. }, Delta::Refusal { text: b, .. })
        | (Delta::ToolCall { arguments: a, .. }, Delta::ToolCall { arguments: b, .. }) => cut(a, b),
        (
            Delta::Reasoning { text: a, detail: first, .. },
            Delta::Reasoning { text: b, detail: second, .. },
        ) if second.as_ref().is_none_or(|detail| {
            detail.kind != ReasoningKind::Encrypted && detail.data.is_none()
        }) =>
        {
            cut(a, b);
            if let Some(first) = first {
                first.signature = None;
            }
            let _ = second;
        }
        _ => return vec![delta.clone()],
    }
    parts.into()
}

fn cut(first: &mut String, second: &mut String) {
    let middle = first.char_indices().nth(1).map_or(first.len(), |(at, _)| at);
    *second = first.split_off(middle);
}

proptest! {
    #[test]
    fn a_reply_is_the_fold_of_its_chunks(deltas in vec(delta(), 0..40)) {
        let reply = Reply::fold(&[Chunk::of(deltas)]);
        prop_assert_eq!(Reply::fold(&reply.chunks()), reply);
    }

    #[test]
    fn a_fold_does_not_depend_on_how_text_is_split(deltas in vec(delta(), 0..40)) {
        let whole = Reply::fold(&[Chunk::of(deltas.clone())]);
        let pieces: Vec<Chunk> = deltas.iter().flat_map(in_two).map(|d| Chunk::of(vec![d])).collect();
        prop_assert_eq!(Reply::fold(&pieces), whole);
    }
}

#[test]
fn a_signature_joins_the_thought_before_it_and_closes_it() {
    let piece = |text: &str, signature: Option<&str>| Delta::Reasoning {
        choice: 0,
        text: text.to_owned(),
        detail: Some(ReasoningDetail {
            index: Some(0),
            signature: signature.map(str::to_owned),
            ..ReasoningDetail::default()
        }),
    };
    let deltas = vec![piece("a", None), piece("b", None), piece("", Some("s")), piece("c", None)];
    let reply = Reply::fold(&[Chunk::of(deltas)]);
    let texts: Vec<&str> = reply.choices[0].reasoning.iter().map(|(text, _)| &**text).collect();
    assert_eq!(texts, ["ab", "c"]);
    assert_eq!(reply.choices[0].reasoning[0].1.as_ref().unwrap().signature.as_deref(), Some("s"));
}

#[test]
fn a_sparse_tool_call_index_leaves_no_empty_calls() {
    let call = |index: u16| Delta::ToolCall {
        choice: 0,
        index,
        id: Some(format!("call_{index}")),
        name: Some("f".to_owned()),
        arguments: "{}".to_owned(),
    };
    let reply = Reply::fold(&[Chunk::of(vec![call(u16::MAX), call(7)])]);
    let ids: Vec<&str> = reply.choices[0].tool_calls.iter().map(|call| &*call.id).collect();
    assert_eq!(ids, ["call_7", "call_65535"]);
}

mod calls;
