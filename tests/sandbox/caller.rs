//! A gateway with the plugin `caller`, which calls what its options say, and what its tests ask.

use serde_json::{Value, json};

use super::upstream::{ask, reply};
use super::wasm;
use crate::harness::{Double, Gateway};

/// What the double's `plain` and `side` answer.
pub(super) const TEXT: &str = "The model's own words.";
pub(super) const SIDE: &str = "What the other model says.";

/// A reply's cost at the test's prices, and in the words of the plugin.
pub(super) const COST: f64 = 0.002;
pub(super) const COST_NANOS: &str = "2000000 nanos";

/// A double with the models `test/plain` and `test/side`.
pub(super) async fn double() -> Double {
    let double = Double::start();
    double.script("plain", &reply(&[TEXT])).await;
    double.script("side", &reply(&[SIDE])).await;
    double
}

/// A gateway before that double, with the plugin in place. `config` is what the test is about.
pub(super) async fn gateway(double: &Double, config: &str) -> Gateway {
    gateway_logging(double, config, "warn").await
}

/// The same with another log.
pub(super) async fn gateway_logging(double: &Double, config: &str, filter: &str) -> Gateway {
    let plain = double.model("plain", "openai-chat", true);
    let side = double.model("side", "openai-chat", true);
    let gateway =
        Gateway::start_logging(&format!("{PATIENT}{config}\n{plain}{side}"), filter).await;
    let (status, body) = gateway.upload("caller", wasm::caller()).await;
    assert_eq!(status, 201, "{body}");
    gateway
}

/// The machine may be busy with other things than the plugins.
pub(super) const PATIENT: &str = "[plugins.limits]\ncpu_ms = 10000\n";

/// The plugin's table with one list of grants.
pub(super) fn grant(grants: &[&str]) -> String {
    format!("[plugin.caller]\ngrant = {}\n", json!(grants))
}

/// The grant by which a plugin reaches the double, which is on a private address.
pub(super) fn reach(double: &Double) -> String {
    format!("http-private={}", double.url)
}

/// A request for `test/plain` on which the plugin does what `options` say.
pub(super) fn with(options: &Value) -> Value {
    let mut entry = json!({"id": "caller"});
    for (name, value) in options.as_object().unwrap() {
        entry[name] = value.clone();
    }
    ask("plain", &json!([entry]))
}

/// What the plugin says that came back, asked in the request hook and answered by the plugin.
pub(super) async fn told(gateway: &Gateway, options: &Value) -> String {
    let mut options = options.clone();
    options["answer"] = json!(true);
    let (status, body) = gateway.chat(&with(&options)).await;
    assert_eq!(status, 200, "{body}");
    text(&body)
}

/// The text of a whole reply.
pub(super) fn text(body: &Value) -> String {
    body["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

/// Fails unless the text says all of these.
pub(super) fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{text}` does not say `{word}`");
    }
}

/// A generation's record.
pub(super) async fn record(gateway: &Gateway, id: &str) -> Value {
    let found = gateway.until(&format!("/generation?id={id}"), |status, _| status == 200).await;
    found["data"].clone()
}

/// Dollars as whole nano-dollars, so that sums can be compared.
pub(super) fn nanos(usd: &Value) -> i64 {
    let nanos = usd.as_f64().unwrap() * 1e9;
    assert!((nanos - nanos.round()).abs() < 1e-3, "{usd} is no whole number of nano-dollars");
    format!("{}", nanos.round()).parse().unwrap()
}

/// What key and account were charged once nothing is held any more; both must agree.
pub(super) async fn charged(gateway: &Gateway) -> i64 {
    let credits = gateway.until("/credits", |_, body| body["data"]["held"] == json!(0)).await;
    let key = gateway.get("/key").await.1;
    let charged = nanos(&credits["data"]["total_usage"]);
    assert_eq!(nanos(&key["data"]["usage"]), charged, "{key} {credits}");
    charged
}
