//! `state`: a key-value store per plugin, in memory, shared by all its instances and versions. It
//! is split into shards, so that generations on different threads seldom wait for each other.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::super::bindings::state::{self, StateError};
use super::super::host::State;
use crate::clock;

/// One plugin's keys.
#[derive(Debug)]
pub(crate) struct Space {
    shards: [Mutex<HashMap<String, Entry>>; SHARDS],
    hasher: RandomState,
    bytes: AtomicUsize,
    bytes_max: usize,
    value_bytes_max: usize,
}

#[derive(Debug)]
struct Entry {
    value: Vec<u8>,
    /// In milliseconds of the process's life.
    expires_ms: Option<u64>,
}

impl Space {
    /// An empty store with its quota.
    pub(in crate::plugin) fn new(bytes_max: usize, value_bytes_max: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            bytes: AtomicUsize::new(0),
            bytes_max,
            value_bytes_max,
        }
    }

    /// A key's value.
    pub(in crate::plugin) fn read(&self, key: &str, now_ms: u64) -> Option<Vec<u8>> {
        self.change(key, now_ms, |entry| entry.as_ref().map(|entry| entry.value.clone()))
    }

    /// Sets a value that stays. Says whether it fits.
    pub(in crate::plugin) fn put(&self, key: &str, value: &[u8]) -> bool {
        let entry = Entry { value: value.to_vec(), expires_ms: None };
        self.write(key, 0, |_| Ok(Some(entry))).is_ok()
    }

    fn write(
        &self,
        key: &str,
        now_ms: u64,
        value: impl FnOnce(Option<&Entry>) -> Result<Option<Entry>, StateError>,
    ) -> Result<bool, StateError> {
        if key.len() > KEY_BYTES_MAX {
            return Err(StateError::TooLarge);
        }
        self.change(key, now_ms, |slot| {
            let Some(new) = value(slot.as_ref())? else { return Ok(false) };
            if new.value.len() > self.value_bytes_max {
                return Err(StateError::TooLarge);
            }
            let before = slot.as_ref().map_or(0, |old| cost(key, old));
            self.charge(before, cost(key, &new))?;
            *slot = Some(new);
            Ok(true)
        })
    }

    /// Runs `f` on a key's slot, under its shard's lock. What has expired is gone by then.
    fn change<T>(&self, key: &str, now_ms: u64, f: impl FnOnce(&mut Option<Entry>) -> T) -> T {
        let index = self.hasher.hash_one(key) % SHARDS_U64;
        let shard = usize::try_from(index).ok().and_then(|index| self.shards.get(index));
        let Some(shard) = shard else { return f(&mut None) };
        let mut shard = shard.lock();
        let mut slot = shard.remove(key);
        if let Some(entry) = slot.take_if(|entry| entry.is_over(now_ms)) {
            self.release(cost(key, &entry));
        }
        let result = f(&mut slot);
        if let Some(entry) = slot {
            shard.insert(key.to_owned(), entry);
        }
        result
    }

    fn remove(&self, key: &str, now_ms: u64) {
        self.change(key, now_ms, |slot| {
            if let Some(entry) = slot.take() {
                self.release(cost(key, &entry));
            }
        });
    }

    /// Drops what has expired.
    fn sweep(&self, now_ms: u64) {
        for shard in &self.shards {
            shard.lock().retain(|key, entry| {
                let is_over = entry.is_over(now_ms);
                if is_over {
                    self.release(cost(key, entry));
                }
                !is_over
            });
        }
    }

    fn charge(&self, before: usize, after: usize) -> Result<(), StateError> {
        let charge = |bytes: usize| {
            let bytes = bytes.saturating_sub(before).saturating_add(after);
            (bytes <= self.bytes_max || after <= before).then_some(bytes)
        };
        let charged = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, charge);
        charged.map(|_| ()).map_err(|_| StateError::Quota)
    }

    fn release(&self, bytes: usize) {
        let release = |held: usize| Some(held.saturating_sub(bytes));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, release);
    }

    /// Writes; when the quota is used up, once more after what has expired was dropped.
    fn write_or_sweep(
        &self,
        key: &str,
        now_ms: u64,
        value: impl Fn(Option<&Entry>) -> Result<Option<Entry>, StateError>,
    ) -> Result<bool, StateError> {
        match self.write(key, now_ms, &value) {
            Err(StateError::Quota) => {
                self.sweep(now_ms);
                self.write(key, now_ms, &value)
            }
            result => result,
        }
    }
}

impl Entry {
    fn is_over(&self, now_ms: u64) -> bool {
        self.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms)
    }
}

impl state::Host for State {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.space.read(&key, self.state_ms()))
    }

    fn set(
        &mut self,
        key: String,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> wasmtime::Result<Result<(), StateError>> {
        let (now_ms, expires_ms) = self.times(ttl_ms);
        let entry = |_: Option<&Entry>| Ok(Some(Entry { value: value.clone(), expires_ms }));
        Ok(self.space.write_or_sweep(&key, now_ms, entry).map(|_| ()))
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<()> {
        self.space.remove(&key, self.state_ms());
        Ok(())
    }

    fn increment(
        &mut self,
        key: String,
        by: i64,
        ttl_ms: Option<u64>,
    ) -> wasmtime::Result<Result<i64, StateError>> {
        let (now_ms, made) = self.times(ttl_ms);
        let sum = std::cell::Cell::new(0);
        let entry = |old: Option<&Entry>| {
            let number = old.map_or(Some(0), |old| number(&old.value));
            sum.set(number.ok_or(StateError::NotANumber)?.saturating_add(by));
            let expires_ms = old.map_or(made, |old| old.expires_ms);
            Ok(Some(Entry { value: sum.get().to_string().into_bytes(), expires_ms }))
        };
        Ok(self.space.write_or_sweep(&key, now_ms, entry).map(|_| sum.get()))
    }

    fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> wasmtime::Result<Result<bool, StateError>> {
        let (now_ms, expires_ms) = self.times(ttl_ms);
        let entry = |old: Option<&Entry>| {
            let is_expected = old.map(|old| &old.value) == expected.as_ref();
            Ok(is_expected.then(|| Entry { value: value.clone(), expires_ms }))
        };
        Ok(self.space.write_or_sweep(&key, now_ms, entry))
    }
}

impl State {
    /// The time, as entries count it.
    fn state_ms(&self) -> u64 {
        let script = self.view.outside.script();
        clock::millis(script.map_or_else(clock::uptime, |_| Duration::ZERO))
    }

    /// The time, and when what is written now ends.
    fn times(&self, ttl_ms: Option<u64>) -> (u64, Option<u64>) {
        let now_ms = self.state_ms();
        (now_ms, ttl_ms.map(|ttl_ms| now_ms.saturating_add(ttl_ms)))
    }
}

fn number(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// What an entry counts against the quota.
fn cost(key: &str, entry: &Entry) -> usize {
    key.len().saturating_add(entry.value.len()).saturating_add(ENTRY_BYTES)
}

const SHARDS: usize = 16;
const SHARDS_U64: u64 = 16;
const KEY_BYTES_MAX: usize = 512;
/// What the table itself takes for an entry, about.
const ENTRY_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: &[u8], expires_ms: Option<u64>) -> Entry {
        Entry { value: value.to_vec(), expires_ms }
    }

    fn put(space: &Space, key: &str, value: &[u8], expires_ms: Option<u64>) -> bool {
        space.write(key, 0, |_| Ok(Some(entry(value, expires_ms)))).unwrap_or(false)
    }

    #[test]
    fn what_has_expired_is_gone_and_its_bytes_are_free() {
        let space = Space::new(100, 100);
        assert!(put(&space, "a", b"0123456789", Some(50)));
        assert!(!put(&space, "b", b"0123456789", None), "the quota is used up");
        assert_eq!(space.read("a", 49).as_deref(), Some(&b"0123456789"[..]));
        assert_eq!(space.read("a", 50), None);
        assert_eq!(space.bytes.load(Ordering::Relaxed), 0);
        assert!(put(&space, "b", b"0123456789", None));
    }

    #[test]
    fn a_sweep_frees_what_nobody_asks_for() {
        let space = Space::new(1_000, 100);
        for n in 0..5 {
            assert!(put(&space, &n.to_string(), b"x", Some(n)));
        }
        space.sweep(3);
        let left = space.bytes.load(Ordering::Relaxed);
        assert_eq!(left, cost("4", &entry(b"x", None)));
    }

    #[test]
    fn an_overwrite_is_charged_once() {
        let space = Space::new(100, 100);
        for _ in 0..10 {
            assert!(put(&space, "key", b"0123456789", None));
        }
        space.remove("key", 0);
        assert_eq!(space.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn long_keys_and_values_are_refused() {
        let space = Space::new(1 << 20, 10);
        assert!(!put(&space, "key", &[0; 11], None));
        assert!(!put(&space, &"k".repeat(KEY_BYTES_MAX + 1), b"", None));
    }
}
