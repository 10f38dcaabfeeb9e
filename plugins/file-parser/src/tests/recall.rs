//! How well real PDFs are read. `PATCHBAY_FIXTURES` is a folder whose `pdf/` has PDFs, each with the
//! text that a reference reader finds (`a.pdf`, `a.txt`), and `broken/`, with PDFs that it refuses.

use crate::pdf::{Document, Unreadable};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[test]
fn nearly_all_words_of_public_documents_are_found() {
    let Some(folder) = fixtures() else { return };
    let recalls: Vec<(PathBuf, f64)> = pdfs(&folder)
        .into_iter()
        .map(|path| {
            let wanted = std::fs::read_to_string(path.with_extension("txt")).unwrap();
            let recall = recall(&wanted, &text(&path));
            (path, recall)
        })
        .collect();
    let count = f64::from(u32::try_from(recalls.len()).unwrap());
    let mean = recalls.iter().map(|(_, recall)| recall).sum::<f64>() / count;
    let good = recalls.iter().filter(|(_, recall)| *recall >= 0.9).count();
    let share = f64::from(u32::try_from(good).unwrap()) / count;
    let poor: Vec<_> = recalls.iter().filter(|(_, recall)| *recall < 0.9).collect();
    assert!(mean >= 0.88 && share >= 0.75, "mean {mean:.3}, {share:.3} at 0.9; poor: {poor:?}");
}

#[test]
fn broken_documents_neither_panic_nor_hang() {
    let Some(folder) = fixtures() else { return };
    let broken = pdfs(&folder.join("broken"));
    assert!(!broken.is_empty());
    for path in broken {
        text(&path);
    }
}

#[test]
fn a_document_with_a_password_is_said_to_be_encrypted() {
    let Some(folder) = fixtures() else { return };
    let bytes = std::fs::read(folder.join("broken/libreoffice-writer-password.pdf")).unwrap();
    assert_eq!(Document::open(bytes).err(), Some(Unreadable::Encrypted));
}

#[test]
fn documents_cut_or_damaged_anywhere_neither_panic_nor_hang() {
    let Some(folder) = fixtures() else { return };
    let mut noise = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise
    };
    for path in pdfs(&folder) {
        let whole = std::fs::read(path).unwrap();
        for _ in 0..ROUNDS {
            let mut bytes = whole.clone();
            let length = u64::try_from(bytes.len()).unwrap();
            for _ in 0..20 {
                let at = usize::try_from(next() % length).unwrap();
                bytes[at] = u8::try_from(next() & 0xff).unwrap();
            }
            if next() % 4 == 0 {
                bytes.truncate(usize::try_from(next() % length).unwrap());
            }
            read(bytes);
        }
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn fixtures() -> Option<PathBuf> {
    let folder = std::env::var_os("PATCHBAY_FIXTURES").map(|root| Path::new(&root).join("pdf"));
    if folder.is_none() {
        eprintln!("skipped: PATCHBAY_FIXTURES is not set");
    }
    folder
}

fn pdfs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "pdf")).collect()
}

fn text(path: &Path) -> String {
    read(std::fs::read(path).unwrap())
}

fn read(bytes: Vec<u8>) -> String {
    let mut text = String::new();
    if let Ok(document) = Document::open(bytes) {
        document.read(8, |page| {
            text.push_str(&page.text);
            Some(8)
        });
    }
    text
}

/// The part of the wanted words that were found, each as often as it is wanted.
fn recall(wanted: &str, found: &str) -> f64 {
    let mut left: HashMap<String, usize> = HashMap::new();
    for word in words(found) {
        *left.entry(word).or_default() += 1;
    }
    let wanted = words(wanted);
    if wanted.is_empty() {
        return 1.0;
    }
    let hits = wanted.iter().filter(|word| match left.get_mut(*word) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    });
    let hits = u32::try_from(hits.count()).unwrap();
    f64::from(hits) / f64::from(u32::try_from(wanted.len()).unwrap())
}

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|word| word.chars().count() >= 2).map(str::to_owned).collect()
}

const ROUNDS: usize = 8;
