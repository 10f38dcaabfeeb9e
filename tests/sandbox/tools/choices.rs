//! The client's own tools beside those of plugins, and what it chooses.

use serde_json::json;
use wire::{FinishReason, ToolCall, ToolChoice};

use super::{
    AFTER, BEFORE, CALL, LOOK, OFFER, Turn, chat, request, sent, start, text, turns, ways, weather,
};
use crate::conversation::Upstream;

/// A call of the client's tool.
const WEATHER: (&str, &str, &str) = ("call_2", "get_weather", r#"{"city":"Zürich"}"#);

const BOTH: [Upstream; 2] = [Upstream::Openai, Upstream::Anthropic];

fn is_weather(calls: &[ToolCall]) -> bool {
    let [call] = calls else { return false };
    let arguments: serde_json::Value = serde_json::from_str(&call.arguments).unwrap();
    (call.name.as_str(), arguments) == ("get_weather", json!({"city": "Zürich"}))
}

#[tokio::test]
async fn of_mixed_calls_the_client_sees_its_own() {
    let (double, gateway) = start("").await;
    let mixed = Turn { calls: &[CALL, WEATHER], ..LOOK };
    for upstream in BOTH {
        double.script(upstream.name(), &turns(upstream, mixed)).await;
        for (surface, stream) in ways() {
            let place = format!("{} on {} ({stream})", upstream.name(), surface.dialect.name());
            let before = sent(&double, upstream, 0).await.len();
            let mut asked = request(&surface, upstream, stream);
            asked.tools.push(weather());
            let told = surface.ask(&gateway, &asked, &json!({})).await;
            let choice = &told.reply.choices[0];
            assert!(is_weather(&choice.tool_calls), "{place}: {}", told.body);
            let reason = choice.finish.as_ref().map(|(reason, _)| *reason);
            assert_eq!(reason, Some(FinishReason::ToolCalls), "{place}: {}", told.body);
            assert_eq!(text(&told), BEFORE, "{place}");
            assert!(!told.body.contains("lookup"), "{place}: {}", told.body);
            assert_eq!(sent(&double, upstream, before).await.len(), 1, "{place}");
        }
    }
    let mut body = chat(Upstream::Openai, &json!({}));
    body["tools"] = json!([{"type": "test:lookup"},
        {"type": "function", "function": {"name": "get_weather", "parameters": {}}}]);
    let streamed = gateway.stream(&body).await;
    let calls = streamed
        .chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0]["index"].as_u64());
    assert!(calls.clone().next().is_some());
    assert!(calls.into_iter().all(|index| index == 0), "{streamed:?}");
    assert_eq!(streamed.finishes(), ["tool_calls"]);
}

#[tokio::test]
async fn a_later_round_may_call_the_clients_tool() {
    let (double, gateway) = start("").await;
    let call = Turn { thought: "", text: AFTER, calls: &[WEATHER] };
    for upstream in BOTH {
        let result = Some(upstream.result_mark());
        let script = upstream.script(&[(result, call), (Some(OFFER), LOOK)]);
        double.script(upstream.name(), &script).await;
        for (surface, stream) in ways() {
            let place = format!("{} on {} ({stream})", upstream.name(), surface.dialect.name());
            let mut asked = request(&surface, upstream, stream);
            asked.tools.push(weather());
            let told = surface.ask(&gateway, &asked, &json!({})).await;
            let choice = &told.reply.choices[0];
            assert!(is_weather(&choice.tool_calls), "{place}: {}", told.body);
            let reason = choice.finish.as_ref().map(|(reason, _)| *reason);
            assert_eq!(reason, Some(FinishReason::ToolCalls), "{place}: {}", told.body);
            assert_eq!(text(&told), format!("{BEFORE}{AFTER}"), "{place}: {}", told.body);
        }
    }
}

#[tokio::test]
async fn a_choice_that_demands_a_call_holds_for_the_first_round() {
    let (double, gateway) = start("").await;
    for (surface, stream) in ways() {
        let before = sent(&double, Upstream::Openai, 0).await.len();
        let mut asked = request(&surface, Upstream::Openai, stream);
        asked.tools.push(weather());
        asked.tool_choice = Some(ToolChoice::Required);
        let told = surface.ask(&gateway, &asked, &json!({})).await;
        assert_eq!(text(&told), format!("{BEFORE}{AFTER}"), "{}", told.body);
        let sent = sent(&double, Upstream::Openai, before).await;
        let choices: Vec<_> = sent.iter().map(|body| &body["tool_choice"]).collect();
        assert_eq!(choices, ["required", "auto"]);
    }
}

#[tokio::test]
async fn the_tool_itself_can_be_chosen() {
    let (double, gateway) = start("").await;
    let body = chat(Upstream::Openai, &json!({"tool_choice": {"type": "test:lookup"}}));
    let (status, reply) = gateway.chat(&body).await;
    assert_eq!(status, 200, "{reply}");
    let sent = sent(&double, Upstream::Openai, 0).await;
    let chosen = json!({"type": "function", "function": {"name": "lookup"}});
    assert_eq!((&sent[0]["tool_choice"], &sent[1]["tool_choice"]), (&chosen, &json!("auto")));
}

#[tokio::test]
async fn a_name_that_the_client_has_too_is_refused() {
    let (double, gateway) = start("").await;
    let own = json!({"type": "function", "function": {"name": "lookup", "parameters": {}}});
    let lookup = json!({"type": "test:lookup"});
    for tools in [
        json!([lookup, own]),
        json!([own, lookup]),
        json!([lookup, lookup]),
        json!([{"type": "test:lookup", "functions": ["lookup", "lookup"]}]),
    ] {
        let (status, body) = gateway.chat(&chat(Upstream::Openai, &json!({"tools": tools}))).await;
        let message = body["error"]["message"].as_str().unwrap();
        assert_eq!(status, 400, "{body}");
        for words in ["tools: ", "`caller`", "`lookup`"] {
            assert!(message.contains(words), "{message}");
        }
    }
    assert_eq!(double.log(Upstream::Openai.name()).await, json!([]));
}
