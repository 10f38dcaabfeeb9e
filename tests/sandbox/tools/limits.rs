//! How often the model is asked, and for the last time how.

use serde_json::{Value, json};

use super::{AFTER, ANSWER, BEFORE, LOOK, OFFER, chat, request, round, sent, start, talking};
use crate::conversation::{Turn, Upstream};
use crate::sandbox::caller::charged;

/// At most so many calls, whatever a request says.
const MOST: &str = "[plugins]\ntool_calls_max = 4\n";

/// A model that calls until it must not.
fn insists(upstream: Upstream) -> Value {
    let must_not = match upstream {
        Upstream::Openai => r#""tool_choice":"none""#,
        Upstream::Anthropic => r#""tool_choice":{"type":"none"}"#,
        Upstream::Gemini => r#""mode":"NONE""#,
    };
    upstream.script(&[(Some(must_not), ANSWER), (None, LOOK)])
}

#[tokio::test]
async fn the_last_round_must_answer() {
    let (double, gateway) = start(MOST).await;
    let one = round(&gateway, Upstream::Openai).await;
    for upstream in Upstream::ALL {
        double.script(upstream.name(), &insists(upstream)).await;
    }
    let dollars =
        |nanos: i64| serde_json::Number::from_f64(f64::from(i32::try_from(nanos).unwrap()) / 1e9);
    let when = |conditions: Value| json!({"stop_server_tools_when": conditions});
    let steps = |count: u32| json!({"type": "step_count_is", "step_count": count});
    let tool = |name: &str| json!({"type": "has_tool_call", "tool_name": name});
    let tokens = |most: u32| json!({"type": "max_tokens_used", "max_tokens": most});
    let cost = |most: i64| json!({"type": "max_cost", "max_cost_in_dollars": dollars(most)});
    let finish = |reason: &str| json!({"type": "finish_reason_is", "reason": reason});
    let cases = [
        (json!({}), 5),
        (json!({"max_tool_calls": null, "stop_server_tools_when": null}), 5),
        (json!({"max_tool_calls": 1}), 2),
        (json!({"max_tool_calls": 2}), 3),
        (when(json!([steps(2)])), 3),
        (when(json!([tool("lookup")])), 2),
        (when(json!([tool("get_weather")])), 5),
        (when(json!([tokens(60)])), 2),
        (when(json!([tokens(61)])), 3),
        (when(json!([cost(one)])), 2),
        (when(json!([cost(one + 1)])), 3),
        (when(json!([finish("tool_calls")])), 2),
        (when(json!([finish("stop")])), 5),
        // Any of them ends it, and they count instead of the number.
        (when(json!([steps(3), tokens(120)])), 3),
        (json!({"max_tool_calls": 1, "stop_server_tools_when": [steps(3)]}), 4),
    ];
    for upstream in Upstream::ALL {
        for (more, rounds) in &cases {
            let before = sent(&double, upstream, 0).await.len();
            let (status, body) = gateway.chat(&chat(upstream, more)).await;
            let said = &body["choices"][0]["message"]["content"];
            let wanted = format!("{}{AFTER}", BEFORE.repeat(*rounds - 1));
            assert_eq!((status, said), (200, &json!(wanted)), "{more}: {body}");
            let asked = sent(&double, upstream, before).await;
            assert_eq!(asked.len(), *rounds, "{more}");
            // The tools stay named, as the calls before name them too.
            assert!(asked.last().unwrap().to_string().contains(OFFER), "{more}");
        }
        let streamed = gateway.stream(&chat(upstream, &json!({"max_tool_calls": 2}))).await;
        assert_eq!(streamed.joined("content"), format!("{BEFORE}{BEFORE}{AFTER}"));
    }
}

#[tokio::test]
async fn the_clients_own_tools_stay_for_the_last_round() {
    let (double, gateway) = start(MOST).await;
    let script = Upstream::Openai.script(&[(Some(OFFER), LOOK), (None, ANSWER)]);
    double.script(Upstream::Openai.name(), &script).await;
    let own = json!({"type": "function", "function": {"name": "get_weather", "parameters": {}}});
    let more = json!({"tools": [{"type": "test:lookup"}, own], "max_tool_calls": 1});
    let (status, body) = gateway.chat(&chat(Upstream::Openai, &more)).await;
    assert_eq!(status, 200, "{body}");
    let asked = sent(&double, Upstream::Openai, 0).await;
    assert_eq!(asked.len(), 2);
    let tools = asked[1]["tools"].as_array().unwrap();
    assert_eq!((tools.len(), &tools[0]["function"]["name"]), (1, &json!("get_weather")));
}

#[tokio::test]
async fn wrong_values_are_refused_by_name() {
    let (double, gateway) = start("").await;
    let before = charged(&gateway).await;
    let cases = [
        (json!({"max_tool_calls": 0}), "max_tool_calls"),
        (json!({"max_tool_calls": 31}), "max_tool_calls"),
        (json!({"max_tool_calls": "two"}), "max_tool_calls"),
        (json!({"stop_server_tools_when": {}}), "stop_server_tools_when"),
        (json!({"stop_server_tools_when": []}), "stop_server_tools_when"),
        (json!({"stop_server_tools_when": [{"type": "it_rains"}]}), "stop_server_tools_when"),
        (json!({"stop_server_tools_when": [{"type": "step_count_is"}]}), "stop_server_tools_when"),
        (json!({"n": 2}), "n: "),
    ];
    for (more, name) in cases {
        let (status, body) = gateway.chat(&chat(Upstream::Openai, &more)).await;
        let message = body["error"]["message"].as_str().unwrap();
        assert_eq!(status, 400, "{more}: {body}");
        assert!(message.contains(name), "{more}: {message}");
    }
    for surface in talking() {
        let asked = request(&surface, Upstream::Openai, true);
        let more = json!({"stop_server_tools_when": [{"type": "it_rains"}]});
        let told = surface.ask(&gateway, &asked, &more).await;
        let failure = told.failure.unwrap();
        assert_eq!(told.status, 400, "{}", told.body);
        assert!(failure.message.contains("stop_server_tools_when"), "{}", told.body);
    }
    assert_eq!(double.log(Upstream::Openai.name()).await, json!([]));
    assert_eq!(charged(&gateway).await, before);
}

#[tokio::test]
async fn a_model_that_calls_where_it_must_not_is_not_asked_again() {
    let (double, gateway) = start(MOST).await;
    let one = round(&gateway, Upstream::Openai).await;
    let own = json!({"type": "function", "function": {"name": "get_weather", "parameters": {}}});
    for upstream in Upstream::ALL {
        double.script(upstream.name(), &upstream.script(&[(None, LOOK)])).await;
        for more in [json!({}), json!({"tools": [{"type": "test:lookup"}, own]})] {
            let before = (charged(&gateway).await, sent(&double, upstream, 0).await.len());
            let (status, body) = gateway.chat(&chat(upstream, &more)).await;
            let choice = &body["choices"][0];
            assert_eq!((status, &choice["finish_reason"]), (200, &json!("stop")), "{body}");
            assert_eq!(choice["message"]["content"], BEFORE.repeat(5), "{body}");
            assert_eq!(choice["message"].get("tool_calls"), None, "{body}");
            let streamed = gateway.stream(&chat(upstream, &more)).await;
            assert_eq!(streamed.joined("content"), BEFORE.repeat(5));
            assert_eq!(streamed.finishes(), ["stop"]);
            assert_eq!(sent(&double, upstream, before.1).await.len(), 10);
            if upstream == Upstream::Openai {
                assert_eq!(charged(&gateway).await, before.0 + 10 * one);
            }
        }
    }
}

#[tokio::test]
async fn of_many_calls_at_once_so_many_are_run_and_the_others_answered() {
    let (double, gateway) = start("").await;
    let calls = ["a", "b", "c"].map(|id| (id, "lookup", r#"{"say":"forty-two"}"#));
    let many = Turn { calls: calls.to_vec().leak(), ..LOOK };
    let upstream = Upstream::Openai;
    let result = Some(upstream.result_mark());
    let script = upstream.script(&[(result, ANSWER), (Some(OFFER), many), (None, ANSWER)]);
    double.script(upstream.name(), &script).await;
    let (status, body) = gateway.chat(&chat(upstream, &json!({"max_tool_calls": 2}))).await;
    assert_eq!(status, 200, "{body}");
    let asked = sent(&double, upstream, 0).await;
    assert_eq!((asked.len(), &asked[1]["tool_choice"]), (2, &json!("none")));
    let messages = asked[1]["messages"].as_array().unwrap();
    let results = messages.iter().filter(|message| message["role"] == "tool");
    let told: Vec<&str> = results.map(|it| it["content"].as_str().unwrap()).collect();
    let [first, second, third] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*first, *second), ("forty-two", "forty-two"));
    assert!(third.contains("not run"), "{third}");
}
