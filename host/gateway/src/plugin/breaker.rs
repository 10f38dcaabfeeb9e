//! Notices when a version of a plugin fails too often. Counting is one atomic word, since every
//! generation passes here.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::clock;
use crate::config;

/// What is known of one version's health.
#[derive(Debug)]
pub(crate) struct Breaker {
    rule: config::Breaker,
    /// The running window: its number (32 bits), generations begun (16) and failed (16).
    window: AtomicU64,
    is_broken: AtomicBool,
    /// When it broke, in milliseconds of the process's life.
    broken_ms: AtomicU64,
}

impl Breaker {
    /// Whole.
    pub(super) fn new(rule: config::Breaker) -> Self {
        let (window, broken_ms) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { rule, window, is_broken: AtomicBool::new(false), broken_ms }
    }

    /// A generation begins to use the version.
    pub(super) fn begin(&self) {
        self.count(1 << 16);
    }

    /// A generation in which it failed. Says whether that broke it.
    pub(super) fn fail(&self) -> bool {
        let counted = self.count(1);
        let (begun, failed) = ((counted >> 16) & 0xffff, counted & 0xffff);
        let is_often = failed >= u64::from(self.rule.failures)
            && failed.saturating_mul(100) >= begun.saturating_mul(u64::from(self.rule.percent));
        if !is_often || self.is_broken.swap(true, Ordering::Relaxed) {
            return false;
        }
        self.broken_ms.store(now_ms(), Ordering::Relaxed);
        true
    }

    /// Whether it failed too often.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }

    /// Whether it is time to try a broken version again. If so it counts from nothing, so that
    /// only the first to ask is told so.
    pub(super) fn may_retry(&self) -> bool {
        let since = self.broken_ms.load(Ordering::Relaxed);
        let is_over = now_ms() >= since.saturating_add(u64::from(self.rule.pause_ms));
        if is_over && self.is_broken.swap(false, Ordering::Relaxed) {
            self.window.store(0, Ordering::Relaxed);
        }
        is_over
    }

    /// Counts from nothing: the operator wants it tried again.
    pub(super) fn mend(&self) {
        self.window.store(0, Ordering::Relaxed);
        self.is_broken.store(false, Ordering::Relaxed);
    }

    /// Adds to the running window, which begins anew when its time is over.
    fn count(&self, one: u64) -> u64 {
        let number = (now_ms() / u64::from(self.rule.window_ms.max(1))) & 0xffff_ffff;
        let add = |window: u64| {
            let counts = if window >> 32 == number { window & 0xffff_ffff } else { 0 };
            // Full counters stay as they are, in proportion.
            let counts = match counts >> 16 == 0xffff {
                true => ((counts >> 17) << 16) | ((counts & 0xffff) >> 1),
                false => counts,
            };
            Some((number << 32) | counts.saturating_add(one))
        };
        let before = self.window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        add(before.unwrap_or_default()).unwrap_or_default()
    }
}

fn now_ms() -> u64 {
    clock::millis(clock::uptime())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(failures: u16, percent: u8) -> Breaker {
        let rule = config::Breaker { failures, percent, window_ms: u32::MAX, pause_ms: u32::MAX };
        Breaker::new(rule)
    }

    #[test]
    fn it_breaks_once_when_both_number_and_share_are_reached() {
        let breaker = breaker(3, 50);
        for _ in 0..7 {
            breaker.begin();
        }
        let broke: Vec<bool> = (0..6).map(|_| breaker.fail()).collect();
        assert_eq!(broke, [false, false, false, true, false, false]);
        assert!(breaker.is_broken() && !breaker.may_retry());
        breaker.mend();
        assert!(!breaker.is_broken() && !breaker.fail());
    }

    #[test]
    fn many_generations_do_not_wear_the_counters_out() {
        let breaker = breaker(1, 50);
        for _ in 0..200_000 {
            breaker.begin();
        }
        let failures = (1..100_000).take_while(|_| !breaker.fail()).count();
        assert!((15_000..40_000).contains(&failures), "{failures}");
    }

    #[test]
    fn after_the_pause_it_is_tried_again() {
        let rule = config::Breaker { failures: 1, percent: 1, window_ms: 1_000, pause_ms: 0 };
        let breaker = Breaker::new(rule);
        breaker.begin();
        assert!(breaker.fail());
        assert!(breaker.may_retry() && !breaker.is_broken());
    }
}
