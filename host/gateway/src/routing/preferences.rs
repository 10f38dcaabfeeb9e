//! The request's `provider` object: what the client wants of the endpoints.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use wire::{Availability, ErrorType, Json, Model, Quantization, Unavailable};

use crate::config::catalog::Endpoint;
use crate::error::Error;

mod limit;

use limit::PriceLimit;

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
    /// `data_collection: deny`: whether endpoints may neither keep nor train on what they read.
    denies_collection: bool,
    /// Whether endpoints must keep nothing at all.
    zdr: bool,
    /// Whether the model's licence must let others train on what it writes.
    distillable: bool,
    quantizations: Vec<Quantization>,
    price_max: PriceLimit,
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
    /// A key or value that is wrong (400), with what would be right.
    pub(super) fn read(json: Option<&Json>) -> Result<Self, Error> {
        let shape: Shape = match json {
            Some(json) if !json.is_null() => {
                json.read().map_err(|error| invalid(&format!("provider: {error}")))?
            }
            _ => Shape::default(),
        };
        let _ = (&shape.preferred_min_throughput, &shape.preferred_max_latency, &shape.options);
        Ok(Self {
            sort: read_sort(shape.sort.as_ref())?,
            price_max: shape
                .max_price
                .as_ref()
                .map(PriceLimit::read)
                .transpose()?
                .unwrap_or_default(),
            order: shape.order.unwrap_or_default(),
            only: shape.only.unwrap_or_default(),
            ignore: shape.ignore.unwrap_or_default(),
            allow_fallbacks: shape.allow_fallbacks.unwrap_or(true),
            require_parameters: shape.require_parameters.unwrap_or(false),
            denies_collection: read_collection(shape.data_collection.as_deref())?,
            zdr: shape.zdr.unwrap_or(false),
            distillable: shape.enforce_distillable_text.unwrap_or(false),
            quantizations: read_quantizations(&shape.quantizations.unwrap_or_default())?,
        })
    }

    /// The endpoints that may be asked, in the preferred order.
    ///
    /// # Errors
    /// None is left (404), with what there was.
    pub(super) fn filter(
        &self,
        model: &Model,
        endpoints: Vec<Arc<Endpoint>>,
    ) -> Result<Vec<Arc<Endpoint>>, Error> {
        let mut left = endpoints;
        self.keep_permitted(&model.id, &mut left)?;
        self.keep_lawful(model, &mut left)?;
        left.retain(|endpoint| self.has_quantization(endpoint));
        if left.is_empty() {
            let wanted = self.quantizations.iter().map(|one| one.as_str()).collect::<Vec<_>>();
            return Err(none(&model.id, &format!("provider.quantizations: {}", wanted.join(", "))));
        }
        left.retain(|endpoint| self.price_max.admits(endpoint));
        if left.is_empty() {
            return Err(none(&model.id, "provider.max_price"));
        }
        // A stable sort: what `order` does not name keeps its place behind.
        left.sort_by_key(|endpoint| {
            let place = self.order.iter().position(|wanted| is_named(wanted, endpoint));
            place.unwrap_or(usize::MAX)
        });
        if !self.order.is_empty() && !self.allow_fallbacks {
            left.retain(|endpoint| is_among(&self.order, endpoint));
        }
        if left.is_empty() {
            return Err(none(&model.id, "provider.order without fallbacks"));
        }
        Ok(left)
    }

    /// Keeps those that `only` and `ignore` permit, and no tier of service that is not named.
    fn keep_permitted(&self, id: &str, left: &mut Vec<Arc<Endpoint>>) -> Result<(), Error> {
        let mut serving: Vec<_> = left.iter().map(|endpoint| endpoint.tag()).collect();
        serving.dedup();
        let refused = |reason: &str| {
            let message = format!(
                "No allowed providers are available for the selected model. Providers serving \
                 {id}: {}, but your request's {reason}.",
                serving.join(", ")
            );
            Error::client(ErrorType::NotFound, message)
        };
        left.retain(|endpoint| {
            !endpoint.is_tier() || is_among(&self.only, endpoint) || is_among(&self.order, endpoint)
        });
        left.retain(|endpoint| self.only.is_empty() || is_among(&self.only, endpoint));
        if left.is_empty() {
            let only = match self.only.is_empty() {
                true => "none: those are tiers of service, which are named in full".to_owned(),
                false => self.only.join(", "),
            };
            return Err(refused(&format!("provider.only preference permits only: {only}")));
        }
        left.retain(|endpoint| !is_among(&self.ignore, endpoint));
        if left.is_empty() {
            let ignore = self.ignore.join(", ");
            return Err(refused(&format!("provider.ignore preference leaves none: {ignore}")));
        }
        Ok(())
    }

    /// Keeps those whose policy is known to be what is asked.
    fn keep_lawful(&self, model: &Model, left: &mut Vec<Arc<Endpoint>>) -> Result<(), Error> {
        if self.distillable && model.distillable != Some(true) {
            return Err(none(&model.id, "provider.enforce_distillable_text"));
        }
        let refused = |demand: &str| {
            let message = format!(
                "No endpoints found matching your data policy (provider.{demand}) for {}. GET \
                 /api/v1/endpoints/zdr lists those that keep nothing; an operator who knows more \
                 of a provider says it as `policy` in its [[provider]] table.",
                model.id
            );
            let policy = if demand == "zdr" { "data_policy:zdr" } else { "data_policy:training" };
            let mut why = Availability::new(Unavailable::PrivacyRestricted);
            why.excluded_by.push(policy.into());
            Err(Error::client(ErrorType::NotFound, message).with_availability(why))
        };
        let policy = |endpoint: &Arc<Endpoint>| endpoint.provider.policy.clone();
        left.retain(|endpoint| !self.zdr || policy(endpoint).is_zdr());
        if left.is_empty() {
            return refused("zdr");
        }
        let collects = |policy: &wire::Policy| policy.may_retain() || policy.may_train();
        left.retain(|endpoint| !self.denies_collection || !collects(&policy(endpoint)));
        if left.is_empty() {
            return refused("data_collection: deny");
        }
        Ok(())
    }

    fn has_quantization(&self, endpoint: &Endpoint) -> bool {
        self.quantizations.is_empty()
            || self.quantizations.iter().any(|asked| asked.means(endpoint.offer.quantization))
    }
}

fn read_collection(text: Option<&str>) -> Result<bool, Error> {
    match text {
        None | Some("allow") => Ok(false),
        Some("deny") => Ok(true),
        Some(other) => Err(invalid(&format!(
            "provider.data_collection: expected allow or deny, found {other}"
        ))),
    }
}

fn read_quantizations(names: &[String]) -> Result<Vec<Quantization>, Error> {
    let read = |name: &String| {
        Quantization::read(name).ok_or_else(|| {
            let known = Quantization::ALL.map(|(_, name)| name).join(", ");
            invalid(&format!("provider.quantizations: expected some of {known}, found {name}"))
        })
    };
    names.iter().map(read).collect()
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

fn is_among(list: &[String], endpoint: &Endpoint) -> bool {
    list.iter().any(|wanted| is_named(wanted, endpoint))
}

/// Whether a preference means this endpoint, in any case: by its full tag; by the provider's slug or
/// display name all that provider's endpoints, but for tiers of service.
fn is_named(wanted: &str, endpoint: &Endpoint) -> bool {
    let provider = &endpoint.provider;
    let is_base =
        wanted.eq_ignore_ascii_case(&provider.slug) || wanted.eq_ignore_ascii_case(&provider.name);
    (is_base && !endpoint.is_tier()) || wanted.eq_ignore_ascii_case(&endpoint.tag())
}

fn none(id: &str, demand: &str) -> Error {
    let message = format!("No endpoints found for {id} that match your request's {demand}.");
    Error::client(ErrorType::NotFound, message)
}

fn invalid(message: &str) -> Error {
    Error::client(ErrorType::InvalidRequest, message)
}

#[cfg(test)]
mod tests;
