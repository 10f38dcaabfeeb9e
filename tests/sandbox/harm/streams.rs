//! Harm over the length of a reply: time that adds up, text that never comes or comes too late, and
//! lies about what it took.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::super::hostile::{TEXT, begin, unharmed, until_faults};
use super::super::upstream::{ask, reply};
use crate::harness::{Gateway, Streamed};

const GENEROUS: &str = "[plugins.breaker]\nfailures = 60000\n[plugins.limits]\ncpu_ms = 10000\n";

/// A thousand pieces, each of which a plugin takes 100 ms for: a hundred seconds, unless somebody
/// looks at the clock.
#[tokio::test]
async fn a_plugin_that_takes_a_little_each_time_ends_with_the_generations_time() {
    let (double, gateway) = begin(&format!("[upstream]\ntotal_ms = 3000\n{GENEROUS}")).await;
    let pieces: Vec<String> = (0..1000).map(|number| format!("piece {number} ")).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let mut long = reply(&pieces)["stream"].clone();
    long["when"] = json!("Say much.");
    let short = reply(&["a piece"]);
    let script = json!({"stream": [long, short["stream"]], "whole": short["whole"]});
    double.script("free", &script).await;
    let mut body = ask("free", &json!([{"id": "hostile", "do": "drip", "ms": 100}]));
    body["messages"][0]["content"] = json!("Say much.");
    body["stream"] = json!(true);
    let healthy = ask("free", &json!([{"id": "template", "replace": {"piece": "part"}}]));
    let slow = async {
        let text = gateway.post(&body).await.text().await.unwrap();
        Streamed::read(&text)
    };
    let neighbours = join_all((0..4).map(|_| async {
        for _ in 0..5 {
            let streamed = gateway.stream(&healthy).await;
            assert!(streamed.is_done && streamed.finishes() == ["stop"], "{streamed:?}");
            assert_eq!(streamed.joined("content"), "a part");
        }
    }));
    let (slow, _) = futures_util::future::join(slow, neighbours).await;
    let error = &slow.chunks.last().unwrap()["error"];
    assert!(slow.finishes() == ["error"] && error["code"] == json!(504), "{error}");
    assert!(error["message"].as_str().unwrap().contains("upstream.total_ms"), "{error}");
    let came = slow.joined("content");
    assert!(pieces.concat().starts_with(&came) && !came.contains("piece 999 "), "{came}");
    // It broke no limit of its own, and what the upstream did was billed.
    until_faults(&gateway, "hostile", &BTreeMap::new()).await;
    assert!(cost(&gateway, &slow.chunks[0]["id"]).await > 0.0);
}

/// What a generation's record says that it cost.
async fn cost(gateway: &Gateway, id: &Value) -> f64 {
    let path = format!("/generation?id={}", id.as_str().unwrap());
    let (status, body) = gateway.get(&path).await;
    assert_eq!(status, 200, "{body}");
    body["data"]["total_cost"].as_f64().unwrap()
}

#[tokio::test]
async fn after_a_stop_nothing_comes_any_more() {
    let (_double, gateway) = begin(GENEROUS).await;
    for after in 0..3 {
        let plugins = json!([{"id": "hostile", "do": "after-stop", "after": after}]);
        let mut body = ask("free", &plugins);
        if after == 0 {
            let (status, whole) = gateway.chat(&body).await;
            assert_eq!((status, &whole["error"]["code"]), (403, &json!(403)), "{whole}");
        }
        body["stream"] = json!(true);
        let text = gateway.post(&body).await.text().await.unwrap();
        assert!(!text.contains("after the stop"), "{text}");
        let streamed = Streamed::read(&text);
        assert_eq!(streamed.finishes(), ["error"], "{text}");
        assert_eq!(streamed.chunks.last().unwrap()["error"]["code"], json!(403), "{text}");
        assert!(TEXT.starts_with(&streamed.joined("content")), "{text}");
    }
    until_faults(&gateway, "hostile", &BTreeMap::new()).await;
}

#[tokio::test]
async fn what_is_held_for_ever_comes_out_when_its_time_is_over() {
    let (double, gateway) = begin(&format!("{GENEROUS}held_ms = 300\n")).await;
    let plugins = json!([{"id": "hostile", "do": "hold"}]);
    let mut body = ask("gated", &plugins);
    body["stream"] = json!(true);
    let mut begun = join_all((0..8).map(|_| gateway.post(&body))).await;
    for response in &mut begun {
        let mut seen = String::new();
        while !seen.contains("Nothing") {
            let piece = tokio::time::timeout(Duration::from_secs(30), response.chunk()).await;
            seen += std::str::from_utf8(&piece.unwrap().unwrap().unwrap()).unwrap();
        }
    }
    until_faults(&gateway, "hostile", &BTreeMap::from([("held".to_owned(), 8)])).await;
    let mut guarded = ask("gated", &json!([{"id": "hostile-guard", "do": "hold"}]));
    guarded["stream"] = json!(true);
    let text = gateway.post(&guarded).await.text().await.unwrap();
    let streamed = Streamed::read(&text);
    assert_eq!(streamed.joined("content"), "");
    let error = &streamed.chunks.last().unwrap()["error"];
    assert_eq!(error["metadata"]["fault"], json!("held"), "{text}");
    double.release("gated").await;
}

#[tokio::test]
async fn what_a_plugin_says_of_the_usage_changes_no_bill() {
    let (_double, gateway) = begin(GENEROUS).await;
    let lie = ask("free", &json!([{"id": "hostile", "do": "usage", "after": 1}]));
    let streamed = gateway.stream(&lie).await;
    let (status, whole) = gateway.chat(&lie).await;
    assert_eq!(status, 200, "{whole}");
    for (id, usage) in
        [(&streamed.chunks[0]["id"], streamed.usage()), (&whole["id"], &whole["usage"])]
    {
        assert_eq!(usage["prompt_tokens"], json!(1000), "{usage}");
        assert_eq!(usage["completion_tokens"], json!(500), "{usage}");
        let told = usage["cost"].as_f64().unwrap();
        assert!(told > 0.0 && told == cost(&gateway, id).await, "{usage}");
    }
    unharmed(&gateway, &ask("free", &json!([])), true).await;
}
