//! Who is calling: a key's hash looked up in memory, its state, and the making of keys. What a
//! key may spend is `billing`'s; how often it may ask is `limit`'s.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use ledger::{Money, Reset};
use sha2::{Digest, Sha256};
use wire::{ErrorType, PluginEntry};

use crate::clock;
use crate::error::Error;
use crate::store::{KeyRecord, Store, StoreError, Write};

/// The keys that are known, as one snapshot: a look-up takes no lock.
pub(crate) struct Auth {
    store: Arc<dyn Store>,
    keys: ArcSwap<HashMap<String, Arc<KeyRecord>>>,
    /// Changes are read, made and shown one at a time.
    changing: tokio::sync::Mutex<()>,
}

/// Whoever showed a good key.
pub(crate) type Caller = KeyRecord;

/// What a new key is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewKey {
    /// What people call it.
    pub(crate) name: String,
    /// Whether it manages rather than asks.
    pub(crate) is_management: bool,
    /// The most it may spend.
    pub(crate) limit: Option<Money>,
    /// When that count restarts.
    pub(crate) limit_reset: Option<Reset>,
    /// Whether what is paid with a client's own credential counts.
    pub(crate) include_byok_in_limit: bool,
    /// From when on it is refused, in milliseconds since 1970.
    pub(crate) expires_at_ms: Option<u64>,
    /// Plugins of its requests, unless they say otherwise.
    pub(crate) plugins: Vec<PluginEntry>,
}

/// The keys that a first start made; each is shown once.
#[derive(Debug, Default)]
pub(crate) struct FirstKeys {
    /// For managing.
    pub(crate) management: Option<String>,
    /// For asking.
    pub(crate) inference: Option<String>,
}

impl Auth {
    /// Reads the keys.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(crate) async fn load(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let changing = tokio::sync::Mutex::new(());
        let auth = Self { store, keys: ArcSwap::default(), changing };
        auth.reload().await?;
        Ok(auth)
    }

    /// Reads the keys again: `patchbay key` may have changed them from outside.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(crate) async fn reload(&self) -> Result<(), StoreError> {
        let _changing = self.changing.lock().await;
        let keys = self.store.keys().await?;
        let by_hash = keys.into_iter().map(|key| (key.hash.clone(), Arc::new(key)));
        self.keys.store(Arc::new(by_hash.collect()));
        Ok(())
    }

    /// Makes the first keys. `management`: a key that the operator chose.
    ///
    /// # Errors
    /// When the chosen key is too weak, or the store can't be written.
    pub(crate) async fn first_start(
        &self,
        management: Option<String>,
    ) -> Result<FirstKeys, anyhow::Error> {
        let mut first = FirstKeys::default();
        let is_first = self.keys.load().is_empty();
        if let Some(key) = management {
            anyhow::ensure!(
                key.len() >= 32,
                "PATCHBAY_MANAGEMENT_KEY has {} characters; it needs at least 32, such as \
                 `sk-or-v1-` and 64 hex digits",
                key.len()
            );
            if !self.keys.load().contains_key(&hash(&key)) {
                let new = NewKey::management("PATCHBAY_MANAGEMENT_KEY");
                self.keep(&key, new).await?;
            }
        } else if is_first {
            first.management = Some(self.make(NewKey::management("first management key")).await?.0);
        }
        if is_first {
            let new = NewKey { name: "first inference key".to_owned(), ..NewKey::default() };
            first.inference = Some(self.make(new).await?.0);
        }
        Ok(first)
    }

    /// The caller of a generation.
    ///
    /// # Errors
    /// 401 without a good key; 403 for a management key, which asks for nothing.
    pub(crate) fn generation(
        &self,
        headers: &HeaderMap,
        now_ms: u64,
    ) -> Result<Arc<Caller>, Error> {
        let caller = self.any(headers, now_ms)?;
        if caller.is_management {
            let message = "Management keys cannot ask for generations; make a key with \
                           POST /api/v1/keys";
            return Err(Error::client(ErrorType::PermissionDenied, message));
        }
        Ok(caller)
    }

    /// The caller of a management path.
    ///
    /// # Errors
    /// 401 without a good key; 403 for a key that does not manage.
    pub(crate) fn management(
        &self,
        headers: &HeaderMap,
        now_ms: u64,
    ) -> Result<Arc<Caller>, Error> {
        let caller = self.any(headers, now_ms)?;
        if !caller.is_management {
            let message = "Only management keys can perform this operation";
            return Err(Error::client(ErrorType::PermissionDenied, message));
        }
        Ok(caller)
    }

    /// Whoever shows a good key of either kind, as `Authorization: Bearer`, `x-api-key`
    /// (Anthropic's clients) or `x-goog-api-key` (Google's).
    ///
    /// # Errors
    /// 401 that says whether the key is missing, unknown, disabled or expired.
    pub(crate) fn any(&self, headers: &HeaderMap, now_ms: u64) -> Result<Arc<Caller>, Error> {
        let Some(shown) = shown(headers) else {
            return Err(unauthenticated("Missing Authentication header"));
        };
        let keys = self.keys.load();
        let Some(key) = keys.get(&hash(shown)) else {
            return Err(unauthenticated("Invalid API key"));
        };
        if key.is_disabled {
            return Err(unauthenticated("This API key is disabled"));
        }
        if key.expires_at_ms.is_some_and(|expires| expires <= now_ms) {
            return Err(unauthenticated("This API key has expired"));
        }
        Ok(Arc::clone(key))
    }

    /// Every key, oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<KeyRecord>> {
        let mut keys: Vec<_> = self.keys.load().values().cloned().collect();
        keys.sort_by(|left, right| {
            (left.created_at_ms, &left.hash).cmp(&(right.created_at_ms, &right.hash))
        });
        keys
    }

    /// The key with this hash.
    pub(crate) fn find(&self, hash: &str) -> Option<Arc<KeyRecord>> {
        self.keys.load().get(hash).cloned()
    }

    /// Makes a key; returns it, to be shown once, and its record.
    ///
    /// # Errors
    /// When there is no randomness, or the store can't be written.
    pub(crate) async fn make(
        &self,
        new: NewKey,
    ) -> Result<(String, Arc<KeyRecord>), anyhow::Error> {
        let mut secret = [0; 32];
        clock::random(&mut secret)?;
        let key = format!("{PREFIX}{}", hex::encode(secret));
        let record = self.keep(&key, new).await?;
        Ok((key, record))
    }

    /// Changes a key. `change` sees it as it is now.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or the store can't be written.
    pub(crate) async fn change(
        &self,
        hash: &str,
        change: impl FnOnce(&mut KeyRecord),
    ) -> Result<Arc<KeyRecord>, StoreError> {
        let _changing = self.changing.lock().await;
        let unknown = || StoreError::Unknown { id: hash.to_owned() };
        let mut key = self.store.key(hash).await?.ok_or_else(unknown)?;
        change(&mut key);
        key.updated_at_ms = clock::unix_ms();
        self.store.commit(Write::Key(Box::new(key.clone()))).await?;
        Ok(self.show(key))
    }

    /// Removes a key; what it spent stays.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or the store can't be written.
    pub(crate) async fn remove(&self, hash: &str) -> Result<(), StoreError> {
        let _changing = self.changing.lock().await;
        self.store.commit(Write::NoKey(hash.into())).await?;
        self.keys.rcu(|keys| {
            let mut keys = HashMap::clone(keys);
            keys.remove(hash);
            keys
        });
        Ok(())
    }

    async fn keep(&self, key: &str, new: NewKey) -> Result<Arc<KeyRecord>, StoreError> {
        let _changing = self.changing.lock().await;
        // Keys are listed by when they were made, so no two are made in one millisecond.
        let keys = self.keys.load_full();
        let is_taken = |ms: &u64| keys.values().any(|key| key.created_at_ms == *ms);
        let now_ms = (clock::unix_ms()..).find(|ms| !is_taken(ms)).unwrap_or_default();
        let record = KeyRecord {
            hash: hash(key),
            name: new.name,
            label: label(key),
            is_management: new.is_management,
            is_disabled: false,
            limit: new.limit,
            limit_reset: new.limit_reset,
            include_byok_in_limit: new.include_byok_in_limit,
            plugins: new.plugins,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            expires_at_ms: new.expires_at_ms,
        };
        self.store.commit(Write::NewKey(Box::new(record.clone()))).await?;
        Ok(self.show(record))
    }

    fn show(&self, record: KeyRecord) -> Arc<KeyRecord> {
        let record = Arc::new(record);
        self.keys.rcu(|keys| {
            let mut keys = HashMap::clone(keys);
            keys.insert(record.hash.clone(), Arc::clone(&record));
            keys
        });
        record
    }
}

impl NewKey {
    fn management(name: &str) -> Self {
        Self { name: name.to_owned(), is_management: true, ..Self::default() }
    }
}

fn shown(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let named = |name: &str| headers.get(name)?.to_str().ok();
    let key = bearer.or_else(|| named("x-api-key")).or_else(|| named("x-goog-api-key"));
    key.filter(|key| !key.is_empty())
}

/// SHA-256 in hex: keys are random, so nothing slower protects them better.
fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

/// The key with its middle left out (`sk-or-v1-abc...123`).
fn label(key: &str) -> String {
    let start: String = key.chars().take(PREFIX.len() + 3).collect();
    let end: Vec<char> = key.chars().rev().take(3).collect();
    format!("{start}...{}", end.iter().rev().collect::<String>())
}

fn unauthenticated(message: &str) -> Error {
    Error::client(ErrorType::Authentication, message)
}

/// What OpenRouter's keys begin with; clients check for it.
const PREFIX: &str = "sk-or-v1-";
