//! The gateway's one error: what the client is told, whose fault it was, and what only the log
//! sees. It becomes HTTP in `api/rescue.rs`, or an in-band event once a reply has begun.

use std::fmt;

use wire::{Availability, ErrorType, Failure, Unavailable};

/// Why a generation or a management call did not succeed.
#[derive(Debug)]
pub(crate) struct Error {
    /// What the client is told.
    pub(crate) failure: Failure,
    /// Whose fault it was.
    pub(crate) side: Side,
    /// The cause, for the log only: it may name hosts and credentials.
    pub(crate) source: Option<anyhow::Error>,
}

/// Whose fault an error was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The caller sent something wrong, or may not.
    Client,
    /// The provider failed or refused.
    Upstream,
    /// A plugin failed or refused.
    Plugin,
    /// We failed.
    Us,
}

impl Side {
    /// The name in logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Plugin => "plugin",
            Self::Us => "us",
        }
    }
}

impl Error {
    /// The caller's fault. The message names the field and the fix.
    pub(crate) fn client(error_type: ErrorType, message: impl Into<String>) -> Self {
        Self { failure: Failure::new(error_type, message), side: Side::Client, source: None }
    }

    /// The provider's fault.
    pub(crate) fn upstream(failure: Failure) -> Self {
        Self { failure, side: Side::Upstream, source: None }
    }

    /// A plugin's fault or will.
    pub(crate) fn plugin(failure: Failure) -> Self {
        Self { failure, side: Side::Plugin, source: None }
    }

    /// Our own fault. The client is told no more than that; the cause goes to the log.
    pub(crate) fn us(source: impl Into<anyhow::Error>) -> Self {
        let failure = Failure::new(ErrorType::Server, "Internal Server Error");
        Self { failure, side: Side::Us, source: Some(source.into()) }
    }

    /// Adds the cause for the log.
    pub(crate) fn with_source(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds why no endpoint could serve the request.
    pub(crate) fn unavailable(self, code: Unavailable) -> Self {
        self.with_availability(Availability::new(code))
    }

    /// As [`Error::unavailable`], with more than the reason.
    pub(crate) fn with_availability(mut self, availability: Availability) -> Self {
        self.failure.availability = Some(Box::new(availability));
        self
    }

    /// Names the models that were asked for, where the failure is about their availability.
    pub(crate) fn asked_for(mut self, models: &[&str]) -> Self {
        if let Some(availability) = &mut self.failure.availability {
            availability.requested_models = models.iter().map(|&model| model.to_owned()).collect();
        }
        self
    }

    /// Whether another endpoint may do better: the upstream was at fault, not the request.
    pub(crate) fn is_retryable(&self) -> bool {
        self.side == Side::Upstream
            && matches!(
                self.failure.error_type,
                ErrorType::ProviderOverloaded
                    | ErrorType::ProviderUnavailable
                    | ErrorType::RateLimitExceeded
                    | ErrorType::Timeout
                    | ErrorType::Server
                    // Our credential, our account or our idea of the endpoint is wrong: the
                    // next provider has its own.
                    | ErrorType::Authentication
                    | ErrorType::PermissionDenied
                    | ErrorType::PaymentRequired
                    | ErrorType::NotFound
            )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.failure.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(AsRef::as_ref)
    }
}
