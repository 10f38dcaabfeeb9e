//! The state of the Responses API: what is kept when a request says so, who may go on from it, and
//! how it is forgotten.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answers::{log, stream, whole};
use crate::harness::{Double, Gateway, http};

async fn start(config: &str) -> (Double, Gateway) {
    let double = Double::start();
    let script = json!({"stream": [stream(&["It is ", "blue."])], "whole": whole("It is blue.")});
    double.script("plain", &script).await;
    let config = format!("{config}{}", double.model("plain", "openai-chat", true));
    let gateway = Gateway::start(&config).await;
    (double, gateway)
}

async fn call(
    gateway: &Gateway,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> (u16, String) {
    call_with(gateway, &gateway.key, method, path, body).await
}

async fn call_with(
    gateway: &Gateway,
    key: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> (u16, String) {
    let mut call = http().request(method, format!("{}/v1{path}", gateway.url)).bearer_auth(key);
    if let Some(body) = body {
        call = call.header("content-type", "application/json").body(body.to_string());
    }
    let response = call.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn respond(gateway: &Gateway, body: &Value) -> (u16, Value) {
    let (status, text) = call(gateway, Method::POST, "/responses", Some(body)).await;
    (status, serde_json::from_str(&text).unwrap())
}

fn ask(input: &str) -> Value {
    json!({"model": "test/plain", "input": input, "store": true})
}

#[tokio::test]
async fn a_kept_response_is_gone_on_from_shown_and_forgotten() {
    let (double, gateway) = start("").await;
    let (status, first) = respond(&gateway, &ask("Which colour has the sky?")).await;
    assert_eq!((status, &first["store"]), (200, &json!(true)), "{first}");
    let id = first["id"].as_str().unwrap();
    let mut next = ask("Why?");
    next["previous_response_id"] = json!(id);
    let (status, second) = respond(&gateway, &next).await;
    assert_eq!((status, &second["previous_response_id"]), (200, &json!(id)), "{second}");
    // The upstream is told everything, and nothing of what is remembered here.
    let asked = &log(&double, "plain", 2, 2).await[1]["body"];
    let said: Vec<_> = asked["messages"].as_array().unwrap().iter().map(spoken).collect();
    assert_eq!(said, ["user: Which colour has the sky?", "assistant: It is blue.", "user: Why?"]);
    assert!(asked.get("previous_response_id").is_none() && asked.get("store").is_none(), "{asked}");
    // A third one goes on from both.
    next["previous_response_id"] = second["id"].clone();
    assert_eq!(respond(&gateway, &next).await.0, 200);
    let asked = &log(&double, "plain", 3, 3).await[2]["body"];
    assert_eq!(asked["messages"].as_array().unwrap().len(), 5, "{asked}");

    let path = format!("/responses/{id}");
    let (status, shown) = call(&gateway, Method::GET, &path, None).await;
    assert_eq!((status, serde_json::from_str::<Value>(&shown).unwrap()), (200, first.clone()));
    let (_, items) = call(&gateway, Method::GET, &format!("{path}/input_items"), None).await;
    let items: Value = serde_json::from_str(&items).unwrap();
    assert_eq!(items["data"][0]["content"], "Which colour has the sky?", "{items}");
    // Only the key that asked can name it.
    let other = gateway.new_key(json!({"name": "other"})).await;
    assert_eq!(call_with(&gateway, &other, Method::GET, &path, None).await.0, 404);
    let (status, told) = call_with(&gateway, &other, Method::POST, "/responses", Some(&next)).await;
    assert!(status == 404 && told.contains("store: true"), "{told}");
    assert_eq!(call(&gateway, Method::DELETE, &path, None).await.0, 200);
    assert_eq!(call(&gateway, Method::GET, &path, None).await.0, 404);
    assert_eq!(respond(&gateway, &next).await.0, 404, "its beginning is forgotten");
}

fn spoken(message: &Value) -> String {
    let content = &message["content"];
    let text = content.as_str().or(content[0]["text"].as_str()).unwrap();
    format!("{}: {text}", message["role"].as_str().unwrap())
}

#[tokio::test]
async fn a_streamed_response_is_kept_before_its_end_is_told() {
    let (_double, gateway) = start("").await;
    let mut body = ask("Which colour has the sky?");
    body["stream"] = json!(true);
    let (status, text) = call(&gateway, Method::POST, "/responses", Some(&body)).await;
    assert_eq!(status, 200, "{text}");
    let last = text.lines().rev().filter_map(|line| line.strip_prefix("data: {"));
    let last: Value =
        serde_json::from_str(&format!("{{{}", last.into_iter().next().unwrap())).unwrap();
    assert_eq!(last["type"], "response.completed", "{last}");
    let path = format!("/responses/{}", last["response"]["id"].as_str().unwrap());
    let (status, shown) = call(&gateway, Method::GET, &path, None).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((status, &shown["output"]), (200, &last["response"]["output"]));
}

#[tokio::test]
async fn nothing_is_kept_unasked_or_where_the_operator_keeps_nothing() {
    let (_double, gateway) = start("").await;
    let mut body = ask("Hello");
    body.as_object_mut().unwrap().remove("store");
    let (_, told) = respond(&gateway, &body).await;
    let path = format!("/responses/{}", told["id"].as_str().unwrap());
    assert_eq!(call(&gateway, Method::GET, &path, None).await.0, 404);
    let (_double, gateway) = start("[store]\nresponses_days = 0\n").await;
    let (status, told) = respond(&gateway, &ask("Hello")).await;
    let message = told["error"]["message"].as_str().unwrap();
    assert!(status == 400 && message.contains("store.responses_days"), "{told}");
}
