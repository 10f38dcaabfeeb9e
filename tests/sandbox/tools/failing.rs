//! What goes wrong between the rounds: the tool, the model, the money, the client.

use serde_json::{Value, json};

use super::{
    AFTER, BEFORE, LOOK, Turn, chat, looks, request, round, sent, start, text, then, turns, ways,
};
use crate::conversation::Upstream;
use crate::harness::{Double, Gateway, http};
use crate::sandbox::caller::{charged, gateway, grant, nanos, reach};

/// A turn that calls the tool with these arguments.
fn with(arguments: &Value) -> Turn {
    let arguments: &'static str = arguments.to_string().leak();
    Turn { calls: vec![("call_1", "lookup", arguments)].leak(), ..LOOK }
}

#[tokio::test]
async fn a_tool_that_fails_is_told_to_the_model_and_the_generation_goes_on() {
    let (double, gateway) = start("").await;
    for upstream in [Upstream::Openai, Upstream::Anthropic] {
        for (arguments, wanted) in [
            (json!({"fail": true}), "This tool failed."),
            (json!({"error": "There is no such word."}), "There is no such word."),
            (json!({"say": 7}), "these are no arguments"),
        ] {
            double.script(upstream.name(), &turns(upstream, with(&arguments))).await;
            for stream in [false, true] {
                let before = sent(&double, upstream, 0).await.len();
                let surface = ways()[0].0;
                let asked = request(&surface, upstream, stream);
                let told = surface.ask(&gateway, &asked, &json!({})).await;
                assert_eq!(text(&told), format!("{BEFORE}{AFTER}"), "{arguments}: {}", told.body);
                let asked = sent(&double, upstream, before).await;
                let result = asked[1]["messages"].as_array().unwrap().last().unwrap();
                assert!(result.to_string().contains(wanted), "{arguments}: {result}");
                if upstream == Upstream::Anthropic {
                    assert_eq!(result["content"][0]["is_error"], true, "{result}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_tool_that_failed_is_not_available_any_more() {
    let (double, gateway) = start("[plugins]\ntool_calls_max = 2\n").await;
    let call = with(&json!({"fail": true}));
    let none = Some(r#""tool_choice":"none""#);
    let script = Upstream::Openai.script(&[(none, super::ANSWER), (None, call)]);
    double.script(Upstream::Openai.name(), &script).await;
    let (status, body) = gateway.chat(&chat(Upstream::Openai, &json!({}))).await;
    assert_eq!(status, 200, "{body}");
    let asked = sent(&double, Upstream::Openai, 0).await;
    let last = asked.last().unwrap()["messages"].as_array().unwrap();
    let results = last.iter().filter(|message| message["role"] == "tool");
    let told: Vec<_> = results.map(|message| message["content"].as_str().unwrap()).collect();
    assert_eq!(told, ["This tool failed.", "This tool is not available any more."]);
}

#[tokio::test]
async fn where_a_plugins_failure_counts_it_ends_the_generation_and_the_first_round_is_billed() {
    let patient = "[plugins.breaker]\nfailures = 1000\n";
    let closed = format!("{patient}{}on_error = \"closed\"\n", grant(&[]));
    let (double, gateway) = start(&closed).await;
    let one = round(&gateway, Upstream::Openai).await;
    let call = with(&json!({"fail": true}));
    double.script(Upstream::Openai.name(), &turns(Upstream::Openai, call)).await;
    for (surface, stream) in ways() {
        let before = (charged(&gateway).await, sent(&double, Upstream::Openai, 0).await.len());
        let asked = request(&surface, Upstream::Openai, stream);
        let told = surface.ask(&gateway, &asked, &json!({})).await;
        let place = format!("{} ({stream})", surface.dialect.name());
        let failure = told.failure.unwrap_or_else(|| panic!("{place}: {}", told.body));
        assert!(failure.message.contains("`caller`"), "{place}: {}", told.body);
        assert_eq!(told.status, if stream { 200 } else { 503 }, "{place}: {}", told.body);
        assert_eq!(sent(&double, Upstream::Openai, before.1).await.len(), 1, "{place}");
        assert_eq!(charged(&gateway).await, before.0 + one, "{place}");
    }
}

#[tokio::test]
async fn a_second_round_that_fails_is_an_error_and_the_first_is_billed() {
    let (double, gateway) = start("").await;
    for upstream in [Upstream::Openai, Upstream::Anthropic] {
        let one = round(&gateway, upstream).await;
        let down = json!({"status": 500, "body": {"error": {"message": "It is down."}}});
        double.script(upstream.name(), &then(upstream, &down)).await;
        for (surface, stream) in ways() {
            let place = format!("{} on {} ({stream})", upstream.name(), surface.dialect.name());
            let before = charged(&gateway).await;
            let asked = request(&surface, upstream, stream);
            let told = surface.ask(&gateway, &asked, &json!({})).await;
            assert!(told.failure.is_some(), "{place}: {}", told.body);
            assert_eq!(told.status, if stream { 200 } else { 502 }, "{place}: {}", told.body);
            if stream {
                assert_eq!(text(&told), BEFORE, "{place}: {}", told.body);
            }
            assert_eq!(charged(&gateway).await, before + one, "{place}");
        }
    }
}

#[tokio::test]
async fn a_second_round_that_fails_falls_back_as_the_first_would() {
    let double = Double::start();
    let (upstream, name) = (Upstream::Openai, Upstream::Openai.name());
    double.script("plain", &super::super::upstream::reply(&["Plain."])).await;
    double.script("side", &super::super::upstream::reply(&["Aside."])).await;
    let down = json!({"status": 500, "body": {"error": {"message": "It is down."}}});
    double.script(name, &then(upstream, &down)).await;
    let model = double.model(name, upstream.dialect(), true);
    let gateway = gateway(&double, &format!("{}{model}", grant(&[]))).await;
    // The suffix of a plugin is none of the model's.
    for fallback in ["test/side", "test/side:caller"] {
        let body = chat(upstream, &json!({"models": [fallback]}));
        let (status, whole) = gateway.chat(&body).await;
        let said = &whole["choices"][0]["message"]["content"];
        let wanted = format!("{BEFORE}Aside.");
        assert_eq!((status, said), (200, &json!(wanted)), "{fallback}: {whole}");
        assert_eq!(gateway.stream(&body).await.joined("content"), wanted, "{fallback}");
    }
}

#[tokio::test]
async fn a_round_that_can_not_be_paid_is_an_error() {
    let (double, gateway) = start("[billing]\nmode = \"prepaid\"\n").await;
    // Enough for one round's worst case, and not for two.
    let deposit = json!({"amount": 0.005, "id": "first"});
    let (status, body) = gateway.manage(reqwest::Method::POST, "/credits", Some(deposit)).await;
    assert_eq!(status, 201, "{body}");
    let (status, body) = gateway.chat(&chat(Upstream::Openai, &json!({}))).await;
    assert_eq!((status, &body["error"]["code"]), (402, &json!(402)), "{body}");
    let first = charged(&gateway).await;
    assert!(first > 0, "the first round was not billed: {body}");
    let streamed = gateway.stream(&chat(Upstream::Openai, &json!({}))).await;
    assert_eq!(streamed.joined("content"), BEFORE);
    assert_eq!(streamed.chunks.last().unwrap()["error"]["code"], 402, "{streamed:?}");
    assert_eq!(charged(&gateway).await, 2 * first);
    assert_eq!(sent(&double, Upstream::Openai, 0).await.len(), 2);
}

/// What is held once so many requests have reached the model, in nano-dollars. The model waits; then
/// it goes on, and the reply ends.
async fn held(double: &Double, gateway: &Gateway, body: &Value, requests: usize) -> i64 {
    let name = Upstream::Openai.name();
    let before = sent(double, Upstream::Openai, 0).await.len();
    let look = async {
        double.log_when(name, before + requests, before + requests - 1).await;
        let (_, credits) = gateway.manage(reqwest::Method::GET, "/credits", None).await;
        double.release(name).await;
        nanos(&credits["data"]["held"])
    };
    let (streamed, held) = tokio::join!(gateway.stream(body), look);
    assert_eq!(streamed.finishes(), ["stop"]);
    held
}

#[tokio::test]
async fn each_round_is_held_for_while_it_is_written() {
    let (double, gateway) = start("").await;
    let mut plain = chat(Upstream::Openai, &json!({}));
    plain.as_object_mut().unwrap().remove("tools");
    let mut script = looks(Upstream::Openai);
    for answer in [0, 2] {
        script["stream"][answer]["gate_after"] = json!(0);
    }
    double.script(Upstream::Openai.name(), &script).await;
    let one = held(&double, &gateway, &plain, 1).await;
    assert!(one > 0);
    double.script(Upstream::Openai.name(), &script).await;
    let both = held(&double, &gateway, &chat(Upstream::Openai, &json!({})), 2).await;
    assert!(both >= 2 * one, "{both} nano-dollars are held for two rounds, {one} for one");
    charged(&gateway).await;
}

/// Waits until the tool runs, leaves, and lets the tool end.
async fn leave(double: &Double, gateway: &Gateway, stream: bool, asked: usize) {
    let call = http().post(format!("{}/api/v1/chat/completions", gateway.url));
    let call = call.bearer_auth(&gateway.key).header("content-type", "application/json");
    let body = chat(Upstream::Openai, &json!({"stream": stream}));
    let call = tokio::spawn(async move {
        let response = call.body(body.to_string()).send().await.unwrap();
        response.text().await
    });
    double.log_when("page", asked + 1, asked).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    // A whole simulated reply later the gateway has seen it.
    let sim = json!({"model": "patchbay/sim", "messages": [{"role": "user", "content": "Hi"}]});
    assert_eq!(gateway.chat(&sim).await.0, 200);
    double.release("page").await;
}

#[tokio::test]
async fn a_client_that_leaves_while_the_tool_runs_is_billed_for_the_first_round() {
    let double = Double::start();
    let upstream = Upstream::Openai;
    // One provider stops its work when it is left, the other goes on; neither gets any.
    for cancel in [true, false] {
        let model = double.model(upstream.name(), upstream.dialect(), cancel);
        let config = format!("{}{model}", grant(&[&reach(&double)]));
        let gateway = gateway(&double, &config).await;
        double.script(upstream.name(), &looks(upstream)).await;
        let one = round(&gateway, upstream).await;
        let call = with(&json!({"http": {"url": format!("{}/page/x", double.url)}}));
        for stream in [false, true] {
            double.script("page", &json!({"body": "forty-two", "gate_after": 0})).await;
            double.script(upstream.name(), &turns(upstream, call)).await;
            let before = (charged(&gateway).await, sent(&double, upstream, 0).await.len());
            let asked = double.log("page").await.as_array().unwrap().len();
            leave(&double, &gateway, stream, asked).await;
            double.log_when("page", asked + 1, asked + 1).await;
            assert_eq!(charged(&gateway).await, before.0 + one, "{cancel} {stream}");
            assert_eq!(sent(&double, upstream, before.1).await.len(), 1, "{cancel} {stream}");
        }
    }
}
