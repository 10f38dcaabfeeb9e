//! How an errand ends without a reply. The cases are those of `http-error` in `wit/http.wit`; the
//! texts are for the plugin's author and the operator, and name the setting where there is one.

use std::error::Error;

use reqwest::Url;

use super::mask::Mask;
use super::resolve::Unresolved;

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugin) enum Refusal {
    /// Not granted, or an address that nobody may reach.
    Denied(String),
    /// The URL or a header is not one.
    Invalid(String),
    /// The name has no address.
    Dns(String),
    /// No connection, or no TLS on it.
    Connect(String),
    /// The errand took too long.
    Timeout,
    /// The reply is longer than the errand allows.
    TooLarge,
    /// The reply broke off or is no HTTP.
    Protocol(String),
    /// Too many redirects.
    Limit(String),
}

impl Refusal {
    /// A URL that no grant covers.
    pub(super) fn not_granted(url: &Url, setting: &str) -> Self {
        let origin = url.origin().ascii_serialization();
        let say = format!("`{origin}` is not granted; add \"http={origin}\" to {setting}");
        Self::Denied(say)
    }

    /// A URL that is granted, at an address that this grant doesn't extend to.
    pub(super) fn private(url: &Url, setting: &str) -> Self {
        let origin = url.origin().ascii_serialization();
        Self::Denied(format!(
            "`{origin}` leads to a private address; \
             if it should, add \"http-private={origin}\" to {setting}"
        ))
    }

    /// A URL that is granted, at an address that no such grant extends to.
    pub(super) fn forbidden(url: &Url) -> Self {
        let origin = url.origin().ascii_serialization();
        Self::Denied(format!("`{origin}` leads to an address that plugins may not reach"))
    }

    /// What the client's error was. Its own text has the URL, with the secret, and is not used.
    pub(super) fn of(error: &reqwest::Error, url: &Url, setting: &str) -> Self {
        let host = url.host_str().unwrap_or_default();
        if let Some(unresolved) = find::<Unresolved>(error) {
            return match unresolved {
                Unresolved::Unknown(cause) => {
                    Self::Dns(format!("`{host}` could not be looked up: {cause}"))
                }
                Unresolved::Private => Self::private(url, setting),
                Unresolved::Forbidden => Self::forbidden(url),
            };
        }
        let cause = root(error);
        if error.is_builder() {
            Self::Invalid(format!("the request can't be sent: {cause}"))
        } else if error.is_connect() && error.is_timeout() {
            Self::Connect(format!("`{host}` took too long to connect"))
        } else if error.is_connect() {
            Self::Connect(format!("no connection to `{host}`: {cause}"))
        } else {
            Self::Protocol(format!("the reply of `{host}` can't be read: {cause}"))
        }
    }

    /// The same, said of a redirect's target.
    pub(super) fn after_redirect(self) -> Self {
        match self {
            Self::Denied(say) => Self::Denied(format!("after a redirect: {say}")),
            Self::Invalid(say) => Self::Invalid(format!("after a redirect: {say}")),
            other => other,
        }
    }

    /// The same without the secret: a server could put it into a place that a text repeats.
    pub(super) fn masked(self, mask: &Mask) -> Self {
        match self {
            Self::Denied(say) => Self::Denied(mask.text(say)),
            Self::Invalid(say) => Self::Invalid(mask.text(say)),
            Self::Dns(say) => Self::Dns(mask.text(say)),
            Self::Connect(say) => Self::Connect(mask.text(say)),
            Self::Protocol(say) => Self::Protocol(mask.text(say)),
            Self::Limit(say) => Self::Limit(mask.text(say)),
            Self::Timeout | Self::TooLarge => self,
        }
    }
}

/// The cause of a type among an error's causes.
fn find<T: Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The text of the innermost cause: the system's or TLS's own words, without an address.
fn root(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "no cause is known".to_owned(), ToString::to_string)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}
