//! `/key` and `/keys`: what a key is and spent, and making, changing and removing keys.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use ledger::{Money, Reset};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use wire::{ErrorType, PluginEntry};

use super::shape::{self, Data, iso};
use crate::app::App;
use crate::auth::NewKey;
use crate::clock;
use crate::error::Error;
use crate::store::{KeyRecord, StoreError, read_entries, write_entries};

/// `GET /key`: the key that asks.
pub(super) async fn current(State(app): State<App>, headers: HeaderMap) -> Response {
    let now_ms = clock::unix_ms();
    let shown = app.auth.any(&headers, now_ms).map(|caller| {
        let mut shown = key_json(&app, &caller, now_ms);
        if let Some(fields) = shown.as_object_mut() {
            fields.remove("hash");
            fields.insert("is_free_tier".to_owned(), json!(false));
            fields.insert("is_management_key".to_owned(), json!(caller.is_management));
            fields.insert("is_provisioning_key".to_owned(), json!(caller.is_management));
            let limit = &app.config.limits;
            let requests = if limit.requests == 0 { -1 } else { i64::from(limit.requests) };
            let interval = format!("{}s", limit.window_s);
            let rate = json!({"requests": requests, "interval": interval, "note": "per key"});
            fields.insert("rate_limit".to_owned(), rate);
        }
        Data { data: shown }
    });
    shape::json(shown)
}

/// What `GET /keys` can be asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Page {
    include_disabled: Option<String>,
    offset: Option<usize>,
}

/// `GET /keys`: 100 at a time, newest first.
pub(super) async fn list(
    State(app): State<App>,
    Query(page): Query<Page>,
    headers: HeaderMap,
) -> Response {
    let now_ms = clock::unix_ms();
    let listed = app.auth.management(&headers, now_ms).map(|_| {
        let disabled_too = page.include_disabled.as_deref() == Some("true");
        let keys = app.auth.list();
        let wanted = keys
            .iter()
            .rev()
            .filter(|key| !key.is_management && (disabled_too || !key.is_disabled))
            .skip(page.offset.unwrap_or(0))
            .take(100);
        Data { data: wanted.map(|key| key_json(&app, key, now_ms)).collect::<Vec<_>>() }
    });
    shape::json(listed)
}

/// `POST /keys`
pub(super) async fn create(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    shape::json_with(StatusCode::CREATED, created(&app, &headers, &body).await)
}

/// `GET /keys/{hash}`
pub(super) async fn show(
    State(app): State<App>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Response {
    let now_ms = clock::unix_ms();
    let shown = app.auth.management(&headers, now_ms).and_then(|_| {
        let key = app.auth.find(&hash).ok_or_else(|| unknown(&hash))?;
        Ok(Data { data: key_json(&app, &key, now_ms) })
    });
    shape::json(shown)
}

/// `PATCH /keys/{hash}`
pub(super) async fn change(
    State(app): State<App>,
    Path(hash): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    shape::json(changed(&app, &hash, &headers, &body).await)
}

/// `DELETE /keys/{hash}`
pub(super) async fn remove(
    State(app): State<App>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Response {
    shape::json(removed(&app, &hash, &headers).await)
}

/// The body of `POST /keys`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    #[serde(default)]
    limit: Option<f64>,
    #[serde(default)]
    limit_reset: Option<String>,
    #[serde(default)]
    include_byok_in_limit: bool,
    #[serde(default)]
    expires_at: Option<String>,
    #[serde(default)]
    plugins: Value,
}

async fn created(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<Value, Error> {
    let now_ms = clock::unix_ms();
    app.auth.management(headers, now_ms)?;
    let new: New = shape::read(body)?;
    if new.name.trim().is_empty() {
        return Err(invalid("name: expected at least one character"));
    }
    let new = NewKey {
        name: new.name,
        is_management: false,
        limit: new.limit.map(read_limit).transpose()?,
        limit_reset: new.limit_reset.as_deref().map(read_reset).transpose()?,
        include_byok_in_limit: new.include_byok_in_limit,
        expires_at_ms: new.expires_at.as_deref().map(read_time).transpose()?,
        plugins: read_plugins(app, new.plugins)?,
    };
    let (key, record) = app.auth.make(new).await.map_err(Error::us)?;
    app.billing.set_limit(&record.hash, record.spend_limit());
    Ok(json!({"data": key_json(app, &record, now_ms), "key": key}))
}

/// The body of `PATCH /keys/{hash}`: what is absent stays, `null` lifts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Change {
    name: Option<String>,
    disabled: Option<bool>,
    #[serde(deserialize_with = "given")]
    limit: Option<Option<f64>>,
    #[serde(deserialize_with = "given")]
    limit_reset: Option<Option<String>>,
    include_byok_in_limit: Option<bool>,
    #[serde(deserialize_with = "given")]
    plugins: Option<Value>,
}

/// Tells `null` from absent.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

async fn changed(
    app: &App,
    hash: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Data<Value>, Error> {
    let now_ms = clock::unix_ms();
    app.auth.management(headers, now_ms)?;
    let change: Change = shape::read(body)?;
    let limit = change.limit.map(|limit| limit.map(read_limit).transpose()).transpose()?;
    let reset = change.limit_reset;
    let reset = reset.map(|reset| reset.as_deref().map(read_reset).transpose()).transpose()?;
    let plugins = change.plugins.map(|plugins| read_plugins(app, plugins)).transpose()?;
    let apply = |key: &mut KeyRecord| {
        key.name = change.name.unwrap_or(std::mem::take(&mut key.name));
        key.is_disabled = change.disabled.unwrap_or(key.is_disabled);
        key.limit = limit.unwrap_or(key.limit);
        key.limit_reset = reset.unwrap_or(key.limit_reset);
        key.include_byok_in_limit =
            change.include_byok_in_limit.unwrap_or(key.include_byok_in_limit);
        key.plugins = plugins.unwrap_or(std::mem::take(&mut key.plugins));
    };
    let key = app.auth.change(hash, apply).await.map_err(|error| refused(hash, error))?;
    app.billing.set_limit(&key.hash, key.spend_limit());
    Ok(Data { data: key_json(app, &key, now_ms) })
}

async fn removed(app: &App, hash: &str, headers: &HeaderMap) -> Result<Value, Error> {
    let caller = app.auth.management(headers, clock::unix_ms())?;
    if caller.hash == hash {
        return Err(invalid("a key can't delete itself; use another management key"));
    }
    app.auth.remove(hash).await.map_err(|error| refused(hash, error))?;
    Ok(json!({"deleted": true}))
}

fn key_json(app: &App, key: &KeyRecord, now_ms: u64) -> Value {
    let usage = app.billing.usage(&key.hash, now_ms);
    let (spend, remaining) = (usage.spend, usage.limit_remaining);
    json!({
        "hash": key.hash,
        "name": key.name,
        "label": key.label,
        "disabled": key.is_disabled,
        "limit": key.limit.map(usd),
        "limit_remaining": key.limit.map(|limit| usd(remaining.unwrap_or(limit))),
        "limit_reset": key.limit_reset.map(|reset| reset.as_str()),
        "include_byok_in_limit": key.include_byok_in_limit,
        "plugins": write_entries(&key.plugins),
        "usage": usd(spend.total),
        "usage_daily": usd(spend.daily.amount),
        "usage_weekly": usd(spend.weekly.amount),
        "usage_monthly": usd(spend.monthly.amount),
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "created_at": iso(key.created_at_ms),
        "updated_at": iso(key.updated_at_ms),
        "expires_at": key.expires_at_ms.and_then(iso),
        "creator_user_id": null,
    })
}

/// An amount as a JSON number with exactly its decimal digits.
pub(super) fn usd(amount: Money) -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string(amount.to_string())
        .unwrap_or_else(|_| serde_json::value::RawValue::NULL.to_owned())
}

fn read_limit(limit: f64) -> Result<Money, Error> {
    let amount = Money::from_usd_f64(limit).map_err(|error| invalid(&format!("limit: {error}")))?;
    if amount.is_negative() {
        return Err(invalid("limit: expected 0 or more USD"));
    }
    Ok(amount)
}

fn read_reset(text: &str) -> Result<Reset, Error> {
    text.parse().map_err(|_| invalid("limit_reset: expected daily, weekly, monthly or null"))
}

/// A key's default plugins: what would be refused on each of its requests is refused now.
fn read_plugins(app: &App, plugins: Value) -> Result<Vec<PluginEntry>, Error> {
    let entries = read_entries(plugins).map_err(|error| invalid(&error))?;
    app.plugins.snapshot().check_defaults(&entries, &app.config)?;
    Ok(entries)
}

/// ISO 8601 in UTC, with seconds, as OpenRouter demands.
fn read_time(text: &str) -> Result<u64, Error> {
    let wrong = || invalid("expires_at: expected a time such as 2027-01-31T12:00:00Z");
    let timestamp: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    let clock = text.split(['T', 't', ' ']).nth(1).unwrap_or_default();
    let clock = clock.split(['Z', 'z', '+', '-']).next().unwrap_or_default();
    if clock.matches(':').count() != 2 {
        return Err(wrong());
    }
    u64::try_from(timestamp.as_millisecond()).map_err(|_| wrong())
}

fn unknown(hash: &str) -> Error {
    Error::client(ErrorType::NotFound, format!("There is no key with the hash {hash}"))
}

fn refused(hash: &str, error: StoreError) -> Error {
    match error {
        StoreError::Unknown { .. } => unknown(hash),
        other => Error::us(other),
    }
}

fn invalid(message: &str) -> Error {
    Error::client(ErrorType::InvalidRequest, message)
}
