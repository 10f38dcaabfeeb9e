//! In which order models are listed. Without one it is that of their ids. What has no data for the
//! order asked for comes last, and as popularity, speed and benchmarks have none here, those orders
//! leave the list as it is.

use std::cmp::Reverse;

use ledger::{Counts, Money};

use super::asked::Asked;
use super::pricing;
use crate::config::catalog::Served;
use crate::error::Error;

/// What to order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As the catalog has them.
    Catalog,
    Newest,
    Cheapest,
    Dearest,
    LongestContext,
}

impl Order {
    /// Reads `sort`.
    ///
    /// # Errors
    /// 400 with the orders there are.
    pub(super) fn read(asked: &Asked) -> Result<Self, Error> {
        let order = match asked.one_of("sort", &ORDERS)? {
            Some("newest") => Self::Newest,
            Some("pricing-low-to-high") => Self::Cheapest,
            Some("pricing-high-to-low") => Self::Dearest,
            Some("context-high-to-low") => Self::LongestContext,
            _ => Self::Catalog,
        };
        Ok(order)
    }

    /// Orders models; equal ones stay as they are.
    pub(super) fn sort(self, models: &mut [&Served]) {
        match self {
            Self::Catalog => {}
            Self::Newest => models.sort_by_key(|served| {
                let created = served.model.created;
                last_if_none((created > 0).then_some(Reverse(created)))
            }),
            Self::Cheapest => models.sort_by_key(|served| last_if_none(price(served))),
            Self::Dearest => {
                models.sort_by_key(|served| last_if_none(price(served).map(Reverse)));
            }
            Self::LongestContext => {
                models.sort_by_key(|served| Reverse(served.model.context_length));
            }
        }
    }
}

fn last_if_none<T>(key: Option<T>) -> (bool, Option<T>) {
    (key.is_none(), key)
}

/// A token read and one written, at the endpoint that is asked first. Half of it is the mean.
fn price(served: &Served) -> Option<Money> {
    let both =
        Counts { prompt: pricing::MILLION, completion: pricing::MILLION, ..Counts::default() };
    Some(served.ready().next()?.price.as_ref()?.cost(&both).total)
}

const ORDERS: [&str; 12] = [
    "most-popular",
    "newest",
    "top-weekly",
    "pricing-low-to-high",
    "pricing-high-to-low",
    "context-high-to-low",
    "throughput-high-to-low",
    "latency-low-to-high",
    "intelligence-high-to-low",
    "coding-high-to-low",
    "agentic-high-to-low",
    "design-arena-elo-high-to-low",
];
