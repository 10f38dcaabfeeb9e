//! `bill`: what a plugin uses of its own is on the bill of the generation, at the operator's price.

use std::process::Command;

use serde_json::{Value, json};

use super::{
    COST, TEXT, assert_says, charged, double, gateway, grant, nanos, record, text, told, with,
};
use crate::sandbox::wasm;

/// What a page costs.
const PRICES: &str = "[plugin.caller.prices]\npage = \"0.007\"\n";

fn pages(count: u32) -> Value {
    json!({"unit": "page", "count": count})
}

#[tokio::test]
async fn what_a_plugin_charges_is_on_the_bill_of_the_generation() {
    let double = double().await;
    let gateway = gateway(&double, &format!("{}{PRICES}", grant(&[]))).await;
    let mut all = 0;
    for place in ["request", "push", "finish"] {
        let body = with(&json!({"bill": pages(3), "at": place}));
        let (status, whole) = gateway.chat(&body).await;
        assert_eq!(status, 200, "{whole}");
        let streamed = gateway.stream(&body).await;
        let said = "bill: 21000000 nanos";
        let wanted = if place == "request" { TEXT.to_owned() } else { format!("{TEXT}{said}") };
        assert_eq!((text(&whole), streamed.joined("content")), (wanted.clone(), wanted), "{place}");
        for reply in [&whole, streamed.chunks.last().unwrap()] {
            assert_eq!(nanos(&reply["usage"]["cost"]), 23_000_000, "{place}: {reply}");
            let record = record(&gateway, reply["id"].as_str().unwrap()).await;
            assert_eq!(nanos(&record["total_cost"]), 23_000_000, "{place}: {record}");
            let [call] = record["plugin_calls"].as_array().unwrap().as_slice() else {
                panic!("{place}: {record}")
            };
            assert_eq!((&call["plugin"], &call["model"]), (&json!("caller"), &json!("page")));
            assert_eq!(nanos(&call["cost"]), 21_000_000, "{record}");
            all += 23_000_000;
        }
        assert_eq!(charged(&gateway).await, all, "{place}");
    }
}

#[tokio::test]
async fn what_has_no_price_is_free() {
    let double = double().await;
    let gateway = gateway(&double, &format!("{}{PRICES}", grant(&[]))).await;
    for bill in [json!({"unit": "search", "count": 9}), pages(0)] {
        let (status, body) = gateway.chat(&with(&json!({"bill": bill, "at": "finish"}))).await;
        assert_eq!((status, text(&body)), (200, format!("{TEXT}bill: 0 nanos")));
        assert_eq!(body["usage"]["cost"], json!(COST), "{body}");
        let record = record(&gateway, body["id"].as_str().unwrap()).await;
        assert_eq!(record["plugin_calls"], json!([]), "{record}");
    }
}

#[tokio::test]
async fn a_plugin_charges_only_so_much() {
    let double = double().await;
    let limits = "[plugin.caller.limits]\ncharge_nanos = 15000000\n";
    let gateway = gateway(&double, &format!("{}{PRICES}{limits}", grant(&[]))).await;
    let said = told(&gateway, &json!({"bill": pages(1), "times": 3})).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..2], ["bill: 7000000 nanos"; 2]);
    assert_says(lines[2], &["bill: limit: ", "plugin.caller.limits.charge_nanos"]);
    assert_eq!(charged(&gateway).await, 14_000_000);
    // The next generation has a limit of its own.
    assert_eq!(told(&gateway, &json!({"bill": pages(2)})).await, "bill: 14000000 nanos");
    let most = u32::MAX;
    let said = told(&gateway, &json!({"bill": pages(most)})).await;
    assert_says(&said, &["bill: limit: "]);
    assert_eq!(charged(&gateway).await, 28_000_000);
}

#[tokio::test]
async fn a_client_without_credit_can_not_be_charged() {
    let double = double().await;
    let prepaid = format!("[billing]\nmode = \"prepaid\"\n{}{PRICES}", grant(&[]));
    let gateway = gateway(&double, &prepaid).await;
    let said = told(&gateway, &json!({"bill": pages(1)})).await;
    assert_says(&said, &["bill: limit: ", "credits"]);
    let deposit = json!({"amount": 0.01, "id": "first"});
    let (status, body) = gateway.manage(reqwest::Method::POST, "/credits", Some(deposit)).await;
    assert_eq!(status, 201, "{body}");
    let said = told(&gateway, &json!({"bill": pages(1), "times": 2})).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "bill: 7000000 nanos");
    assert_says(lines[1], &["bill: limit: ", "credits"]);
    assert_eq!(charged(&gateway).await, 7_000_000);
}

/// What the program says when it is started with these prices of a shipped plugin.
fn refused(prices: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("patchbay.db");
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"sqlite:{}\"\n\
         [plugin.reasoning.prices]\n{prices}\n",
        store.display()
    );
    let file = folder.path().join("patchbay.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
    command.arg("--config").arg(file).current_dir(folder.path());
    let output = command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_price_that_is_none_is_named() {
    for price in ["dear", "-0.01"] {
        let said = refused(&format!("page = {price:?}"));
        assert_says(&said, &["plugin.reasoning.prices.page"]);
        // A plugin that comes later is refused.
        let double = double().await;
        let config = format!("[plugin.caller.prices]\npage = {price:?}\n");
        let gateway = crate::harness::Gateway::start(&config).await;
        let (status, body) = gateway.upload("caller", wasm::caller()).await;
        assert!((400..500).contains(&status), "{status} {body}");
        assert_says(&body.to_string(), &["plugin.caller.prices.page"]);
        drop(double);
    }
}
