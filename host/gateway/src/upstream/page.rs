//! A page that the operator wants read: one bounded `GET`, redirects followed. Unlike a plugin the
//! operator may read whatever this machine can reach.

use std::time::Duration;

use anyhow::Context;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;

use super::client;
use crate::config::Upstream as Limits;

/// A page as it was sent.
#[derive(Debug)]
pub(crate) struct Page {
    /// What was asked for, without a name, a password and a fragment.
    pub(crate) url: String,
    /// The content type, if the server said one.
    pub(crate) media_type: Option<String>,
    /// The body, decompressed.
    pub(crate) bytes: Vec<u8>,
}

/// Reads a page of at most `bytes_max` bytes.
///
/// # Errors
/// When the address is none, nothing answers, or the answer is none or too large.
pub(crate) async fn get(limits: &Limits, url: &str, bytes_max: u64) -> Result<Page, anyhow::Error> {
    let url: Url = url.parse().with_context(|| format!("`{url}` is no address"))?;
    let mut shown = url.clone();
    // Both are refused by addresses that can't have them, which these then have not.
    let _ = (shown.set_username(""), shown.set_password(None));
    shown.set_fragment(None);
    let client = client::builder(limits)?.redirect(Policy::limited(REDIRECTS_MAX)).build()?;
    let sent = client.get(url).timeout(TIMEOUT).send().await;
    // Its text would have the address once more, with a password that is in it.
    let sent = sent.map_err(reqwest::Error::without_url);
    let mut response = sent.with_context(|| format!("{shown} could not be read"))?;
    let status = response.status();
    anyhow::ensure!(status.is_success(), "{shown} answered {status}");
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media_type = media_type.map(str::to_owned);
    let mut bytes = Vec::new();
    loop {
        let piece = response.chunk().await.map_err(reqwest::Error::without_url);
        let piece = piece.with_context(|| format!("{shown} broke off"))?;
        let Some(piece) = piece else { break };
        bytes.extend_from_slice(&piece);
        anyhow::ensure!(
            u64::try_from(bytes.len()).is_ok_and(|read| read <= bytes_max),
            "{shown} has more than {bytes_max} bytes; raise index.document_bytes_max"
        );
    }
    Ok(Page { url: shown.into(), media_type, bytes })
}

/// As browsers do.
const REDIRECTS_MAX: usize = 10;

/// For the whole page: somebody sits and waits for it.
const TIMEOUT: Duration = Duration::from_secs(30);
