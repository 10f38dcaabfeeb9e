//! `search`: what `patchbay index add` put into an index is found by a plugin, if it may look.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{assert_says, double, gateway, grant, told};
use crate::harness::Gateway;

const BORROWING: &str = "# Borrowing\n\nA reference borrows a value without owning it.\n\n\
    ## Rules\n\nAt any time there is one mutable reference or any number of shared ones.\n";
const COOKING: &str = "# Soup\n\nAn onion soup wants patience: the onions are browned slowly.\n";

/// Runs `patchbay index add` beside the gateway, with its configuration.
fn add(gateway: &Gateway, folder: &Path, index: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
    command.arg("--config").arg(gateway.folder().join("patchbay.toml"));
    command.args(["index", "add", "--index", index]).arg(folder);
    let added = command.current_dir(gateway.folder()).output().unwrap();
    let said = String::from_utf8(added.stdout).unwrap();
    assert!(added.status.success(), "{said}{}", String::from_utf8_lossy(&added.stderr));
    said
}

fn query(index: &str, text: &str) -> Value {
    json!({"search": {"index": index, "text": text, "count": 1}})
}

#[tokio::test]
async fn a_plugin_finds_the_passage_that_was_added_while_the_gateway_ran() {
    let documents = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(documents.path().join(name), text).unwrap();
    write("borrowing.md", BORROWING);
    write("soup.md", COOKING);
    let double = double().await;
    let gateway = gateway(&double, &grant(&["search=docs"])).await;
    let said = told(&gateway, &query("docs", "mutable references")).await;
    assert_says(&said, &["search: upstream: there is no index `docs`"]);

    let said = add(&gateway, documents.path(), "docs");
    assert_says(&said, &["2 added"]);
    let said = told(&gateway, &query("docs", "how many mutable references at a time?")).await;
    let wanted = ["search: 1 hits: ", "borrowing.md | Borrowing", "Rules", "one mutable reference"];
    assert_says(&said, &wanted);
    let said = told(&gateway, &query("docs", "browning an onion")).await;
    assert_says(&said, &["soup.md", "browned slowly"]);

    // A change is seen by the next query.
    write("soup.md", "# Soup\n\nA leek soup is quick.\n");
    assert_says(&add(&gateway, documents.path(), "docs"), &["1 changed", "1 unchanged"]);
    assert_says(&told(&gateway, &query("docs", "leek")).await, &["A leek soup is quick."]);
    let said = told(&gateway, &query("docs", "browning an onion")).await;
    assert!(!said.contains("browned"), "{said}");
}

#[tokio::test]
async fn an_index_that_is_not_granted_is_not_searched() {
    let documents = tempfile::tempdir().unwrap();
    std::fs::write(documents.path().join("soup.md"), COOKING).unwrap();
    let double = double().await;
    for grants in [vec![], vec!["search=other"], vec!["search=recipes-*"]] {
        let gateway = gateway(&double, &grant(&grants)).await;
        add(&gateway, documents.path(), "recipes");
        let said = told(&gateway, &query("recipes", "onion")).await;
        let fix = "add \"search=recipes\" to plugin.caller.grant";
        assert_says(&said, &["search: denied: ", fix]);
        assert!(!said.contains("browned"), "{said}");
    }
}

#[tokio::test]
async fn queries_are_counted() {
    let documents = tempfile::tempdir().unwrap();
    std::fs::write(documents.path().join("soup.md"), COOKING).unwrap();
    let double = double().await;
    let limits = "[plugin.caller.limits]\nsearches = 1\n";
    let gateway = gateway(&double, &format!("{}{limits}", grant(&["search"]))).await;
    add(&gateway, documents.path(), "docs");
    let mut twice = query("docs", "onion");
    twice["times"] = json!(2);
    let said = told(&gateway, &twice).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_says(lines[0], &["1 hits", "browned slowly"]);
    assert_says(lines[1], &["search: limit: ", "plugin.caller.limits.searches"]);
}
