//! The measurements, each bounded in count and time. CPU is the target process's own, over the
//! same window in which requests or chunks are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::client::{Ask, Connection};
use crate::clock;
use crate::process::{cpu_us, rss_kib};
use crate::swap;
use crate::target::Target;

/// How much is measured.
pub(crate) struct Plan {
    /// The window of each measurement.
    pub(crate) window: Duration,
    /// How often each is made, all targets in turn.
    pub(crate) rounds: u32,
    /// Streams of the paced measurement.
    pub(crate) paced_streams: usize,
    /// Streams alive at once in the memory measurement.
    pub(crate) live_streams: usize,
}

impl Plan {
    /// The load pattern's models that are asked for.
    pub(crate) fn models(&self) -> Vec<String> {
        let fixed = ["small", FIRST, BURST, FLUSH, swap::MODEL].map(str::to_owned);
        fixed.into_iter().chain([self.paced_model(), self.live_model()]).collect()
    }

    /// A chunk every 20 ms through ramp, settling, window and a margin.
    fn paced_model(&self) -> String {
        format!("pace-20-{}", (2 * RAMP + self.window + RAMP).as_millis() / 20)
    }

    /// Two chunks a second until all streams are open, and two seconds more.
    fn live_model(&self) -> String {
        format!("pace-500-{}", 2 * (self.live_streams / OPENED_PER_SECOND + 3))
    }
}

const CLIENTS: usize = 16;
const OPEN_CONNECTIONS: usize = 64;
const RAMP: Duration = Duration::from_millis(500);
const OPENED_PER_SECOND: usize = 2_500;
const BURST: &str = "burst-200";
const FLUSH: &str = "flush-200";
const FIRST: &str = "burst-1";

/// Memory of a process in KiB.
pub(crate) struct Memory {
    /// Before any stream.
    pub(crate) idle: u64,
    /// With all streams alive.
    pub(crate) live: u64,
    /// After they ended.
    pub(crate) after: u64,
}

/// Reads the memory of a fresh process, with streams alive, and after them.
///
/// # Errors
/// When a stream fails.
pub(crate) async fn memory(target: &Target, plan: &Plan) -> Result<Memory, anyhow::Error> {
    let id = target.process.id();
    let idle = rss_kib(id)?;
    let ask = target.ask(&plan.live_model(), true);
    let begun = Arc::new(AtomicU64::new(0));
    let mut streams = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for at in 0..plan.live_streams {
        if at % (OPENED_PER_SECOND / 50) == 0 {
            ticks.tick().await;
        }
        let (ask, begun) = (ask.clone(), Arc::clone(&begun));
        streams.spawn(async move {
            let mut is_first = true;
            let count = |_| {
                if std::mem::replace(&mut is_first, false) {
                    begun.fetch_add(1, Ordering::Relaxed);
                }
            };
            Connection::open(ask.address).await?.stream(&ask, count).await
        });
    }
    let all = u64::try_from(plan.live_streams)?;
    let until = clock::now() + Duration::from_secs(30);
    while begun.load(Ordering::Relaxed) < all && clock::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let live = rss_kib(id)?;
    join(streams).await.with_context(|| format!("of {all} live streams"))?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(Memory { idle, live, after: rss_kib(id)? })
}

/// What a closed loop did within its window.
pub(crate) struct Closed {
    /// Requests a second.
    pub(crate) rate: f64,
    /// CPU microseconds per request.
    pub(crate) cpu_per_request: f64,
    /// CPU microseconds per chunk.
    pub(crate) cpu_per_chunk: f64,
}

/// What clients repeat in a closed loop.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A small reply that is not streamed.
    Small,
    /// A stream of one chunk.
    First,
    /// 200 chunks at once.
    Burst,
    /// 200 chunks without a pause, each written by itself.
    Flush,
}

impl Kind {
    fn ask(self, target: &Target) -> Ask {
        match self {
            Self::Small => target.ask("small", false),
            Self::First => target.ask(FIRST, true),
            Self::Burst => target.ask(BURST, true),
            Self::Flush => target.ask(FLUSH, true),
        }
    }
}

/// Sixteen clients, each sending its next request when it has read the reply to its last.
///
/// # Errors
/// When a request fails.
pub(crate) async fn closed(
    target: &Target,
    kind: Kind,
    window: Duration,
) -> Result<Closed, anyhow::Error> {
    let counts = Arc::new(Counts::default());
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (ask, counts) = (kind.ask(target), Arc::clone(&counts));
        clients.spawn(async move {
            let mut connection = Connection::open(ask.address).await?;
            while !counts.is_over.load(Ordering::Relaxed) {
                if kind == Kind::Small {
                    connection.whole(&ask).await?;
                } else {
                    let count = |_| {
                        counts.chunks.fetch_add(1, Ordering::Relaxed);
                    };
                    connection.stream(&ask, count).await?;
                }
                counts.requests.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }
    tokio::time::sleep(window / 4).await;
    let id = target.process.id();
    let begin = (cpu_us(id)?, counts.read(), clock::now());
    tokio::time::sleep(window).await;
    let (cpu, counted, elapsed) = (cpu_us(id)?, counts.read(), begin.2.elapsed());
    counts.is_over.store(true, Ordering::Relaxed);
    join(clients).await?;
    let cpu = real(cpu.saturating_sub(begin.0));
    let requests = real(counted.0.saturating_sub(begin.1.0));
    let chunks = real(counted.1.saturating_sub(begin.1.1));
    Ok(Closed {
        rate: requests / elapsed.as_secs_f64(),
        cpu_per_request: cpu / requests,
        cpu_per_chunk: cpu / chunks,
    })
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    chunks: AtomicU64,
    is_over: AtomicBool,
}

impl Counts {
    fn read(&self) -> (u64, u64) {
        (self.requests.load(Ordering::Relaxed), self.chunks.load(Ordering::Relaxed))
    }
}

/// Two percentiles in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    /// Half are quicker.
    pub(crate) p50: f64,
    /// One in a hundred is slower.
    pub(crate) p99: f64,
}

impl Spread {
    /// Of times in nanoseconds.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) fn of(mut nanos: Vec<u64>) -> Result<Self, anyhow::Error> {
        nanos.sort_unstable();
        let at = |percent: usize| {
            let index = (nanos.len() * percent / 100).min(nanos.len().saturating_sub(1));
            nanos.get(index).map(|nanos| Duration::from_nanos(*nanos).as_secs_f64() * 1e3)
        };
        let none = "nothing was measured";
        Ok(Self { p50: at(50).context(none)?, p99: at(99).context(none)? })
    }
}

/// Requests at a fixed rate, whatever becomes of those before. The time counts from when a
/// request was due, so that one that had to wait shows; a stream's ends at its first chunk.
///
/// # Errors
/// When a request fails.
pub(crate) async fn open(
    target: &Target,
    kind: Kind,
    rate: f64,
    window: Duration,
) -> Result<Spread, anyhow::Error> {
    let (send, due) = mpsc::unbounded_channel();
    let due = Arc::new(Mutex::new(due));
    let mut clients = JoinSet::new();
    for _ in 0..OPEN_CONNECTIONS {
        let (ask, due) = (kind.ask(target), Arc::clone(&due));
        let mut connection = Connection::open(ask.address).await?;
        clients.spawn(async move {
            let mut took = Vec::new();
            loop {
                let next = due.lock().await.recv().await;
                let Some(due) = next else { return Ok(took) };
                let since = || u64::try_from(clock::now().duration_since(due).as_nanos());
                if kind == Kind::Small {
                    connection.whole(&ask).await?;
                    took.push(since()?);
                } else {
                    let mut first = None;
                    let note = |_| first = first.or_else(|| since().ok());
                    connection.stream(&ask, note).await?;
                    took.push(first.context("a stream without a chunk")?);
                }
            }
        });
    }
    // A thread of its own: the runtime's timers are a millisecond wide, more than what is measured.
    let step = Duration::from_secs_f64(1.0 / rate);
    let pacer = std::thread::spawn(move || {
        let begin = clock::now() + Duration::from_millis(10);
        let mut due = begin;
        while due.duration_since(begin) < window && !send.is_closed() {
            std::thread::sleep(due.saturating_duration_since(clock::now()));
            if send.send(due).is_err() {
                return;
            }
            due += step;
        }
    });
    let mut took = Vec::new();
    while let Some(client) = clients.join_next().await {
        let of_client: Result<Vec<u64>, anyhow::Error> = client?;
        took.extend(of_client?);
    }
    pacer.join().map_err(|_| anyhow::anyhow!("the pacing thread failed"))?;
    Spread::of(took)
}

/// What paced streams cost and how long their chunks were under way.
pub(crate) struct Paced {
    /// CPU microseconds per chunk.
    pub(crate) cpu_per_chunk: f64,
    /// From the double's write to the client's read.
    pub(crate) transit: Spread,
}

/// Streams with a chunk every 20 ms, begun over half a second, measured once all run.
///
/// # Errors
/// When a stream fails.
pub(crate) async fn paced(target: &Target, plan: &Plan) -> Result<Paced, anyhow::Error> {
    let ask = target.ask(&plan.paced_model(), true);
    let is_measured = Arc::new(AtomicBool::new(false));
    let mut streams = JoinSet::new();
    for at in 0..plan.paced_streams {
        let (ask, is_measured) = (ask.clone(), Arc::clone(&is_measured));
        let part = u32::try_from(at)? * RAMP / u32::try_from(plan.paced_streams)?;
        streams.spawn(async move {
            tokio::time::sleep(part).await;
            let mut transits = Vec::new();
            let note = |stamp| {
                if is_measured.load(Ordering::Relaxed) {
                    transits.push(clock::stamp_ns().saturating_sub(stamp));
                }
            };
            Connection::open(ask.address).await?.stream(&ask, note).await?;
            Ok::<_, anyhow::Error>(transits)
        });
    }
    tokio::time::sleep(2 * RAMP).await;
    let begin = cpu_us(target.process.id())?;
    is_measured.store(true, Ordering::Relaxed);
    tokio::time::sleep(plan.window).await;
    is_measured.store(false, Ordering::Relaxed);
    let cpu = cpu_us(target.process.id())?.saturating_sub(begin);
    let mut transits = Vec::new();
    while let Some(stream) = streams.join_next().await {
        transits.extend(stream??);
    }
    let chunks = real(u64::try_from(transits.len())?);
    Ok(Paced { cpu_per_chunk: real(cpu) / chunks, transit: Spread::of(transits)? })
}

async fn join(mut tasks: JoinSet<Result<(), anyhow::Error>>) -> Result<(), anyhow::Error> {
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}

/// A count as a number to divide by.
pub(crate) fn real(count: u64) -> f64 {
    // Counts of this program stay far below 2^52 microseconds.
    Duration::from_micros(count).as_secs_f64() * 1e6
}
