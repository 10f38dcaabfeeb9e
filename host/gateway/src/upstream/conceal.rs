//! What an upstream says, without what is the operator's: some providers repeat the credential
//! that they refuse, and the address they were asked at.

use wire::{Auth, Failure, Json};

use crate::config::catalog::Provider;

/// A failure that may be shown to clients.
pub(super) fn failure(provider: &Provider, mut failure: Failure) -> Failure {
    let secrets = secrets(provider);
    failure.message = without(&secrets, failure.message);
    failure.provider_code = failure.provider_code.map(|code| without(&secrets, code));
    for (_, json) in &mut failure.metadata {
        let is_told = |(secret, _): &(&str, _)| json.as_str().contains(secret);
        if secrets.iter().any(is_told) {
            // A secret is never JSON's own punctuation, so what is left is JSON still.
            let text = without(&secrets, json.as_str().to_owned());
            *json = Json::parse(text).unwrap_or_else(|_| Json::null());
        }
    }
    failure
}

/// A text that may be logged.
pub(super) fn text(provider: &Provider, text: String) -> String {
    without(&secrets(provider), text)
}

/// What must not be told, and what stands in its place.
fn secrets(provider: &Provider) -> Vec<(&str, &'static str)> {
    // A signing key has parts, and only some of them are ever sent.
    let separator = matches!(provider.auth, Auth::AwsSigv4 { .. }).then_some(':');
    let credential = provider.credential.iter().flat_map(|secret| {
        secret.expose().split(move |c| Some(c) == separator).map(|part| (part, "[credential]"))
    });
    let address = provider.base_url.split_once("://").map_or("", |(_, rest)| rest);
    let address = address.split('/').next().map(|address| (address, "[address]"));
    let is_long = |(text, _): &(&str, _)| text.len() >= SECRET_BYTES_MIN;
    credential.chain(address).filter(is_long).collect()
}

fn without(secrets: &[(&str, &str)], mut text: String) -> String {
    for (secret, mark) in secrets {
        if text.contains(secret) {
            text = text.replace(secret, mark);
        }
    }
    text
}

/// What is shorter is a placeholder, and may stand in any text by chance.
const SECRET_BYTES_MIN: usize = 8;
