//! The contract: what every store must do. Each test runs over all of [`places`]; what only
//! SQLite has is tested beside it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::{Book, Hold, Limit, Mode, Money, Reset, window_start};
use tempfile::TempDir;
use wire::{Json, PluginEntry};

use super::*;

/// Where a store can be opened, and opened again as it would be found after `kill -9`.
trait Place {
    fn open(&self) -> Arc<dyn Store>;
    fn open_after_crash(&self) -> Arc<dyn Store>;
}

/// A folder with a SQLite file.
struct Folder {
    dir: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("store.db")
    }
}

impl Place for Folder {
    fn open(&self) -> Arc<dyn Store> {
        open_at(&self.path(), 4_096).unwrap()
    }

    fn open_after_crash(&self) -> Arc<dyn Store> {
        // A process that is killed leaves exactly these files, while the first store still runs.
        let to = self.dir.path().join("crashed.db");
        for end in ["", "-wal"] {
            let name = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
            if name(&self.path()).exists() {
                std::fs::copy(name(&self.path()), name(&to)).unwrap();
            }
        }
        open_at(&to, 4_096).unwrap()
    }
}

fn open_at(path: &Path, queue_max: usize) -> Result<Arc<dyn Store>, StoreError> {
    open(&config::Store {
        url: format!("sqlite:{}", path.display()),
        queue_max,
        responses_days: 30,
    })
}

fn places() -> Vec<Box<dyn Place>> {
    vec![Box::new(Folder::new())]
}

fn nanos(amount: i64) -> Money {
    Money::from_nanos(amount)
}

fn hold(id: &str, amount: i64) -> Movement {
    let (id, key) = (id.into(), "k".into());
    Movement::Hold(Hold { id, key, amount: nanos(amount), sent: Money::ZERO, expires_ms: 100 })
}

fn settle(id: &str, amount: i64) -> Movement {
    Movement::Settle {
        id: id.into(),
        key: "k".into(),
        amount: nanos(amount),
        overrun: Money::ZERO,
        at_ms: 5,
        is_expiry: false,
    }
}

fn sorted(mut state: State) -> State {
    state.deposits.sort_by(|a, b| a.0.cmp(&b.0));
    state.accounts.sort_by(|a, b| a.0.cmp(&b.0));
    state.holds.sort_by(|a, b| a.id.cmp(&b.id));
    state
}

fn full_record() -> GenerationRecord {
    let text = |text: &str| Some(text.to_owned());
    GenerationRecord {
        id: "gen-1".to_owned(),
        key: "k".to_owned(),
        upstream_id: text("chatcmpl-1"),
        created_at_ms: 1_795_245_739_000,
        model: "acme/small".to_owned(),
        provider_name: text("Acme"),
        provider_responses: vec![ProviderResponse {
            provider_name: "Acme".to_owned(),
            model: "small".to_owned(),
            status: Some(200),
            latency_ms: 12,
            is_byok: false,
        }],
        plugin_calls: vec![PluginCall {
            id: "gen-1.1".to_owned(),
            plugin: "web".to_owned(),
            model: "a/b".to_owned(),
            provider_name: "B".to_owned(),
            tokens_prompt: 1,
            tokens_completion: 2,
            cost: Money::from_nanos(3),
        }],
        plugins: vec![PluginUse {
            id: "reasoning".to_owned(),
            version: "0.1.0".to_owned(),
            digest: "ab".repeat(32),
            generation: 3,
        }],
        api_type: "completions".to_owned(),
        streamed: true,
        cancelled: true,
        finish_reason: text("stop"),
        native_finish_reason: text("end_turn"),
        error: text("it \"broke\""),
        latency_ms: Some(1),
        generation_time_ms: Some(2),
        native_tokens_prompt: 3,
        native_tokens_completion: 4,
        native_tokens_reasoning: 5,
        native_tokens_cached: 6,
        native_tokens_cache_write: 7,
        native_tokens_completion_images: 8,
        is_estimated: true,
        num_media_prompt: 9,
        num_media_completion: 10,
        num_input_audio_prompt: 11,
        num_search_results: 12,
        total_cost: nanos(13),
        cache_discount: nanos(-14),
        upstream_inference_cost: nanos(15),
        is_byok: true,
        http_referer: text("https://example.com"),
        app_title: text("An app"),
        origin: text("https://example.com"),
        user_agent: text("curl"),
        external_user: text("someone"),
        session_id: text("s"),
        service_tier: text("flex"),
    }
}

#[tokio::test]
async fn a_key_is_kept_changed_and_gone() {
    for place in places() {
        let store = place.open();
        let mut key = KeyRecord {
            hash: "ab".repeat(32),
            name: "mine".to_owned(),
            label: "sk-or-v1-abc...123".to_owned(),
            is_management: true,
            is_disabled: false,
            limit: Some(nanos(1)),
            limit_reset: Some(Reset::Weekly),
            include_byok_in_limit: true,
            plugins: vec![PluginEntry {
                id: "template".to_owned(),
                enabled: true,
                options: Json::of(&serde_json::json!({"replace": {"cat": "dog"}})),
            }],
            created_at_ms: 1,
            updated_at_ms: 2,
            expires_at_ms: Some(3),
        };
        let hash = key.hash.clone();
        store.commit(Write::NewKey(Box::new(key.clone()))).await.unwrap();
        assert_eq!(store.key(&hash).await, Ok(Some(key.clone())));
        let limit = Limit { amount: nanos(1), reset: Some(Reset::Weekly) };
        assert_eq!(key.spend_limit(), Some(limit));
        let again = store.commit(Write::NewKey(Box::new(key.clone()))).await;
        assert_eq!(again, Err(StoreError::Conflict { id: hash.clone() }));

        (key.is_disabled, key.limit, key.limit_reset, key.expires_at_ms) = (true, None, None, None);
        key.plugins.clear();
        store.commit(Write::Key(Box::new(key.clone()))).await.unwrap();
        assert_eq!(store.keys().await, Ok(vec![key.clone()]));

        store.commit(Write::NoKey(hash.as_str().into())).await.unwrap();
        assert_eq!(store.key(&hash).await, Ok(None));
        let gone = Err(StoreError::Unknown { id: hash.clone() });
        assert_eq!(store.commit(Write::Key(Box::new(key))).await, gone);
        assert_eq!(store.commit(Write::NoKey(hash.as_str().into())).await, gone);
    }
}

#[tokio::test]
async fn a_record_is_kept_whole_and_can_be_replaced() {
    for place in places() {
        let store = place.open();
        let mut record = full_record();
        store.commit(Write::Generation(Box::new(record.clone()))).await.unwrap();
        assert_eq!(store.generation("gen-1").await, Ok(Some(record.clone())));
        record.error = None;
        store.commit(Write::Generation(Box::new(record.clone()))).await.unwrap();
        assert_eq!(store.generation("gen-1").await, Ok(Some(record)));
        let small = GenerationRecord { id: "gen-2".to_owned(), ..GenerationRecord::default() };
        store.commit(Write::Generation(Box::new(small.clone()))).await.unwrap();
        assert_eq!(store.generation("gen-2").await, Ok(Some(small)));
        assert_eq!(store.generation("gen-3").await, Ok(None));
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_crash() {
    for place in places() {
        let store = place.open();
        store.offer(Write::Movement(hold("gen-1", 9))).unwrap();
        store.commit(Write::Movement(hold("gen-2", 9))).await.unwrap();
        let end = Write::End(settle("gen-1", 7), Box::new(full_record()));
        store.commit(end).await.unwrap();

        let found = place.open_after_crash();
        let state = found.book().await.unwrap();
        let book = Book::restore(Mode::Metered, state).unwrap();
        assert_eq!(book.check(), Ok(()));
        assert_eq!((book.credits().spent, book.credits().held), (nanos(7), nanos(9)));
        assert_eq!(found.generation("gen-1").await, Ok(Some(full_record())));
        assert_eq!(found.audit().await, Ok(()));
    }
}

#[tokio::test]
async fn a_repeat_is_kept_once_and_what_differs_is_refused() {
    for place in places() {
        let store = place.open();
        let keep = async |movement: Movement| store.commit(Write::Movement(movement)).await;
        let deposit = |amount| Movement::Deposit { id: "d".into(), amount: nanos(amount) };
        let conflict = |id: &str| Err(StoreError::Conflict { id: id.to_owned() });
        assert_eq!(keep(deposit(5)).await, Ok(()));
        assert_eq!(keep(deposit(5)).await, Ok(()));
        assert_eq!(keep(deposit(6)).await, conflict("d"));
        assert_eq!(keep(hold("h", 9)).await, Ok(()));
        assert_eq!(keep(settle("h", 7)).await, Ok(()));
        assert_eq!(keep(settle("h", 7)).await, Ok(()));
        assert_eq!(keep(settle("h", 8)).await, conflict("h"));
        let end = Write::End(settle("h", 8), Box::new(full_record()));
        assert_eq!(store.commit(end).await, conflict("h"));
        assert_eq!(store.generation("gen-1").await, Ok(None), "half of a refused write was kept");

        let state = store.book().await.unwrap();
        assert_eq!(state.deposits, [("d".into(), nanos(5))]);
        assert_eq!(state.accounts.len(), 1);
        assert_eq!(state.accounts[0].1.total, nanos(7));
        assert_eq!(state.holds, []);
        assert_eq!(store.audit().await, Ok(()));
    }
}

#[tokio::test]
async fn in_one_batch_each_write_has_its_own_answer() {
    for place in places() {
        let store = place.open();
        // A negative amount is what no store keeps; the writes around it are not its victims.
        let amounts = (0..300).map(|number| if number == 150 { -1 } else { number });
        let pending: Vec<_> = amounts
            .map(|amount| {
                let id = format!("h{amount}");
                store.offer(Write::Movement(hold(&id, 300))).unwrap();
                store.commit(Write::Movement(settle(&id, amount)))
            })
            .collect();
        let mut failed = Vec::new();
        for (number, pending) in pending.into_iter().enumerate() {
            if pending.await.is_err() {
                failed.push(number);
            }
        }
        assert_eq!(failed, [150]);
        let state = store.book().await.unwrap();
        assert_eq!(state.accounts[0].1.total, nanos((0..300).sum::<i64>() - 150));
        assert_eq!(store.audit().await, Ok(()));
    }
}

#[tokio::test]
async fn the_store_keeps_what_the_book_has() {
    const DAY_MS: u64 = 86_400_000;
    for place in places() {
        let store = place.open();
        let mut book = Book::new(Mode::Metered);
        let mut made = vec![book.deposit("d", nanos(1_000)).unwrap()];
        for number in 0..400u64 {
            let now_ms = 20_000 * DAY_MS + number * DAY_MS / 9;
            let id: Id = format!("h{number}").into();
            let key: Id = format!("k{}", number % 3).into();
            let expires_ms = now_ms + (number % 5) * DAY_MS;
            let (amount, sent) = (nanos(50), Money::ZERO);
            let hold = Hold { id: id.clone(), key, amount, sent, expires_ms };
            made.push(book.hold(hold, now_ms).unwrap());
            let part = nanos(i64::try_from(number % 70).unwrap());
            made.push(book.progress(&id, nanos(part.nanos() / 2)).unwrap());
            made.push(book.renew(&id, expires_ms + 1 + number % 2).unwrap());
            match number % 4 {
                0 | 1 => made.push(book.settle(&id, part, now_ms).unwrap()),
                2 => made.push(book.void(&id).unwrap()),
                _ => made.extend(book.expire(now_ms).into_iter().map(Some)),
            }
        }
        let pending: Vec<_> = made
            .into_iter()
            .flatten()
            .map(|movement| store.commit(Write::Movement(movement)))
            .collect();
        for pending in pending {
            pending.await.unwrap();
        }
        let mut state = book.state();
        // An account that never spent has no row.
        state.accounts.retain(|(_, spend)| *spend != ledger::Spend::default());
        assert!(!state.holds.is_empty());
        assert!(state.accounts.iter().any(|(_, spend)| {
            spend.daily.start_ms == window_start(Reset::Daily, spend.daily.start_ms)
                && spend.daily.amount < spend.total
        }));
        assert_eq!(sorted(store.book().await.unwrap()), sorted(state));
        assert_eq!(store.audit().await, Ok(()));
    }
}

#[tokio::test]
async fn a_closed_store_kept_what_waited_and_takes_no_more() {
    for place in places() {
        let store = place.open();
        store.offer(Write::Movement(settle("h", 1))).unwrap();
        store.close().await.unwrap();
        assert_eq!(store.offer(Write::Movement(settle("i", 1))), Err(StoreError::Closed));
        let late = store.commit(Write::Movement(settle("i", 1))).await;
        assert_eq!(late, Err(StoreError::Closed));
        store.close().await.unwrap();

        let again = place.open();
        assert_eq!(again.book().await.unwrap().accounts[0].1.total, nanos(1));
    }
}

#[tokio::test]
async fn one_process_keeps_the_book_and_others_may_change_keys() {
    for place in places() {
        let serving = place.open();
        serving.book().await.unwrap();
        let beside = place.open();
        let refused = beside.book().await.unwrap_err().to_string();
        assert!(refused.contains("another patchbay serves from"), "{refused}");
        let key = KeyRecord { hash: "h".to_owned(), ..KeyRecord::default() };
        beside.commit(Write::NewKey(Box::new(key.clone()))).await.unwrap();
        assert_eq!(serving.key("h").await, Ok(Some(key)));
        serving.close().await.unwrap();
        beside.book().await.unwrap();
    }
}

#[tokio::test]
async fn a_full_queue_refuses_an_offer_and_makes_a_commit_wait() {
    let folder = Folder::new();
    let store = open_at(&folder.path(), 1).unwrap();
    let other = rusqlite::Connection::open(folder.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The thread takes one batch in hand, sooner or later, and waits; then one more write fits into
    // the queue, and from then on it is full.
    let offer = |number: usize| store.offer(Write::Movement(settle(&format!("o{number}"), 1)));
    let (mut offered, mut refused) = (0, 0);
    while refused < 50 {
        match offer(offered) {
            Ok(()) => (offered, refused) = (offered + 1, 0),
            Err(error) => {
                assert_eq!(error, StoreError::Full { queue_max: 1 });
                refused += 1;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }
    let pending: Vec<_> = (0..5)
        .map(|number| store.commit(Write::Movement(settle(&format!("c{number}"), 1))))
        .collect();
    other.execute_batch("COMMIT").unwrap();
    for pending in pending {
        assert_eq!(pending.await, Ok(()));
    }
    let kept = store.book().await.unwrap().accounts[0].1.total;
    assert_eq!(kept, nanos(5 + i64::try_from(offered).unwrap()));
}

#[test]
fn what_cant_be_opened_is_refused_with_the_fix() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("text.db"), "this is a text, and not a short one".repeat(40)).unwrap();
    let newer = rusqlite::Connection::open(path("newer.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    std::fs::create_dir(path("folder.db")).unwrap();
    let cases = [
        ("no/such/folder.db", "its folder exists"),
        ("folder.db", "its folder exists"),
        ("text.db", "it is no SQLite file"),
        ("newer.db", "has schema 99, and this patchbay knows schemas up to 3; use the newer"),
    ];
    for (name, expected) in cases {
        let error = open_at(&path(name), 1).err().unwrap().to_string();
        assert!(error.contains(expected) && error.contains(name), "{name}: {error}");
    }
    for url in ["sqlite:", "patchbay.db", "mysql://host/db"] {
        let error = open(&config::Store { url: url.to_owned(), queue_max: 1, responses_days: 30 })
            .err()
            .unwrap();
        assert!(error.to_string().contains("write `sqlite:<file>`"), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_file_of_an_earlier_schema_keeps_its_keys() {
    let folder = Folder::new();
    let earlier = rusqlite::Connection::open(folder.path()).unwrap();
    earlier.execute_batch(include_str!("migrations/sqlite/0001_begin.sql")).unwrap();
    earlier.pragma_update(None, "user_version", 1).unwrap();
    let sql = "INSERT INTO key VALUES ('h', 'mine', '', 0, 0, NULL, NULL, 0, 1, 2, NULL)";
    earlier.execute_batch(sql).unwrap();
    let store = folder.open();
    let mut key = store.key("h").await.unwrap().unwrap();
    assert_eq!((key.name.as_str(), key.updated_at_ms, key.plugins.len()), ("mine", 2, 0));
    let options = Json::parse("{}").unwrap();
    key.plugins.push(PluginEntry { id: "p".to_owned(), enabled: false, options });
    store.commit(Write::Key(Box::new(key.clone()))).await.unwrap();
    assert_eq!(folder.open().keys().await, Ok(vec![key]));
}

#[tokio::test]
async fn an_account_that_does_not_add_up_is_found() {
    let folder = Folder::new();
    let store = folder.open();
    store.commit(Write::Movement(settle("h", 7))).await.unwrap();
    assert_eq!(store.audit().await, Ok(()));
    let other = rusqlite::Connection::open(folder.path()).unwrap();
    other.execute_batch("UPDATE account SET total_nanos = 8").unwrap();
    assert!(store.audit().await.unwrap_err().to_string().contains("the account of key k"));
    other.execute_batch("DELETE FROM account").unwrap();
    assert!(store.audit().await.is_err());
}
