//! Reads every PDF of a folder, prints how long each takes per page and, where a text of the same
//! name stands beside it, which part of that text's words were found.
//!
//! `cargo run --release -p plugin-file-parser --example measure -- FOLDER [--text FILE]`

#![expect(clippy::print_stdout, reason = "the numbers are for the terminal")]

use plugin_file_parser::pdf::Document;
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(folder) = arguments.first() else { return Ok(()) };
    if Path::new(folder).is_file() {
        print!("{}", read(&std::fs::read(folder)?).0);
        return Ok(());
    }
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.filter_map(Result::ok).map(|e| e.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pdf"));
    files.sort();
    let mut recalls = Vec::new();
    for path in files {
        let begun = Instant::now();
        let (text, pages) = read(&std::fs::read(&path)?);
        let took = begun.elapsed();
        let recall =
            std::fs::read_to_string(path.with_extension("txt")).ok().map(|t| recall(&t, &text));
        recalls.extend(recall);
        println!(
            "{:>6} {:>4} pages {:>8.2} ms/page  {}",
            recall.map_or("-".to_owned(), |r| format!("{r:.3}")),
            pages,
            took.as_secs_f64() * 1000.0 / (pages.max(1) as f64),
            path.file_name().unwrap_or_default().display()
        );
    }
    let good = recalls.iter().filter(|r| **r >= 0.9).count();
    println!(
        "mean {:.4}, {good} of {} at 0.9",
        recalls.iter().sum::<f64>() / recalls.len().max(1) as f64,
        recalls.len()
    );
    Ok(())
}

fn read(bytes: &[u8]) -> (String, usize) {
    match Document::open(bytes.to_vec()) {
        Ok(document) => {
            let mut text = String::new();
            let mut pages = 0;
            document.read(|page| {
                pages += 1;
                text.push_str(&page.text);
                text.push('\n');
                true
            });
            (text, pages)
        }
        Err(why) => (format!("{why:?}"), 0),
    }
}

fn recall(wanted: &str, found: &str) -> f64 {
    let mut left: HashMap<String, usize> = HashMap::new();
    for word in words(found) {
        *left.entry(word).or_default() += 1;
    }
    let wanted = words(wanted);
    let hits = wanted.iter().filter(|word| match left.get_mut(*word) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    });
    if wanted.is_empty() { 1.0 } else { hits.count() as f64 / wanted.len() as f64 }
}

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|word| word.chars().count() >= 2).map(str::to_owned).collect()
}
