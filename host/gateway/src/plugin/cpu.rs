//! How much CPU a plugin's call took. A call that never waits is bounded by the epoch, with a look
//! at the thread's CPU clock when the time seems to be up. One that may wait shares its thread with
//! other tasks in between, so its time is taken whenever it is polled.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use wasmtime::UpdateDeadline;

use crate::clock;

/// What the running call may use, and what it used.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    limit: Duration,
    /// When its time seemed to be up first, and the thread's CPU time then.
    overtime: Option<(Instant, Duration)>,
    /// What the host did for itself meanwhile.
    excused: Duration,
    /// Of a plugin that may wait.
    polled: Option<Arc<Polled>>,
}

impl Allowance {
    /// For a plugin that may wait.
    pub(super) fn waiting(polled: &Arc<Polled>) -> Self {
        Self { polled: Some(Arc::clone(polled)), ..Self::default() }
    }

    /// Begins a call. Returns in how many epochs to [`Self::look`] first.
    pub(super) fn begin(&mut self, limit: Duration) -> u64 {
        self.limit = limit;
        self.overtime = None;
        self.excused = Duration::ZERO;
        match &self.polled {
            // It gives its thread back at every tick.
            Some(polled) => {
                polled.spent.store(0, Ordering::Relaxed);
                1
            }
            None => ticks(limit),
        }
    }

    /// Does the host's own work within the running call, which does not count against the plugin.
    pub(super) fn excuse<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = clock::thread_cpu();
        let done = work();
        self.excused = self.excused.saturating_add(clock::thread_cpu().saturating_sub(began));
        done
    }

    /// What happens when the epoch says that it is time to look. If the thread runs, the plugin
    /// used what went by; if the machine is too busy to run it, the plugin has what it did not get.
    pub(super) fn look(&mut self) -> UpdateDeadline {
        let cpu = clock::thread_cpu();
        if let Some(polled) = &self.polled {
            return match polled.spent_until(cpu) > self.limit.saturating_add(self.excused) {
                true => UpdateDeadline::Interrupt,
                false => UpdateDeadline::Yield(1),
            };
        }
        let excused = std::mem::take(&mut self.excused);
        if !excused.is_zero() {
            return UpdateDeadline::Continue(ticks(excused));
        }
        let now = clock::now();
        let Some((since, cpu_since)) = self.overtime else {
            self.overtime = Some((now, cpu));
            return UpdateDeadline::Continue(1);
        };
        let used = cpu.saturating_sub(cpu_since);
        let runs = used.saturating_mul(2) >= now.duration_since(since);
        match runs || used >= self.limit {
            true => UpdateDeadline::Interrupt,
            false => UpdateDeadline::Continue(1),
        }
    }
}

/// The epochs in which that much time surely has not passed: a tick takes a little more than its
/// millisecond, and the last two are for looking.
fn ticks(limit: Duration) -> u64 {
    let milliseconds = clock::millis(limit);
    milliseconds.saturating_sub(milliseconds / 8).saturating_sub(1).max(1)
}

/// CPU time of a call, in nanoseconds, taken poll by poll.
#[derive(Debug, Default)]
pub(super) struct Polled {
    /// Of the polls that are over.
    spent: AtomicU64,
    /// The thread's CPU time when the running poll began.
    since: AtomicU64,
}

impl Polled {
    fn spent_until(&self, cpu: Duration) -> Duration {
        let since = Duration::from_nanos(self.since.load(Ordering::Relaxed));
        let spent = Duration::from_nanos(self.spent.load(Ordering::Relaxed));
        spent.saturating_add(cpu.saturating_sub(since))
    }
}

/// A call whose polls are timed.
pub(super) struct Timed<F> {
    call: Pin<Box<F>>,
    polled: Arc<Polled>,
}

impl<F> Timed<F> {
    /// Times `call`.
    pub(super) fn new(polled: &Arc<Polled>, call: F) -> Self {
        Self { call: Box::pin(call), polled: Arc::clone(polled) }
    }
}

impl<F: Future> Future for Timed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.polled.since.store(nanos(clock::thread_cpu()), Ordering::Relaxed);
        let poll = self.call.as_mut().poll(context);
        let spent = self.polled.spent_until(clock::thread_cpu());
        self.polled.spent.store(nanos(spent), Ordering::Relaxed);
        poll
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
