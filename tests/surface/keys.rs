//! Keys and what they may: made, shown, changed and removed through the API, and refused when they
//! are disabled, expired, spent or of the wrong kind.

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answers::{COST, ask, settled, whole};
use crate::harness::{Double, Gateway, MANAGEMENT_KEY, http};

async fn start() -> (Double, Gateway) {
    let double = Double::start();
    double.script("plain", &whole("Hello")).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", true)).await;
    (double, gateway)
}

/// A chat completion with another key: status and body.
async fn chat_with(gateway: &Gateway, key: &str, body: &Value) -> (u16, Value) {
    let response = gateway.post_with(key, body.to_string()).await;
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

fn message(body: &Value) -> &str {
    body["error"]["message"].as_str().unwrap()
}

#[tokio::test]
async fn a_key_is_made_shown_changed_and_removed() {
    let (_double, gateway) = start().await;
    let new = json!({"name": "alice", "limit": 5.5, "limit_reset": "weekly",
        "expires_at": "2099-01-31T12:00:00Z"});
    let (status, made) = gateway.manage(Method::POST, "/keys", Some(new)).await;
    assert_eq!(status, 201, "{made}");
    let key = made["key"].as_str().unwrap();
    assert_eq!((key.len(), key.get(..9)), (9 + 64, Some("sk-or-v1-")), "{key}");
    let shown = &made["data"];
    let hash = hex::encode(Sha256::digest(key));
    assert_eq!(shown["hash"], json!(hash));
    let label = format!("{}...{}", &key[..12], &key[key.len() - 3..]);
    assert_eq!(shown["label"], json!(label));
    let expected = json!({"name": "alice", "disabled": false, "limit": 5.5,
        "limit_remaining": 5.5, "limit_reset": "weekly", "include_byok_in_limit": false,
        "usage": 0, "usage_daily": 0, "usage_weekly": 0, "usage_monthly": 0,
        "expires_at": "2099-01-31T12:00:00Z"});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}");
    }
    assert!(shown["created_at"].as_str().unwrap().ends_with('Z'), "{shown}");
    let path = format!("/keys/{hash}");
    let again = gateway.manage(Method::GET, &path, None).await;
    assert_eq!((again.0, &again.1["data"]), (200, shown));
    assert!(!again.1.to_string().contains(key), "a key is shown once");
    let (_, listed) = gateway.manage(Method::GET, "/keys", None).await;
    assert_eq!(listed["data"][0]["hash"], json!(hash), "newest first");
    // What is absent stays, null lifts.
    let change = json!({"name": "bob", "limit": null});
    let (status, changed) = gateway.manage(Method::PATCH, &path, Some(change)).await;
    assert_eq!(status, 200, "{changed}");
    let changed = &changed["data"];
    assert_eq!((&changed["name"], &changed["limit"]), (&json!("bob"), &Value::Null));
    assert_eq!(changed["limit_remaining"], Value::Null);
    assert_eq!(changed["limit_reset"], "weekly");
    let change = json!({"limit_reset": null, "limit": 1});
    let (_, changed) = gateway.manage(Method::PATCH, &path, Some(change)).await;
    assert_eq!(changed["data"]["limit_reset"], Value::Null);
    assert_eq!(changed["data"]["limit"], 1);
    assert_eq!(changed["data"]["name"], "bob");
    let (status, removed) = gateway.manage(Method::DELETE, &path, None).await;
    assert_eq!((status, &removed["deleted"]), (200, &json!(true)));
    assert_eq!(chat_with(&gateway, key, &ask("plain")).await.0, 401);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(gateway.manage(method, &path, None).await.0, 404);
    }
    let change = Some(json!({"name": "x"}));
    assert_eq!(gateway.manage(Method::PATCH, &path, change).await.0, 404);
}

#[tokio::test]
async fn a_key_of_wrong_fields_is_refused_by_name() {
    let (_double, gateway) = start().await;
    let wrong = [
        (json!({}), "name"),
        (json!({"name": " "}), "name"),
        (json!({"name": 5}), "name"),
        (json!({"name": "x", "limit": -1}), "limit"),
        (json!({"name": "x", "limit": "5"}), "limit"),
        (json!({"name": "x", "limit_reset": "hourly"}), "limit_reset"),
        (json!({"name": "x", "expires_at": "tomorrow"}), "expires_at"),
        (json!({"name": "x", "expires_at": "2099-01-31T12:00Z"}), "expires_at"),
        (json!({"name": "x", "limt": 5}), "limt"),
    ];
    for (body, field) in wrong {
        let (status, reply) = gateway.manage(Method::POST, "/keys", Some(body.clone())).await;
        assert_eq!(status, 400, "{body}: {reply}");
        assert!(message(&reply).contains(field), "{body}: {reply}");
    }
}

#[tokio::test]
async fn a_disabled_key_is_refused_until_it_is_enabled() {
    let (_double, gateway) = start().await;
    let hash = hex::encode(Sha256::digest(&gateway.key));
    let path = format!("/keys/{hash}");
    gateway.manage(Method::PATCH, &path, Some(json!({"disabled": true}))).await;
    let (status, body) = gateway.chat(&ask("plain")).await;
    assert_eq!(status, 401, "{body}");
    assert!(message(&body).contains("disabled"), "{body}");
    let (_, listed) = gateway.manage(Method::GET, "/keys", None).await;
    assert!(!listed.to_string().contains(&hash), "disabled keys are listed on demand");
    let (_, listed) = gateway.manage(Method::GET, "/keys?include_disabled=true", None).await;
    assert!(listed.to_string().contains(&hash));
    gateway.manage(Method::PATCH, &path, Some(json!({"disabled": false}))).await;
    assert_eq!(gateway.chat(&ask("plain")).await.0, 200);
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let (_double, gateway) = start().await;
    let key = gateway.new_key(json!({"name": "old", "expires_at": "2020-01-01T00:00:00Z"})).await;
    let (status, body) = chat_with(&gateway, &key, &ask("plain")).await;
    assert_eq!(status, 401, "{body}");
    assert!(message(&body).contains("expired"), "{body}");
}

#[tokio::test]
async fn a_key_is_refused_past_its_limit_and_shows_what_it_spent() {
    let (double, gateway) = start().await;
    // Two replies fit, the worst case of a third does not.
    let made = json!({"name": "poor", "limit": 0.00017, "limit_reset": "daily"});
    let (_, made) = gateway.manage(Method::POST, "/keys", Some(made)).await;
    let key = made["key"].as_str().unwrap();
    let mut body = ask("plain");
    body["max_tokens"] = json!(20);
    for _ in 0..2 {
        let (status, reply) = chat_with(&gateway, key, &body).await;
        assert_eq!(status, 200, "{reply}");
    }
    settled(&gateway).await;
    let path = format!("/keys/{}", made["data"]["hash"].as_str().unwrap());
    let (_, shown) = gateway.manage(Method::GET, &path, None).await;
    let shown = &shown["data"];
    for window in ["usage", "usage_daily", "usage_weekly", "usage_monthly"] {
        assert_eq!(shown[window], 0.00004, "{window}: {shown}");
    }
    assert_eq!(shown["limit_remaining"], 0.00013);
    body["max_tokens"] = json!(1000);
    let (status, reply) = chat_with(&gateway, key, &body).await;
    assert_eq!(status, 403, "{reply}");
    assert!(message(&reply).contains("Key limit exceeded (daily limit)"), "{reply}");
    assert_eq!(crate::answers::log(&double, "plain", 2, 2).await.len(), 2);
    // The key sees itself.
    let url = format!("{}/api/v1/key", gateway.url);
    let own = http().get(url).bearer_auth(key).send().await.unwrap().text().await.unwrap();
    let own: Value = serde_json::from_str(&own).unwrap();
    let own = &own["data"];
    assert_eq!(own["usage"], 0.00004, "{own}");
    assert_eq!(own["limit_remaining"], 0.00013);
    assert_eq!((&own["is_management_key"], &own["is_free_tier"]), (&json!(false), &json!(false)));
    assert!(own["hash"].is_null() && own["rate_limit"]["requests"] == -1, "{own}");
    // A higher limit counts at once.
    gateway.manage(Method::PATCH, &path, Some(json!({"limit": 1}))).await;
    assert_eq!(chat_with(&gateway, key, &body).await.0, 200);
}

#[tokio::test]
async fn managing_and_asking_take_different_keys() {
    let (_double, gateway) = start().await;
    let (status, body) = chat_with(&gateway, MANAGEMENT_KEY, &ask("plain")).await;
    assert_eq!(status, 403, "{body}");
    for path in ["/keys", "/credits"] {
        let (status, body) = gateway.get(path).await;
        assert_eq!(status, 403, "{path}: {body}");
        assert_eq!(message(&body), "Only management keys can perform this operation");
    }
    let posts = [("/keys", json!({"name": "x"})), ("/credits", json!({"amount": 1, "id": "x"}))];
    for (path, body) in posts {
        let url = format!("{}/api/v1{path}", gateway.url);
        let call = http().post(url).bearer_auth(&gateway.key).body(body.to_string());
        assert_eq!(call.send().await.unwrap().status(), 403, "{path}");
    }
    // Anthropic's clients show their key in another header.
    let call = http()
        .post(format!("{}/v1/chat/completions", gateway.url))
        .header("x-api-key", &gateway.key)
        .body(ask("plain").to_string());
    assert_eq!(call.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_deposit_counts_once() {
    let (_double, gateway) = start().await;
    let deposit = |amount: f64, id: &str| {
        let body = json!({"amount": amount, "id": id});
        gateway.manage(Method::POST, "/credits", Some(body))
    };
    let (status, body) = deposit(10.25, "invoice-1").await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["data"]["total_credits"], 10.25);
    let (status, body) = deposit(10.25, "invoice-1").await;
    assert!(status == 200 || status == 201, "{status}");
    assert_eq!(body["data"]["total_credits"], 10.25, "a repeat adds nothing");
    let (status, body) = deposit(11.0, "invoice-1").await;
    assert!((400..500).contains(&status), "{body}");
    assert!(message(&body).contains("used before"), "{body}");
    for (amount, id) in [(0.0, "a"), (-1.0, "b"), (1.0, " "), (1e300, "c")] {
        let (status, body) = deposit(amount, id).await;
        assert_eq!(status, 400, "{amount} {id}: {body}");
    }
    let (_, body) = gateway.manage(Method::GET, "/credits", None).await;
    assert_eq!(body["data"]["total_credits"], 10.25);
    let gateway = gateway.restart().await;
    let (_, body) = gateway.manage(Method::GET, "/credits", None).await;
    assert_eq!(body["data"]["total_credits"], 10.25);
}

#[tokio::test]
async fn prepaid_service_needs_credit() {
    let double = Double::start();
    double.script("plain", &whole("Hello")).await;
    let model = double.model("plain", "openai-chat", true);
    let gateway = Gateway::start(&format!("[billing]\nmode = \"prepaid\"\n{model}")).await;
    let mut body = ask("plain");
    let (status, reply) = gateway.chat(&body).await;
    assert_eq!(status, 402, "{reply}");
    assert!(message(&reply).starts_with("Insufficient credits"), "{reply}");
    // Not enough for the worst case of 1000 tokens, but for that of 10.
    let deposit = json!({"amount": 0.0002, "id": "1"});
    gateway.manage(Method::POST, "/credits", Some(deposit)).await;
    let (status, reply) = gateway.chat(&body).await;
    assert_eq!(status, 402, "{reply}");
    let start = "This request requires more credits, or fewer max_tokens.";
    assert!(message(&reply).starts_with(start), "{reply}");
    body["max_tokens"] = json!(10);
    assert_eq!(gateway.chat(&body).await.0, 200);
    assert_eq!(settled(&gateway).await["total_usage"], COST);
    assert_eq!(crate::answers::log(&double, "plain", 1, 1).await.len(), 1);
}

#[tokio::test]
async fn a_generation_is_shown_to_its_own_key_and_to_managers() {
    let (_double, gateway) = start().await;
    let (_, reply) = gateway.chat(&ask("plain")).await;
    let path = format!("/generation?id={}", reply["id"].as_str().unwrap());
    let (status, own) = gateway.get(&path).await;
    assert_eq!(status, 200, "{own}");
    let record = &own["data"];
    let expected = json!({"id": reply["id"], "model": "test/plain", "provider_name": "plain",
        "total_cost": reply["usage"]["cost"], "usage": reply["usage"]["cost"], "streamed": false,
        "cancelled": false, "finish_reason": "stop", "native_finish_reason": "stop",
        "tokens_prompt": 10, "native_tokens_completion": 5, "is_byok": false,
        "api_type": "completions"});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&record[name], value, "{name}: {record}");
    }
    let (status, managed) = gateway.manage(Method::GET, &path, None).await;
    assert_eq!((status, &managed), (200, &own));
    let other = gateway.new_key(json!({"name": "other"})).await;
    let url = format!("{}/api/v1{path}", gateway.url);
    assert_eq!(http().get(&url).bearer_auth(other).send().await.unwrap().status(), 404);
    assert_eq!(http().get(&url).send().await.unwrap().status(), 401);
    assert_eq!(gateway.get("/generation?id=gen-0-nothing").await.0, 404);
    let (status, body) = gateway.get("/generation").await;
    assert_eq!(status, 400, "{body}");
    assert!(message(&body).contains("id"), "{body}");
}
