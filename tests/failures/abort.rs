//! Failure: the client leaves in mid-stream, and its usage is lost, guessed, or counted twice.
//!
//! Every dialect's stream is left after every one of its events, with counts that were told, that
//! never are, and that say zero. A provider that stops its bill when it is left (`cancel`) is left;
//! another one is read to its end.

use futures_util::{StreamExt, stream};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde_json::{Value, json};

use crate::answers::{ask_stream, leave_able, let_it_see, log, read_until, settled};
use crate::harness::{Double, Gateway};
use crate::transcript::Transcript;
use crate::upstream::DIALECTS;

/// What the upstream says of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    Told,
    Never,
    Zero,
}

/// A stream that is left.
struct Case {
    name: String,
    transcript: Transcript,
    counts: Counts,
    /// How many events were sent when it was left.
    sent: usize,
}

/// What is left of it in the store.
struct Kept {
    cost: i64,
    /// What was settled; none where the hold was given back.
    settled: Option<i64>,
    record: Value,
}

#[tokio::test]
async fn who_leaves_a_provider_that_stops_is_billed_once_for_what_was_sent() {
    let (cases, mut gateway, double) = start(true).await;
    leave_all(&gateway, &double, &cases, |_| async {}, "client_left").await;
    let used = settled(&gateway).await["total_usage"].clone();
    gateway.terminate();
    assert!(gateway.wait());
    let store = open(&gateway);
    let mut sum = 0;
    for case in &cases {
        let name = &case.name;
        let Some(kept) = case.kept(&store) else {
            assert!(case.text_sent() == 0, "{name}: nothing was written down");
            continue;
        };
        sum += kept.settled.unwrap_or(0);
        let record = &kept.record;
        assert_eq!(kept.settled.unwrap_or(0), kept.cost, "{name}: {record}");
        let tokens = |field: &str| record[field].as_i64().unwrap_or(0);
        let (prompt, completion) =
            (tokens("native_tokens_prompt"), tokens("native_tokens_completion"));
        // A reply without a token and without an end is free.
        let is_empty = completion == 0 && record["finish_reason"].is_null();
        let cost = if is_empty { 0 } else { 1000 * prompt + 2000 * completion };
        assert_eq!(kept.cost, cost, "{name}: {record}");
        if case.text_sent() > 0 {
            assert!(kept.settled.is_some(), "{name}: {record}");
            assert_eq!(record["cancelled"], true, "{name}: {record}");
            let is_told = case.counts == Counts::Zero && record["finish_reason"] == "stop";
            assert!(completion > 0 || is_told, "{name}: what was shown is not free: {record}");
            // What came before a text that was seen was seen as well.
            if case.counts_sent_before_text() {
                assert_eq!(prompt, case.told(12), "{name}: {record}");
            } else if case.counts == Counts::Never {
                assert!(prompt > 0, "{name}: {record}");
                assert_eq!(record["is_estimated"], true, "{name}: {record}");
            }
        }
    }
    assert_eq!(nanos(&used), sum);
}

#[tokio::test]
async fn who_leaves_a_provider_that_goes_on_is_billed_once_for_all_of_it() {
    let (cases, mut gateway, double) = start(false).await;
    let go_on = async |name: String| {
        let_it_see(&gateway).await;
        double.release(&name).await;
    };
    leave_all(&gateway, &double, &cases, go_on, "whole").await;
    let used = settled(&gateway).await["total_usage"].clone();
    gateway.terminate();
    assert!(gateway.wait());
    let store = open(&gateway);
    let mut sum = 0;
    for case in &cases {
        let name = &case.name;
        let kept = case.kept(&store).unwrap_or_else(|| panic!("{name}: nothing was written down"));
        let record = &kept.record;
        assert_eq!(kept.settled, Some(kept.cost), "{name}: {record}");
        sum += kept.cost;
        if case.counts == Counts::Never {
            assert_eq!(record["is_estimated"], true, "{name}: {record}");
            assert!(kept.cost > 0, "{name}: {record}");
        } else {
            // What is zero or false is not written.
            let tokens = |field: &str| record[field].as_i64().unwrap_or(0);
            let (prompt, completion) =
                (tokens("native_tokens_prompt"), tokens("native_tokens_completion"));
            assert_eq!((prompt, completion), (case.told(12), case.told(8)), "{name}: {record}");
            assert_eq!(record["is_estimated"], Value::Null, "{name}: {record}");
            assert_eq!(kept.cost, case.told(12) * 1000 + case.told(8) * 2000, "{name}");
        }
        if case.text_sent() > 0 {
            assert_eq!(record["cancelled"], true, "{name}: {record}");
        }
    }
    assert_eq!(nanos(&used), sum);
}

/// The texts of the transcripts, in order.
const TEXTS: [&str; 2] = ["Hello from th", "e other side."];

impl Case {
    /// Every event of every dialect, in each way of counting.
    fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for dialect in DIALECTS {
            for counts in [Counts::Told, Counts::Never, Counts::Zero] {
                let mut transcript = Transcript::chat(dialect);
                transcript.events.iter_mut().for_each(|event| *event = counts.put(event));
                for sent in 0..transcript.events.len() {
                    let name = format!("{dialect}-{counts:?}-{sent}").to_lowercase();
                    let transcript = transcript.clone();
                    cases.push(Self { name, transcript, counts, sent });
                }
            }
        }
        cases
    }

    /// How many of the texts are among the events that were sent.
    fn text_sent(&self) -> usize {
        let sent = self.transcript.events[..self.sent].concat();
        TEXTS.iter().filter(|text| sent.contains(**text)).count()
    }

    /// Whether the prompt was counted in front of a text that was sent.
    fn counts_sent_before_text(&self) -> bool {
        let events = &self.transcript.events;
        let last_text = (0..self.sent).rfind(|at| TEXTS.iter().any(|it| events[*at].contains(it)));
        let counts = ["\"input_tokens\":", "\"promptTokenCount\":"];
        let counted = |event: &String| counts.iter().any(|count| event.contains(count));
        self.counts != Counts::Never
            && last_text.is_some_and(|last| events[..=last].iter().any(counted))
    }

    /// A count of the transcripts as this case tells it.
    fn told(&self, count: i64) -> i64 {
        if self.counts == Counts::Zero { 0 } else { count }
    }

    /// What the store has of it: at most one record, and at most one settlement.
    fn kept(&self, store: &Connection) -> Option<Kept> {
        let model = format!("test/{}", self.name);
        let sql = "SELECT generation.id, cost_nanos, amount_nanos, record \
                   FROM generation LEFT JOIN settlement USING (id) WHERE model = ?1";
        let mut query = store.prepare(sql).unwrap();
        let rows = query.query_map([&model], |row| {
            let record: String = row.get(3)?;
            let record = serde_json::from_str(&record).unwrap();
            Ok(Kept { cost: row.get(1)?, settled: row.get(2)?, record })
        });
        let mut rows: Vec<Kept> = rows.unwrap().map(Result::unwrap).collect();
        assert!(rows.len() <= 1, "{}: {} records", self.name, rows.len());
        rows.pop()
    }

    /// Asks, waits until the events were sent, and leaves.
    async fn leave(&self, gateway: &Gateway, double: &Double) {
        let waiting = leave_able(gateway, &ask_stream(&self.name));
        log(double, &self.name, 1, 0).await;
        while log(double, &self.name, 1, 0).await[0]["events_sent"] != json!(self.sent) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let Some(last) = self.text_sent().checked_sub(1) else {
            let_it_see(gateway).await;
            waiting.abort();
            let _ = waiting.await;
            return;
        };
        let mut response = waiting.await.unwrap().unwrap();
        let seen = read_until(&mut response, TEXTS[last]);
        // A text in the event that ends the choice is told with the settlement, so never here.
        let ends = self.transcript.dialect == "gemini-generate" && last == 1;
        if !ends {
            seen.await;
        }
    }
}

impl Counts {
    /// An event with the counts told this way.
    fn put(self, event: &str) -> String {
        let Some(start) = event.find('{').filter(|_| self != Self::Told) else {
            return event.to_owned();
        };
        let (head, json) = event.split_at(start);
        let mut value: Value = serde_json::from_str(json).unwrap();
        self.change(&mut value);
        let end = &json[json.trim_end().len()..];
        format!("{head}{value}{end}")
    }

    fn change(self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                if self == Self::Never {
                    fields.retain(|name, _| !COUNTS.contains(&name.as_str()));
                }
                for (name, value) in fields.iter_mut() {
                    match COUNTS.contains(&name.as_str()) {
                        true => zero(value),
                        false => self.change(value),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| self.change(value)),
            _ => {}
        }
    }
}

/// Where the dialects count.
const COUNTS: [&str; 4] = ["usage", "usageMetadata", "prompt_eval_count", "eval_count"];

fn zero(value: &mut Value) {
    match value {
        Value::Number(_) => *value = json!(0),
        Value::Object(fields) => fields.values_mut().for_each(zero),
        _ => {}
    }
}

async fn start(cancel: bool) -> (Vec<Case>, Gateway, Double) {
    let double = Double::start();
    let cases = Case::all();
    let mut config = String::new();
    for case in &cases {
        let script = case.transcript.streamed(&json!({"gate_after": case.sent}));
        double.script(&case.name, &script).await;
        config.push_str(&double.model(&case.name, case.transcript.dialect, cancel));
    }
    (cases, Gateway::start(&config).await, double)
}

/// Leaves every case, and waits until its upstream knows.
async fn leave_all(
    gateway: &Gateway,
    double: &Double,
    cases: &[Case],
    then: impl AsyncFn(String),
    ending: &str,
) {
    let left = stream::iter(cases).map(|case| {
        let then = &then;
        async move {
            case.leave(gateway, double).await;
            then(case.name.clone()).await;
            let log = log(double, &case.name, 1, 1).await;
            assert_eq!((log.len(), &log[0]["ending"]), (1, &json!(ending)), "{}", case.name);
        }
    });
    left.buffer_unordered(8).collect::<Vec<()>>().await;
}

fn open(gateway: &Gateway) -> Connection {
    let file = gateway.folder().join("patchbay.db");
    let store = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "SELECT id FROM settlement WHERE is_expiry = 1";
    let expired: Option<String> = store.query_row(sql, [], |row| row.get(0)).optional().unwrap();
    assert_eq!(expired, None, "a hold was forgotten");
    store
}

fn nanos(usd: &Value) -> i64 {
    format!("{:.0}", usd.as_f64().unwrap() * 1e9).parse().unwrap()
}
