//! The egress gate: every HTTP request that a plugin makes, and every one made for it, goes
//! through here. A request is let out when its scheme, host and port are granted and the address
//! that the host resolves to may be reached; the connection is made to exactly that address.
//! Redirects are followed by hand, each through the same checks. Time, bytes and the number of
//! redirects are bounded. Counting requests per plugin is the caller's affair.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::Client;

use self::hop::Hop;
use self::mask::Mask;
use self::resolve::System;

mod address;
mod client;
mod credential;
mod header;
mod hop;
mod mask;
mod pattern;
mod receive;
mod refusal;
mod resolve;
#[cfg(test)]
mod tests;

pub(super) use self::credential::{Credential, Placement};
use self::pattern::Access;
pub(super) use self::pattern::Pattern;
pub(super) use self::refusal::Refusal;
pub(super) use self::resolve::Lookup;

/// A URL as the gate reads it.
pub(super) use reqwest::Url;

/// The gate. One for the process: it holds the pools of connections.
pub(super) struct Gate {
    /// Connects to public addresses only.
    public: Client,
    /// Connects to private addresses too. A pool of its own: a connection that one plugin's grant
    /// allowed is never lent to a plugin without that grant.
    private: Client,
}

/// What the operator sets for all plugins.
pub(super) struct GateConfig<'a> {
    /// The longest that one connection may take to be made, name look-up and TLS included.
    pub(super) connect: Duration,
    /// More certificate authorities to trust, as PEM.
    pub(super) ca_file: Option<&'a Path>,
}

/// One request, with everything that bounds it.
pub(super) struct Errand<'a> {
    /// What to do.
    pub(super) method: Method,
    /// Where, as the plugin wrote it.
    pub(super) url: &'a str,
    /// Names and values, as the plugin wrote them.
    pub(super) headers: &'a [(String, String)],
    /// What to send. Its size is the caller's affair.
    pub(super) body: Bytes,
    /// For the whole errand: redirects and the reply's last byte included.
    pub(super) timeout: Duration,
    /// The longest body, after decompression.
    pub(super) response_bytes_max: usize,
    /// How many redirects may be followed.
    pub(super) redirects_max: u32,
    /// Counts the requests that are sent: the first one, and one per redirect.
    pub(super) sent: &'a AtomicU64,
    /// Where requests may go, at public addresses.
    pub(super) public: &'a [Pattern],
    /// Where requests may go, at private addresses too.
    pub(super) private: &'a [Pattern],
    /// The secret to add.
    pub(super) credential: Option<Credential<'a>>,
    /// The setting that would grant more, for refusals: `plugin.web.grant`.
    pub(super) setting: &'a str,
}

/// The methods that a plugin may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `HEAD`
    Head,
}

/// A reply, whole. Wherever it repeated the secret, it says `[secret]`.
#[derive(Debug)]
pub(super) struct Fetched {
    /// The status.
    pub(super) status: u16,
    /// Names in lower case, values as text.
    pub(super) headers: Vec<(String, String)>,
    /// Decompressed.
    pub(super) body: Vec<u8>,
    /// Where it came from, after redirects, without the secret.
    pub(super) url: String,
    /// Bytes of the body as they were read, for the caller's count.
    pub(super) bytes_read: usize,
}

impl Gate {
    /// Builds both clients. Names are looked up as the system does.
    ///
    /// # Errors
    /// Names the certificate file that can't be used.
    pub(super) fn new(config: &GateConfig<'_>) -> Result<Self, anyhow::Error> {
        let system: Arc<dyn Lookup> = Arc::new(System);
        Self::with_lookup(config, &system)
    }

    /// The same with another way to look names up.
    ///
    /// # Errors
    /// Names the certificate file that can't be used.
    pub(super) fn with_lookup(
        config: &GateConfig<'_>,
        lookup: &Arc<dyn Lookup>,
    ) -> Result<Self, anyhow::Error> {
        Ok(Self {
            public: client::build(config, lookup, Access::Public)?,
            private: client::build(config, lookup, Access::Private)?,
        })
    }

    /// Runs one errand to its end.
    ///
    /// # Errors
    /// When it is refused or fails. The text is for the plugin's author: it names settings and
    /// never an address or a secret.
    pub(super) async fn fetch(&self, errand: Errand<'_>) -> Result<Fetched, Refusal> {
        let mask = Mask::of(errand.credential.as_ref());
        let whole = tokio::time::timeout(errand.timeout, self.follow(&errand, &mask)).await;
        whole.unwrap_or(Err(Refusal::Timeout)).map_err(|refusal| refusal.masked(&mask))
    }

    async fn follow(&self, errand: &Errand<'_>, mask: &Mask) -> Result<Fetched, Refusal> {
        let mut hop = Hop::first(errand)?;
        for _ in 0..=errand.redirects_max {
            let client = match hop.access {
                Access::Private => &self.private,
                Access::Public | Access::Denied => &self.public,
            };
            let request = hop.request(client, errand.credential.as_ref())?;
            errand.sent.fetch_add(1, Ordering::Relaxed);
            let response = client.execute(request).await;
            let response =
                response.map_err(|error| Refusal::of(&error, &hop.url, errand.setting))?;
            receive::check_headers(response.headers())?;
            match hop.location(&response)? {
                Some(location) => {
                    hop = hop.redirected(response.status(), location, errand, mask)?
                }
                None => return receive::read(response, &hop, errand, mask).await,
            }
        }
        let max = errand.redirects_max;
        Err(Refusal::Limit(format!("more than {max} redirects, which is as many as are followed")))
    }
}
