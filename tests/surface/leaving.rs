//! Clients that leave: the upstream is left at once where that stops its bill, else read to its
//! end; either way the money is settled.

use serde_json::{Value, json};

use crate::answers::{
    COST, ask, ask_stream, generation_id, leave_able, let_it_see, log, metric, pair, read_until,
    record, said, settled, stream, whole, with,
};
use crate::harness::{Double, Gateway};

async fn start(script: &Value, cancel: bool) -> (Double, Gateway) {
    let double = Double::start();
    double.script("plain", script).await;
    let gateway = Gateway::start(&double.model("plain", "openai-chat", cancel)).await;
    (double, gateway)
}

#[tokio::test]
async fn leaving_in_mid_stream_stops_the_upstream_and_bills_what_was_sent() {
    let sent = said("0123456789012345678901234567890123456789");
    let (double, gateway) = start(&json!({"sse": [sent], "hang": "end"}), true).await;
    let mut response = gateway.post(&ask_stream("plain")).await;
    let id = generation_id(&response);
    read_until(&mut response, "0123456789").await;
    drop(response);
    let log = log(&double, "plain", 1, 1).await;
    assert_eq!(log[0]["ending"], "client_left");
    let record = record(&gateway, &id).await;
    assert_eq!(record["cancelled"], true);
    assert_eq!(record["native_tokens_completion"], 14, "{record}");
    assert_eq!(record["is_estimated"], true);
    let credits = settled(&gateway).await;
    assert_eq!(credits["total_usage"], record["total_cost"]);
    assert!(credits["total_usage"].as_f64().unwrap() > 0.0);
    assert_eq!(metric(&gateway, "patchbay_generations_cancelled_total").await, 1.0);
}

#[tokio::test]
async fn leaving_in_mid_stream_drains_an_upstream_that_bills_anyway() {
    let script = with(stream(&["Hel", "lo"]), &json!({"gate_after": 1}));
    let (double, gateway) = start(&script, false).await;
    let mut response = gateway.post(&ask_stream("plain")).await;
    let id = generation_id(&response);
    read_until(&mut response, "Hel").await;
    drop(response);
    let_it_see(&gateway).await;
    double.release("plain").await;
    assert_eq!(log(&double, "plain", 1, 1).await[0]["ending"], "whole");
    let record = record(&gateway, &id).await;
    assert_eq!(record["cancelled"], true, "{record}");
    assert_eq!(record["total_cost"], COST, "the upstream's own counts: {record}");
    assert_eq!(record["is_estimated"], false);
    assert_eq!(record["finish_reason"], "stop");
    assert_eq!(settled(&gateway).await["total_usage"], COST);
}

#[tokio::test]
async fn a_drained_upstream_is_given_up_at_the_limit() {
    let double = Double::start();
    let sent = said("0123456789012345678901234567890123456789");
    double.script("plain", &json!({"sse": [sent], "hang": "end"})).await;
    let model = double.model("plain", "openai-chat", false);
    let gateway = Gateway::start(&format!("[upstream]\ndrain_ms = 300\n{model}")).await;
    let mut response = gateway.post(&ask_stream("plain")).await;
    let id = generation_id(&response);
    read_until(&mut response, "0123456789").await;
    drop(response);
    assert_eq!(log(&double, "plain", 1, 1).await[0]["ending"], "client_left");
    let record = record(&gateway, &id).await;
    assert_eq!(
        (&record["cancelled"], &record["native_tokens_completion"]),
        (&json!(true), &json!(14))
    );
    assert_eq!(settled(&gateway).await["total_usage"], record["total_cost"]);
}

#[tokio::test]
async fn leaving_before_the_first_token_stops_the_upstream_for_nothing() {
    let hanging = [
        ("head", json!({"hang": "head"})),
        ("first event", with(stream(&["late"]), &json!({"gate_after": 0}))),
    ];
    for (name, script) in hanging {
        let (double, gateway) = start(&script, true).await;
        let waiting = leave_able(&gateway, &ask_stream("plain"));
        log(&double, "plain", 1, 0).await;
        waiting.abort();
        assert_eq!(log(&double, "plain", 1, 1).await[0]["ending"], "client_left", "{name}");
        assert_eq!(settled(&gateway).await["total_usage"], 0, "{name}");
        until_cancelled(&gateway).await;
    }
}

#[tokio::test]
async fn leaving_before_the_first_token_drains_an_upstream_that_bills_anyway() {
    let script = with(stream(&["late"]), &json!({"gate_after": 0}));
    let (double, gateway) = start(&script, false).await;
    let waiting = leave_able(&gateway, &ask_stream("plain"));
    log(&double, "plain", 1, 0).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let_it_see(&gateway).await;
    double.release("plain").await;
    assert_eq!(log(&double, "plain", 1, 1).await[0]["ending"], "whole");
    assert_eq!(settled(&gateway).await["total_usage"], COST);
    until_cancelled(&gateway).await;
}

#[tokio::test]
async fn leaving_behind_comments_stops_the_upstream_too() {
    let double = Double::start();
    double.script("plain", &with(stream(&["late"]), &json!({"gate_after": 0}))).await;
    let model = double.model("plain", "openai-chat", true);
    let soon = "[server]\nfirst_comment_ms = 50\ncomment_ms = 50\n";
    let gateway = Gateway::start(&format!("{soon}{model}")).await;
    let mut response = gateway.post(&ask_stream("plain")).await;
    read_until(&mut response, ": ").await;
    drop(response);
    assert_eq!(log(&double, "plain", 1, 1).await[0]["ending"], "client_left");
    assert_eq!(settled(&gateway).await["total_usage"], 0);
    until_cancelled(&gateway).await;
}

#[tokio::test]
async fn leaving_a_whole_reply_stops_the_upstream() {
    let (double, gateway) = start(&json!({"hang": "head"}), true).await;
    let waiting = leave_able(&gateway, &ask("plain"));
    log(&double, "plain", 1, 0).await;
    waiting.abort();
    assert_eq!(log(&double, "plain", 1, 1).await[0]["ending"], "client_left");
    assert_eq!(settled(&gateway).await["total_usage"], 0);
    until_cancelled(&gateway).await;
}

#[tokio::test]
async fn leaving_a_whole_reply_is_billed_where_the_upstream_bills_anyway() {
    let script = with(whole("Hello"), &json!({"gate_after": 0}));
    let (double, gateway) = start(&script, false).await;
    let waiting = leave_able(&gateway, &ask("plain"));
    log(&double, "plain", 1, 0).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let_it_see(&gateway).await;
    double.release("plain").await;
    assert_eq!(log(&double, "plain", 1, 1).await[0]["ending"], "whole");
    assert_eq!(settled(&gateway).await["total_usage"], COST);
}

#[tokio::test]
async fn nothing_further_is_tried_for_a_client_that_left() {
    let double = Double::start();
    double.script("first", &json!({"status": 500, "body": "no", "gate_after": 0})).await;
    double.script("second", &stream(&["second"])).await;
    let config = pair(&double).replace("credential", "cancel = false\ncredential");
    let gateway = Gateway::start(&config).await;
    let waiting = leave_able(&gateway, &ask_stream("pair"));
    log(&double, "first", 1, 0).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let_it_see(&gateway).await;
    double.release("first").await;
    log(&double, "first", 1, 1).await;
    assert_eq!(settled(&gateway).await["total_usage"], 0);
    assert_eq!(log(&double, "second", 0, 0).await, Vec::<Value>::new());
}

async fn until_cancelled(gateway: &Gateway) {
    for _ in 0..500 {
        if metric(gateway, "patchbay_generations_cancelled_total").await == 1.0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no generation was counted as cancelled");
}
