//! The two HTTP clients of the gate. They follow no redirect, use no proxy (which would look names
//! up by itself), keep no cookies, and decompress what they receive.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use reqwest::Client;

use super::GateConfig;
use super::pattern::Access;
use super::receive::HEADER_BYTES_MAX;
use super::resolve::{Checked, Lookup};

/// Builds the client for one access.
///
/// # Errors
/// Names the certificate file that can't be used.
pub(super) fn build(
    config: &GateConfig<'_>,
    lookup: &Arc<dyn Lookup>,
    access: Access,
) -> Result<Client, anyhow::Error> {
    // The provider may be installed already, by the client for upstreams.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let header_bytes_max = u32::try_from(HEADER_BYTES_MAX).unwrap_or(u32::MAX);
    let mut builder = Client::builder()
        .dns_resolver(Checked { lookup: Arc::clone(lookup), access })
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(config.connect)
        .tcp_nodelay(true)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .http2_max_header_list_size(header_bytes_max)
        .user_agent(concat!("patchbay/", env!("CARGO_PKG_VERSION")));
    if let Some(file) = config.ca_file {
        let named = || format!("upstream.ca_file {}", file.display());
        let pem = std::fs::read(file).with_context(named)?;
        for certificate in reqwest::Certificate::from_pem_bundle(&pem).with_context(named)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build().context("the HTTP client for plugins could not be set up")
}

/// Longer than a plugin pauses between its requests, shorter than servers keep connections.
const IDLE: Duration = Duration::from_secs(30);

/// Wildcards let a plugin choose hosts; idle connections to each of them cost file handles.
const IDLE_PER_HOST_MAX: usize = 16;
