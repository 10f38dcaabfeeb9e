//! Names become addresses once, and only addresses that may be reached come out. The client
//! connects to those and asks nobody again, so that a name can't change its mind in between.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::Reach;
use super::pattern::Access;

/// A way to look names up.
pub(in crate::plugin) trait Lookup: Send + Sync {
    /// All addresses of a name.
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// As the system does: its hosts file, its name servers.
pub(super) struct System;

impl Lookup for System {
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A look-up that lets through what an access extends to.
pub(super) struct Checked {
    /// Where the addresses come from.
    pub(super) lookup: Arc<dyn Lookup>,
    /// What they are checked against.
    pub(super) access: Access,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, access) = (self.lookup.lookup(name.as_str()), self.access);
        Box::pin(async move {
            let found = found.await.map_err(|error| Unresolved::Unknown(error.to_string()))?;
            let allowed = check(&found, access)?;
            let addresses: Addrs =
                Box::new(allowed.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

fn check(found: &[IpAddr], access: Access) -> Result<Vec<IpAddr>, Unresolved> {
    let may = |address: &IpAddr| Reach::of(*address).is_within(access);
    let allowed: Vec<IpAddr> = found.iter().copied().filter(may).collect();
    if !allowed.is_empty() {
        return Ok(allowed);
    }
    match found.iter().map(|address| Reach::of(*address)).min() {
        None => Err(Unresolved::Unknown("it has no address".to_owned())),
        Some(Reach::Public | Reach::Private) => Err(Unresolved::Private),
        Some(Reach::Metadata | Reach::Nowhere) => Err(Unresolved::Forbidden),
    }
}

/// Why a name gave no address to connect to. Says nothing of the addresses: they are the
/// operator's.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unresolved {
    /// The look-up failed.
    #[error("{0}")]
    Unknown(String),
    /// It has addresses, but private ones.
    #[error("a private address")]
    Private,
    /// It has addresses that no grant extends to.
    #[error("a forbidden address")]
    Forbidden,
}
