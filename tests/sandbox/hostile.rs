//! Plugins that loop, eat memory, overflow their stack, crash or lie: each fails its own request
//! only, in the way its kind says, and is counted by what it did.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use serde_json::{Value, json};

use super::upstream::{ask, paced, reply};
use super::wasm;
use crate::harness::{Double, Gateway, Streamed};

pub(in crate::sandbox) const PIECES: [&str; 3] = ["Nothing ", "of this ", "may change."];
pub(in crate::sandbox) const TEXT: &str = "Nothing of this may change.";

const EVERYWHERE: &[&str] = &["new", "request", "push", "finish", "complete"];
/// Where something is given back that says that it failed.
const TOLD: &[&str] = &["new", "request", "push", "finish"];
/// Where something is given back that goes to the client.
const GIVEN: &[&str] = &["request", "push", "finish"];

/// What a deed counts as, and where it can be done.
const DEEDS: [(&str, &str, &[&str]); 21] = [
    ("loop", "timeout", EVERYWHERE),
    ("log", "timeout", EVERYWHERE),
    ("calls", "timeout", EVERYWHERE),
    ("memory", "memory", EVERYWHERE),
    ("handles", "limit", EVERYWHERE),
    ("big-call", "limit", EVERYWHERE),
    ("huge", "memory", GIVEN),
    ("many", "memory", GIVEN),
    ("stack", "stack", EVERYWHERE),
    ("panic", "trap", EVERYWHERE),
    ("trap", "trap", EVERYWHERE),
    ("random", "trap", EVERYWHERE),
    ("utf8", "trap", GIVEN),
    ("error", "error", TOLD),
    ("state", "error", TOLD),
    ("stray", "error", &["push", "finish"]),
    ("status", "error", GIVEN),
    ("deep", "error", GIVEN),
    ("deep-other", "error", GIVEN),
    ("deep-metadata", "error", GIVEN),
    ("deep-extra", "error", &["request"]),
];

/// One deed at one place, for a streamed reply or a whole one.
#[derive(Debug, Clone, Copy)]
struct Case {
    deed: &'static str,
    fault: &'static str,
    place: &'static str,
    is_stream: bool,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for (deed, fault, places) in DEEDS {
            for (place, is_stream) in
                places.iter().flat_map(|place| [(place, true), (place, false)])
            {
                cases.push(Self { deed, fault, place, is_stream });
            }
        }
        cases
    }

    fn plugins(self, id: &str) -> Value {
        json!([{"id": id, "do": self.deed, "at": self.place}])
    }
}

/// A double and a gateway with the hostile plugins in place.
pub(in crate::sandbox) async fn begin(config: &str) -> (Double, Gateway) {
    let double = Double::start();
    double.script("free", &reply(&PIECES)).await;
    double.script("gated", &paced(&PIECES, &json!({"gate_after": 2}))).await;
    let models = double.model("free", "openai-chat", true);
    let models = models + &double.model("gated", "openai-chat", true);
    let gateway = Gateway::start(&format!("{config}{models}")).await;
    for (id, wasm) in [
        ("hostile", wasm::hostile()),
        ("hostile-guard", wasm::hostile_guard()),
        ("template", wasm::template()),
    ] {
        let (status, body) = gateway.upload(id, wasm).await;
        assert_eq!(status, 201, "{body}");
    }
    (double, gateway)
}

/// Little for the hostile ones, enough for others on a busy machine.
const LIMITS: &str = "[plugins.breaker]\nfailures = 60000\n[plugins.limits]\ncpu_ms = 10000\n\
    [plugin.hostile.limits]\ncpu_ms = 300\nmemory_bytes = 4194304\ncall_bytes = 1000000\n\
    [plugin.hostile-guard.limits]\ncpu_ms = 300\nmemory_bytes = 4194304\ncall_bytes = 1000000\n";

/// How often a plugin failed, by class.
pub(in crate::sandbox) async fn faults(gateway: &Gateway, plugin: &str) -> BTreeMap<String, usize> {
    let text = gateway.metrics().await;
    let prefix = format!("patchbay_plugin_faults_total{{plugin=\"{plugin}\",fault=\"");
    let counts = text.lines().filter_map(|line| line.strip_prefix(&prefix));
    let counts = counts.filter_map(|rest| rest.split_once("\"} "));
    counts.map(|(fault, count)| (fault.to_owned(), count.parse().unwrap())).collect()
}

/// Audit hooks run after the reply, so the count is waited for.
pub(in crate::sandbox) async fn until_faults(
    gateway: &Gateway,
    plugin: &str,
    want: &BTreeMap<String, usize>,
) {
    let mut last = BTreeMap::new();
    for _ in 0..500 {
        last = faults(gateway, plugin).await;
        if last == *want {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(last, *want);
}

fn count(cases: &[Case]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for case in cases {
        *counts.entry(case.fault.to_owned()).or_default() += 1;
    }
    counts
}

pub(in crate::sandbox) async fn unharmed(gateway: &Gateway, body: &Value, is_stream: bool) {
    if is_stream {
        let streamed = gateway.stream(body).await;
        assert_eq!(streamed.joined("content"), TEXT, "{body}");
        assert!(streamed.is_done && streamed.finishes() == ["stop"], "{body} {streamed:?}");
    } else {
        let (status, answer) = gateway.chat(body).await;
        assert_eq!(status, 200, "{body} {answer}");
        assert_eq!(answer["choices"][0]["message"]["content"], json!(TEXT), "{body}");
    }
}

/// Runs a healthy stream through a plugin of its own from before the harm until after it.
pub(in crate::sandbox) async fn beside_a_healthy_stream(
    double: &Double,
    gateway: &Gateway,
    harm: impl Future<Output = ()>,
) {
    let mut body = ask("gated", &json!([{"id": "template", "replace": {"change": "be changed"}}]));
    body["stream"] = json!(true);
    let mut response = gateway.post(&body).await;
    let first = response.chunk().await.unwrap().unwrap();
    harm.await;
    double.release("gated").await;
    let rest = response.text().await.unwrap();
    let streamed = Streamed::read(&(String::from_utf8(first.to_vec()).unwrap() + &rest));
    assert_eq!(streamed.joined("content"), "Nothing of this may be changed.");
    assert!(streamed.is_done && streamed.finishes() == ["stop"], "{streamed:?}");
}

#[tokio::test]
async fn a_transform_that_fails_is_left_out_of_its_own_request_and_counted_by_its_deed() {
    let (double, gateway) = begin(LIMITS).await;
    let cases = Case::all();
    let harm = async {
        let requests = cases.iter().map(|case| {
            let body = ask("free", &case.plugins("hostile"));
            let gateway = &gateway;
            async move { unharmed(gateway, &body, case.is_stream).await }
        });
        stream::iter(requests).buffer_unordered(8).collect::<Vec<()>>().await;
    };
    beside_a_healthy_stream(&double, &gateway, harm).await;
    until_faults(&gateway, "hostile", &count(&cases)).await;
    until_faults(&gateway, "template", &BTreeMap::new()).await;
}

#[tokio::test]
async fn a_guard_that_fails_ends_its_own_request_and_says_how() {
    let (double, gateway) = begin(LIMITS).await;
    let cases = Case::all();
    let harm = async {
        let requests = cases.iter().map(|case| closed(&gateway, *case));
        stream::iter(requests).buffer_unordered(8).collect::<Vec<()>>().await;
    };
    beside_a_healthy_stream(&double, &gateway, harm).await;
    until_faults(&gateway, "hostile-guard", &count(&cases)).await;
    until_faults(&gateway, "template", &BTreeMap::new()).await;
}

/// A guard's failure, as the client sees it.
async fn closed(gateway: &Gateway, case: Case) {
    let mut body = ask("free", &case.plugins("hostile-guard"));
    if case.place == "complete" {
        // The reply is out; nothing is left to be guarded.
        return unharmed(gateway, &body, case.is_stream).await;
    }
    body["stream"] = json!(case.is_stream);
    let response = gateway.post(&body).await;
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let has_begun = case.is_stream && matches!(case.place, "push" | "finish");
    let error = if has_begun {
        assert_eq!(status, 200, "{case:?} {text}");
        let streamed = Streamed::read(&text);
        assert_eq!(streamed.finishes(), ["error"], "{case:?} {text}");
        if case.place == "push" {
            assert_eq!(streamed.joined("content"), "", "{case:?}");
        }
        streamed.chunks.last().unwrap()["error"].clone()
    } else {
        assert_eq!(status, 503, "{case:?} {text}");
        serde_json::from_str::<Value>(&text).unwrap()["error"].clone()
    };
    assert_eq!(error["code"], json!(503), "{case:?} {text}");
    assert_eq!(error["metadata"]["plugin"], json!("hostile-guard"), "{case:?} {text}");
    assert_eq!(error["metadata"]["fault"], json!(case.fault), "{case:?} {text}");
}

#[tokio::test]
async fn what_is_held_too_long_or_too_much_comes_out_unchanged() {
    let limits = "[plugins.breaker]\nfailures = 60000\n[plugins.limits]\ncpu_ms = 10000\n\
        [plugin.hostile.limits]\nheld_bytes = 20\nheld_ms = 300\n\
        [plugin.hostile-guard.limits]\nheld_bytes = 20\nheld_ms = 300\n";
    let (double, gateway) = begin(limits).await;
    let plugins = json!([{"id": "hostile", "do": "hold"}]);
    // Too much: the pieces are longer than what may be held.
    for is_stream in [true, false] {
        unharmed(&gateway, &ask("free", &plugins), is_stream).await;
    }
    until_faults(&gateway, "hostile", &BTreeMap::from([("held".to_owned(), 2)])).await;
    // Too long: the first piece arrives although the upstream says nothing more.
    let mut body = ask("gated", &plugins);
    body["stream"] = json!(true);
    let mut response = gateway.post(&body).await;
    let mut seen = String::new();
    while !seen.contains(PIECES[0]) {
        seen += std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap();
    }
    double.release("gated").await;
    seen += &response.text().await.unwrap();
    assert_eq!(Streamed::read(&seen).joined("content"), TEXT);
    until_faults(&gateway, "hostile", &BTreeMap::from([("held".to_owned(), 3)])).await;

    let guarded = ask("free", &json!([{"id": "hostile-guard", "do": "hold"}]));
    let (status, body) = gateway.chat(&guarded).await;
    assert_eq!((status, &body["error"]["metadata"]["fault"]), (503, &json!("held")), "{body}");
}

#[tokio::test]
async fn a_flood_of_output_is_an_expansion() {
    let (_double, gateway) =
        begin("[plugins.breaker]\nfailures = 60000\n[plugins.limits]\ncpu_ms = 10000\nmemory_bytes = 268435456\ncall_bytes = 268435456\n").await;
    let plugins = json!([{"id": "hostile", "do": "huge"}]);
    for is_stream in [true, false] {
        unharmed(&gateway, &ask("free", &plugins), is_stream).await;
    }
    until_faults(&gateway, "hostile", &BTreeMap::from([("expansion".to_owned(), 2)])).await;
}

#[tokio::test]
async fn a_plugin_may_reject_with_its_own_status_and_fields() {
    let (_double, gateway) = begin(LIMITS).await;
    for (status, place) in [(400, "request"), (403, "request"), (403, "push"), (429, "finish")] {
        let plugins = json!([{"id": "hostile", "do": "status", "at": place, "status": status}]);
        let mut body = ask("free", &plugins);
        for is_stream in [false, true] {
            body["stream"] = json!(is_stream);
            let response = gateway.post(&body).await;
            let has_begun = is_stream && place != "request";
            assert_eq!(response.status().as_u16(), if has_begun { 200 } else { status });
            let retry_after = response.headers().get("retry-after").cloned();
            assert_eq!(retry_after.is_some_and(|after| after == "3"), !has_begun);
            let text = response.text().await.unwrap();
            let error = match has_begun {
                true => Streamed::read(&text).chunks.last().unwrap()["error"].clone(),
                false => serde_json::from_str::<Value>(&text).unwrap()["error"].clone(),
            };
            assert_eq!(error["code"], json!(status), "{text}");
            assert_eq!(error["message"], json!("rejected on purpose"), "{text}");
            assert_eq!(error["metadata"]["reasons"], json!(["violence"]), "{text}");
            assert_eq!(error["metadata"]["flagged_input"], json!("a word"), "{text}");
            assert_eq!(error["metadata"]["plugin"], json!("hostile"), "{text}");
        }
    }
    until_faults(&gateway, "hostile", &BTreeMap::new()).await;
}

#[tokio::test]
async fn a_plugin_can_not_pretend_that_the_gateway_or_the_upstream_failed() {
    let (_double, gateway) = begin(LIMITS).await;
    let statuses = [0, 200, 302, 399, 500, 502, 504, 65535];
    for status in statuses {
        for place in ["request", "push"] {
            let plugins = json!([{"id": "hostile", "do": "status", "at": place, "status": status}]);
            unharmed(&gateway, &ask("free", &plugins), status % 2 == 0).await;
        }
    }
    let want = BTreeMap::from([("error".to_owned(), statuses.len() * 2)]);
    until_faults(&gateway, "hostile", &want).await;
}

#[tokio::test]
async fn after_two_hundred_hostile_requests_memory_is_back_and_requests_work() {
    let limits = "[plugins.breaker]\nfailures = 60000\n[plugins.limits]\ncpu_ms = 10000\n[plugin.hostile.limits]\nmemory_bytes = 33554432\n";
    let (_double, gateway) = begin(limits).await;
    let deeds = ["memory", "stack", "panic", "huge"];
    let harm = async |requests: usize| {
        let requests = (0..requests).map(|number| {
            let deed = deeds[number % deeds.len()];
            let body = ask("free", &json!([{"id": "hostile", "do": deed}]));
            let gateway = &gateway;
            async move { unharmed(gateway, &body, number % 3 == 0).await }
        });
        stream::iter(requests).buffer_unordered(8).collect::<Vec<()>>().await;
    };
    // What the first ones leave is the pool's and the allocator's own.
    harm(40).await;
    let before = rss_kib(gateway.pid());
    harm(200).await;
    let after = rss_kib(gateway.pid());
    assert!(after < before + 100 * 1024, "{before} KiB before, {after} KiB after");
    let healthy = ask("free", &json!([{"id": "template", "replace": {"Nothing": "Some"}}]));
    let all = join_all((0..20).map(|_| gateway.stream(&healthy))).await;
    assert!(all.iter().all(|one| one.joined("content") == "Some of this may change."));
}

pub(in crate::sandbox) fn rss_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
