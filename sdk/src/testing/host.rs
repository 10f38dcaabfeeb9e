//! The host's functions, as natively built plugins meet them. Same names as the generated ones.

use crate::log::Level;
use std::cell::RefCell;
use std::collections::HashMap;

/// What one thread's plugins did and may see.
#[derive(Default)]
pub(crate) struct Kit {
    pub(crate) lines: Vec<(Level, String)>,
    pub(crate) counts: Vec<(String, u64)>,
    pub(crate) observations: Vec<(String, f64)>,
    pub(crate) elapsed_ms: u64,
    /// Value and the elapsed milliseconds at which it ends.
    values: HashMap<String, (Vec<u8>, Option<u64>)>,
    random: u64,
}

thread_local! {
    pub(crate) static KIT: RefCell<Kit> = RefCell::default();
}

impl Kit {
    fn live(&self, key: &str) -> Option<&Vec<u8>> {
        let (value, ends) = self.values.get(key)?;
        ends.is_none_or(|ends| self.elapsed_ms < ends).then_some(value)
    }

    fn put(&mut self, key: &str, value: &[u8], ttl_ms: Option<u64>) {
        let ends = ttl_ms.map(|ttl| self.elapsed_ms.saturating_add(ttl));
        self.values.insert(key.into(), (value.into(), ends));
    }
}

pub(crate) mod log {
    use super::{KIT, Level};
    use crate::Field;

    pub(crate) fn enabled(_: Level) -> bool {
        true
    }

    pub(crate) fn write(level: Level, message: &str, _: &[Field]) {
        KIT.with_borrow_mut(|kit| kit.lines.push((level, message.into())));
    }
}

pub(crate) mod metrics {
    use super::KIT;
    use crate::bindings::base::patchbay::plugin::metrics::Label;

    pub(crate) fn count(name: &str, by: u64, _: &[Label]) {
        KIT.with_borrow_mut(|kit| kit.counts.push((name.into(), by)));
    }

    pub(crate) fn observe(name: &str, value: f64, _: &[Label]) {
        KIT.with_borrow_mut(|kit| kit.observations.push((name.into(), value)));
    }
}

pub(crate) mod state {
    use super::KIT;
    use crate::state::StateError;

    pub(crate) fn get(key: &str) -> Option<Vec<u8>> {
        KIT.with_borrow(|kit| kit.live(key).cloned())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the host's quota has no counterpart here")]
    pub(crate) fn set(key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<(), StateError> {
        KIT.with_borrow_mut(|kit| kit.put(key, value, ttl_ms));
        Ok(())
    }

    pub(crate) fn delete(key: &str) {
        KIT.with_borrow_mut(|kit| kit.values.remove(key));
    }

    pub(crate) fn increment(key: &str, by: i64, ttl_ms: Option<u64>) -> Result<i64, StateError> {
        KIT.with_borrow_mut(|kit| {
            let Some(value) = kit.live(key).cloned() else {
                kit.put(key, by.to_string().as_bytes(), ttl_ms);
                return Ok(by);
            };
            let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse::<i64>().ok());
            let sum = number.and_then(|number| number.checked_add(by));
            let sum = sum.ok_or(StateError::NotANumber)?;
            if let Some((value, _)) = kit.values.get_mut(key) {
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
        KIT.with_borrow_mut(|kit| {
            let fits = kit.live(key).map(Vec::as_slice) == expected;
            if fits {
                kit.put(key, value, ttl_ms);
            }
            Ok(fits)
        })
    }
}

pub(crate) mod system {
    use super::KIT;

    pub(crate) fn unix_ms() -> u64 {
        KIT.with_borrow(|kit| 1_700_000_000_000_u64.saturating_add(kit.elapsed_ms))
    }

    pub(crate) fn monotonic_ns() -> u64 {
        KIT.with_borrow(|kit| kit.elapsed_ms.saturating_mul(1_000_000))
    }

    /// The same bytes in every run, and no two alike within one.
    pub(crate) fn random_bytes(length: u32) -> Vec<u8> {
        KIT.with_borrow_mut(|kit| {
            let next = |_| {
                kit.random = kit.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                kit.random.to_be_bytes()[0]
            };
            (0..length).map(next).collect()
        })
    }
}
