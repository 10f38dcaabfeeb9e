//! Amazon's signature, version 4, of a request with a body that is sent whole
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>). Pure: the time is an
//! argument. Amazon's own crate for it brings the types of Amazon's clients along.

use std::fmt::Write as _;

use reqwest::Url;
use ring::hmac;
use sha2::{Digest, Sha256};

/// Who signs, and for what.
pub(super) struct Signer<'a> {
    /// The id, the secret and the session's token of the key.
    keys: (&'a str, &'a str, Option<&'a str>),
    /// Where the service is (`us-east-1`).
    region: &'a str,
    /// What the service is called in signatures (`bedrock`).
    service: &'a str,
}

impl<'a> Signer<'a> {
    /// A signer with `ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]`; none for another kind of credential.
    pub(super) fn new(credential: &'a str, region: &'a str, service: &'a str) -> Option<Self> {
        let (id, rest) = credential.split_once(':')?;
        let (secret, session) = match rest.split_once(':') {
            Some((secret, session)) => (secret, Some(session)),
            None => (rest, None),
        };
        Some(Self { keys: (id, secret, session), region, service })
    }

    /// The headers that sign a `POST`, beside the `Host` that every request has.
    ///
    /// # Errors
    /// A time that no calendar knows.
    pub(super) fn headers(
        &self,
        url: &Url,
        body: &[u8],
        unix_ms: u64,
    ) -> Result<Vec<(&'static str, String)>, anyhow::Error> {
        let (id, secret, session) = self.keys;
        let time = jiff::Timestamp::from_millisecond(i64::try_from(unix_ms)?)?;
        let time = time.strftime("%Y%m%dT%H%M%SZ").to_string();
        let (date, _) = time.split_once('T').unwrap_or((&time, ""));
        let mut signed = vec![("host", host(url)), ("x-amz-date", time.clone())];
        signed.extend(session.map(|session| ("x-amz-security-token", session.to_owned())));
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String =
            signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let body = hex::encode(Sha256::digest(body));
        let canonical = format!("POST\n{}\n{}\n{lines}\n{names}\n{body}", path(url), query(url));
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let canonical = hex::encode(Sha256::digest(canonical));
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical}");
        let mut key = mac(format!("AWS4{secret}").as_bytes(), date);
        for part in [self.region, self.service, "aws4_request"] {
            key = mac(key.as_ref(), part);
        }
        let signature = hex::encode(mac(key.as_ref(), &text));
        let shown = format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        let mut headers = vec![("authorization", shown)];
        headers.extend(signed.into_iter().filter(|(name, _)| *name != "host"));
        Ok(headers)
    }
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// The host as it is sent: with the port, unless it is the usual one.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The path is encoded already, and once more for the signature.
fn path(url: &Url) -> String {
    url.path().split('/').map(encode).collect::<Vec<_>>().join("/")
}

fn query(url: &Url) -> String {
    let pairs = url.query_pairs();
    let mut pairs: Vec<String> =
        pairs.map(|(key, value)| format!("{}={}", encode(&key), encode(&value))).collect();
    pairs.sort();
    pairs.join("&")
}

/// Percent-encodes all but letters, digits and `-._~`.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            // Writing to a text can't fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2015-08-30T12:36:00Z, the time of Amazon's test suite.
    const THEN: u64 = 1_440_938_160_000;
    const KEYS: &str = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn signed(credential: &str, url: &str) -> Vec<(&'static str, String)> {
        let signer = Signer::new(credential, "us-east-1", "service").unwrap();
        signer.headers(&url.parse().unwrap(), b"", THEN).unwrap()
    }

    #[track_caller]
    fn assert_signature(headers: &[(&str, String)], signature: &str) {
        let expected = format!("Signature={signature}");
        assert!(headers[0].1.ends_with(&expected), "{}", headers[0].1);
    }

    #[test]
    fn amazons_test_suite_is_signed_as_it_says() {
        let headers = signed(KEYS, "https://example.amazonaws.com/");
        assert_eq!(headers[1], ("x-amz-date", "20150830T123600Z".to_owned()));
        let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, ";
        assert!(headers[0].1.starts_with(scope), "{}", headers[0].1);
        // post-vanilla
        let vanilla = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
        assert_signature(&headers, vanilla);
        // post-vanilla-query
        let headers = signed(KEYS, "https://example.amazonaws.com/?Param1=value1");
        let query = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11";
        assert_signature(&headers, query);
        // post-sts-header-before
        let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAe\
                     MicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZa\
                     mpKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7\
                     ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/o\
                     LxBA==";
        let headers = signed(&format!("{KEYS}:{token}"), "https://example.amazonaws.com/");
        assert_eq!(headers[2], ("x-amz-security-token", token.to_owned()));
        let session = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead";
        assert_signature(&headers, session);
    }

    #[test]
    fn an_address_that_is_encoded_is_encoded_once_more() {
        let url = "http://127.0.0.1:81/model/a%3A0/converse".parse().unwrap();
        assert_eq!(path(&url), "/model/a%253A0/converse");
        assert_eq!(host(&url), "127.0.0.1:81");
    }

    #[test]
    fn a_key_without_parts_does_not_sign() {
        assert!(Signer::new("ABSKQmVkcm9jaw==", "us-east-1", "bedrock").is_none());
    }
}
