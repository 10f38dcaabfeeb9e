//! Two rounds that are one reply.

use serde_json::{Value, json};
use wire::FinishReason;

use super::{AFTER, ANSWER, BEFORE, LOOK, OFFER, chat, request, round, sent, start, text, ways};
use crate::conversation::Upstream;
use crate::harness::{Gateway, Streamed};
use crate::sandbox::caller::{charged, nanos, record};

/// How often the end of a good reply stands in a body.
fn ends(surface: &str, stream: bool, body: &str) -> usize {
    let end = match (surface, stream) {
        ("openai-chat", _) => r#""finish_reason":"stop""#,
        ("openai-responses", true) => "event: response.completed",
        ("openai-responses", false) => r#""status":"completed","error""#,
        _ => r#""stop_reason":"end_turn""#,
    };
    body.matches(end).count()
}

/// The id of the call and that of the result in what the model is told, and the result itself.
fn call_and_result(upstream: Upstream, body: &Value) -> (Value, Value, Value) {
    match upstream {
        Upstream::Openai => {
            let messages = body["messages"].as_array().unwrap();
            let [.., call, result] = messages.as_slice() else { panic!("{body}") };
            assert_eq!(call["content"], BEFORE, "{body}");
            assert_eq!(call["tool_calls"][0]["function"]["name"], "lookup", "{body}");
            let ids = (call["tool_calls"][0]["id"].clone(), result["tool_call_id"].clone());
            (ids.0, ids.1, result["content"].clone())
        }
        Upstream::Anthropic => {
            let messages = body["messages"].as_array().unwrap();
            let [.., call, result] = messages.as_slice() else { panic!("{body}") };
            assert_eq!(call["content"][0]["text"], BEFORE, "{body}");
            let (call, result) = (&call["content"][1], &result["content"][0]);
            assert_eq!(call["name"], "lookup", "{body}");
            let given = &result["content"];
            let given = given.get(0).map_or(given.clone(), |part| part["text"].clone());
            (call["id"].clone(), result["tool_use_id"].clone(), given)
        }
        Upstream::Gemini => {
            let contents = body["contents"].as_array().unwrap();
            let [.., call, result] = contents.as_slice() else { panic!("{body}") };
            let call = &call["parts"][1]["functionCall"];
            let result = &result["parts"][0]["functionResponse"];
            let given = result["response"].as_object().unwrap().values().next().unwrap();
            (call["name"].clone(), result["name"].clone(), given.clone())
        }
    }
}

#[tokio::test]
async fn a_tool_of_a_plugin_is_run_and_the_client_sees_one_reply() {
    let (double, gateway) = start("").await;
    for upstream in Upstream::ALL {
        let one = round(&gateway, upstream).await;
        for (surface, stream) in ways() {
            let place = format!("{} on {} ({stream})", upstream.name(), surface.dialect.name());
            let before = (charged(&gateway).await, sent(&double, upstream, 0).await.len());
            let asked = request(&surface, upstream, stream);
            let told = surface.ask(&gateway, &asked, &json!({})).await;

            assert_eq!((told.status, &told.failure), (200, &None), "{place}: {}", told.body);
            assert_eq!(text(&told), format!("{BEFORE}{AFTER}"), "{place}: {}", told.body);
            let choice = &told.reply.choices[0];
            assert_eq!(choice.tool_calls, [], "{place}: {}", told.body);
            assert!(!told.body.contains("lookup"), "{place}: {}", told.body);
            let reason = choice.finish.as_ref().map(|(reason, _)| *reason);
            assert_eq!(reason, Some(FinishReason::Stop), "{place}: {}", told.body);
            assert_eq!(ends(surface.dialect.name(), stream, &told.body), 1, "{place}");
            let usage = &told.reply.usage;
            assert_eq!((usage.prompt, usage.completion), (Some(240), Some(120)), "{place}");
            assert_eq!(charged(&gateway).await, before.0 + 2 * one, "{place}");

            let asked = sent(&double, upstream, before.1).await;
            assert_eq!(asked.len(), 2, "{place}");
            assert!(!asked[0].to_string().contains("test:lookup"), "{place}: {}", asked[0]);
            assert!(asked.iter().all(|body| body.to_string().contains(OFFER)), "{place}");
            let (call, result, given) = call_and_result(upstream, &asked[1]);
            assert_eq!(call, result, "{place}: {}", asked[1]);
            assert_eq!(given, "forty-two", "{place}: {}", asked[1]);
        }
    }
}

#[tokio::test]
async fn both_rounds_stand_on_one_bill() {
    let (_double, gateway) = start("").await;
    let one = round(&gateway, Upstream::Openai).await;
    let before = charged(&gateway).await;
    let (status, whole) = gateway.chat(&chat(Upstream::Openai, &json!({}))).await;
    assert_eq!(status, 200, "{whole}");
    let streamed = gateway.stream(&chat(Upstream::Openai, &json!({}))).await;
    assert_eq!(streamed.finishes(), ["stop"]);
    for reply in [&whole, streamed.chunks.last().unwrap()] {
        let usage = &reply["usage"];
        assert_eq!((&usage["prompt_tokens"], &usage["total_tokens"]), (&json!(240), &json!(360)));
        assert_eq!(nanos(&usage["cost"]), 2 * one, "{reply}");
        let record = record(&gateway, reply["id"].as_str().unwrap()).await;
        assert_eq!(nanos(&record["total_cost"]), 2 * one, "{record}");
        assert_eq!(record["native_tokens_prompt"], 240, "{record}");
        assert_eq!(record["finish_reason"], "stop", "{record}");
        assert_eq!(record["provider_responses"].as_array().unwrap().len(), 2, "{record}");
        assert_eq!(record["plugins"][0]["id"], "caller", "{record}");
    }
    assert_eq!(charged(&gateway).await, before + 4 * one);
}

/// Reads a body until it holds this.
async fn read_until(response: &mut reqwest::Response, wanted: &str) -> String {
    let mut read = String::new();
    while !read.contains(wanted) {
        let Some(bytes) = response.chunk().await.unwrap() else { panic!("it ended: {read}") };
        read.push_str(&String::from_utf8_lossy(&bytes));
    }
    read
}

/// The rest of it.
async fn rest(mut response: reqwest::Response, mut read: String) -> Streamed {
    while let Some(bytes) = response.chunk().await.unwrap() {
        read.push_str(&String::from_utf8_lossy(&bytes));
    }
    Streamed::read(&read)
}

async fn post(gateway: &Gateway) -> reqwest::Response {
    gateway.post(&chat(Upstream::Openai, &json!({"stream": true}))).await
}

#[tokio::test]
async fn what_the_model_says_before_its_call_does_not_wait_for_the_rest() {
    let (double, gateway) = start("").await;
    let mut script = super::looks(Upstream::Openai);
    script["stream"][0]["gate_after"] = json!(0);
    double.script(Upstream::Openai.name(), &script).await;
    let mut response = post(&gateway).await;
    let read = read_until(&mut response, "look. ").await;
    assert!(!read.contains("forty-two"), "{read}");
    double.release(Upstream::Openai.name()).await;
    let streamed = rest(response, read).await;
    assert_eq!(streamed.joined("content"), format!("{BEFORE}{AFTER}"));
    assert!(streamed.is_done);
}

#[tokio::test]
async fn a_model_may_call_as_often_as_it_likes_and_several_tools_at_once() {
    let (double, gateway) = start("").await;
    let both = [("a", "lookup", r#"{"say":"first"}"#), ("b", "second", r#"{"say":"other"}"#)];
    let again = [("c", "lookup", r#"{"say":"third"}"#)];
    let first = super::Turn { calls: both.as_slice().to_vec().leak(), ..LOOK };
    let again = super::Turn { text: "Once more. ", calls: again.to_vec().leak(), ..LOOK };
    let script = Upstream::Openai.script(&[
        (Some(r#""third""#), ANSWER),
        (Some(r#""tool_call_id":"b""#), again),
        (None, first),
    ]);
    double.script(Upstream::Openai.name(), &script).await;
    let tools = json!([{"type": "test:lookup", "functions": ["lookup", "second"]}]);
    let body = chat(Upstream::Openai, &json!({"tools": tools}));
    for _ in 0..2 {
        let (status, whole) = gateway.chat(&body).await;
        let said = format!("{BEFORE}Once more. {AFTER}");
        assert_eq!((status, &whole["choices"][0]["message"]["content"]), (200, &json!(said)));
        assert_eq!(gateway.stream(&body).await.joined("content"), said);
    }
    let asked = sent(&double, Upstream::Openai, 0).await;
    assert_eq!(asked.len(), 12);
    let given = |at: usize| {
        let messages = asked[at]["messages"].as_array().unwrap();
        let results = messages.iter().filter(|message| message["role"] == "tool");
        let told = results.map(|it| format!("{}={}", it["tool_call_id"], it["content"]));
        told.collect::<Vec<_>>()
    };
    assert_eq!(given(1), [r#""a"="first""#, r#""b"="other""#]);
    assert_eq!(given(2), [r#""a"="first""#, r#""b"="other""#, r#""c"="third""#]);
}

#[tokio::test]
async fn what_the_model_thinks_in_each_round_stays_apart() {
    let (double, gateway) = start("").await;
    for upstream in [Upstream::Openai, Upstream::Anthropic] {
        let first = super::Turn { thought: "Where is it? ", ..LOOK };
        let second = super::Turn { thought: "There it is. ", ..ANSWER };
        let result = Some(upstream.result_mark());
        double.script(upstream.name(), &upstream.script(&[(result, second), (None, first)])).await;
        for (surface, stream) in ways() {
            let place = format!("{} on {} ({stream})", upstream.name(), surface.dialect.name());
            let asked = request(&surface, upstream, stream);
            let told = surface.ask(&gateway, &asked, &json!({})).await;
            assert_eq!(text(&told), format!("{BEFORE}{AFTER}"), "{place}: {}", told.body);
            let thoughts = &told.reply.choices[0].reasoning;
            let thought: String = thoughts.iter().map(|(text, _)| text.as_str()).collect();
            assert_eq!(thought, "Where is it? There it is. ", "{place}: {}", told.body);
            let signed =
                thoughts.iter().filter_map(|(_, detail)| detail.as_ref()?.signature.as_ref());
            let wanted = if upstream == Upstream::Anthropic { 2 } else { 0 };
            assert_eq!(signed.count(), wanted, "{place}: {}", told.body);
        }
    }
}

/// A citation of these characters, as the upstream gives it.
fn citation(start: u64, end: u64) -> Value {
    json!({"type": "url_citation", "url_citation":
        {"url": "https://a.example/", "title": "A", "start_index": start, "end_index": end}})
}

/// Adds citations to an answer of the double, before the answer's end.
fn cite(script: &mut Value, answer: usize, citations: &Value) {
    script["whole"][answer]["body"]["choices"][0]["message"]["annotations"] = citations.clone();
    let events = script["stream"][answer]["sse"].as_array_mut().unwrap();
    let has_text = |event: &Value| event["choices"][0]["delta"]["content"].is_string();
    let at = events.iter().rposition(has_text).unwrap();
    let mut event = events[at].clone();
    event["choices"][0]["delta"] = json!({"annotations": citations});
    events.insert(at + 1, event);
}

#[tokio::test]
async fn citations_of_each_round_stand_where_their_text_does() {
    let (double, gateway) = start("").await;
    let upstream = Upstream::Openai;
    let mut script = super::looks(upstream);
    cite(&mut script, 0, &json!([citation(6, 15), citation(0, 0)]));
    cite(&mut script, 1, &json!([citation(4, 8)]));
    double.script(upstream.name(), &script).await;
    let before = u64::try_from(BEFORE.chars().count()).unwrap();
    let wanted = json!([citation(4, 8), citation(before + 6, before + 15), citation(0, 0)]);
    let (status, whole) = gateway.chat(&chat(upstream, &json!({}))).await;
    let told = &whole["choices"][0]["message"]["annotations"];
    assert_eq!((status, told), (200, &wanted), "{whole}");
    let streamed = gateway.stream(&chat(upstream, &json!({}))).await;
    let annotations =
        |chunk: &Value| chunk["choices"][0]["delta"]["annotations"].as_array().cloned();
    let told: Vec<Value> = streamed.chunks.iter().filter_map(annotations).flatten().collect();
    assert_eq!(json!(told), wanted);
}
