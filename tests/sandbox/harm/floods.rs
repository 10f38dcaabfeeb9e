//! Floods of what every plugin may do a little: log lines, metrics, state, output. What is over is
//! dropped or refused, and the others' share stays theirs.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::json;

use super::super::hostile::{begin, faults, rss_kib, unharmed, until_faults};
use super::super::upstream::ask;

const GENEROUS: &str = "[plugins.breaker]\nfailures = 60000\n[plugins.limits]\ncpu_ms = 20000\n";

#[tokio::test]
async fn ten_thousand_metrics_become_a_hundred() {
    let (_double, gateway) = begin(GENEROUS).await;
    for is_stream in [true, false] {
        let plugins = json!([{"id": "hostile", "do": "cardinality", "at": "request"}]);
        unharmed(&gateway, &ask("free", &plugins), is_stream).await;
    }
    let metrics = gateway.metrics().await;
    let series: std::collections::BTreeSet<_> = metrics
        .lines()
        .filter(|line| line.starts_with("patchbay_plugin_flood"))
        .filter_map(|line| line.split([' ', '{']).next())
        .collect();
    let own = metrics.lines().filter(|line| line.starts_with("patchbay_plugin_flood{")).count();
    assert!((1..=100).contains(&own), "{own} series of one name");
    // A histogram is several names.
    assert!(series.len() <= 20 * 4, "{} names", series.len());
    until_faults(&gateway, "hostile", &BTreeMap::new()).await;
}

#[tokio::test]
async fn nobody_writes_metrics_in_the_hosts_name_or_breaks_them_for_their_reader() {
    let (_double, gateway) = begin(GENEROUS).await;
    let plugins = json!([{"id": "hostile", "do": "forge", "at": "request"}]);
    unharmed(&gateway, &ask("free", &plugins), true).await;
    let metrics = gateway.metrics().await;
    for name in ["patchbay_plugin_faults_total", "patchbay_plugin_broken_total"] {
        let forged = metrics.lines().find(|line| line.starts_with(name));
        assert_eq!(forged, None);
    }
    let forged: Vec<_> =
        metrics.lines().filter(|line| line.starts_with("patchbay_plugin_forged")).collect();
    assert_eq!(forged, [r#"patchbay_plugin_forged{plugin="hostile",fault="trap"} 1000000"#]);
    for line in metrics.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(line.starts_with("patchbay_"), "{line}");
        let (_, number) = line.rsplit_once(' ').unwrap();
        assert!(number.parse::<f64>().is_ok(), "{line}");
        for label in ["label", "le", "quantile"] {
            assert!(line.matches(&format!("{label}=\"")).count() <= 1, "{line}");
        }
    }
}

#[tokio::test]
async fn a_full_state_is_its_owners_alone() {
    let limits = format!("{GENEROUS}state_bytes = 100000\n");
    let (_double, gateway) = begin(&limits).await;
    let fill = json!([{"id": "hostile", "do": "state", "at": "request"}]);
    let before = rss_kib(gateway.pid());
    for is_stream in [true, false] {
        unharmed(&gateway, &ask("free", &fill), is_stream).await;
    }
    let (status, body) = gateway
        .chat(&ask("free", &json!([{"id": "hostile-guard", "do": "state", "at": "request"}])))
        .await;
    assert_eq!((status, &body["error"]["metadata"]["fault"]), (503, &json!("error")), "{body}");
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains("state is full"), "{message}");
    let after = rss_kib(gateway.pid());
    assert!(after < before + 50 * 1024, "{before} KiB before, {after} KiB after");
    until_faults(&gateway, "hostile", &BTreeMap::from([("error".to_owned(), 2)])).await;
}

#[tokio::test]
async fn a_gigabyte_of_output_costs_its_own_request_only() {
    let large = "[plugin.hostile.limits]\nmemory_bytes = 536870912\ncall_bytes = 1073741824\n";
    let (_double, gateway) = begin(&format!("{GENEROUS}{large}")).await;
    let before = rss_kib(gateway.pid());
    // Sixteen at once, 64 MiB each; the pieces of `many` are small and a million.
    let requests = (0..16).map(|number| {
        let deed = if number % 4 == 3 { "many" } else { "huge" };
        let at = if number % 2 == 0 { "push" } else { "request" };
        let body = ask("free", &json!([{"id": "hostile", "do": deed, "at": at}]));
        let gateway = &gateway;
        async move { unharmed(gateway, &body, number % 3 == 0).await }
    });
    stream::iter(requests).buffer_unordered(16).collect::<Vec<()>>().await;
    let counted = faults(&gateway, "hostile").await;
    assert_eq!(counted, BTreeMap::from([("expansion".to_owned(), 16)]));
    let after = rss_kib(gateway.pid());
    assert!(after < before + 700 * 1024, "{before} KiB before, {after} KiB after");
}
