//! `patchbay/sim`, the model that needs no key: what its text, thought and tool calls look like to
//! a client, and that it never passes for a real one.

use serde_json::{Value, json};

use crate::harness::Gateway;
use crate::told::Told;

const THOUGHT: &str = "The person wants a short answer, so this will be one.";
const SAID: &str = "Hello from Patchbay's simulated model. You said: Good morning";

fn ask(more: &Value) -> Value {
    let messages = json!([{"role": "user", "content": "Good morning"}]);
    let mut ask = json!({"model": "patchbay/sim", "messages": messages});
    ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ask
}

/// The reply, which must be the same streamed and not.
async fn told(gateway: &Gateway, ask: &Value) -> Told {
    let (status, reply) = gateway.chat(ask).await;
    assert_eq!(status, 200, "{reply}");
    let streamed = gateway.stream(ask).await;
    for named in streamed.chunks.iter().chain([&reply]) {
        assert_eq!(named["provider"], "Patchbay (simulated)", "{named}");
        assert_eq!(named["model"], "patchbay/sim", "{named}");
    }
    let whole = Told::whole(&reply);
    assert_eq!(Told::streamed(&streamed), whole);
    assert_eq!(whole.cost, 0.0, "nobody pays for a simulation");
    whole
}

#[tokio::test]
async fn it_thinks_aloud_unless_asked_otherwise() {
    let gateway = Gateway::start("").await;
    let told = told(&gateway, &ask(&json!({}))).await;
    assert_eq!(told.text, format!("<think>{THOUGHT}</think>\n\n{SAID}"));
    assert_eq!((told.reasoning.as_str(), told.finish.as_str()), ("", "stop"));
}

#[tokio::test]
async fn it_streams_in_pieces() {
    let gateway = Gateway::start("").await;
    let streamed = gateway.stream(&ask(&json!({}))).await;
    let pieces = streamed.chunks.iter().filter(|chunk| {
        chunk["choices"][0]["delta"]["content"].as_str().is_some_and(|text| !text.is_empty())
    });
    assert!(pieces.count() > 10, "{streamed:?}");
}

#[tokio::test]
async fn its_think_block_becomes_reasoning_with_the_shipped_plugin() {
    let gateway = Gateway::start("").await;
    let told = told(&gateway, &ask(&json!({"plugins": [{"id": "reasoning"}]}))).await;
    assert_eq!(told.text, SAID);
    assert_eq!(told.reasoning, THOUGHT);
    assert_eq!(told.finish, "stop");
}

#[tokio::test]
async fn its_thought_is_left_out_where_the_request_excludes_it() {
    let gateway = Gateway::start("").await;
    let options = json!({"plugins": [{"id": "reasoning"}], "reasoning": {"exclude": true}});
    let told = told(&gateway, &ask(&options)).await;
    assert_eq!((told.text.as_str(), told.reasoning.as_str()), (SAID, ""));
    assert!(told.details.is_empty(), "{told:?}");
}

#[tokio::test]
async fn asked_for_reasoning_it_uses_the_field() {
    let gateway = Gateway::start("").await;
    for reasoning in [json!({"effort": "high"}), json!({"enabled": true})] {
        let told = told(&gateway, &ask(&json!({"reasoning": reasoning}))).await;
        assert_eq!((told.text.as_str(), told.reasoning.as_str()), (SAID, THOUGHT));
        assert!(told.counts.reasoning > 0, "{told:?}");
    }
}

#[tokio::test]
async fn given_a_tool_it_calls_it_and_then_says_what_it_answered() {
    let gateway = Gateway::start("").await;
    let properties = json!({"city": {"type": "string"}, "days": {"type": "integer"}});
    let parameters = json!({"type": "object", "properties": properties});
    let function = json!({"name": "get_weather", "parameters": parameters});
    let mut ask = ask(&json!({"tools": [{"type": "function", "function": function}]}));
    let called = told(&gateway, &ask).await;
    assert_eq!(called.finish, "tool_calls");
    let [call] = called.calls.as_slice() else { panic!("{called:?}") };
    assert_eq!(call.name, "get_weather");
    assert_eq!(call.arguments, json!({"city": "example", "days": 1}));
    let messages = ask["messages"].as_array_mut().unwrap();
    messages.push(called.message());
    messages.push(json!({"role": "tool", "tool_call_id": call.id, "content": "rain"}));
    let told = told(&gateway, &ask).await;
    assert!(told.text.ends_with("The tool says: rain"), "{told:?}");
    assert!(told.calls.is_empty() && told.finish == "stop", "{told:?}");
}

#[tokio::test]
async fn it_is_marked_as_simulated_wherever_it_is_listed() {
    let gateway = Gateway::start("").await;
    let (status, listed) = gateway.get("/models").await;
    assert_eq!(status, 200, "{listed}");
    let is_sim = |model: &&Value| model["id"] == "patchbay/sim";
    let listed = listed["data"].as_array().unwrap().iter().find(is_sim).unwrap().clone();
    for field in ["name", "description"] {
        let text = listed[field].as_str().unwrap().to_lowercase();
        assert!(text.contains("simulated"), "{field}: {listed}");
    }
    let ready = gateway.printed.lines().find(|line| line.starts_with("Ready:")).unwrap();
    assert!(ready.contains("patchbay/sim (simulated)"), "{ready}");
}
