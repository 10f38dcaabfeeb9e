//! Plugins that wait: they hold up nobody else, and not for ever.

use serde_json::{Value, json};

use super::{TEXT, assert_says, double, gateway, grant, reach, text, with};
use crate::harness::Double;

/// A call of the double in the plugin's options.
fn get(double: &Double, name: &str) -> Value {
    json!({"http": {"url": format!("{}/{name}/x", double.url)}})
}

/// A plain page.
fn page(more: &Value) -> Value {
    let mut page = json!({"body": "forty-two"});
    for (name, value) in more.as_object().unwrap() {
        page[name] = value.clone();
    }
    page
}

#[tokio::test]
async fn a_call_that_waits_too_long_fails_its_plugin_and_no_neighbour() {
    let double = double().await;
    double.script("silent", &json!({"hang": "head"})).await;
    double.script("page", &page(&json!({}))).await;
    for (on_error, place) in [("open", "request"), ("open", "push"), ("closed", "request")] {
        let config = format!(
            "{}on_error = \"{on_error}\"\n[plugin.caller.limits]\nwall_ms = 700\nhttp_ms = 3600000\n",
            grant(&[&reach(&double)])
        );
        let gateway = gateway(&double, &config).await;
        let mut silent = get(&double, "silent");
        silent["at"] = json!(place);
        let mut brisk = get(&double, "page");
        brisk["at"] = json!(place);
        let (silent, brisk) = (with(&silent), with(&brisk));
        let neighbours = futures_util::future::join_all((0..8).map(|_| gateway.chat(&brisk)));
        let ((status, body), neighbours) = tokio::join!(gateway.chat(&silent), neighbours);
        for (status, body) in neighbours {
            assert_eq!(status, 200, "{body}");
            assert!(place == "request" || text(&body).contains("forty-two"), "{body}");
        }
        if on_error == "open" {
            assert_eq!((status, text(&body)), (200, TEXT.to_owned()), "{body}");
        } else {
            let message = body["error"]["message"].as_str().unwrap();
            assert_eq!(status, 503, "{body}");
            assert_says(message, &["`caller`", "timeout", "700 ms", "wall_ms"]);
        }
        let counted = "patchbay_plugin_faults_total{plugin=\"caller\",fault=\"timeout\"} 1";
        let metrics = gateway.metrics().await;
        assert!(metrics.contains(counted), "{on_error} {place}: {metrics}");
    }
}

#[tokio::test]
async fn a_generation_that_waits_does_not_hold_up_another_on_the_same_thread() {
    let double = double().await;
    double.script("gated", &page(&json!({"gate_after": 0}))).await;
    double.script("page", &page(&json!({}))).await;
    let config = format!("[server]\nthreads = 1\n{}", grant(&[&reach(&double)]));
    let gateway = std::sync::Arc::new(gateway(&double, &config).await);
    for place in ["request", "push", "finish"] {
        double.script("gated", &page(&json!({"gate_after": 0}))).await;
        let (mut waits, mut goes) = (get(&double, "gated"), get(&double, "page"));
        waits["at"] = json!(place);
        goes["at"] = json!(place);
        let asked = double.log("gated").await.as_array().unwrap().len();
        let first = tokio::spawn({
            let gateway = std::sync::Arc::clone(&gateway);
            async move { gateway.chat(&with(&waits)).await }
        });
        double.log_when("gated", asked + 1, asked).await;
        let (status, body) = gateway.chat(&with(&goes)).await;
        assert_eq!(status, 200, "{body}");
        assert!(!first.is_finished(), "{place}: the first did not wait");
        double.release("gated").await;
        let (status, body) = first.await.unwrap();
        assert_eq!(status, 200, "{body}");
    }
}
