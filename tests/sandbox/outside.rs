//! What plugins reach outside the sandbox: the network, models on the bill of the generation, and
//! indexes. The plugin `caller` calls what its options say and puts what came back into the reply.

use serde_json::{Value, json};

use super::upstream::{ask, reply};
use super::wasm;
use crate::harness::{Double, Gateway};

mod bill;
mod http;
mod leaving;
mod search;
mod secrets;
mod waiting;

/// What the double's `plain` and `side` answer.
const TEXT: &str = "The model's own words.";
const SIDE: &str = "What the other model says.";

/// A reply's cost at the test's prices, and in the words of the plugin.
const COST: f64 = 0.002;
const COST_NANOS: &str = "2000000 nanos";

/// A double with the models `test/plain` and `test/side`.
async fn double() -> Double {
    let double = Double::start();
    double.script("plain", &reply(&[TEXT])).await;
    double.script("side", &reply(&[SIDE])).await;
    double
}

/// A gateway before that double, with the plugin in place. `config` is what the test is about.
async fn gateway(double: &Double, config: &str) -> Gateway {
    gateway_logging(double, config, "warn").await
}

/// The same with another log.
async fn gateway_logging(double: &Double, config: &str, filter: &str) -> Gateway {
    let plain = double.model("plain", "openai-chat", true);
    let side = double.model("side", "openai-chat", true);
    let gateway =
        Gateway::start_logging(&format!("{PATIENT}{config}\n{plain}{side}"), filter).await;
    let (status, body) = gateway.upload("caller", wasm::caller()).await;
    assert_eq!(status, 201, "{body}");
    gateway
}

/// The machine may be busy with other things than the plugins.
const PATIENT: &str = "[plugins.limits]\ncpu_ms = 10000\n";

/// The plugin's table with one list of grants.
fn grant(grants: &[&str]) -> String {
    format!("[plugin.caller]\ngrant = {}\n", json!(grants))
}

/// The grant by which a plugin reaches the double, which is on a private address.
fn reach(double: &Double) -> String {
    format!("http-private={}", double.url)
}

/// A request for `test/plain` on which the plugin does what `options` say.
fn with(options: &Value) -> Value {
    let mut entry = json!({"id": "caller"});
    for (name, value) in options.as_object().unwrap() {
        entry[name] = value.clone();
    }
    ask("plain", &json!([entry]))
}

/// What the plugin says that came back, asked in the request hook and answered by the plugin.
async fn told(gateway: &Gateway, options: &Value) -> String {
    let mut options = options.clone();
    options["answer"] = json!(true);
    let (status, body) = gateway.chat(&with(&options)).await;
    assert_eq!(status, 200, "{body}");
    text(&body)
}

/// The text of a whole reply.
fn text(body: &Value) -> String {
    body["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

/// Fails unless the text says all of these.
fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{text}` does not say `{word}`");
    }
}
