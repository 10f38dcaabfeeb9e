//! Pages by their addresses, side by side.

use patchbay_sdk::http::{self, HttpError, Request, Response};
use patchbay_sdk::{Error, system};

use crate::decode::{self, Form};
use crate::html::{self, Page};

/// A page that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it came from, after redirects.
    pub url: String,
    /// Title and main text.
    pub page: Page,
}

/// How long reading may take in all. Time that runs out shortens pages and fails nothing.
#[derive(Debug)]
struct Watch {
    ends_ns: u64,
}

impl Watch {
    /// From now on. A hook's limit of CPU time must be well above it.
    fn start() -> Self {
        Self { ends_ns: system::monotonic_ns().saturating_add(READING_NS_MAX) }
    }

    /// The time at which one of `count` must be ready, so that each has its share.
    fn share(&self, count: usize) -> u64 {
        let now = system::monotonic_ns();
        let left = self.ends_ns.saturating_sub(now);
        now.saturating_add(left / u64::try_from(count.max(1)).unwrap_or(1))
    }
}

/// Fetches pages and reads them. The results are in the order of the addresses.
///
/// # Errors
/// Each in words for people, and for the model.
pub fn all(urls: &[String]) -> Vec<Result<Fetched, String>> {
    if urls.is_empty() {
        return Vec::new();
    }
    let replies = http::fetch_all(urls.iter().map(|url| request(url)).collect());
    let watch = Watch::start();
    let mut left = replies.len();
    let bytes = READ_BYTES_MAX / left.max(1);
    let mut pages = Vec::with_capacity(left);
    for (reply, url) in replies.into_iter().zip(urls) {
        pages.push(match reply {
            Ok(reply) => read(&reply, url, bytes, watch.share(left)),
            Err(error) => Err(sentence(error)),
        });
        left = left.saturating_sub(1);
    }
    let count = pages.len();
    pages.iter_mut().flatten().for_each(|fetched| shorten(&mut fetched.page.text, count));
    pages
}

/// Cuts a text that is one of so many to its share of what one hook can look through for passages.
pub fn shorten(text: &mut String, count: usize) {
    text.truncate(text.floor_char_boundary(TEXTS_BYTES_MAX / count.max(1)));
}

fn request(url: &str) -> Request {
    http::get(url)
        .header(
            "accept",
            "text/html, application/xhtml+xml, text/markdown, text/plain;q=0.9, */*;q=0.1",
        )
        .timeout_ms(TIMEOUT_MS)
        .response_bytes_max(PAGE_BYTES_MAX)
}

/// Reads the first `bytes` of a page, or as much as time allows.
fn read(reply: &Response, url: &str, bytes: usize, ends_ns: u64) -> Result<Fetched, String> {
    let status = reply.status();
    if !(200..300).contains(&status) {
        return Err(format!("the server answered {status}"));
    }
    let kind = reply.header("content-type");
    let Some(form) = decode::form(kind, reply.body()) else {
        return Err(format!("it is no text but {}", crate::cut(kind.unwrap_or("unknown"), 80)));
    };
    let body = reply.body();
    let text = decode::text(kind, body.get(..bytes).unwrap_or(body));
    let page = match form {
        Form::Html => {
            html::read(&text, &mut |read| read < SURE_BYTES || system::monotonic_ns() <= ends_ns)
        }
        Form::Plain => Page { title: String::new(), text: text.into_owned() },
    };
    if page.text.trim().is_empty() {
        return Err("no text was found on the page".into());
    }
    let url = if reply.url().is_empty() { url } else { reply.url() };
    Ok(Fetched { url: url.to_owned(), page })
}

fn sentence(error: HttpError) -> String {
    match error {
        HttpError::TooLarge => format!("the page is larger than {} MiB", PAGE_BYTES_MAX >> 20),
        HttpError::Timeout => "the page took too long".into(),
        error => crate::reason(&Error::from(error)),
    }
}

/// Of the 50 ms of CPU time that a hook has unless the operator says otherwise.
const READING_NS_MAX: u64 = 25_000_000;

const TIMEOUT_MS: u32 = 8_000;

const PAGE_BYTES_MAX: u32 = 2 << 20;

/// Of all pages together; each has its share. Few pages have more than 200 KiB.
const READ_BYTES_MAX: usize = 1 << 20;

/// So much of each page is read even if others took their time.
const SURE_BYTES: usize = 64 << 10;

const TEXTS_BYTES_MAX: usize = 256 << 10;
