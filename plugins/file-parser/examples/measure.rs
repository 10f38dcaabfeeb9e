//! Reads every PDF of a folder and prints how long each takes per page; of one file, its text.
//!
//! `cargo run --release -p plugin-file-parser --example measure -- FOLDER`

#![expect(clippy::print_stdout, reason = "the numbers are for the terminal")]
#![expect(clippy::disallowed_methods, reason = "time is what it measures")]

use plugin_file_parser::pdf::Document;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn main() -> std::io::Result<()> {
    let Some(place) = std::env::args().nth(1) else {
        println!("which folder, or which file?");
        return Ok(());
    };
    if Path::new(&place).is_file() {
        print!("{}", read(std::fs::read(place)?).0);
        return Ok(());
    }
    let entries = std::fs::read_dir(place)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "pdf"));
    files.sort();
    for path in files {
        let bytes = std::fs::read(&path)?;
        let begun = Instant::now();
        let (_, pages) = read(bytes);
        let per_page = begun.elapsed() / pages.max(1);
        println!("{pages:>5} pages {per_page:>12.2?} per page  {}", path.display());
    }
    Ok(())
}

fn read(bytes: Vec<u8>) -> (String, u32) {
    let (mut text, mut pages) = (String::new(), 0);
    match Document::open(bytes) {
        Ok(document) => document.read(0, |page| {
            pages += 1;
            text.push_str(&page.text);
            Some(0)
        }),
        Err(why) => text = format!("{why:?}\n"),
    }
    (text, pages)
}
