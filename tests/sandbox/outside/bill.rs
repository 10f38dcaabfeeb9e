//! `models`: what a plugin asks stands on the bill of its generation, within what it may spend.

use serde_json::{Value, json};

use super::{
    COST, COST_NANOS, SIDE, TEXT, assert_says, charged, double, gateway, grant, nanos, reach,
    record, text, told, with,
};

/// A call of the other model in the plugin's options.
pub(super) fn side() -> Value {
    json!({"model": "test/side", "prompt": "And you?", "max_tokens": 100})
}

/// The id of a whole reply's generation.
fn id(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}

#[tokio::test]
async fn what_a_plugin_asks_is_on_the_bill_of_the_generation() {
    let double = double().await;
    let gateway = gateway(&double, &grant(&["models=test/*"])).await;
    let mut all = 0;
    for place in ["request", "push", "finish"] {
        let body = with(&json!({"model": side(), "at": place}));
        let (status, whole) = gateway.chat(&body).await;
        assert_eq!(status, 200, "{whole}");
        let streamed = gateway.stream(&body).await;
        let said = format!("model: test/side for {COST_NANOS}: {SIDE}");
        let wanted = if place == "request" { TEXT.to_owned() } else { format!("{TEXT}{said}") };
        assert_eq!((text(&whole), streamed.joined("content")), (wanted.clone(), wanted), "{place}");

        for reply in [&whole, streamed.chunks.last().unwrap()] {
            assert_eq!(reply["usage"]["cost"], json!(2.0 * COST), "{place}: {reply}");
            let record = record(&gateway, id(reply)).await;
            assert_eq!(nanos(&record["total_cost"]), 4_000_000, "{place}: {record}");
            let calls = record["plugin_calls"].as_array().unwrap();
            assert_eq!(calls.len(), 1, "{place}: {record}");
            let call = &calls[0];
            assert_eq!((&call["plugin"], &call["model"]), (&json!("caller"), &json!("test/side")));
            assert_eq!(nanos(&call["cost"]), 2_000_000, "{record}");
            assert_eq!(
                (&call["tokens_prompt"], &call["tokens_completion"]),
                (&json!(1000), &json!(500))
            );
            all += nanos(&record["total_cost"]);
        }
        assert_eq!(charged(&gateway).await, all, "{place}");
    }
    let asked = double.log("side").await;
    assert_eq!(asked[0]["body"]["messages"], json!([{"role": "user", "content": "And you?"}]));
    assert_eq!(asked[0]["body"]["max_tokens"], 100, "{asked}");
}

#[tokio::test]
async fn a_plugin_that_answers_is_billed_for_what_it_asked() {
    let double = double().await;
    let gateway = gateway(&double, &grant(&["models"])).await;
    let options = json!({"model": side(), "times": 3, "answer": true});
    let (status, body) = gateway.chat(&with(&options)).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(text(&body).matches(SIDE).count(), 3, "{body}");
    let record = record(&gateway, id(&body)).await;
    assert_eq!(record["plugin_calls"].as_array().unwrap().len(), 3, "{record}");
    assert_eq!(nanos(&record["total_cost"]), 6_000_000, "{record}");
    assert_eq!(charged(&gateway).await, 6_000_000);
    assert_eq!(double.log("plain").await, json!([]));
}

#[tokio::test]
async fn a_call_beyond_what_the_plugin_may_spend_is_refused_for_nothing() {
    let double = double().await;
    // Enough for two calls, and not for a third, which may cost 100 tokens' reply.
    let limits = "[plugin.caller.limits]\nmodel_nanos = 4100000\n";
    let gateway = gateway(&double, &format!("{}{limits}", grant(&["models"]))).await;
    let said = told(&gateway, &json!({"model": side(), "times": 3})).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_says(lines[1], &[SIDE]);
    assert_says(lines[2], &["model: limit: ", "plugin.caller.limits.model_nanos", "max_tokens"]);
    assert_eq!(double.log("side").await.as_array().unwrap().len(), 2);
    assert_eq!(charged(&gateway).await, 4_000_000);
    // A call whose worst case is too dear does not begin, whatever it would have cost.
    let mut dear = side();
    dear["max_tokens"] = json!(1_000_000);
    assert_says(&told(&gateway, &json!({"model": dear})).await, &["limit: ", "model_nanos"]);
    assert_eq!(charged(&gateway).await, 4_000_000);
}

#[tokio::test]
async fn calls_of_models_are_counted() {
    let double = double().await;
    let limits = "[plugin.caller.limits]\nmodel_calls = 1\n";
    let gateway = gateway(&double, &format!("{}{limits}", grant(&["models"]))).await;
    let said = told(&gateway, &json!({"model": side(), "times": 2})).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_says(lines[0], &[SIDE]);
    assert_says(lines[1], &["model: limit: ", "plugin.caller.limits.model_calls"]);
    assert_eq!(charged(&gateway).await, 2_000_000);
}

#[tokio::test]
async fn a_model_that_is_not_granted_is_not_asked() {
    let double = double().await;
    for grants in [vec![], vec!["models=test/plain"], vec!["models=openai/*"]] {
        let grants = [grants, vec![reach(&double).leak()]].concat();
        let gateway = gateway(&double, &grant(&grants)).await;
        let said = told(&gateway, &json!({"model": side()})).await;
        let fix = "add \"models=test/side\" to plugin.caller.grant";
        assert_says(&said, &["model: denied: `test/side`", fix]);
        assert_eq!(charged(&gateway).await, 0);
    }
    assert_eq!(double.log("side").await, json!([]));
}

#[tokio::test]
async fn a_plugin_can_not_call_itself() {
    let double = double().await;
    let gateway = gateway(&double, &grant(&["models"])).await;
    // The suffix stands for the plugin when a client writes it…
    let mut body = with(&json!({}));
    body["model"] = json!("test/plain:caller");
    body.as_object_mut().unwrap().remove("plugins");
    let (status, reply) = gateway.chat(&body).await;
    let record = record(&gateway, id(&reply)).await;
    assert_eq!((status, &record["plugins"][0]["id"]), (200, &json!("caller")), "{record}");
    // …and for nothing when a plugin does.
    let call = json!({"model": "test/side:caller", "prompt": "Again?"});
    let said = told(&gateway, &json!({"model": call})).await;
    assert_says(&said, &["model: options: ", ":caller"]);
    assert_eq!(double.log("side").await, json!([]));
}

#[tokio::test]
async fn without_credit_a_plugin_can_not_ask() {
    let double = double().await;
    let prepaid = format!("[billing]\nmode = \"prepaid\"\n{}", grant(&["models"]));
    let gateway = gateway(&double, &prepaid).await;
    let said = told(&gateway, &json!({"model": side()})).await;
    assert_says(&said, &["model: limit: ", "credits"]);
    assert_eq!(double.log("side").await, json!([]));
    let deposit = json!({"amount": 0.01, "id": "first"});
    let (status, body) = gateway.manage(reqwest::Method::POST, "/credits", Some(deposit)).await;
    assert_eq!(status, 201, "{body}");
    assert_says(&told(&gateway, &json!({"model": side()})).await, &[SIDE]);
    assert_eq!(charged(&gateway).await, 2_000_000);
}

#[tokio::test]
async fn a_key_with_a_limit_pays_for_its_plugins_too() {
    let double = double().await;
    let gateway = gateway(&double, &grant(&["models"])).await;
    let key = gateway.new_key(json!({"name": "small", "limit": 0.003})).await;
    let options = json!({"model": side(), "answer": true, "times": 2});
    let reply = gateway.post_with(&key, with(&options).to_string()).await;
    let said = text(&serde_json::from_str(&reply.text().await.unwrap()).unwrap());
    let lines: Vec<&str> = said.lines().collect();
    assert_says(lines[0], &[SIDE]);
    // The worst case of the second fits no more: 0.001 USD is left, and it may cost less than that.
    assert_eq!(lines.len(), 2, "{said}");
    assert_eq!(double.log("side").await.as_array().unwrap().len(), 2, "{said}");
    let reply = gateway.post_with(&key, with(&options).to_string()).await;
    let said = text(&serde_json::from_str(&reply.text().await.unwrap()).unwrap());
    assert_says(&said, &["model: denied: ", "Key limit exceeded"]);
    assert_eq!(double.log("side").await.as_array().unwrap().len(), 2, "{said}");
}

#[tokio::test]
async fn a_model_that_fails_is_told_and_costs_nothing() {
    let double = double().await;
    double.script("side", &json!({"status": 500, "body": {"error": {"message": "down"}}})).await;
    let gateway = gateway(&double, &grant(&["models"])).await;
    let (status, body) = gateway.chat(&with(&json!({"model": side(), "answer": true}))).await;
    assert_eq!(status, 200, "{body}");
    assert_says(&text(&body), &["model: upstream: "]);
    let record = record(&gateway, id(&body)).await;
    assert_eq!((&record["plugin_calls"], &record["total_cost"]), (&json!([]), &json!(0)));
    assert_eq!(charged(&gateway).await, 0);
}
