//! Which kind of file it is: by its first bytes, else by its MIME type and its name.

use crate::office::archive::Archive;

/// A kind of file that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PDF
    Pdf,
    /// A Word document (`.docx`).
    Document,
    /// An Excel workbook (`.xlsx`).
    Workbook,
    /// A PowerPoint presentation (`.pptx`).
    Slides,
    /// HTML
    Html,
    /// Anything that is text already: CSV, Markdown, source code, ….
    Text,
}

impl Kind {
    /// The kind of these bytes; `None` if it is none of them.
    pub fn of(bytes: &[u8], mime: &str, name: &str) -> Option<Self> {
        let head = bytes.get(..HEAD_BYTES.min(bytes.len())).unwrap_or_default();
        if head.windows(PDF_MARK.len()).any(|window| window == PDF_MARK) {
            return Some(Self::Pdf);
        }
        if head.starts_with(ZIP_MARK) {
            return Self::of_archive(bytes);
        }
        let looks_binary = head.contains(&0) && !has_utf16_mark(head);
        match Self::promised(mime, name) {
            Some(Self::Html) => Some(Self::Html),
            // What says that it is a PDF is reported as a broken one.
            Some(Self::Pdf) => Some(Self::Pdf),
            _ if looks_binary => None,
            _ if starts_as_html(head) => Some(Self::Html),
            _ => Some(Self::Text),
        }
    }

    /// The kind that MIME type and name promise.
    pub fn promised(mime: &str, name: &str) -> Option<Self> {
        let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let by_mime = match mime.as_str() {
            "application/pdf" | "application/x-pdf" => Some(Self::Pdf),
            "text/html" | "application/xhtml+xml" => Some(Self::Html),
            mime if mime.ends_with("wordprocessingml.document") => Some(Self::Document),
            mime if mime.ends_with("spreadsheetml.sheet") => Some(Self::Workbook),
            mime if mime.ends_with("presentationml.presentation") => Some(Self::Slides),
            "text/csv" | "text/markdown" | "application/json" => Some(Self::Text),
            _ => None,
        };
        let path = name.split(['?', '#']).next().unwrap_or_default();
        let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        by_mime.or(match ending.as_deref() {
            Some("pdf") => Some(Self::Pdf),
            Some("html" | "htm" | "xhtml") => Some(Self::Html),
            Some("docx") => Some(Self::Document),
            Some("xlsx") => Some(Self::Workbook),
            Some("pptx") => Some(Self::Slides),
            Some("csv" | "tsv" | "md" | "markdown" | "txt" | "json" | "xml") => Some(Self::Text),
            _ => None,
        })
    }

    fn of_archive(bytes: &[u8]) -> Option<Self> {
        let archive = Archive::open(bytes).ok()?;
        let kinds = [
            ("word/document.xml", Self::Document),
            ("xl/workbook.xml", Self::Workbook),
            ("ppt/presentation.xml", Self::Slides),
        ];
        kinds.into_iter().find(|(part, _)| archive.has(part)).map(|(_, kind)| kind)
    }
}

fn has_utf16_mark(head: &[u8]) -> bool {
    head.starts_with(&[0xfe, 0xff]) || head.starts_with(&[0xff, 0xfe])
}

fn starts_as_html(head: &[u8]) -> bool {
    let head = head.trim_ascii_start().to_ascii_lowercase();
    head.starts_with(b"<!doctype html") || head.starts_with(b"<html")
}

const PDF_MARK: &[u8] = b"%PDF-";
const ZIP_MARK: &[u8] = b"PK\x03\x04";

/// PDF allows this much before its mark.
const HEAD_BYTES: usize = 1024;
