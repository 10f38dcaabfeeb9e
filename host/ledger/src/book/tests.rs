//! Every rule and refusal, one line per step: the step, then what the book answers. Amounts are
//! USD, moments are `@` milliseconds. A block starts with its name and an empty book; the
//! invariants are checked after every line.

use super::*;
use crate::window::Reset;

#[test]
fn every_rule_holds() {
    let blocks = RULES.split("---").map(str::trim).filter(|block| !block.is_empty());
    for block in blocks {
        let (head, lines) = block.split_once('\n').unwrap();
        let mode = if head.ends_with("(prepaid)") { Mode::Prepaid } else { Mode::Metered };
        let mut book = Book::new(mode);
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (step, expected) = line.split_once('|').unwrap();
            assert_eq!(take(&mut book, step.trim()), expected.trim(), "{head}: {line}");
            assert_eq!(book.check(), Ok(()), "{head}: {line}");
        }
    }
}

const RULES: &str = "
--- a hold is settled at its true cost and the rest is given back (prepaid)
    deposit d1 10            | ok
    hold a k 4 @100          | ok
    credits                  | in 10, spent 0, held 4
    settle a 1.5 @5          | ok
    credits                  | in 10, spent 1.5, held 0
    spend k @5               | total 1.5, day 1.5, week 1.5, month 1.5, held 0

--- a repeat is a no-op and a repeat that differs is refused
    deposit d1 10            | ok
    deposit d1 10            | repeat
    deposit d1 11            | Reused
    hold a k 4 @100          | ok
    hold a k 4 @100          | repeat
    hold a k 4 @200          | repeat
    hold a k 5 @100          | Reused
    hold a j 4 @100          | Reused
    settle a 3 @5            | ok
    settle a 3 @6            | repeat
    settle a 2 @6            | Settled { amount: 3 }
    void a                   | Settled { amount: 3 }
    renew a @300             | Settled { amount: 3 }
    progress a 1             | Settled { amount: 3 }
    hold a k 4 @100          | Reused
    hold b k 4 @100          | ok
    void b                   | ok
    void b                   | repeat
    settle b 1 @5            | Voided
    settle c 1 @5            | UnknownHold
    void c                   | UnknownHold
    renew c @1               | UnknownHold
    progress c 1             | UnknownHold
    credits                  | in 10, spent 3, held 0

--- amounts are checked before ids
    deposit d1 0             | NotPositive
    deposit d1 -1            | NotPositive
    hold a k -1 @100         | Negative
    settle a -1 @1           | Negative
    progress a -1            | Negative

--- without credit a prepaid hold is refused, with what could be afforded (prepaid)
    hold a k 0.000000001 @9  | Credit { asked: 0.000000001, affordable: 0 }
    hold free k 0 @9         | ok
    deposit d1 10            | ok
    hold a k 6 @100          | ok
    hold b k 5 @100          | Credit { asked: 5, affordable: 4 }
    hold b k 4 @100          | ok
    hold c k 0.01 @100       | Credit { asked: 0.01, affordable: 0 }
    void a                   | ok
    hold c k 6 @100          | ok

--- below zero even what is free is refused (prepaid)
    deposit d1 1             | ok
    hold a k 1 @100          | ok
    settle a 1.5 @1          | ok, overrun 0.5
    credits                  | in 1, spent 1.5, held 0
    hold b k 0 @100          | Credit { asked: 0, affordable: 0 }
    deposit d2 0.5           | ok
    hold b k 0 @100          | ok

--- metered service needs no credit
    hold a k 6 @100          | ok
    settle a 6 @1            | ok
    credits                  | in 0, spent 6, held 0

--- the true cost is charged when it is above the hold
    hold a k 1 @100          | ok
    settle a 3 @1            | ok, overrun 2
    spend k @1               | total 3, day 3, week 3, month 3, held 0

--- a key's limit counts what is spent and what is held
    limit k 10               | ok
    hold a k 6 @100          | ok
    hold b k 5 @100          | KeyLimit { asked: 5, affordable: 4, reset: None }
    hold b j 5 @100          | ok
    settle a 2 @1            | ok
    hold c k 8 @100          | ok
    hold d k 0.000000001 @9  | KeyLimit { asked: 0.000000001, affordable: 0, reset: None }
    left k @1                | 8
    left j @1                | no limit
    limit k                  | ok
    hold d k 100 @100        | ok

--- the key's limit is named before the credit (prepaid)
    limit k 1                | ok
    hold a k 2 @100          | KeyLimit { asked: 2, affordable: 1, reset: None }
    hold a k 1 @100          | Credit { asked: 1, affordable: 0 }

--- a limit starts afresh with its window, and what is held goes along
    limit k 5 daily          | ok
    hold a k 5 @90000000     | ok
    settle a 5 @86399999     | ok
    hold b k 1 @90000000 at 86399999 | KeyLimit { asked: 1, affordable: 0, reset: Some(Daily) }
    left k @86400000         | 5
    hold b k 3 @99000000 at 86400000 | ok
    hold c k 3 @99000000 at 86400000 | KeyLimit { asked: 3, affordable: 2, reset: Some(Daily) }
    settle b 3 @86400001     | ok
    spend k @86400001        | total 8, day 3, week 8, month 8, held 0
    spend k @345600000       | total 8, day 0, week 0, month 8, held 0

--- a clock that is set back gives no limit twice
    limit k 5 daily          | ok
    hold a k 5 @100          | ok
    settle a 5 @86400000     | ok
    hold b k 5 @100 at 5     | KeyLimit { asked: 5, affordable: 0, reset: Some(Daily) }

--- an expired hold settles at what was sent, once
    hold a k 4 @100          | ok
    progress a 1.5           | ok
    progress a 1             | repeat
    progress a 1.5           | repeat
    expire @99               | none
    expire @100              | a settled at 1.5
    expire @100              | none
    settle a 2 @101          | Expired { charged: 1.5 }
    settle a 1.5 @101        | Expired { charged: 1.5 }
    void a                   | Expired { charged: 1.5 }
    credits                  | in 0, spent 1.5, held 0

--- an expired hold under which nothing was sent is voided
    hold b k 4 @100          | ok
    hold a k 4 @90           | ok
    expire @100              | a voided, b voided
    settle a 2 @101          | Expired { charged: 0 }
    void a                   | repeat
    credits                  | in 0, spent 0, held 0

--- more sent than held is an overrun when it expires, too
    hold a k 1 @100          | ok
    progress a 3             | ok
    expire @100              | a settled at 3 (overrun 2)

--- a renewed hold lives on
    hold a k 4 @100          | ok
    renew a @200             | ok
    renew a @150             | repeat
    expire @199              | none
    settle a 4 @199          | ok

--- what does not fit is refused and changes nothing
    hold a k 9000000000 @100 | ok
    hold b k 9000000000 @100 | Overflow
    settle a 9000000000 @1   | ok
    hold b k 1 @100          | ok
    settle b 9000000000 @1   | Overflow
    credits                  | in 0, spent 9000000000, held 1
    settle b 1 @1            | ok
";

fn take(book: &mut Book, step: &str) -> String {
    let words: Vec<&str> = step.split_whitespace().collect();
    let usd = |index: usize| words[index].parse::<Money>().unwrap();
    let at = |index: usize| words[index].trim_start_matches('@').parse::<u64>().unwrap();
    match words[0] {
        "deposit" => answer(&book.deposit(words[1], usd(2))),
        "hold" => {
            let hold = Hold {
                id: words[1].into(),
                key: words[2].into(),
                amount: usd(3),
                sent: Money::ZERO,
                expires_ms: at(4),
            };
            let now_ms = if words.len() > 6 { at(6) } else { 0 };
            answer(&book.hold(hold, now_ms))
        }
        "settle" => answer(&book.settle(words[1], usd(2), at(3))),
        "void" => answer(&book.void(words[1])),
        "renew" => answer(&book.renew(words[1], at(2))),
        "progress" => answer(&book.progress(words[1], usd(2))),
        "expire" => match book.expire(at(1)).iter().map(ended).collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "none".to_owned(),
            some => some,
        },
        "limit" => {
            let reset = words.get(3).map(|text| text.parse::<Reset>().unwrap());
            let limit = (words.len() > 2).then(|| Limit { amount: usd(2), reset });
            book.set_limit(words[1], limit);
            "ok".to_owned()
        }
        "credits" => {
            let Credits { deposited, spent, held } = book.credits();
            format!("in {deposited}, spent {spent}, held {held}")
        }
        "spend" => {
            let (spend, held) = book.spend(words[1], at(2));
            let windows = [spend.daily, spend.weekly, spend.monthly].map(|window| window.amount);
            let [day, week, month] = windows;
            let total = spend.total;
            format!("total {total}, day {day}, week {week}, month {month}, held {held}")
        }
        "left" => match book.limit_remaining(words[1], at(2)) {
            None => "no limit".to_owned(),
            Some(left) => left.to_string(),
        },
        other => panic!("there is no step `{other}`"),
    }
}

fn answer(result: &Result<Option<Movement>, Refusal>) -> String {
    match result {
        Ok(None) => "repeat".to_owned(),
        Ok(Some(Movement::Settle { overrun, .. })) if *overrun > Money::ZERO => {
            format!("ok, overrun {overrun}")
        }
        Ok(Some(_)) => "ok".to_owned(),
        Err(refusal) => shown(*refusal),
    }
}

/// The refusal as it is written in Rust, with amounts in USD.
fn shown(refusal: Refusal) -> String {
    match refusal {
        Refusal::Settled { amount } => format!("Settled {{ amount: {amount} }}"),
        Refusal::Expired { charged } => format!("Expired {{ charged: {charged} }}"),
        Refusal::KeyLimit { asked, affordable, reset } => {
            format!("KeyLimit {{ asked: {asked}, affordable: {affordable}, reset: {reset:?} }}")
        }
        Refusal::Credit { asked, affordable } => {
            format!("Credit {{ asked: {asked}, affordable: {affordable} }}")
        }
        other => format!("{other:?}"),
    }
}

fn ended(movement: &Movement) -> String {
    match movement {
        Movement::Settle { id, amount, overrun, is_expiry: true, .. } => match *overrun {
            Money::ZERO => format!("{id} settled at {amount}"),
            _ => format!("{id} settled at {amount} (overrun {overrun})"),
        },
        Movement::Void { id, is_expiry: true, .. } => format!("{id} voided"),
        other => panic!("an expiry can't be {other:?}"),
    }
}

#[test]
fn of_many_holds_at_one_unit_left_one_is_granted() {
    let mut book = Book::new(Mode::Prepaid);
    let unit = Money::from_nanos(1);
    book.deposit("d", unit).unwrap();
    let granted = (0..1_000)
        .filter(|number| {
            let id = Id::from(number.to_string());
            let hold = Hold { id, key: "k".into(), amount: unit, sent: Money::ZERO, expires_ms: 9 };
            book.hold(hold, 0).is_ok()
        })
        .count();
    assert_eq!(granted, 1);
}

#[test]
fn a_state_that_no_book_wrote_is_refused() {
    let twice = |state: State| Book::restore(Mode::Metered, state).err();
    let deposit = (Id::from("d"), Money::from_nanos(1));
    let deposits = vec![deposit.clone(), deposit];
    assert_eq!(twice(State { deposits, ..State::default() }), Some(Refusal::Reused));
    let account = (Id::from("k"), Spend::default());
    let accounts = vec![account.clone(), account];
    assert_eq!(twice(State { accounts, ..State::default() }), Some(Refusal::Reused));
}
