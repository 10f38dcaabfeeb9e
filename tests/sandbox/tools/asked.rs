//! What a request says of tools that the gateway is to run: one that nobody runs, and parameters
//! that do not fit, are refused before anything is asked.

use serde_json::{Value, json};

use super::{start, talking};
use crate::harness::{Double, Gateway};
use crate::sandbox::upstream::{ask, reply};
use crate::spoken::saying;

/// A request for `test/plain` with one tool.
fn with(tool: &Value) -> Value {
    let mut body = ask("plain", &json!([]));
    body["tools"] = json!([tool]);
    body
}

async fn refusal(gateway: &Gateway, body: &Value) -> String {
    let (status, answer) = gateway.chat(body).await;
    assert_eq!(status, 400, "{body}: {answer}");
    answer["error"]["message"].as_str().unwrap().to_owned()
}

/// A gateway with the shipped plugins alone.
async fn begin() -> (Double, Gateway) {
    let double = Double::start();
    double.script("plain", &reply(&["Plain."])).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    (double, gateway)
}

#[tokio::test]
async fn a_server_tool_that_nobody_runs_is_refused_with_those_that_there_are() {
    let (double, gateway) = begin().await;
    for surface in talking() {
        let request = saying("test/plain", "Hello", false);
        let tools = json!({"tools": [{"type": "openrouter:dattime"}]});
        let told = surface.ask(&gateway, &request, &tools).await;
        assert_eq!(told.status, 400, "{}: {}", surface.dialect.name(), told.body);
        for word in ["openrouter:dattime", "openrouter:datetime", "openrouter:web_fetch"] {
            assert!(told.body.contains(word), "{}: {}", surface.dialect.name(), told.body);
        }
    }
    let mut off = with(&json!({"type": "openrouter:datetime"}));
    off["plugins"] = json!([{"id": "datetime", "enabled": false}]);
    let said = refusal(&gateway, &off).await;
    assert!(said.contains("`datetime`") && said.contains("switched off"), "{said}");
    assert_eq!(double.log("plain").await, json!([]), "the upstream was asked");
}

#[tokio::test]
async fn a_gateway_behind_this_one_is_told_of_the_tools_that_it_may_run() {
    let double = Double::start();
    let mut config = String::new();
    for name in ["plain", "router"] {
        double.script(name, &reply(&["Fine."])).await;
        config += &double.model(name, "openai-chat", true);
    }
    let (front, router) = config.split_once("slug = \"router\"").unwrap();
    let quirk = "quirks = { openrouter_reasoning = true }";
    let gateway = Gateway::start(&format!("{front}slug = \"router\"\n{quirk}{router}")).await;
    let mut body = with(&json!({"type": "openrouter:fusion", "parameters": {"model": "a/b"}}));
    body["model"] = json!("test/router");
    let (status, answer) = gateway.chat(&body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(double.log("router").await[0]["body"]["tools"], body["tools"]);
    // Of several models, the one that can.
    body["model"] = json!("test/plain");
    body["models"] = json!(["test/router"]);
    let (status, answer) = gateway.chat(&body).await;
    assert_eq!((status, &answer["model"]), (200, &json!("test/router")), "{answer}");
    assert_eq!(double.log("plain").await, json!([]));
}

#[tokio::test]
async fn parameters_of_a_server_tool_that_do_not_fit_are_refused_by_name() {
    let (double, gateway) = begin().await;
    let cases = [
        (
            json!({"type": "openrouter:datetime", "parameters": {"tz": "UTC"}}),
            ["tools[0]", "`openrouter:datetime`", "no `tz`", "There are: timezone"],
        ),
        (
            json!({"type": "openrouter:datetime", "parameters": {"timezone": 2}}),
            ["tools[0]", "`openrouter:datetime`", "at /timezone", "string"],
        ),
        (
            json!({"type": "openrouter:datetime", "parameters": {"precision": "day"}}),
            ["tools[0]", "`openrouter:datetime`", "no `precision`", "There are: timezone"],
        ),
        (
            json!({"type": "openrouter:datetime", "parameters": "UTC"}),
            ["tools[0]", "`openrouter:datetime`", "`parameters`", "an object"],
        ),
        (
            json!({"type": "openrouter:web_search", "parameters": {"max_results": 26}}),
            ["tools[0]", "`openrouter:web_search`", "at /max_results", "25"],
        ),
        (
            json!({"type": "openrouter:web_search", "max_result": 2}),
            ["tools[0]", "`openrouter:web_search`", "no `max_result`", "`max_results`?"],
        ),
        (
            json!({"type": "openrouter:web_fetch", "parameters": {"max_uses": 0}}),
            ["tools[0]", "`openrouter:web_fetch`", "at /max_uses", "1"],
        ),
    ];
    for (tool, words) in cases {
        let said = refusal(&gateway, &with(&tool)).await;
        for word in words {
            assert!(said.contains(word), "{tool}: `{said}` does not say `{word}`");
        }
    }
    assert_eq!(double.log("plain").await, json!([]), "the upstream was asked");
    for tool in [
        json!({"type": "openrouter:datetime", "parameters": {"timezone": "Europe/Berlin"}}),
        json!({"type": "openrouter:datetime", "parameters": null}),
        json!({"type": "openrouter:web_fetch", "parameters": {"max_uses": null}}),
    ] {
        let (status, answer) = gateway.chat(&with(&tool)).await;
        assert_eq!(status, 200, "{tool}: {answer}");
    }
}

#[tokio::test]
async fn any_plugins_schema_says_what_its_tools_take() {
    let (_double, gateway) = start("").await;
    let said = refusal(&gateway, &with(&json!({"type": "test:lookup", "function": "a"}))).await;
    assert!(said.contains("`test:lookup`") && said.contains("`functions`?"), "{said}");
    // Not the options of the plugin, which the schema's entry for the tool leaves out.
    let said = refusal(&gateway, &with(&json!({"type": "test:lookup", "times": 2}))).await;
    assert!(said.contains("no `times`"), "{said}");
}

#[tokio::test]
async fn a_server_tool_that_must_be_called_must_be_there() {
    let (double, gateway) = begin().await;
    for surface in talking() {
        let request = saying("test/plain", "Hello", true);
        let choice = json!({"tool_choice": {"type": "openrouter:datetime"}});
        let told = surface.ask(&gateway, &request, &choice).await;
        assert_eq!(told.status, 400, "{}: {}", surface.dialect.name(), told.body);
        let said = told.failure.unwrap().message;
        for words in ["tool_choice: ", "`openrouter:datetime`", "add {", "`tools`"] {
            assert!(said.contains(words), "{}: {said}", surface.dialect.name());
        }
    }
    assert_eq!(double.log("plain").await, json!([]), "the upstream was asked");
    let mut body = with(&json!({"type": "openrouter:datetime"}));
    body["tool_choice"] = json!({"type": "openrouter:datetime"});
    let (status, answer) = gateway.chat(&body).await;
    assert_eq!(status, 200, "{answer}");
    let chosen = &double.log("plain").await[0]["body"]["tool_choice"]["function"]["name"];
    assert_eq!(chosen, "openrouter_datetime");
}
