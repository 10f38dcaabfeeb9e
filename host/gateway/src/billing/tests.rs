//! Billing over a real store: what is written when, what a crash leaves, and who is refused.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::store::{self, KeyRecord};

const HOLD_MS: u64 = 60_000;

/// Long ago, so that a hold made then is over when a book is loaded now.
const LONG_AGO_MS: u64 = 1_000;

struct World {
    dir: TempDir,
    store: Arc<dyn Store>,
    billing: Billing,
    now_ms: u64,
}

impl World {
    async fn new(mode: BillingMode) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, billing) = open(&dir.path().join("a.db"), mode).await;
        Self { dir, store, billing, now_ms: clock::unix_ms() }
    }

    /// The same files, as a process that was killed now would leave them.
    async fn after_crash(&self) -> (Arc<dyn Store>, Billing) {
        for end in [".db", ".db-wal"] {
            let [from, to] = ["a", "b"].map(|name| self.dir.path().join(format!("{name}{end}")));
            std::fs::copy(from, to).unwrap();
        }
        open(&self.dir.path().join("b.db"), BillingMode::Metered).await
    }

    fn hold(&self, id: &str, amount: i64) -> Result<Hold, Error> {
        self.billing.hold(id, "k", nanos(amount), self.now_ms)
    }

    /// Returns when everything that was offered is written.
    async fn written(&self) {
        let nothing = Movement::Renew { id: "none".into(), expires_ms: 0 };
        self.store.commit(Write::Movement(nothing)).await.unwrap();
    }
}

async fn open(path: &Path, mode: BillingMode) -> (Arc<dyn Store>, Billing) {
    let url = format!("sqlite:{}", path.display());
    let store = store::open(&config::Store { url, queue_max: 1_024, responses_days: 30 }).unwrap();
    let config = config::Billing { mode, hold_ms: HOLD_MS, ..config::Billing::default() };
    let billing = Billing::load(Arc::clone(&store), &config).await.unwrap();
    (store, billing)
}

fn nanos(amount: i64) -> Money {
    Money::from_nanos(amount)
}

fn record(id: &str) -> GenerationRecord {
    GenerationRecord { id: id.to_owned(), key: "k".to_owned(), ..GenerationRecord::default() }
}

fn sums(billing: &Billing) -> (i64, i64) {
    let credits = billing.credits();
    (credits.spent.nanos(), credits.held.nanos())
}

#[tokio::test]
async fn an_answered_settlement_survives_a_crash() {
    let world = World::new(BillingMode::Metered).await;
    let hold = world.hold("g", 10).unwrap();
    assert_eq!(sums(&world.billing), (0, 10));
    // The future borrows nothing, so it can be a task of its own.
    let settled = tokio::spawn(hold.settle(nanos(7), record("g"))).await.unwrap();
    assert_eq!(settled.unwrap(), nanos(7));
    assert_eq!(sums(&world.billing), (7, 0));

    let (store, billing) = world.after_crash().await;
    assert_eq!(sums(&billing), (7, 0));
    assert_eq!(store.generation("g").await.unwrap().unwrap().total_cost, nanos(7));
    assert_eq!(store.audit().await, Ok(()));
}

#[tokio::test]
async fn a_settlement_is_kept_although_nobody_waits_for_it() {
    let world = World::new(BillingMode::Metered).await;
    drop(world.hold("g", 10).unwrap().settle(nanos(7), record("g")));
    world.written().await;
    assert_eq!(sums(&world.after_crash().await.1), (7, 0));
}

#[tokio::test]
async fn a_hold_left_behind_by_a_crash_settles_at_what_was_sent_or_is_voided() {
    let mut world = World::new(BillingMode::Metered).await;
    let alive = world.hold("alive", 1).unwrap();
    alive.progress(nanos(1));
    world.now_ms = LONG_AGO_MS;
    let (sent, nothing) = (world.hold("sent", 10).unwrap(), world.hold("nothing", 10).unwrap());
    sent.progress(nanos(4));
    sent.progress(nanos(3));
    world.billing.upkeep(LONG_AGO_MS).await;

    let (store, billing) = world.after_crash().await;
    assert_eq!(sums(&billing), (4, 1));
    assert_eq!(store.book().await.unwrap().holds.len(), 1);
    billing.upkeep(clock::unix_ms() + HOLD_MS).await;
    assert_eq!(sums(&billing), (5, 0));
    assert_eq!(store.audit().await, Ok(()));
    drop((alive, sent, nothing));
}

#[tokio::test]
async fn a_live_hold_is_renewed_and_a_dropped_one_expires() {
    let world = World::new(BillingMode::Metered).await;
    let (alive, dropped) = (world.hold("alive", 10).unwrap(), world.hold("dropped", 10).unwrap());
    dropped.progress(nanos(3));
    drop(dropped);
    assert_eq!(sums(&world.billing), (0, 20));
    for quarter in 1..9 {
        world.billing.upkeep(world.now_ms + quarter * HOLD_MS / 4).await;
    }
    assert_eq!(sums(&world.billing), (3, 10));
    let (_, billing) = world.after_crash().await;
    assert_eq!(sums(&billing), (3, 10), "renewals were not written");
    assert_eq!(alive.settle(nanos(12), record("alive")).await.unwrap(), nanos(12));
    assert_eq!(sums(&world.billing), (15, 0));
}

#[tokio::test]
async fn a_settlement_after_the_expiry_charges_nothing_more_and_the_record_says_so() {
    let world = World::new(BillingMode::Metered).await;
    let hold = world.hold("g", 10).unwrap();
    hold.progress(nanos(4));
    // No upkeep came for so long that the hold is over: first what was sent is noted.
    let live = world.billing.desk.open.lock().live.remove("g").unwrap();
    world
        .billing
        .desk
        .open
        .lock()
        .book
        .progress("g", nanos(live.sent.load(Ordering::Relaxed)))
        .unwrap();
    world.billing.upkeep(world.now_ms + HOLD_MS).await;
    assert_eq!(hold.settle(nanos(9), record("g")).await.unwrap(), nanos(4));
    assert_eq!(sums(&world.billing), (4, 0));
    let kept = world.store.generation("g").await.unwrap().unwrap();
    assert_eq!(kept.total_cost, nanos(4));
    assert_eq!(world.store.audit().await, Ok(()));
}

#[tokio::test]
async fn a_voided_hold_leaves_nothing() {
    let world = World::new(BillingMode::Metered).await;
    world.hold("g", 10).unwrap().void();
    assert_eq!(sums(&world.billing), (0, 0));
    world.written().await;
    assert_eq!(sums(&world.after_crash().await.1), (0, 0));
}

#[tokio::test]
async fn of_many_holds_at_one_unit_left_one_is_granted() {
    let world = World::new(BillingMode::Prepaid).await;
    world.billing.deposit(nanos(5), "d").await.unwrap();
    let granted: Vec<Hold> = std::thread::scope(|scope| {
        let ask = |thread: usize| {
            let world = &world;
            move || (0..50).filter_map(|n| world.hold(&format!("{thread}-{n}"), 5).ok()).collect()
        };
        let threads: Vec<_> = (0..8).map(|thread| scope.spawn(ask(thread))).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|_| Vec::new()))
            .collect()
    });
    assert_eq!(granted.len(), 1);
    assert_eq!(sums(&world.billing), (0, 5));
}

#[tokio::test]
async fn a_deposit_counts_once_and_after_a_crash() {
    let world = World::new(BillingMode::Prepaid).await;
    let put = async |amount, id| world.billing.deposit(nanos(amount), id).await;
    put(5, "d").await.unwrap();
    put(5, "d").await.unwrap();
    assert_eq!(put(6, "d").await.unwrap_err().failure.status, 412);
    assert_eq!(put(0, "e").await.unwrap_err().failure.status, 400);
    assert_eq!(world.billing.credits().deposited, nanos(5));
    assert_eq!(world.after_crash().await.1.credits().deposited, nanos(5));
}

#[tokio::test]
async fn a_refusal_has_its_status_and_names_the_fix() {
    let world = World::new(BillingMode::Prepaid).await;
    let refusal = |amount| world.hold("g", amount).err().map(|error| error.failure).unwrap();
    let poor = refusal(2_000_000_000);
    assert_eq!(poor.status, 402);
    assert!(poor.message.starts_with("Insufficient credits"), "{}", poor.message);
    world.billing.deposit(nanos(1_500_000_000), "d").await.unwrap();
    let dear = refusal(2_000_000_000);
    assert_eq!(dear.status, 402);
    assert!(dear.message.contains("up to $2, but only $1.5 can"), "{}", dear.message);

    // The limit is the key's, as the store has it.
    let limit = Some(nanos(500_000_000));
    let limit_reset = Some(ledger::Reset::Daily);
    let key = KeyRecord { hash: "k".to_owned(), limit, limit_reset, ..KeyRecord::default() };
    world.store.commit(Write::NewKey(Box::new(key))).await.unwrap();
    world.billing.reload_limits().await.unwrap();
    let limited = refusal(1_000_000_000);
    assert_eq!(limited.status, 403);
    assert!(limited.message.contains("(daily limit)"), "{}", limited.message);
    let hold = world.hold("h", 500_000_000).unwrap();
    let usage = world.billing.usage("k", world.now_ms);
    assert_eq!((usage.held, usage.limit_remaining), (nanos(500_000_000), limit));
    hold.settle(nanos(400_000_000), record("h")).await.unwrap();
    let usage = world.billing.usage("k", world.now_ms);
    assert_eq!(usage.spend.daily.amount, nanos(400_000_000));
    assert_eq!(usage.limit_remaining, Some(nanos(100_000_000)));
}

#[tokio::test]
async fn a_generation_id_is_held_once() {
    let world = World::new(BillingMode::Metered).await;
    let hold = world.hold("g", 10).unwrap();
    assert!(world.hold("g", 10).is_err());
    assert_eq!(sums(&world.billing), (0, 10));
    hold.void();
}
