//! `secrets`: the value goes to its own hosts, where the plugin asked for it, and nowhere else.

use serde_json::{Value, json};

use super::{assert_says, double, gateway, gateway_logging, grant, reach, told};
use crate::harness::Double;

const VALUE: &str = "sk-live-0f9d/b7+c=4471";

/// The plugin's table: the double is granted, and so is the secret, for these hosts.
fn config(double: &Double, hosts: &[&str]) -> String {
    let table = grant(&[&reach(double), "secrets=TOKEN"]);
    format!("{table}[plugin.caller.secrets.TOKEN]\nvalue = {:?}\nhosts = {}\n", VALUE, json!(hosts))
}

/// A call of `/echo/x` with the secret in a place.
fn call(double: &Double, placement: &str) -> Value {
    json!({"http": {"url": format!("{}/echo/x", double.url), "show": ["x-echo"],
        "secret": {"name": "TOKEN", "placement": placement}}})
}

/// A server that repeats what it was sent.
fn echo() -> Value {
    json!({"body": format!("you sent {VALUE}"), "headers": {"x-echo": format!("Bearer {VALUE}")}})
}

#[tokio::test]
async fn a_secret_arrives_and_is_seen_nowhere_else() {
    let double = double().await;
    double.script("echo", &echo()).await;
    let gateway = gateway_logging(&double, &config(&double, &[&double.url]), "debug").await;
    for placement in ["bearer", "header:x-api-key", "query:key"] {
        let said = told(&gateway, &call(&double, placement)).await;
        assert_says(&said, &["http: 200", "x-echo: Bearer [secret]; you sent [secret]"]);
        assert!(!said.contains(VALUE), "{said}");
    }
    let log = double.log("echo").await;
    assert_eq!(log[0]["headers"]["authorization"], format!("Bearer {VALUE}"));
    assert_eq!(log[1]["headers"]["x-api-key"], VALUE);
    assert!(log[1]["headers"].get("authorization").is_none(), "{log}");
    let encoded = "key=sk-live-0f9d%2Fb7%2Bc%3D4471";
    assert!(log[2]["path"].as_str().unwrap().contains(encoded), "{log}");
    // As it stands, and as it stood in the URL.
    for (place, text) in [("log", gateway.log()), ("metrics", gateway.metrics().await)] {
        assert!(!text.is_empty(), "{place}");
        for form in [VALUE, encoded] {
            let line = text.lines().find(|line| line.contains(form));
            assert_eq!(line, None, "{place}");
        }
    }
}

#[tokio::test]
async fn a_secret_does_not_leave_its_hosts() {
    let (double, other) = (double().await, Double::start());
    double.script("echo", &echo()).await;
    let away = json!({"status": 307, "headers": {"location": format!("{}/echo/x", double.url)}});
    other.script("away", &away).await;
    let table = grant(&[&reach(&double), &reach(&other), "secrets=TOKEN"]);
    let secret = "[plugin.caller.secrets.TOKEN]\n";
    let config = format!("{table}{secret}value = {VALUE:?}\nhosts = [{:?}]\n", other.url);
    let gateway = gateway(&double, &config).await;

    let said = told(&gateway, &call(&double, "bearer")).await;
    assert_says(&said, &["http: denied: secret `TOKEN`", &double.url, "hosts"]);
    assert_eq!(double.log("echo").await, json!([]));
    // A redirect leaves it behind.
    let mut redirected = call(&double, "bearer");
    redirected["http"]["url"] = json!(format!("{}/away/x", other.url));
    assert_says(&told(&gateway, &redirected).await, &["http: 200"]);
    let log = other.log("away").await;
    assert_eq!(log[0]["headers"]["authorization"], format!("Bearer {VALUE}"));
    let log = double.log("echo").await;
    assert!(log[0]["headers"].get("authorization").is_none(), "{log}");
}

#[tokio::test]
async fn a_secret_that_is_not_there_says_how_to_put_it_there() {
    let double = double().await;
    double.script("echo", &echo()).await;
    let secret = format!("[plugin.caller.secrets.TOKEN]\nvalue = {VALUE:?}\nhosts = []\n");
    for config in [grant(&[&reach(&double), "secrets=TOKEN"]), grant(&[&reach(&double)]) + &secret]
    {
        let gateway = gateway(&double, &config).await;
        let said = told(&gateway, &call(&double, "bearer")).await;
        let words = ["plugin.caller.secrets.TOKEN", "\"secrets=TOKEN\"", "plugin.caller.grant"];
        assert_says(&said, &["http: denied: there is no secret `TOKEN`"]);
        assert_says(&said, &words);
    }
    assert_eq!(double.log("echo").await, json!([]));
}
