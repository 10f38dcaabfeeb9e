//! The request's `provider` object: what the client wants of the endpoints.

use std::sync::Arc;

use ledger::{Counts, Price};
use serde::Deserialize;
use serde::de::IgnoredAny;
use wire::{ErrorType, Json};

use crate::config::catalog::Endpoint;
use crate::error::Error;

/// The preferences, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Preferences {
    order: Vec<String>,
    only: Vec<String>,
    ignore: Vec<String>,
    /// Whether another endpoint may be tried after the first.
    pub(super) allow_fallbacks: bool,
    /// Whether an endpoint must take every parameter that the request sets.
    pub(super) require_parameters: bool,
    /// What to order by.
    pub(super) sort: Sort,
    price_max: Option<Price>,
}

/// What endpoints are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// The catalog's own order.
    Catalog,
    /// Cheapest first.
    Price,
}

/// The object as sent. Keys are OpenRouter's; unknown ones are refused, as there.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Shape {
    order: Option<Vec<String>>,
    only: Option<Vec<String>>,
    ignore: Option<Vec<String>>,
    allow_fallbacks: Option<bool>,
    require_parameters: Option<bool>,
    data_collection: Option<String>,
    zdr: Option<bool>,
    enforce_distillable_text: Option<bool>,
    quantizations: Option<Vec<String>>,
    sort: Option<serde_json::Value>,
    max_price: Option<serde_json::Map<String, serde_json::Value>>,
    preferred_min_throughput: Option<IgnoredAny>,
    preferred_max_latency: Option<IgnoredAny>,
    options: Option<IgnoredAny>,
}

impl Preferences {
    /// Reads the object.
    ///
    /// # Errors
    /// A key or value that is wrong (400), or a demand that nothing here is known to meet (404).
    pub(super) fn read(json: Option<&Json>) -> Result<Self, Error> {
        let shape: Shape = match json {
            Some(json) if !json.is_null() => {
                json.read().map_err(|error| invalid(&format!("provider: {error}")))?
            }
            _ => Shape::default(),
        };
        refuse_unknown_policies(&shape)?;
        let _ = (&shape.preferred_min_throughput, &shape.preferred_max_latency, &shape.options);
        Ok(Self {
            sort: read_sort(shape.sort.as_ref())?,
            price_max: shape.max_price.as_ref().map(read_price_max).transpose()?,
            order: shape.order.unwrap_or_default(),
            only: shape.only.unwrap_or_default(),
            ignore: shape.ignore.unwrap_or_default(),
            allow_fallbacks: shape.allow_fallbacks.unwrap_or(true),
            require_parameters: shape.require_parameters.unwrap_or(false),
        })
    }

    /// The endpoints that may be asked, in the preferred order.
    ///
    /// # Errors
    /// None is left (404), with what there was.
    pub(super) fn filter(
        &self,
        model: &str,
        endpoints: Vec<Arc<Endpoint>>,
    ) -> Result<Vec<Arc<Endpoint>>, Error> {
        let serving: Vec<_> =
            endpoints.iter().map(|endpoint| endpoint.provider.slug.clone()).collect();
        let mut left = endpoints;
        left.retain(|endpoint| self.only.is_empty() || is_among(&self.only, endpoint));
        left.retain(|endpoint| !is_among(&self.ignore, endpoint));
        if left.is_empty() {
            let message = format!(
                "No allowed providers are available for the selected model. Providers serving \
                 {model}: {}, but your request's provider preferences permit none of them.",
                serving.join(", ")
            );
            return Err(Error::client(ErrorType::NotFound, message));
        }
        if let Some(limit) = &self.price_max {
            left.retain(|endpoint| is_within(limit, endpoint.price.as_ref()));
            if left.is_empty() {
                let message = format!("No endpoints found for {model} within provider.max_price.");
                return Err(Error::client(ErrorType::NotFound, message));
            }
        }
        // A stable sort: what `order` does not name keeps its place behind.
        left.sort_by_key(|endpoint| {
            let place = self.order.iter().position(|wanted| is_named(wanted, endpoint));
            place.unwrap_or(usize::MAX)
        });
        if !self.order.is_empty() && !self.allow_fallbacks {
            left.retain(|endpoint| is_among(&self.order, endpoint));
        }
        Ok(left)
    }
}

/// What is asserted about data is not known of any endpoint here, so a demand fails closed.
fn refuse_unknown_policies(shape: &Shape) -> Result<(), Error> {
    let demanded = [
        ("data_collection: deny", shape.data_collection.as_deref() == Some("deny")),
        ("zdr", shape.zdr == Some(true)),
        ("enforce_distillable_text", shape.enforce_distillable_text == Some(true)),
        ("quantizations", shape.quantizations.as_ref().is_some_and(|list| !list.is_empty())),
    ];
    for (name, is_demanded) in demanded {
        if is_demanded {
            let message = format!(
                "No endpoints found matching your data policy: this gateway's catalog does not \
                 say which endpoints meet `provider.{name}`; choose them with `provider.only`."
            );
            return Err(Error::client(ErrorType::NotFound, message));
        }
    }
    match shape.data_collection.as_deref() {
        None | Some("allow" | "deny") => Ok(()),
        Some(other) => Err(invalid(&format!(
            "provider.data_collection: expected allow or deny, found {other}"
        ))),
    }
}

fn read_sort(sort: Option<&serde_json::Value>) -> Result<Sort, Error> {
    let by = match sort {
        None | Some(serde_json::Value::Null) => return Ok(Sort::Catalog),
        Some(serde_json::Value::Object(object)) => object.get("by").and_then(|by| by.as_str()),
        Some(value) => value.as_str(),
    };
    match by {
        Some("price") => Ok(Sort::Price),
        // Not measured yet: the catalog's own order stands.
        Some("throughput" | "latency" | "exacto") => Ok(Sort::Catalog),
        _ => Err(invalid("provider.sort: expected price, throughput, latency or exacto")),
    }
}

/// Reads `max_price`: USD per million tokens, as text or number. What is not given has no limit.
fn read_price_max(object: &serde_json::Map<String, serde_json::Value>) -> Result<Price, Error> {
    let mut texts = [("prompt", NO_LIMIT.to_owned()), ("completion", NO_LIMIT.to_owned())];
    for (kind, value) in object {
        let text = match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            _ => return Err(invalid(&format!("provider.max_price.{kind}: expected a number"))),
        };
        match texts.iter_mut().find(|(known, _)| known == kind) {
            Some((_, limit)) => *limit = text,
            None if ["request", "image", "audio"].contains(&kind.as_str()) => {}
            None => {
                let known = "prompt, completion, request, image, audio";
                let message = format!("provider.max_price.{kind}: expected one of {known}");
                return Err(invalid(&message));
            }
        }
    }
    Price::read(texts.iter().map(|(kind, text)| (*kind, text.as_str())))
        .map_err(|error| invalid(&format!("provider.max_price: {error}")))
}

/// More than anybody asks, in USD per million tokens.
const NO_LIMIT: &str = "1000000";

/// Whether an endpoint asks no more than the limit, for reading and for writing.
fn is_within(limit: &Price, price: Option<&Price>) -> bool {
    let Some(price) = price else { return true };
    let reading = Counts { prompt: 1_000_000, ..Counts::default() };
    let writing = Counts { completion: 1_000_000, ..Counts::default() };
    [reading, writing].iter().all(|counts| price.cost(counts).total <= limit.cost(counts).total)
}

fn is_among(list: &[String], endpoint: &Endpoint) -> bool {
    list.iter().any(|wanted| is_named(wanted, endpoint))
}

/// Whether a preference means this endpoint: by slug or by display name, in any case.
fn is_named(wanted: &str, endpoint: &Endpoint) -> bool {
    let provider = &endpoint.provider;
    wanted.eq_ignore_ascii_case(&provider.slug) || wanted.eq_ignore_ascii_case(&provider.name)
}

fn invalid(message: &str) -> Error {
    Error::client(ErrorType::InvalidRequest, message)
}
