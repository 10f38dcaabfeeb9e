//! What the double answers in these tests, in chat form, and how they look into gateway and double
//! from outside.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::harness::{Double, Gateway, http};

/// A request for `test/{name}`, not streamed.
pub(crate) fn ask(name: &str) -> Value {
    json!({"model": format!("test/{name}"), "messages": [{"role": "user", "content": "Hello"}]})
}

/// The same, streamed.
pub(crate) fn ask_stream(name: &str) -> Value {
    let mut body = ask(name);
    body["stream"] = json!(true);
    body
}

/// An event with text.
pub(crate) fn said(text: &str) -> Value {
    json!({"id": "up-1", "object": "chat.completion.chunk", "model": "up",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]})
}

/// The event that ends the choice.
pub(crate) fn finish() -> Value {
    json!({"id": "up-1", "object": "chat.completion.chunk", "model": "up",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
}

/// The event with the counts.
pub(crate) fn usage(prompt: u64, completion: u64) -> Value {
    json!({"id": "up-1", "object": "chat.completion.chunk", "model": "up", "choices": [],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion}})
}

/// A stream that says these texts and ends well, with 10 tokens read and 5 written.
pub(crate) fn stream(texts: &[&str]) -> Value {
    let mut events: Vec<Value> = texts.iter().map(|text| said(text)).collect();
    events.extend([finish(), usage(10, 5), json!("[DONE]")]);
    json!({"sse": events})
}

/// A whole reply, with 10 tokens read and 5 written.
pub(crate) fn whole(text: &str) -> Value {
    json!({"body": {"id": "up-1", "object": "chat.completion", "model": "up",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}})
}

/// The same answer with more fields of the script.
pub(crate) fn with(mut answer: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        answer[name] = value.clone();
    }
    answer
}

/// What the tokens of [`stream`] and [`whole`] cost at the test's prices.
pub(crate) const COST: f64 = 0.00002;

/// A provider for the double's script of that name, and one for each further base URL.
pub(crate) fn provider(slug: &str, base_url: &str) -> String {
    format!(
        "[[provider]]\nslug = \"{slug}\"\ndialect = \"openai-chat\"\nbase_url = \"{base_url}\"\n\
         credential = \"none\"\n"
    )
}

/// Model `test/{name}` with these providers' endpoints in order.
pub(crate) fn model(name: &str, providers: &[&str]) -> String {
    let mut text = format!("[[model]]\nid = \"test/{name}\"\ncontext_length = 100000\n");
    for slug in providers {
        text.push_str(&format!(
            "[[model.endpoint]]\nprovider = \"{slug}\"\nmodel = \"up\"\n\
             max_output_tokens = 1000\nprice = {{ prompt = \"1\", completion = \"2\" }}\n"
        ));
    }
    text
}

/// Model `test/pair`: first the script `first`, then the script `second`.
pub(crate) fn pair(double: &Double) -> String {
    let first = provider("first", &format!("{}/first", double.url));
    let second = provider("second", &format!("{}/second", double.url));
    format!("{first}{second}{}", model("pair", &["first", "second"]))
}

/// An address that refuses connections for as long as the socket is held.
pub(crate) fn refusing() -> (socket2::Socket, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// The double's log of a name, once it has received and ended so many requests.
pub(crate) async fn log(double: &Double, name: &str, received: usize, ended: usize) -> Vec<Value> {
    double.log_when(name, received, ended).await.as_array().unwrap().clone()
}

/// A chat completion on its way, on a connection of its own, that can be given up at any time.
pub(crate) fn leave_able(
    gateway: &Gateway,
    body: &Value,
) -> tokio::task::JoinHandle<Result<reqwest::Response, reqwest::Error>> {
    let request = http()
        .post(format!("{}/api/v1/chat/completions", gateway.url))
        .bearer_auth(&gateway.key)
        .header("content-type", "application/json")
        .body(body.to_string())
        .send();
    tokio::spawn(request)
}

/// Gives the gateway the time of a whole simulated reply to see what clients did before.
pub(crate) async fn let_it_see(gateway: &Gateway) {
    let mut body = ask("");
    body["model"] = json!("patchbay/sim");
    assert_eq!(gateway.chat(&body).await.0, 200);
}

/// The generation's id in a response's header.
pub(crate) fn generation_id(response: &reqwest::Response) -> String {
    response.headers()["x-generation-id"].to_str().unwrap().to_owned()
}

/// The record of a generation, when it is there.
pub(crate) async fn record(gateway: &Gateway, id: &str) -> Value {
    let found = gateway.until(&format!("/generation?id={id}"), |status, _| status == 200).await;
    found["data"].clone()
}

/// The credits, when nothing is held any more.
pub(crate) async fn settled(gateway: &Gateway) -> Value {
    gateway.until("/credits", |_, body| body["data"]["held"] == json!(0)).await["data"].clone()
}

/// The value of a metric without labels; 0 before it was first counted.
pub(crate) async fn metric(gateway: &Gateway, name: &str) -> f64 {
    let text = http().get(format!("{}/metrics", gateway.url)).send().await.unwrap();
    let text = text.text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

/// The statuses of a record's attempts, in order.
pub(crate) fn attempts(record: &Value) -> Vec<u64> {
    let attempts = record["provider_responses"].as_array().unwrap();
    attempts.iter().map(|attempt| attempt["status"].as_u64().unwrap()).collect()
}

/// Reads a body piece by piece until it holds a text; returns what was read.
pub(crate) async fn read_until(response: &mut reqwest::Response, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let piece = response.chunk().await.unwrap();
        let piece = piece.unwrap_or_else(|| panic!("the body ended without {text}: {read}"));
        read.push_str(std::str::from_utf8(&piece).unwrap());
    }
    read
}
