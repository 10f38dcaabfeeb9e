//! Any interleaving of anything: the sums stay zero, every hold ends once, a refusal or a repeat
//! changes nothing, and a book rebuilt at any moment is the same book.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::window::Reset;

#[derive(Debug, Clone)]
enum Step {
    Deposit(u8, i64),
    Hold(u8, u8, i64, u64),
    Renew(u8, u64),
    Progress(u8, i64),
    Settle(u8, i64),
    Void(u8),
    Expire,
    Wait(u64),
    Limit(u8, Option<i64>),
    Crash,
}

fn any_step() -> impl Strategy<Value = Step> {
    // Few names and small amounts, so that repeats, clashes and empty accounts are common.
    let (id, key, amount, ms) = (0u8..12, 0u8..3, -1i64..40, 0u64..200);
    prop_oneof![
        1 => (0u8..4, -1i64..60).prop_map(|(id, amount)| Step::Deposit(id, amount)),
        6 => (id.clone(), key.clone(), amount.clone(), ms.clone())
            .prop_map(|(id, key, amount, ms)| Step::Hold(id, key, amount, ms)),
        2 => (id.clone(), ms.clone()).prop_map(|(id, ms)| Step::Renew(id, ms)),
        2 => (id.clone(), amount.clone()).prop_map(|(id, amount)| Step::Progress(id, amount)),
        4 => (id.clone(), amount.clone()).prop_map(|(id, amount)| Step::Settle(id, amount)),
        2 => id.prop_map(Step::Void),
        1 => Just(Step::Expire),
        2 => (0u64..100).prop_map(Step::Wait),
        1 => Just(Step::Wait(90_000_000)),
        1 => (key, proptest::option::of(0i64..80)).prop_map(|(key, limit)| Step::Limit(key, limit)),
        1 => Just(Step::Crash),
    ]
}

/// The book beside a naive account of what must be true.
struct World {
    book: Book,
    mode: Mode,
    now_ms: u64,
    movements: Vec<Movement>,
    limits: HashMap<Id, Limit>,
}

fn id(kind: char, number: u8) -> Id {
    format!("{kind}{number}").into()
}

fn nanos(amount: i64) -> Money {
    Money::from_nanos(amount)
}

impl World {
    fn new(mode: Mode) -> Self {
        let (movements, limits) = (Vec::new(), HashMap::new());
        Self { book: Book::new(mode), mode, now_ms: 0, movements, limits }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let before = self.book.clone();
        let result = match *step {
            Step::Deposit(number, amount) => self.book.deposit(&id('d', number), nanos(amount)),
            Step::Hold(number, key, amount, ms) => {
                let hold = Hold {
                    id: id('h', number),
                    key: id('k', key),
                    amount: nanos(amount),
                    sent: Money::ZERO,
                    expires_ms: self.now_ms + ms,
                };
                self.book.hold(hold, self.now_ms)
            }
            Step::Renew(number, ms) => self.book.renew(&id('h', number), self.now_ms + ms),
            Step::Progress(number, sent) => self.book.progress(&id('h', number), nanos(sent)),
            Step::Settle(number, actual) => {
                self.book.settle(&id('h', number), nanos(actual), self.now_ms)
            }
            Step::Void(number) => self.book.void(&id('h', number)),
            Step::Expire | Step::Wait(_) | Step::Limit(..) | Step::Crash => {
                return self.pass(step);
            }
        };
        match result {
            Ok(Some(movement)) => self.movements.push(movement),
            Ok(None) | Err(_) => prop_assert_eq!(&self.book, &before, "{:?}", step),
        }
        Ok(())
    }

    fn pass(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Expire => self.movements.extend(self.book.expire(self.now_ms)),
            Step::Wait(ms) => self.now_ms += ms,
            Step::Limit(key, amount) => {
                let limit =
                    amount.map(|amount| Limit { amount: nanos(amount), reset: Some(Reset::Daily) });
                let key = id('k', *key);
                self.book.set_limit(&key, limit);
                match limit {
                    Some(limit) => self.limits.insert(key, limit),
                    None => self.limits.remove(&key),
                };
            }
            _ => self.crash()?,
        }
        Ok(())
    }

    /// Rebuilds the book from its state and from its movements, and goes on with the former. What
    /// was closed is forgotten by that, as after a real crash.
    fn crash(&mut self) -> Result<(), TestCaseError> {
        let mut replayed = Book::new(self.mode);
        for movement in &self.movements {
            prop_assert_eq!(replayed.apply(movement), Ok(()));
        }
        let mut restored = Book::restore(self.mode, self.book.state()).unwrap();
        for (key, limit) in &self.limits {
            replayed.set_limit(key, Some(*limit));
            restored.set_limit(key, Some(*limit));
        }
        // Accounts that were only ever named by a limit are no part of the record.
        let plain = |book: &Book| {
            let mut plain = book.clone();
            plain.closed = Closed::default();
            plain.accounts.retain(|_, account| *account != Account::default());
            plain
        };
        prop_assert_eq!(plain(&replayed), plain(&self.book));
        prop_assert_eq!(plain(&restored), plain(&self.book));
        self.book = Book { closed: self.book.closed.clone(), ..restored };
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.book.check(), Ok(()));
        let mut held: HashMap<&Id, Money> = HashMap::new();
        let (mut credit, mut overrun_sum) = (0i64, 0i64);
        for movement in &self.movements {
            match movement {
                Movement::Deposit { amount, .. } => credit += amount.nanos(),
                Movement::Hold(hold) => {
                    prop_assert!(held.insert(&hold.id, hold.amount).is_none());
                }
                Movement::Settle { id, amount, overrun, .. } => {
                    // Exactly one end: the hold is taken out, so a second end finds none.
                    let hold = held.remove(id);
                    prop_assert!(hold.is_some(), "{} ended twice", id);
                    let hold = hold.unwrap_or_default().nanos();
                    prop_assert_eq!(overrun.nanos(), (amount.nanos() - hold).max(0));
                    credit -= amount.nanos();
                    overrun_sum += overrun.nanos();
                }
                Movement::Void { id, .. } => {
                    prop_assert!(held.remove(id).is_some(), "{} ended twice", id);
                }
                Movement::Renew { .. } | Movement::Progress { .. } => {}
            }
        }
        let credits = self.book.credits();
        prop_assert_eq!(credits.deposited.nanos() - credits.spent.nanos(), credit);
        prop_assert_eq!(credits.held.nanos(), held.values().map(|held| held.nanos()).sum::<i64>());
        if self.mode == Mode::Prepaid {
            // Nobody can spend more than there is, but for overruns.
            prop_assert!(credit + overrun_sum >= credits.held.nanos());
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_balances_and_survives_any_crash(
        is_prepaid: bool,
        steps in proptest::collection::vec(any_step(), 1..120),
    ) {
        let mut world = World::new(if is_prepaid { Mode::Prepaid } else { Mode::Metered });
        for step in &steps {
            world.take(step)?;
            world.check()?;
        }
        world.crash()?;
    }

    #[test]
    fn a_limit_is_never_passed_but_by_overruns(
        limit in 0i64..100,
        steps in proptest::collection::vec(any_step(), 1..120),
    ) {
        let mut world = World::new(Mode::Metered);
        for key in 0..3 {
            world.pass(&Step::Limit(key, Some(limit)))?;
        }
        let is_kept = |step: &&Step| !matches!(step, Step::Limit(..));
        for step in steps.iter().filter(is_kept) {
            world.take(step)?;
            for (key, account) in &world.book.accounts {
                let (spend, held) = world.book.spend(key, world.now_ms);
                let overruns: i64 = world
                    .movements
                    .iter()
                    .map(|movement| match movement {
                        Movement::Settle { key: payer, overrun, .. } if payer == key => {
                            overrun.nanos()
                        }
                        _ => 0,
                    })
                    .sum();
                let sum = spend.daily.amount.nanos() + held.nanos();
                prop_assert!(sum - overruns <= limit, "{:?}", account);
            }
        }
    }
}
