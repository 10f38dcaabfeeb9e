//! Patterns of places: `https://api.exa.ai`, `https://*.example.com`, `http://127.0.0.1:9000`.
//! Scheme, host and port; never a path, which redirects and servers read in their own ways.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use reqwest::Url;

/// A set of places that requests may go to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::plugin) struct Pattern {
    scheme: Scheme,
    host: Host,
    /// None is any port, written `:*`.
    port: Option<u16>,
}

/// What is wrong with a pattern, and how to write it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in crate::plugin) struct PatternError(String);

/// What a plugin's grants say of one URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plugin) enum Access {
    /// Not granted.
    Denied,
    /// Granted at public addresses.
    Public,
    /// Granted, private addresses included.
    Private,
}

impl Access {
    /// Which access the grants give. A private grant is a public one too.
    pub(in crate::plugin) fn to(url: &Url, public: &[Pattern], private: &[Pattern]) -> Self {
        if private.iter().any(|pattern| pattern.allows(url)) {
            Self::Private
        } else if public.iter().any(|pattern| pattern.allows(url)) {
            Self::Public
        } else {
            Self::Denied
        }
    }
}

impl Pattern {
    /// Whether the URL is within the pattern.
    pub(in crate::plugin) fn allows(&self, url: &Url) -> bool {
        let Some(host) = Host::of(url) else { return false };
        url.scheme() == self.scheme.as_str()
            && self.host.covers(&host)
            && self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }

    /// Whether everything within `other` is within this one.
    pub(in crate::plugin) fn covers(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.host.covers(&other.host)
            && self.port.is_none_or(|port| other.port == Some(port))
    }

    /// Whether the pattern is for exactly this address, and no wildcard that happens to match.
    pub(super) fn is_for(&self, address: IpAddr) -> bool {
        self.host == Host::Address(address)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(PatternError(format!("`{text}` has no scheme; write `https://{text}`")));
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => {
                let say = format!("`{text}` is neither http nor https; write `https://{rest}`");
                return Err(PatternError(say));
            }
        };
        if let Some((_, place)) = rest.rsplit_once('@') {
            let fix = format!("`{text}` has a user name; write `{scheme}://{place}`");
            return Err(PatternError(fix));
        }
        if let Some((place, _)) = rest.split_once(['/', '\\', '?', '#']) {
            let fix =
                format!("`{text}` has a path; write `{scheme}://{place}`, which is all of it");
            return Err(PatternError(fix));
        }
        let (host, port) = split_port(rest);
        let port = match port {
            None => Some(scheme.port()),
            Some("*") => None,
            Some(digits) => Some(read_port(digits, text)?),
        };
        Ok(Self { scheme, host: Host::read(host, text)?, port })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            None => f.write_str(":*"),
            Some(port) if port == self.scheme.port() => Ok(()),
            Some(port) => write!(f, ":{port}"),
        }
    }
}

/// Parts the port from a host, minding the colons of IPv6.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    }
}

fn read_port(digits: &str, text: &str) -> Result<u16, PatternError> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(port) if is_number && port != 0 => Ok(port),
        _ => {
            let say =
                format!("`{text}` has no port after the colon; write `:8080`, or `:*` for any");
            Err(PatternError(say))
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Host {
    /// `*`: names and addresses alike.
    Any,
    /// `*.example.com`: names below it, at any depth, but not itself.
    Below(String),
    /// One name, in lower case and without the trailing dot.
    Name(String),
    /// One address.
    Address(IpAddr),
}

impl Host {
    /// The host of a URL, in the one spelling that the URL parser leaves.
    fn of(url: &Url) -> Option<Self> {
        if let Some(address) = literal(url) {
            return Some(Self::Address(address));
        }
        let name = url.host_str()?;
        let name = name.strip_suffix('.').unwrap_or(name);
        (!name.is_empty()).then(|| Self::Name(name.to_owned()))
    }

    fn read(host: &str, text: &str) -> Result<Self, PatternError> {
        if host == "*" {
            return Ok(Self::Any);
        }
        let (name, is_wild) = match host.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (host, false),
        };
        if name.contains('*') {
            let say = format!("`{text}` has `*` within a name; write `*.` before a whole name");
            return Err(PatternError(say));
        }
        // The parser would drop some of these silently, and a pattern is to mean what it shows.
        let is_plain = !name.contains(|char: char| char.is_whitespace() || char.is_control());
        let url = Url::parse(&format!("http://{name}/")).ok().filter(|_| is_plain);
        match url.as_ref().and_then(Self::of) {
            Some(Self::Name(name)) if is_wild => Ok(Self::Below(name)),
            Some(host) if !is_wild => Ok(host),
            _ => {
                let say = format!("`{text}` has no host; write `https://api.example.com`");
                Err(PatternError(say))
            }
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Below(base), Self::Name(name)) => is_below(name, base),
            (Self::Below(base), Self::Below(name)) => name == base || is_below(name, base),
            _ => self == other,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Below(base) => write!(f, "*.{base}"),
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

fn is_below(name: &str, base: &str) -> bool {
    name.strip_suffix(base).is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
}

/// The address that a URL has in place of a name. The URL parser has already read octal, hex,
/// short and mapped spellings, so that none of them reaches a resolver as a name.
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => host.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}
