//! The host's functions, as natively built plugins meet them. Same names as the generated ones.

use super::doubles::Doubles;
use crate::Field;
use crate::log::Level;
use crate::report::Stage;
use std::cell::RefCell;
use std::collections::HashMap;

/// What one thread's plugins did and may see.
#[derive(Default)]
pub(crate) struct Scene {
    pub(crate) lines: Vec<(Level, String)>,
    pub(crate) counts: Vec<(String, u64)>,
    pub(crate) observations: Vec<(String, f64)>,
    pub(crate) elapsed_ms: u64,
    pub(crate) stages: Vec<Stage>,
    pub(crate) if_failed: Vec<Field>,
    pub(crate) charges: Vec<(String, u32)>,
    pub(crate) doubles: Doubles,
    /// Value and the elapsed milliseconds at which it ends.
    values: HashMap<String, (Vec<u8>, Option<u64>)>,
    random: u64,
}

thread_local! {
    pub(crate) static SCENE: RefCell<Scene> = RefCell::default();
}

impl Scene {
    pub(super) fn live(&self, key: &str) -> Option<&Vec<u8>> {
        let (value, ends) = self.values.get(key)?;
        ends.is_none_or(|ends| self.elapsed_ms < ends).then_some(value)
    }

    pub(super) fn put(&mut self, key: &str, value: &[u8], ttl_ms: Option<u64>) {
        let ends = ttl_ms.map(|ttl| self.elapsed_ms.saturating_add(ttl));
        self.values.insert(key.into(), (value.into(), ends));
    }
}

pub(crate) mod log {
    use super::{Level, SCENE};
    use crate::Field;

    pub(crate) fn enabled(_: Level) -> bool {
        true
    }

    pub(crate) fn write(level: Level, message: &str, _: &[Field]) {
        SCENE.with_borrow_mut(|scene| scene.lines.push((level, message.into())));
    }
}

pub(crate) mod metrics {
    use super::SCENE;
    use crate::bindings::base::patchbay::plugin::metrics::Label;

    pub(crate) fn count(name: &str, by: u64, _: &[Label]) {
        SCENE.with_borrow_mut(|scene| scene.counts.push((name.into(), by)));
    }

    pub(crate) fn observe(name: &str, value: f64, _: &[Label]) {
        SCENE.with_borrow_mut(|scene| scene.observations.push((name.into(), value)));
    }
}

pub(crate) mod state {
    use super::SCENE;
    use crate::state::StateError;

    pub(crate) fn get(key: &str) -> Option<Vec<u8>> {
        SCENE.with_borrow(|scene| scene.live(key).cloned())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the host's quota has no counterpart here")]
    pub(crate) fn set(key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<(), StateError> {
        SCENE.with_borrow_mut(|scene| scene.put(key, value, ttl_ms));
        Ok(())
    }

    pub(crate) fn delete(key: &str) {
        SCENE.with_borrow_mut(|scene| scene.values.remove(key));
    }

    pub(crate) fn increment(key: &str, by: i64, ttl_ms: Option<u64>) -> Result<i64, StateError> {
        SCENE.with_borrow_mut(|scene| {
            let Some(value) = scene.live(key).cloned() else {
                scene.put(key, by.to_string().as_bytes(), ttl_ms);
                return Ok(by);
            };
            let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse::<i64>().ok());
            let sum = number.and_then(|number| number.checked_add(by));
            let sum = sum.ok_or(StateError::NotANumber)?;
            if let Some((value, _)) = scene.values.get_mut(key) {
                *value = sum.to_string().into_bytes();
            }
            Ok(sum)
        })
    }

    pub(crate) fn compare_and_set(
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        ttl_ms: Option<u64>,
    ) -> Result<bool, StateError> {
        SCENE.with_borrow_mut(|scene| {
            let fits = scene.live(key).map(Vec::as_slice) == expected;
            if fits {
                scene.put(key, value, ttl_ms);
            }
            Ok(fits)
        })
    }
}

pub(crate) mod system {
    use super::SCENE;

    pub(crate) fn unix_ms() -> u64 {
        SCENE.with_borrow(|scene| 1_700_000_000_000_u64.saturating_add(scene.elapsed_ms))
    }

    pub(crate) fn monotonic_ns() -> u64 {
        SCENE.with_borrow(|scene| scene.elapsed_ms.saturating_mul(1_000_000))
    }

    /// The same bytes in every run, and no two alike within one.
    pub(crate) fn random_bytes(length: u32) -> Vec<u8> {
        SCENE.with_borrow_mut(|scene| {
            let next = |_| {
                scene.random = scene.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                scene.random.to_be_bytes()[0]
            };
            (0..length).map(next).collect()
        })
    }
}

pub(crate) mod http {
    use super::SCENE;
    use crate::bindings::base::patchbay::plugin::http::{HttpError, Incoming, Outgoing};

    pub(crate) fn fetch(request: &Outgoing) -> Result<Incoming, HttpError> {
        SCENE.with_borrow_mut(|scene| scene.doubles.fetch(request))
    }

    pub(crate) fn fetch_all(requests: &[Outgoing]) -> Vec<Result<Incoming, HttpError>> {
        requests.iter().map(fetch).collect()
    }
}

pub(crate) mod secrets {
    use super::SCENE;

    pub(crate) fn exists(name: &str) -> bool {
        SCENE.with_borrow_mut(|scene| scene.doubles.has_secret(name))
    }
}

pub(crate) mod models {
    use super::SCENE;
    use crate::models::{Completion, Embeddings};
    use crate::{Error, Request};

    pub(crate) fn complete(request: &Request) -> Result<Completion, Error> {
        SCENE.with_borrow_mut(|scene| scene.doubles.complete(request))
    }

    pub(crate) fn embed(model: &str, inputs: &[String]) -> Result<Embeddings, Error> {
        SCENE.with_borrow_mut(|scene| scene.doubles.embed(model, inputs))
    }
}

pub(crate) mod search {
    use super::SCENE;
    use crate::Error;
    use crate::search::Hit;

    pub(crate) fn query(index: &str, _: &str, count: u32) -> Result<Vec<Hit>, Error> {
        SCENE.with_borrow_mut(|scene| scene.doubles.query(index, count))
    }
}

pub(crate) mod catalog {
    use super::SCENE;
    use crate::catalog::Model;

    pub(crate) fn list() -> Vec<Model> {
        SCENE.with_borrow(|scene| scene.doubles.catalog.clone())
    }

    /// A suffix stands for nothing here.
    pub(crate) fn find(name: &str) -> Option<Model> {
        let id = name.split(':').next().unwrap_or(name);
        list().into_iter().find(|model| model.id == id)
    }
}

pub(crate) mod report {
    use super::SCENE;
    use crate::Field;
    use crate::report::Stage;

    pub(crate) fn stage(kind: &str, name: &str, summary: Option<&str>, data: &[Field]) {
        let (kind, name, data) = (kind.into(), name.into(), data.to_vec());
        let stage = Stage { kind, name, summary: summary.map(Into::into), data };
        SCENE.with_borrow_mut(|scene| scene.stages.push(stage));
    }

    pub(crate) fn if_failed(name: &str, value: &str) {
        let field = Field { name: name.into(), value: value.into() };
        SCENE.with_borrow_mut(|scene| scene.if_failed.push(field));
    }
}

pub(crate) mod bill {
    use super::SCENE;
    use crate::Error;

    /// Nothing has a price here.
    #[expect(clippy::unnecessary_wraps, reason = "the host's refusal has no counterpart here")]
    pub(crate) fn charge(unit: &str, count: u32) -> Result<i64, Error> {
        SCENE.with_borrow_mut(|scene| scene.charges.push((unit.into(), count)));
        Ok(0)
    }
}

pub(crate) mod tokens {
    use crate::tokens::Counted;

    /// One for every four bytes begun: near enough for English, and alike everywhere.
    pub(crate) fn count(_: &str, text: &str) -> Counted {
        let tokens = u32::try_from(text.len().div_ceil(4)).unwrap_or(u32::MAX);
        Counted { tokens, is_estimated: true }
    }
}
