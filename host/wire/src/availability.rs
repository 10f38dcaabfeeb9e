//! Why no endpoint could serve a request, in OpenRouter's words (`error.availability`), so that a
//! client knows whether to wait, to choose another model or to ask for less.

use serde::Serialize;

use crate::error::Failure;
use crate::json::Json;

/// What a client is told beside the message when a model could not be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// The reason.
    pub code: Unavailable,
    /// The models that were asked for, in order.
    pub requested_models: Vec<String>,
    /// The providers that were tried or left out, by slug; empty: none in particular.
    pub affected_providers: Vec<String>,
    /// The client's own rules that left endpoints out (`max_price`, `allowed_providers`, …).
    pub excluded_by: Vec<String>,
    /// The field that can't be met (`provider.max_price`), and what it demands.
    pub constraint: Option<(String, String)>,
}

impl Availability {
    /// A reason alone.
    pub fn new(code: Unavailable) -> Self {
        Self {
            code,
            requested_models: Vec::new(),
            affected_providers: Vec::new(),
            excluded_by: Vec::new(),
            constraint: None,
        }
    }

    /// The failure's `availability` as it stands in every dialect's error object; `None` for a
    /// failure that is not of this kind.
    pub fn json(failure: &Failure) -> Option<Json> {
        let availability = failure.availability.as_deref()?;
        let constraint = availability.constraint.as_ref();
        Some(Json::of(&Written {
            code: availability.code.as_str(),
            retryable: availability.code.is_retryable(),
            retry_after: failure.retry_after_ms.map(|wait| wait.div_ceil(1000)),
            requested_models: &availability.requested_models,
            affected_providers: &availability.affected_providers,
            excluded_by: &availability.excluded_by,
            constraint: constraint.map(|(field, detail)| Constraint { field, detail }),
            docs_url: DOCS_URL,
        }))
    }
}

/// The reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// There is no such model.
    ModelNotFound,
    /// The model is asked for something it is not made for.
    WrongEndpoint,
    /// Nobody serves the model.
    NoEndpoints,
    /// The model is not served any more.
    ModelDeprecated,
    /// The provider no longer knows the model.
    ModelUnavailableUpstream,
    /// Everybody who serves the model limits the rate.
    CapacityExhausted,
    /// Everybody who serves the model fails at the moment.
    TemporarilyUnavailable,
    /// Not from where the client is.
    RegionRestricted,
    /// Nobody who serves the model keeps to what is demanded about data.
    PrivacyRestricted,
    /// Nobody who serves the model can do all that the request asks for.
    ConstraintFiltered,
    /// The model is no longer free.
    FreeVariantEnded,
}

impl Unavailable {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ModelNotFound => "model_not_found",
            Self::WrongEndpoint => "wrong_endpoint",
            Self::NoEndpoints => "no_endpoints",
            Self::ModelDeprecated => "model_deprecated",
            Self::ModelUnavailableUpstream => "model_unavailable_upstream",
            Self::CapacityExhausted => "capacity_exhausted",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::RegionRestricted => "region_restricted",
            Self::PrivacyRestricted => "privacy_restricted",
            Self::ConstraintFiltered => "constraint_filtered",
            Self::FreeVariantEnded => "free_variant_ended",
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::CapacityExhausted | Self::TemporarilyUnavailable)
    }
}

#[derive(Serialize)]
struct Written<'a> {
    code: &'static str,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    requested_models: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    affected_providers: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    excluded_by: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    constraint: Option<Constraint<'a>>,
    docs_url: &'static str,
}

#[derive(Serialize)]
struct Constraint<'a> {
    field: &'a str,
    detail: &'a str,
}

/// Where OpenRouter explains the codes.
const DOCS_URL: &str = "https://openrouter.ai/docs/api/reference/errors-and-debugging";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorType;

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_only_where_waiting_helps_is_it_retryable() {
        let mut failure = Failure::new(ErrorType::RateLimitExceeded, "Busy");
        assert_eq!(Availability::json(&failure), None);
        failure.retry_after_ms = Some(1200);
        failure.availability = Some(Box::new(Availability {
            requested_models: vec!["a/b".to_owned()],
            ..Availability::new(Unavailable::CapacityExhausted)
        }));
        let json = Availability::json(&failure).unwrap();
        let expected = format!(
            r#"{{"code":"capacity_exhausted","retryable":true,"retry_after":2,"requested_models":["a/b"],"docs_url":"{DOCS_URL}"}}"#
        );
        assert_eq!(json.as_str(), expected);
        assert!(!Unavailable::NoEndpoints.is_retryable());
    }
}
