//! What serves a fleet: rate limits, places, health, metrics, browsers, and both roots of the API.

use serde_json::{Value, json};

use crate::answers::{ask, ask_stream, leave_able, log, metric, settled, stream, whole, with};
use crate::harness::{Double, Gateway, http};

#[tokio::test]
async fn the_default_rate_limit_lets_forty_through_at_once() {
    let double = Double::start();
    double.script("plain", &whole("Hello")).await;
    // One more is refused even if the test is slow: the share of 10 s is that of 1000 s here.
    let model = double.model("plain", "openai-chat", true);
    let gateway =
        Gateway::start(&format!("[limits]\nrequests = 40\nwindow_s = 4000\n{model}")).await;
    for at in 0..40 {
        let (status, reply) = gateway.chat(&ask("plain")).await;
        assert_eq!(status, 200, "{at}: {reply}");
    }
    let response = gateway.post(&ask("plain")).await;
    assert_eq!(response.status(), 429);
    let headers = response.headers().clone();
    let number = |name: &str| headers[name].to_str().unwrap().parse::<u64>().unwrap();
    assert!((1..=100).contains(&number("retry-after")), "{headers:?}");
    assert_eq!((number("x-ratelimit-limit"), number("x-ratelimit-remaining")), (40, 0));
    assert!(number("x-ratelimit-reset") > 1_700_000_000_000, "milliseconds since 1970");
    let reply: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(reply["error"]["code"], 429);
    assert_eq!(reply["error"]["metadata"]["error_type"], "rate_limit_exceeded");
    assert_eq!(reply["error"]["metadata"]["headers"]["X-RateLimit-Limit"], "40", "{reply}");
    // Another key has its own share, and looking is not asking.
    let other = gateway.new_key(json!({"name": "other"})).await;
    assert_eq!(gateway.post_with(&other, ask("plain").to_string()).await.status(), 200);
    assert_eq!(gateway.get("/key").await.0, 200);
    assert_eq!(gateway.get("/models").await.0, 200);
}

#[tokio::test]
async fn requests_past_the_last_place_are_told_to_come_back() {
    let double = Double::start();
    double.script("plain", &with(whole("Hello"), &json!({"gate_after": 0}))).await;
    let model = double.model("plain", "openai-chat", true);
    let gateway = Gateway::start(&format!("[server]\nrequests_max = 2\n{model}")).await;
    let running = [(); 2].map(|()| leave_able(&gateway, &ask("plain")));
    log(&double, "plain", 2, 0).await;
    let response = gateway.post(&ask("plain")).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    double.release("plain").await;
    for one in running {
        assert_eq!(one.await.unwrap().unwrap().status(), 200);
    }
    settled(&gateway).await;
    assert_eq!(gateway.chat(&ask("plain")).await.0, 200);
}

#[tokio::test]
async fn it_says_that_it_lives_and_is_ready_until_it_stops() {
    let double = Double::start();
    double.script("plain", &with(stream(&["Hello"]), &json!({"gate_after": 1}))).await;
    let mut gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    for path in ["/health/live", "/health/ready"] {
        let response = http().get(format!("{}{path}", gateway.url)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
    let mut response = gateway.post(&ask_stream("plain")).await;
    let mut body = crate::answers::read_until(&mut response, "Hello").await;
    gateway.terminate();
    // New connections are refused from then on, which is as good as 503 to who asks.
    let mut is_ready = true;
    for _ in 0..500 {
        let answer = http().get(format!("{}/health/ready", gateway.url)).send().await;
        is_ready = answer.is_ok_and(|answer| answer.status() == 200);
        if !is_ready {
            break;
        }
    }
    assert!(!is_ready, "it takes new requests though it stops");
    double.release("plain").await;
    body.push_str(&response.text().await.unwrap());
    assert!(body.contains("data: [DONE]"), "{body}");
    assert!(gateway.wait());
}

#[tokio::test]
async fn it_counts_what_happens() {
    let double = Double::start();
    double.script("plain", &json!({"stream": stream(&["Hello"]), "whole": whole("Hello")})).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    gateway.stream(&ask("plain")).await;
    gateway.chat(&ask("plain")).await;
    gateway.chat(&json!({"model": "test/unknown", "messages": []})).await;
    double.script("plain", &json!({"status": 500, "body": "no"})).await;
    assert_eq!(gateway.chat(&ask("plain")).await.0, 502);
    settled(&gateway).await;
    let response = http().get(format!("{}/metrics", gateway.url)).send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let text = response.text().await.unwrap();
    let lines = [
        "patchbay_generations_completed_total 2",
        "patchbay_generations_running 0",
        "patchbay_generations_failed_total{side=\"upstream\"} 1",
        "patchbay_generation_seconds_count 3",
        "patchbay_first_token_seconds_count 2",
    ];
    for line in lines {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains(&gateway.key) && !text.contains("Hello"), "{text}");
    assert_eq!(metric(&gateway, "patchbay_generations_cancelled_total").await, 0.0);
}

#[tokio::test]
async fn browsers_may_call_from_where_the_operator_says() {
    let preflight = async |gateway: &Gateway, origin: &str| {
        http()
            .request(reqwest::Method::OPTIONS, format!("{}/api/v1/chat/completions", gateway.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,x-title")
            .send()
            .await
            .unwrap()
    };
    let open = Gateway::start("").await;
    let response = preflight(&open, "https://example.org").await;
    assert!(response.status().is_success());
    let headers = response.headers();
    assert_eq!(headers["access-control-allow-origin"], "*");
    let methods = headers["access-control-allow-methods"].to_str().unwrap();
    assert!(methods.contains("POST") && methods.contains("DELETE"), "{methods}");
    // `*` does not cover `authorization`: browsers want it by name.
    let allowed = headers["access-control-allow-headers"].to_str().unwrap().to_lowercase();
    assert!(allowed.contains("authorization"), "{allowed}");
    // An error must be readable too, and so must the generation's id.
    let refused = http()
        .post(format!("{}/api/v1/chat/completions", open.url))
        .header("origin", "https://example.org")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], "*");
    let exposed = refused.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.to_lowercase().contains("x-generation-id"), "{exposed}");
    let closed = Gateway::start("[server]\ncors_origins = [\"https://mine.example\"]\n").await;
    let mine = preflight(&closed, "https://mine.example").await;
    assert_eq!(mine.headers()["access-control-allow-origin"], "https://mine.example");
    let other = preflight(&closed, "https://example.org").await;
    assert!(other.headers().get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn both_roots_serve_the_same() {
    let double = Double::start();
    double.script("plain", &whole("Hello")).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    for root in ["/api/v1", "/v1"] {
        let call = http().post(format!("{}{root}/chat/completions", gateway.url));
        let call = call.bearer_auth(&gateway.key).body(ask("plain").to_string());
        assert_eq!(call.send().await.unwrap().status(), 200, "{root}");
        let models = http().get(format!("{}{root}/models", gateway.url)).send().await.unwrap();
        let models: Value = serde_json::from_str(&models.text().await.unwrap()).unwrap();
        let models = models["data"].as_array().unwrap();
        let ids: Vec<_> = models.iter().map(|model| model["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["patchbay/sim", "test/plain"], "{root}");
        let plain = &models[1];
        assert_eq!(plain["context_length"], 100_000);
        assert_eq!(plain["pricing"]["prompt"], "0.000001", "{plain}");
        assert_eq!(plain["pricing"]["completion"], "0.000002", "{plain}");
    }
}
