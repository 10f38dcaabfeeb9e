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

/// Microseconds since 1970.
fn unix_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
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

/// `<seconds>-<24 letters and digits>`: the first four of them are the time within the second, so
/// that names made one after the other sort so and lie together in the store's index; the rest
/// are random, so that no name can be guessed.
///
/// # Errors
/// When the operating system has no randomness to give.
pub(crate) fn unique_name() -> Result<String, anyhow::Error> {
    let micros = unix_micros();
    let mut rest = micros % 1_000_000;
    let mut time = ['0'; 4];
    for digit in time.iter_mut().rev() {
        *digit = letter(rest % 62);
        rest /= 62;
    }
    let mut bytes = [0; 20];
    random(&mut bytes)?;
    let name = time.into_iter().chain(bytes.map(|byte| letter(u64::from(byte) % 62)));
    Ok(format!("{}-{}", micros / 1_000_000, name.collect::<String>()))
}

/// Sorted, so that text sorts as the numbers do.
fn letter(digit: u64) -> char {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let letter = usize::try_from(digit).ok().and_then(|digit| LETTERS.get(digit));
    letter.copied().map_or('0', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_and_never_repeat() {
        let names: Vec<_> = (0..1000).map(|_| unique_name().unwrap()).collect();
        let times = names.iter().map(|name| &name[..15]);
        assert!(times.clone().zip(times.skip(1)).all(|(earlier, later)| earlier <= later));
        let distinct: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }
}
