//! `patchbay index …` as the operator types it: folders, files and addresses, and errors that say
//! what to do.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::harness::Double;

/// The program in a folder of its own, with this much configuration.
fn index(folder: &Path, config: &str, arguments: &[&str]) -> Output {
    std::fs::write(folder.join("patchbay.toml"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
    command.args(["--config", "patchbay.toml", "index"]).args(arguments).current_dir(folder);
    // The double is on loopback, where no proxy leads.
    command.env("NO_PROXY", "127.0.0.1").output().unwrap()
}

/// What a run that went well printed.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = index(folder, "", arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a run that failed complained of.
fn refused(folder: &Path, config: &str, arguments: &[&str]) -> String {
    let output = index(folder, config, arguments);
    assert!(!output.status.success(), "{arguments:?} went well");
    String::from_utf8(output.stderr).unwrap()
}

fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{text}` does not say `{word}`");
    }
}

/// A folder with a handbook of two chapters below it.
fn handbook() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join("handbook").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("pump.md", "# Pump\n\n## Starting\n\nOpen the valve before you start the pump.\n");
    write(
        "deep/lamp.html",
        "<html><head><title>Lamp</title></head><body><nav>Home</nav><main><h1>Lamp</h1>\
         <p>Replace the bulb when the lamp flickers.</p></main></body></html>",
    );
    folder
}

/// A PDF of these pages, each one line of text.
fn pdf(pages: &[&str]) -> String {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        {
            let kids = (0..pages.len()).map(|page| format!("{} 0 R", 4 + 2 * page));
            let kids = kids.collect::<Vec<_>>().join(" ");
            format!("<< /Type /Pages /Count {} /Kids [{kids}] >>", pages.len())
        },
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for (number, text) in pages.iter().enumerate() {
        let drawn = format!("BT /F 12 Tf 72 700 Td ({text}) Tj ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R \
             /Resources << /Font << /F 3 0 R >> >> >>",
            5 + 2 * number
        ));
        let length = drawn.len();
        objects.push(format!("<< /Length {length} >>\nstream\n{drawn}\nendstream"));
    }
    let (mut file, mut places) = ("%PDF-1.4\n".to_owned(), Vec::new());
    for (number, object) in (1..).zip(&objects) {
        places.push(file.len());
        file += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let (start, count) = (file.len(), objects.len() + 1);
    file += &format!("xref\n0 {count}\n0000000000 65535 f \n");
    places.iter().for_each(|place| file += &format!("{place:010} 00000 n \n"));
    file + &format!("trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n")
}

#[test]
fn a_pdf_is_read_by_the_plugin_that_reads_it_for_models() {
    let folder = tempfile::tempdir().unwrap();
    let manual =
        ["Open the valve before you start the pump.", "Replace the bulb when it flickers."];
    std::fs::write(folder.path().join("manual.pdf"), pdf(&manual)).unwrap();
    std::fs::write(folder.path().join("broken.pdf"), "%PDF-1.4\nnothing more").unwrap();
    let added = said(folder.path(), &["add", "manual.pdf"]);
    assert_says(&added, &["1 added", "0 refused"]);
    let found = said(folder.path(), &["query", "the bulb flickers", "--count", "1"]);
    assert_says(&found, &["manual.pdf", "page 1", "Replace the bulb when it flickers."]);
    // The folder has both, and says which is broken.
    let again = said(folder.path(), &["add", "."]);
    assert_says(&again, &["1 unchanged", "1 refused", "broken.pdf"]);
    let broken = refused(folder.path(), "", &["add", "broken.pdf"]);
    assert_says(&broken, &["nothing of broken.pdf could be added"]);
}

#[test]
fn a_folder_is_added_asked_listed_and_removed() {
    let folder = handbook();
    let added = said(folder.path(), &["add", "handbook"]);
    assert_says(&added, &["`docs`: 2 added, 0 changed, 0 unchanged, 0 removed, 0 refused"]);
    let hits = said(folder.path(), &["query", "how", "is", "the", "pump", "started?"]);
    let first = hits.lines().next().unwrap();
    assert_says(first, &["Pump > ", "Starting"]);
    assert_says(&hits, &["handbook/pump.md, character ", "Open the valve before"]);
    let hits = said(folder.path(), &["query", "flickering", "--count", "1"]);
    assert_says(&hits, &["Lamp", "lamp.html", "Replace the bulb"]);
    assert!(!hits.contains("valve"), "{hits}");
    assert_says(&said(folder.path(), &["list"]), &["docs  2 documents  2 passages  "]);
    said(folder.path(), &["remove", "docs"]);
    assert_eq!(said(folder.path(), &["list"]), "");
}

#[test]
fn adding_again_reads_what_changed_and_drops_what_is_gone() {
    let folder = handbook();
    said(folder.path(), &["add", "handbook"]);
    assert_says(&said(folder.path(), &["add", "handbook"]), &["0 added, 0 changed, 2 unchanged"]);
    // The same folder in other words.
    let whole = folder.path().join("handbook");
    let again = said(&whole, &["add", "../handbook/deep/.."]);
    assert_says(&again, &["2 added"]);
    let again = said(folder.path(), &["add", whole.to_str().unwrap()]);
    assert_says(&again, &["0 added, 0 changed, 2 unchanged"]);
    std::fs::write(whole.join("pump.md"), "# Pump\n\nAsk Ada.\n").unwrap();
    std::fs::remove_file(whole.join("deep/lamp.html")).unwrap();
    let changed = said(folder.path(), &["add", "handbook"]);
    assert_says(&changed, &["0 added, 1 changed, 0 unchanged, 1 removed, 0 refused; 1 passages"]);
    let hits = said(folder.path(), &["query", "valve", "lamp"]);
    assert_says(&hits, &["Nothing in `docs` fits."]);
}

#[test]
fn what_is_refused_is_named_with_the_reason_and_the_rest_is_taken() {
    let folder = handbook();
    std::fs::write(folder.path().join("handbook/broken.txt"), b"a\0b").unwrap();
    std::fs::write(folder.path().join("handbook/large.txt"), "word ".repeat(300)).unwrap();
    let config = "[index]\ndocument_bytes_max = 1000\n";
    let output = index(folder.path(), config, &["add", "handbook", "--index", "manual"]);
    assert!(output.status.success());
    let added = String::from_utf8(output.stdout).unwrap();
    assert_says(&added, &["`manual`: 2 added", "2 refused"]);
    assert_says(&added, &["refused ", "broken.txt: it holds zero bytes"]);
    assert_says(&added, &["large.txt: it has 1500 bytes", "document_bytes_max"]);
}

#[test]
fn of_many_refused_files_a_few_are_listed() {
    let folder = handbook();
    for number in 0..30 {
        let name = format!("handbook/broken-{number}.txt");
        std::fs::write(folder.path().join(name), b"\0").unwrap();
    }
    let added = said(folder.path(), &["add", "handbook"]);
    assert_says(&added, &["30 refused", "and 10 more"]);
    assert_eq!(added.matches("\n  refused ").count(), 20, "{added}");
}

#[tokio::test]
async fn an_address_is_read_by_its_content_type_after_redirects() {
    let double = Double::start();
    let html = json!({"headers": {"content-type": "text/html; charset=utf-8"},
        "body": "<title>Tides</title><main><h1>Tides</h1><p>The tide turns twice a day.</p></main>"});
    double.script("page", &html).await;
    let away = json!({"status": 302, "headers": {"location": "/page/tides"}});
    double.script("old", &away).await;
    let folder = tempfile::tempdir().unwrap();
    let address = format!("{}/old/tides.md", double.url);
    assert_says(&said(folder.path(), &["add", &address]), &["1 added", "0 refused"]);
    let hits = said(folder.path(), &["query", "tide"]);
    assert_says(&hits, &["Tides", &address, "The tide turns twice a day."]);
    assert!(!hits.contains("<p>"), "{hits}");
    assert_says(&said(folder.path(), &["add", &address]), &["1 unchanged"]);
}

#[tokio::test]
async fn an_address_that_gives_no_document_is_refused_with_the_reason() {
    let double = Double::start();
    double.script("gone", &json!({"status": 404, "body": "no"})).await;
    double.script("large", &json!({"body": "x".repeat(2000)})).await;
    double.script("pieces", &json!({"body": "x".repeat(2000), "split": 100})).await;
    double.script("video", &json!({"headers": {"content-type": "video/mp4"}, "body": "x"})).await;
    let circle = json!({"status": 302, "headers": {"location": "/circle/x"}});
    double.script("circle", &circle).await;
    let folder = tempfile::tempdir().unwrap();
    let config = "[index]\ndocument_bytes_max = 1000\n";
    for (name, words) in [
        ("gone", vec!["/gone/x answered 404"]),
        ("large", vec!["more than 1000 bytes", "index.document_bytes_max"]),
        ("pieces", vec!["more than 1000 bytes", "index.document_bytes_max"]),
        ("circle", vec!["/circle/x could not be read", "redirect"]),
        ("video", vec!["nothing of", "could be added"]),
    ] {
        let address = format!("{}/{name}/x", double.url);
        assert_says(&refused(folder.path(), config, &["add", &address]), &words);
    }
    let refused = refused(folder.path(), "", &["add", "https://ada:pass-word@[::1]:1/x"]);
    assert_says(&refused, &["https://[::1]:1/x could not be read"]);
    assert!(!refused.contains("pass-word"), "{refused}");
    // Nothing was made of it.
    assert_eq!(said(folder.path(), &["list"]), "");
}

#[test]
fn what_is_typed_wrongly_is_refused_with_the_fix() {
    let folder = handbook();
    said(folder.path(), &["add", "handbook", "--index", "manual"]);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    for (arguments, words) in [
        (&["query", "pump"][..], vec!["no index `docs`", "known: manual"]),
        (&["remove", "docs"], vec!["no index `docs`", "known: manual"]),
        (&["add", "nowhere"], vec!["nowhere is no file or folder", "http(s)://"]),
        (&["add", "ftp://example.org/x"], vec!["ftp://example.org/x", "http(s)://"]),
        (&["add", "handbook", "--index", "../x"], vec!["`../x` is no name for an index"]),
        (&["add", "empty"], vec!["nothing of empty could be added"]),
    ] {
        assert_says(&refused(folder.path(), "", arguments), &words);
    }
}

#[test]
fn only_one_writes_at_a_time() {
    let folder = handbook();
    said(folder.path(), &["add", "handbook"]);
    // The lock of the writer, as another process would hold it.
    let lock = folder.path().join("index.d/docs/.tantivy-writer.lock");
    let lock = OpenOptions::new().write(true).create(true).truncate(false).open(lock).unwrap();
    lock.try_lock().unwrap();
    for arguments in [&["add", "handbook"][..], &["remove", "docs"]] {
        let refused = refused(folder.path(), "", arguments);
        assert_says(&refused, &["`docs` is being written by another add", "wait until it ends"]);
    }
    // Asking goes on.
    assert_says(&said(folder.path(), &["query", "valve"]), &["Open the valve"]);
    drop(lock);
    assert_says(&said(folder.path(), &["add", "handbook"]), &["2 unchanged"]);
}
