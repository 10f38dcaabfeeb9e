//! A page of a list: everything when neither `offset` nor `limit` is given.

use http::Uri;
use serde_json::{Value, json};
use wire::ErrorType;

use super::asked::Asked;
use super::shown;
use crate::config::catalog::Served;
use crate::error::Error;

/// Which part of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    offset: usize,
    /// Most models; none: all.
    limit: Option<usize>,
}

impl Page {
    /// Reads `offset` and `limit`.
    ///
    /// # Errors
    /// 400 with what they may be.
    pub(super) fn read(asked: &Asked) -> Result<Self, Error> {
        let offset: Option<usize> = asked.number("offset", "a number from 0")?;
        let limit: Option<usize> = asked.number("limit", LIMITS)?;
        if limit.is_some_and(|limit| limit == 0 || limit > LIMIT_MAX) {
            let message = format!("limit: expected {LIMITS}");
            return Err(Error::client(ErrorType::InvalidRequest, message));
        }
        let limit = limit.or(offset.map(|_| LIMIT_USUAL));
        Ok(Self { offset: offset.unwrap_or(0), limit })
    }

    /// The part of a list that is meant.
    pub(super) fn of<T>(self, list: &[T]) -> &[T] {
        let rest = list.get(self.offset..).unwrap_or_default();
        rest.get(..self.limit.unwrap_or(rest.len())).unwrap_or(rest)
    }

    /// The page as `/models` answers it; `object` is what OpenAI's clients look for.
    pub(super) fn answer(self, uri: &Uri, list: &[&Served]) -> Value {
        let page: Vec<_> = self.of(list).iter().map(|served| shown::model(served)).collect();
        let next = self.next(uri, list.len());
        json!({
            "object": "list",
            "data": page,
            "total_count": list.len(),
            "links": { "next": next },
        })
    }

    /// Where the next page is: the same filters, further on. The path comes without its root.
    fn next(self, uri: &Uri, total: usize) -> Option<String> {
        let limit = self.limit?;
        let offset = self.offset.checked_add(limit).filter(|offset| *offset < total)?;
        let filters = uri.query().unwrap_or_default().split('&').filter(|part| {
            let name = part.split('=').next().unwrap_or_default();
            !part.is_empty() && name != "offset" && name != "limit"
        });
        let mut query: Vec<_> = filters.map(str::to_owned).collect();
        query.extend([format!("offset={offset}"), format!("limit={limit}")]);
        Some(format!("/api/v1{}?{}", uri.path(), query.join("&")))
    }
}

const LIMITS: &str = "a number from 1 to 1000";

const LIMIT_MAX: usize = 1000;

/// Where only the offset is given.
const LIMIT_USUAL: usize = 500;
