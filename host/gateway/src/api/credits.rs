//! `/credits`: what was put in and spent, and putting more in. Management keys only.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use ledger::Money;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::ErrorType;

use super::keys::usd;
use super::shape::{self, Data};
use crate::app::App;
use crate::clock;
use crate::error::Error;

/// `GET /credits`
pub(super) async fn show(State(app): State<App>, headers: HeaderMap) -> Response {
    let shown = app.auth.management(&headers, clock::unix_ms()).map(|_| credits(&app));
    shape::json(shown)
}

/// The body of `POST /credits`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deposit {
    /// USD.
    amount: f64,
    /// The caller's name for it: the same deposit twice is one.
    id: String,
}

/// `POST /credits`
pub(super) async fn deposit(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    shape::json_with(StatusCode::CREATED, deposited(&app, &headers, &body).await)
}

async fn deposited(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<Data<Value>, Error> {
    app.auth.management(headers, clock::unix_ms())?;
    let deposit: Deposit = shape::read(body)?;
    let invalid = |message: String| Error::client(ErrorType::InvalidRequest, message);
    if deposit.id.trim().is_empty() || deposit.id.len() > ID_BYTES_MAX {
        return Err(invalid(format!("id: expected 1 to {ID_BYTES_MAX} characters")));
    }
    let amount =
        Money::from_usd_f64(deposit.amount).map_err(|error| invalid(format!("amount: {error}")))?;
    app.billing.deposit(amount, &deposit.id).await?;
    Ok(credits(app))
}

fn credits(app: &App) -> Data<Value> {
    let credits = app.billing.credits();
    Data {
        data: json!({
            "total_credits": usd(credits.deposited),
            "total_usage": usd(credits.spent),
            "held": usd(credits.held),
        }),
    }
}

/// Long enough for any bookkeeping's numbers.
const ID_BYTES_MAX: usize = 200;
