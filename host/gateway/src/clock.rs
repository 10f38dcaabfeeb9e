//! The only reader of time and randomness. Everything else takes them as arguments.

#![expect(clippy::disallowed_methods, reason = "this is where time is read")]

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A clock that never goes back, for deadlines and durations.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// CPU time that this thread has used: what a limit on work counts, however busy the machine is.
pub(crate) fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

/// Time since the process first looked at the clock.
pub(crate) fn uptime() -> Duration {
    STARTED.elapsed()
}

/// Milliseconds as a duration's whole number.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Fills with bytes fit for secrets.
///
/// # Errors
/// When the operating system has none to give.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), anyhow::Error> {
    getrandom::fill(bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))
}

/// Text of that many random letters and digits, for names that must not collide.
///
/// # Errors
/// When the operating system has no randomness to give.
pub(crate) fn random_name(length: usize) -> Result<String, anyhow::Error> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789AB";
    let mut bytes = vec![0; length];
    random(&mut bytes)?;
    let letter = |byte: &u8| ALPHABET.get(usize::from(*byte % 64)).copied().unwrap_or(b'A');
    Ok(bytes.iter().map(letter).map(char::from).collect())
}
