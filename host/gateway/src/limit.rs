//! How often a key may begin a generation.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use wire::{ErrorType, Json};

use crate::clock;
use crate::config::Limits;
use crate::error::Error;

/// A key's share refills evenly: with 40 requests per 10 s, one every 250 ms, 40 at once at most.
pub(crate) struct Limit {
    limiter: Option<RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock>>,
    requests: u32,
}

impl Limit {
    /// Sets the limit up; 0 requests means none.
    pub(crate) fn new(limits: &Limits) -> Self {
        let quota = NonZeroU32::new(limits.requests).and_then(|requests| {
            let window = Duration::from_secs(u64::from(limits.window_s));
            Some(Quota::with_period(window.checked_div(requests.get())?)?.allow_burst(requests))
        });
        Self { limiter: quota.map(RateLimiter::keyed), requests: limits.requests }
    }

    /// Counts one generation of a key.
    ///
    /// # Errors
    /// 429 with `Retry-After` and the `X-RateLimit-*` headers.
    pub(crate) fn admit(&self, key: &str) -> Result<(), Error> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        // A look-up by `&String` would copy the key for each request that passes.
        let Err(refused) = limiter.check_key(&key.to_owned()) else { return Ok(()) };
        let wait = refused.wait_time_from(DefaultClock::default().now());
        let wait_ms = clock::millis(wait).max(1);
        let message = format!("Rate limit exceeded: {} requests at once", self.requests);
        let mut error = Error::client(ErrorType::RateLimitExceeded, message);
        error.failure.retry_after_ms = Some(wait_ms);
        let reset = (clock::unix_ms() + wait_ms).to_string();
        let headers = serde_json::json!({
            "X-RateLimit-Limit": self.requests.to_string(),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": reset,
        });
        error.failure.metadata.push(("headers".to_owned(), Json::of(&headers)));
        Err(error)
    }

    /// Forgets keys that have not asked for a while.
    pub(crate) fn sweep(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_refused_past_its_share_and_another_is_not() {
        let limit = Limit::new(&Limits { requests: 3, window_s: 1000 });
        for _ in 0..3 {
            limit.admit("a").unwrap();
        }
        let error = limit.admit("a").unwrap_err();
        assert_eq!(error.failure.status, 429);
        assert!(error.failure.retry_after_ms.unwrap() > 0);
        limit.admit("b").unwrap();
    }

    #[test]
    fn no_requests_means_no_limit() {
        let limit = Limit::new(&Limits { requests: 0, window_s: 1 });
        for _ in 0..1000 {
            limit.admit("a").unwrap();
        }
    }
}
