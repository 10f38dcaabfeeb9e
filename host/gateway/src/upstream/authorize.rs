//! Where a request goes and what shows that it may: the address with its query, and the headers of
//! the credential, fetched or signed where a cloud wants that.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use wire::{Auth, ErrorType, Failure};

use super::sigv4::{Signer, encode};
use super::{Upstream, named};
use crate::clock;
use crate::config::catalog::Provider;
use crate::error::Error;

/// The address of a path below the provider's own.
pub(super) fn address(provider: &Provider, model: &str, path: &str) -> Result<Url, Error> {
    let base = provider.base_url.replace("{model}", &encode(model));
    let mut url = Url::parse(&format!("{base}{path}")).map_err(Error::us)?;
    if !provider.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&provider.query);
    }
    Ok(url)
}

impl Upstream {
    /// The headers that show the credential.
    ///
    /// # Errors
    /// The upstream's: a token that it does not give.
    pub(super) async fn credential(
        &self,
        provider: &Provider,
        url: &Url,
        body: &[u8],
    ) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let Some(secret) = &provider.credential else { return Ok(Vec::new()) };
        let secret = secret.expose();
        let bearer = |token: &str| vec![header(AUTHORIZATION, &format!("Bearer {token}"))];
        let headers = match &provider.auth {
            Auth::None => Vec::new(),
            Auth::Bearer => bearer(secret),
            Auth::Header(name) => {
                let name = HeaderName::from_bytes(name.as_bytes()).map_err(Error::us)?;
                vec![header(name, secret)]
            }
            Auth::AwsSigv4 { service } => {
                let region = provider.region.as_deref().unwrap_or(REGION_DEFAULT);
                match Signer::new(secret, region, service) {
                    None => bearer(secret),
                    Some(signer) => {
                        let signed = signer.headers(url, body, clock::unix_ms());
                        let signed = signed.map_err(Error::us)?.into_iter();
                        let named = |(name, value): (_, String)| {
                            header(HeaderName::from_static(name), &value)
                        };
                        signed.map(named).collect()
                    }
                }
            }
            Auth::GoogleServiceAccount => {
                let token = self.tokens.token(&self.client, secret, clock::unix_ms()).await;
                bearer(&token.map_err(|error| no_token(provider, error))?)
            }
        };
        headers.into_iter().collect()
    }
}

fn header(name: HeaderName, text: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let mut value = HeaderValue::from_str(text).map_err(Error::us)?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn no_token(provider: &Provider, error: anyhow::Error) -> Error {
    let message = format!("{} gave no token for its credential", provider.name);
    named(provider, Failure::new(ErrorType::Authentication, message)).with_source(error)
}

/// Where Amazon's own tools go when nobody says.
const REGION_DEFAULT: &str = "us-east-1";

#[cfg(test)]
mod tests;
