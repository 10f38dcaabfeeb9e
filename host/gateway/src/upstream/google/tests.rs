//! Tokens from a double of Google's endpoint. The key was made for these tests and opens nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::*;

const PEM: &str = include_str!("test_key.pem");

/// A key whose tokens come from an endpoint that counts them, and takes a while.
async fn endpoint(status: StatusCode) -> (String, Arc<AtomicU64>, Arc<Mutex<Vec<String>>>) {
    let count: Arc<AtomicU64> = Arc::default();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (counter, log) = (Arc::clone(&count), Arc::clone(&asked));
    let answer = move |body: String| async move {
        log.lock().push(body);
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::task::yield_now().await;
        let body = match status.is_success() {
            true => format!(r#"{{"access_token":"token-{number}","expires_in":3600}}"#),
            false => {
                r#"{"error":"invalid_grant","error_description":"No such account"}"#.to_owned()
            }
        };
        (status, body)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/token", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let key = serde_json::json!({
        "type": "service_account",
        "client_email": "me@project.example",
        "private_key_id": "key-1",
        "private_key": PEM,
        "token_uri": format!("http://{address}/token"),
    });
    (key.to_string(), count, asked)
}

fn client() -> reqwest::Client {
    crate::upstream::client::build(&crate::config::Upstream::default()).unwrap()
}

#[tokio::test]
async fn a_token_is_fetched_once_for_all_who_wait_and_again_before_it_expires() {
    let (key, count, _) = endpoint(StatusCode::OK).await;
    let (tokens, client) = (Tokens::default(), client());
    let waiters: Vec<_> = (0..20)
        .map(|_| {
            let (tokens, client, key) = (tokens.clone(), client.clone(), key.clone());
            tokio::spawn(async move { tokens.token(&client, &key, 1_000).await.unwrap() })
        })
        .collect();
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), "token-1");
    }
    let minutes = |count: u64| 1_000 + count * 60_000;
    assert_eq!(tokens.token(&client, &key, minutes(54)).await.unwrap(), "token-1");
    assert_eq!(tokens.token(&client, &key, minutes(56)).await.unwrap(), "token-2");
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_google_is_told_is_signed_by_the_key() {
    let (key, _, asked) = endpoint(StatusCode::OK).await;
    Tokens::default().token(&client(), &key, 1_700_000_000_000).await.unwrap();
    let body = asked.lock().pop().unwrap();
    let claim = body.strip_prefix(&format!("grant_type={GRANT}&assertion=")).unwrap();
    let (text, signature) = claim.rsplit_once('.').unwrap();
    let lines = PEM.lines().filter(|line| !line.starts_with("-----"));
    let der = STANDARD.decode(lines.collect::<String>()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
    public.verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let (head, body) = text.split_once('.').unwrap();
    let read = |part: &str| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(read(head), serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"}));
    let body = read(body);
    assert_eq!(
        (body["iat"].as_u64(), body["exp"].as_u64()),
        (Some(1_700_000_000), Some(1_700_003_600))
    );
    assert_eq!(body["iss"], "me@project.example");
    assert!(key.contains(body["aud"].as_str().unwrap()));
}

#[tokio::test]
async fn a_refusal_is_told_without_the_key_and_the_next_request_asks_again() {
    let (key, count, _) = endpoint(StatusCode::BAD_REQUEST).await;
    let (tokens, client) = (Tokens::default(), client());
    for _ in 0..2 {
        let error = format!("{:#}", tokens.token(&client, &key, 0).await.unwrap_err());
        assert!(error.ends_with("invalid_grant: No such account"), "{error}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let error = tokens.token(&client, "/no/such/key", 0).await.unwrap_err();
    assert!(error.to_string().contains("no key of a service account"), "{error}");
}
