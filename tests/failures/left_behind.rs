//! Failure: the client has left and the upstream goes on, writing for nobody, on a connection and a
//! slot that nothing else can use.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answers::{ask, ask_stream, leave_able, log, metric, read_until, settled, with};
use crate::harness::{Double, Gateway};
use crate::transcript::Transcript;
use crate::upstream::DIALECTS;

/// A dialect's answer that does not come to its end.
struct Case {
    name: String,
    dialect: &'static str,
    script: Value,
    stream: bool,
    /// What the client reads before it leaves; none when it leaves while it waits.
    reads: Option<&'static str>,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for dialect in DIALECTS {
        let transcript = Transcript::chat(dialect);
        let said = transcript.events.iter().position(|it| it.contains("Hello from th")).unwrap();
        let whole = json!({"body": transcript.body});
        let stalled = [
            ("silent-stream", json!({"hang": "head"}), true, None),
            ("stream-to-begin", transcript.streamed(&json!({"gate_after": 0})), true, None),
            (
                "stream",
                transcript.streamed(&json!({"gate_after": said + 1})),
                true,
                Some("Hello from th"),
            ),
            ("silent-whole", json!({"hang": "head"}), false, None),
            ("whole-to-begin", with(whole, &json!({"gate_after": 0})), false, None),
        ];
        for (kind, script, stream, reads) in stalled {
            cases.push(Case { name: format!("{dialect}-{kind}"), dialect, script, stream, reads });
        }
    }
    cases
}

#[tokio::test]
async fn an_upstream_is_left_with_its_client_and_the_slot_is_free_again() {
    let double = Double::start();
    let mut config = "[server]\nrequests_max = 1\n".to_owned();
    for case in cases() {
        double.script(&case.name, &case.script).await;
        config.push_str(&double.model(&case.name, case.dialect, true));
    }
    let gateway = Gateway::start(&config).await;
    for case in &cases() {
        let name = &case.name;
        let body = if case.stream { ask_stream(name) } else { ask(name) };
        let waiting = leave_able(&gateway, &body);
        log(&double, name, 1, 0).await;
        let (status, refused) = gateway.chat(&sim()).await;
        assert_eq!(status, 503, "{name}: the slot is taken: {refused}");
        match case.reads {
            Some(text) => {
                let mut response = waiting.await.unwrap().unwrap();
                read_until(&mut response, text).await;
            }
            None => waiting.abort(),
        }
        let log = log(&double, name, 1, 1).await;
        assert_eq!(log[0]["ending"], "client_left", "{name}");
        until_served(&gateway, name).await;
    }
    settled(&gateway).await;
    let left = metric(&gateway, "patchbay_generations_cancelled_total").await;
    assert_eq!(format!("{left}"), format!("{}", cases().len()));
}

/// A request that the gateway answers by itself.
fn sim() -> Value {
    with(ask(""), &json!({"model": "patchbay/sim"}))
}

/// Asks until there is room.
async fn until_served(gateway: &Gateway, case: &str) {
    for _ in 0..500 {
        let (status, reply) = gateway.chat(&sim()).await;
        if status == 200 {
            return;
        }
        assert_eq!(status, 503, "{case}: {reply}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{case}: the slot is never free again");
}
