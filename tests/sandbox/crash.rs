//! `kill -9` under load: what clients saw end was billed, what was held comes back, and the books
//! balance.

use std::path::Path;

use futures_util::future::{join, join_all};
use reqwest::Method;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::upstream::{ask, paced, reply};
use crate::harness::{Double, Gateway, Streamed, http};

/// What the double's usage costs at the double's price, in nano-dollars.
const COST_NANOS: i64 = 2_000_000;
const CLIENTS: usize = 24;
const BURST: usize = 200;
const HOLD: &str = "[billing]\nhold_ms = 1500\n";

/// A reply whose end a client saw: its id and what it was told that it cost.
type Announced = (String, i64);

/// The store as it stands on disk.
fn open(folder: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    Connection::open_with_flags(folder.join("patchbay.db"), flags).unwrap()
}

fn number(store: &Connection, sql: &str) -> i64 {
    store.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn nanos(usd: &Value) -> i64 {
    format!("{:.0}", usd.as_f64().unwrap() * 1e9).parse().unwrap()
}

/// A client that knows where to ask, and as whom.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Client {
    fn of(gateway: &Gateway) -> Self {
        Self { http: http(), url: gateway.url.clone(), key: gateway.key.clone() }
    }

    /// Asks once; nothing when the gateway went away before the reply's end.
    async fn ask(&self, name: &str, is_stream: bool) -> Option<Announced> {
        let mut body = ask(name, &json!([]));
        body["stream"] = json!(is_stream);
        let call = self.http.post(format!("{}/api/v1/chat/completions", self.url));
        let call = call.bearer_auth(&self.key).header("content-type", "application/json");
        let mut response = call.body(body.to_string()).send().await.ok()?;
        assert_eq!(response.status(), 200);
        // What arrived before the break counts, so it is kept piece by piece.
        let mut text = Vec::new();
        let is_whole = loop {
            match response.chunk().await {
                Ok(Some(piece)) => text.extend(piece),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        let text = String::from_utf8(text).unwrap();
        let (id, cost) = if is_stream && text.ends_with("data: [DONE]\n\n") {
            let streamed = Streamed::read(&text);
            (streamed.chunks[0]["id"].clone(), streamed.usage()["cost"].clone())
        } else if !is_stream && is_whole {
            let body: Value = serde_json::from_str(&text).unwrap();
            (body["id"].clone(), body["usage"]["cost"].clone())
        } else {
            return None;
        };
        Some((id.as_str().unwrap().to_owned(), nanos(&cost)))
    }

    /// Asks again and again until the gateway is gone.
    async fn ask_on(self, is_stream: bool, seen: &watch::Sender<usize>) -> Vec<Announced> {
        let mut announced = Vec::new();
        while let Some(end) = self.ask(if is_stream { "paced" } else { "free" }, is_stream).await {
            announced.push(end);
            seen.send_modify(|count| *count += 1);
        }
        announced
    }
}

/// Everything that must hold once no hold is left.
async fn check(gateway: &Gateway, announced: &[Announced]) {
    let credits = gateway.until("/credits", |_, body| nanos(&body["data"]["held"]) == 0).await;
    let used = nanos(&credits["data"]["total_usage"]);
    for (id, cost) in announced {
        let path = format!("/generation?id={id}");
        let (status, record) = gateway.manage(Method::GET, &path, None).await;
        assert_eq!(status, 200, "the announced reply {id} has no record: {record}");
        assert_eq!(nanos(&record["data"]["total_cost"]), *cost, "{record}");
        assert_eq!(*cost, COST_NANOS);
    }
    let (_, keys) = gateway.manage(Method::GET, "/keys", None).await;
    let by_keys: i64 =
        keys["data"].as_array().unwrap().iter().map(|key| nanos(&key["usage"])).sum();
    assert_eq!(used, by_keys, "{keys}");

    // The book is ahead of the store by what is being written.
    until_number(gateway, "SELECT count(*) = 0 FROM hold", 1).await;
    let store = open(gateway.folder());
    let sum = |sql| number(&store, sql);
    assert_eq!(used, sum("SELECT coalesce(sum(total_nanos), 0) FROM account"));
    assert_eq!(used, sum("SELECT coalesce(sum(amount_nanos), 0) FROM settlement"));
    let differing = "SELECT count(*) FROM settlement LEFT JOIN generation USING (id) \
                     WHERE is_expiry = 0 AND cost_nanos IS NOT amount_nanos";
    assert_eq!(sum(differing), 0, "settlements without their record");
    let unbilled = "SELECT count(*) FROM generation LEFT JOIN settlement USING (id) \
                    WHERE cost_nanos > 0 AND amount_nanos IS NOT cost_nanos";
    assert_eq!(sum(unbilled), 0, "records without their settlement");
    let recorded = sum("SELECT coalesce(sum(cost_nanos), 0) FROM generation");
    let expired = sum("SELECT coalesce(sum(amount_nanos), 0) FROM settlement WHERE is_expiry = 1");
    assert_eq!(used, recorded + expired);
}

#[tokio::test]
async fn what_clients_saw_end_was_billed_whenever_the_process_was_killed() {
    let double = Double::start();
    let pieces = ["one ", "two ", "three ", "four "];
    double.script("paced", &paced(&pieces, &json!({"pace_ms": 10}))).await;
    double.script("free", &reply(&pieces)).await;
    let models = double.model("paced", "openai-chat", true);
    let models = models + &double.model("free", "openai-chat", false);
    let mut gateway = Gateway::start(&format!("{HOLD}{models}")).await;
    let other_key = gateway.new_key(json!({"name": "other"})).await;
    let mut announced = Vec::new();
    for ends_before_the_kill in [1, 40, 150, 400] {
        let seen = watch::Sender::new(0);
        let clients = join_all((0..CLIENTS).map(|number| {
            let mut client = Client::of(&gateway);
            if number % 3 == 0 {
                client.key.clone_from(&other_key);
            }
            client.ask_on(number % 2 == 0, &seen)
        }));
        let kill = async {
            let mut count = seen.subscribe();
            count.wait_for(|count| *count >= ends_before_the_kill).await.unwrap();
            gateway.kill();
        };
        let (ends, ()) = join(clients, kill).await;
        announced.extend(ends.concat());
        gateway = gateway.restart().await;
        check(&gateway, &announced).await;
    }
    assert!(announced.len() >= 591, "{}", announced.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_replies_that_end_at_once_none_that_was_announced_is_lost() {
    let double = Double::start();
    let mut script = paced(&["one ", "two ", "three"], &json!({"gate_after": 3}));
    script["whole"]["gate_after"] = json!(0);
    double.script("gated", &script).await;
    let models = double.model("gated", "openai-chat", true);
    let mut gateway = Gateway::start(&format!("{HOLD}{models}")).await;
    let mut announced = Vec::new();
    for (round, ends_before_the_kill) in [(1, 1), (2, 1), (3, 20), (4, 100)] {
        // Set anew, its gate is closed.
        double.script("gated", &script).await;
        let client = Client::of(&gateway);
        let (seen, ends) = std::sync::mpsc::channel();
        let clients: Vec<_> = (0..BURST)
            .map(|number| {
                let (client, seen) = (client.clone(), seen.clone());
                tokio::spawn(async move {
                    let end = client.ask("gated", number % 2 == 0).await;
                    // The test may have seen enough.
                    let _ = end.as_ref().map(|_| seen.send(()));
                    end
                })
            })
            .collect();
        double.log_when("gated", round * BURST, 0).await;
        // A thread of its own, so that the kill waits for nothing.
        let killer = std::thread::spawn(move || {
            let count = ends.iter().take(ends_before_the_kill).count();
            gateway.kill();
            (gateway, count)
        });
        double.release("gated").await;
        for client in clients {
            announced.extend(client.await.unwrap());
        }
        drop(seen);
        let (killed, count) = killer.join().unwrap();
        assert_eq!(count, ends_before_the_kill);
        gateway = killed.restart().await;
        check(&gateway, &announced).await;
    }
}

#[tokio::test]
async fn a_stream_that_outlives_its_hold_many_times_settles_at_its_cost() {
    let double = Double::start();
    let pieces: Vec<String> = (0..16).map(|number| format!("piece {number} ")).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    double.script("slow", &paced(&pieces, &json!({"pace_ms": 250}))).await;
    let config = HOLD.to_owned() + &double.model("slow", "openai-chat", true);
    let gateway = Gateway::start(&config).await;
    let all = join_all((0..8).map(|_| async { gateway.stream(&ask("slow", &json!([]))).await }));
    let announced: Vec<Announced> = all
        .await
        .iter()
        .map(|streamed| {
            assert!(streamed.is_done, "{streamed:?}");
            let id = streamed.chunks[0]["id"].as_str().unwrap().to_owned();
            (id, nanos(&streamed.usage()["cost"]))
        })
        .collect();
    check(&gateway, &announced).await;
    let store = open(gateway.folder());
    assert_eq!(number(&store, "SELECT count(*) FROM settlement WHERE is_expiry = 1"), 0);
    assert_eq!(number(&store, "SELECT count(*) FROM settlement"), 8);
}

#[tokio::test]
async fn a_hold_that_a_kill_leaves_behind_settles_at_what_was_sent_or_is_voided() {
    let double = Double::start();
    let pieces = ["a long beginning ", "that is worth something ", "and never ends"];
    double.script("gated", &paced(&pieces, &json!({"gate_after": 3}))).await;
    double.script("mute", &json!({"hang": "head"})).await;
    let models = double.model("gated", "openai-chat", true);
    let models = models + &double.model("mute", "openai-chat", true);
    let mut gateway = Gateway::start(&format!("{HOLD}{models}")).await;
    let mut body = ask("gated", &json!([]));
    body["stream"] = json!(true);
    let mut begun = gateway.post(&body).await;
    let mut text = String::new();
    while !text.contains(pieces[1]) {
        text += std::str::from_utf8(&begun.chunk().await.unwrap().unwrap()).unwrap();
    }
    let client = Client::of(&gateway);
    let mute = tokio::spawn(async move { client.ask("mute", false).await });
    double.log_when("mute", 1, 0).await;

    // Live holds are renewed, the one with something sent and the one without.
    let first = until_number(
        &gateway,
        "SELECT coalesce(min(expires_ms), 0) FROM hold \
                                        HAVING count(*) = 2",
        1,
    )
    .await;
    let later = format!(
        "SELECT min(expires_ms) FROM hold HAVING count(*) = 2 \
                         AND min(expires_ms) > {first} + 3000"
    );
    until_number(&gateway, &later, 1).await;
    let sent = until_number(&gateway, "SELECT max(sent_nanos) FROM hold", 1).await;
    let (_, credits) = gateway.manage(Method::GET, "/credits", None).await;
    assert!(nanos(&credits["data"]["held"]) > 0, "{credits}");
    assert_eq!(nanos(&credits["data"]["total_usage"]), 0, "{credits}");

    gateway.kill();
    assert_eq!(mute.await.unwrap(), None);
    let gateway = gateway.restart().await;
    check(&gateway, &[]).await;
    let store = open(gateway.folder());
    let settled = "SELECT count(*) FROM settlement";
    assert_eq!(number(&store, settled), 1);
    let expired = "SELECT amount_nanos FROM settlement WHERE is_expiry = 1";
    assert_eq!(number(&store, expired), sent);
    assert_eq!(number(&store, "SELECT count(*) FROM generation"), 0);
}

/// Asks the store until the answer is at least `least`.
async fn until_number(gateway: &Gateway, sql: &str, least: i64) -> i64 {
    for _ in 0..1000 {
        let store = open(gateway.folder());
        let answer = store.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        if let Some(number) = answer.ok().flatten().filter(|number| *number >= least) {
            return number;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("never at least {least}: {sql}");
}
