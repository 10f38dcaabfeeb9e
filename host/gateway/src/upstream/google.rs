//! Tokens that Google gives for a service account's key: a signed claim is exchanged for one at the
//! address that stands in the key. A token is kept until shortly before it expires, and fetched once
//! for all who wait for it (<https://developers.google.com/identity/protocols/oauth2/service-account>).

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use reqwest::header::CONTENT_TYPE;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;

/// A token that may be there; whoever fetches one holds the lock.
type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

/// The tokens of every service account in use.
#[derive(Clone, Default)]
pub(super) struct Tokens {
    /// By the key's text.
    slots: Arc<Mutex<HashMap<String, Slot>>>,
}

struct Token {
    text: String,
    until_ms: u64,
}

impl Tokens {
    /// A token that is good for a while.
    ///
    /// # Errors
    /// Says what is wrong with the key, or what Google answered; neither has a secret in it.
    pub(super) async fn token(
        &self,
        client: &reqwest::Client,
        key: &str,
        now_ms: u64,
    ) -> Result<String, anyhow::Error> {
        let slot = Arc::clone(self.slots.lock().entry(key.to_owned()).or_default());
        let mut held = slot.lock().await;
        if let Some(token) = held.as_ref().filter(|token| now_ms < token.until_ms) {
            return Ok(token.text.clone());
        }
        let key: Key = serde_json::from_str(key).context(
            "the credential is no key of a service \
                                                          account, which is JSON",
        )?;
        let given = fetch(client, &key, now_ms / 1000).await?;
        let lives_ms = given.expires_in.saturating_sub(SPARE_S).saturating_mul(1000);
        let until_ms = now_ms.saturating_add(lives_ms);
        *held = Some(Token { text: given.access_token.clone(), until_ms });
        Ok(given.access_token)
    }
}

async fn fetch(client: &reqwest::Client, key: &Key, now_s: u64) -> Result<Given, anyhow::Error> {
    let claim = claim(key, now_s)?;
    let call = client
        .post(&key.token_uri)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("grant_type={GRANT}&assertion={claim}"));
    let sent = call.send().await.map_err(reqwest::Error::without_url);
    let response = sent.with_context(|| format!("{} could not be reached", key.token_uri))?;
    let status = response.status();
    let body = response.bytes().await.map_err(reqwest::Error::without_url)?;
    if !status.is_success() {
        let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
        let (error, why) = (refusal.error, refusal.error_description);
        anyhow::bail!("{} answered {status}: {error}: {why}", key.token_uri);
    }
    let read = serde_json::from_slice(&body);
    read.with_context(|| format!("{} answered without a token", key.token_uri))
}

/// The claim, signed: who asks, for what, and for how long.
fn claim(key: &Key, now_s: u64) -> Result<String, anyhow::Error> {
    let head = serde_json::json!({ "alg": "RS256", "typ": "JWT", "kid": key.private_key_id });
    let body = serde_json::json!({
        "iss": key.client_email,
        "scope": SCOPE,
        "aud": key.token_uri,
        "iat": now_s,
        "exp": now_s.saturating_add(LIFE_S),
    });
    let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let text = format!("{}.{}", part(&head), part(&body));
    let lines = key.private_key.lines().filter(|line| !line.starts_with("-----"));
    let der = STANDARD.decode(lines.map(str::trim).collect::<String>());
    let der = der.context("`private_key` of the service account's key is no PEM text")?;
    let pair = RsaKeyPair::from_pkcs8(&der)
        .map_err(|error| anyhow::anyhow!("`private_key` of the service account's key: {error}"))?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| anyhow::anyhow!("the service account's key does not sign"))?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// A service account's key, as Google's console gives it.
#[derive(Deserialize)]
struct Key {
    client_email: String,
    #[serde(default)]
    private_key_id: String,
    private_key: String,
    token_uri: String,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
}

const GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The longest life that Google gives, in seconds.
const LIFE_S: u64 = 3600;

/// A token is not used in its last minutes, so that it lives through the request it is shown with.
const SPARE_S: u64 = 300;

#[cfg(test)]
mod tests;
