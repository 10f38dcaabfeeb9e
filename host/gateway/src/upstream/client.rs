//! The HTTP client: pool, proxy, certificates. The same for every provider.

use std::time::Duration;

use anyhow::Context;

use crate::config::Upstream as Limits;

/// Builds the client.
///
/// # Errors
/// As [`builder`].
pub(super) fn build(limits: &Limits) -> Result<reqwest::Client, anyhow::Error> {
    // A provider has no reason to send a request elsewhere, credential and all.
    let builder = builder(limits)?.redirect(reqwest::redirect::Policy::none());
    builder.build().context("the HTTP client could not be set up")
}

/// What every client has: the way out that the operator set.
///
/// # Errors
/// Names the proxy or the certificate file that can't be used.
pub(super) fn builder(limits: &Limits) -> Result<reqwest::ClientBuilder, anyhow::Error> {
    // The provider may be installed already, by another thread's client.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_millis(limits.connect_ms))
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(60))
        .pool_idle_timeout(Duration::from_secs(60))
        .user_agent(concat!("patchbay/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = &limits.proxy {
        let proxy = reqwest::Proxy::all(proxy)
            .with_context(|| format!("upstream.proxy `{proxy}` is not an address of a proxy"))?;
        builder = builder.proxy(proxy);
    }
    if let Some(file) = &limits.ca_file {
        let named = || format!("upstream.ca_file {}", file.display());
        let pem = std::fs::read(file).with_context(named)?;
        for certificate in reqwest::Certificate::from_pem_bundle(&pem).with_context(named)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    Ok(builder)
}
