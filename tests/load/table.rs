//! The table that is printed, in Markdown: absolute numbers, and how they stand to nginx.

use std::fmt::Write;

use crate::measure::{Closed, Memory, Paced, Plan, Spread, real};

/// One target's numbers, one of a kind for each round; what failed is not there, and `failures`
/// says why.
#[derive(Default)]
pub(crate) struct Column {
    /// The heading.
    pub(crate) name: String,
    /// Memory of the fresh process.
    pub(crate) memory: Option<Memory>,
    /// Sixteen clients, small replies.
    pub(crate) small: Vec<Closed>,
    /// Sixteen clients, streams of one chunk.
    pub(crate) first: Vec<Closed>,
    /// Sixteen clients, 200 chunks at once.
    pub(crate) burst: Vec<Closed>,
    /// Sixteen clients, 200 chunks without a pause, each written by itself.
    pub(crate) flush: Vec<Closed>,
    /// Small replies at the common rate.
    pub(crate) small_open: Vec<Spread>,
    /// First chunks at the common rate.
    pub(crate) first_open: Vec<Spread>,
    /// Paced streams.
    pub(crate) paced: Vec<Paced>,
    /// What went wrong.
    pub(crate) failures: Vec<String>,
}

impl Column {
    /// Notes what failed, once.
    pub(crate) fn fail(&mut self, what: &str, error: &anyhow::Error) {
        let failure = format!("{what} failed: {error:#}");
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }
}

/// The median over rounds: a round that something else on the machine disturbed does not count.
pub(crate) fn median<T>(rounds: &[T], number: impl Fn(&T) -> f64) -> Option<f64> {
    let mut numbers: Vec<f64> = rounds.iter().map(number).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

/// How a row's number is found in a column.
type Value = Box<dyn Fn(&Column) -> Option<f64>>;

struct Row {
    what: String,
    digits: usize,
    value: Value,
    shows_ratio: bool,
    is_added: bool,
}

/// Writes the table. The first column is the direct call, which `added` rows are measured
/// against.
pub(crate) fn write(columns: &[Column], plan: &Plan, rates: (f64, f64)) -> String {
    let direct = columns.first();
    let nginx = columns.iter().find(|column| column.name == "nginx");
    let mut out = String::from("| |");
    for column in columns {
        let _ = write!(out, " {} |", column.name);
    }
    out.push_str("\n|---|");
    out.push_str(&"---:|".repeat(columns.len()));
    out.push('\n');
    for row in rows(plan, rates) {
        let _ = write!(out, "| {} |", row.what);
        let base = if row.is_added { direct.and_then(&row.value) } else { Some(0.0) };
        let value = |column: &Column| Some((row.value)(column)? - base?);
        for column in columns {
            let Some(number) = value(column) else {
                out.push_str(" - |");
                continue;
            };
            let _ = write!(out, " {number:.digits$}", digits = row.digits);
            let to_nginx = nginx.and_then(value).filter(|nginx| *nginx > 0.0 && row.shows_ratio);
            if let Some(nginx) = to_nginx {
                let _ = write!(out, " ({:.1}x)", number / nginx);
            }
            out.push_str(" |");
        }
        out.push('\n');
    }
    for column in columns {
        for failure in &column.failures {
            let _ = writeln!(out, "\n{}: {failure}", column.name);
        }
    }
    out
}

fn rows(plan: &Plan, (small, first): (f64, f64)) -> Vec<Row> {
    let row = |what: String, digits, value: fn(&Column) -> Option<f64>| Row {
        what,
        digits,
        value: Box::new(value),
        shows_ratio: true,
        is_added: false,
    };
    let added = |row: Row| Row { is_added: true, shows_ratio: false, ..row };
    let plain = |row: Row| Row { shows_ratio: false, ..row };
    let streams = plan.live_streams;
    let per_stream = real(u64::try_from(streams).unwrap_or(u64::MAX));
    let mib = |kib: u64| real(kib) / 1024.0;
    vec![
        row("CPU per small request, µs (16 clients)".to_owned(), 1, |c| {
            median(&c.small, |one| one.cpu_per_request)
        }),
        row("requests/s (16 clients)".to_owned(), 0, |c| median(&c.small, |one| one.rate)),
        added(row(format!("added at {small:.0} requests/s, p50, ms"), 2, |c| {
            median(&c.small_open, |one| one.p50)
        })),
        added(row("the same, p99, ms".to_owned(), 2, |c| median(&c.small_open, |one| one.p99))),
        row("CPU per stream of one chunk, µs (16 clients)".to_owned(), 1, |c| {
            median(&c.first, |one| one.cpu_per_request)
        }),
        added(row(format!("first token added at {first:.0} streams/s, p50, ms"), 2, |c| {
            median(&c.first_open, |one| one.p50)
        })),
        added(row("the same, p99, ms".to_owned(), 2, |c| median(&c.first_open, |one| one.p99))),
        row("CPU per chunk, µs (200 in one burst)".to_owned(), 2, |c| {
            median(&c.burst, |one| one.cpu_per_chunk)
        }),
        row("CPU per chunk, µs (200, each written by itself)".to_owned(), 2, |c| {
            median(&c.flush, |one| one.cpu_per_chunk)
        }),
        row(format!("CPU per chunk, µs ({} streams, 20 ms)", plan.paced_streams), 2, |c| {
            median(&c.paced, |one| one.cpu_per_chunk)
        }),
        row("chunk transit there, p50, ms".to_owned(), 2, |c| {
            median(&c.paced, |one| one.transit.p50)
        }),
        row("chunk transit there, p99, ms".to_owned(), 2, |c| {
            median(&c.paced, |one| one.transit.p99)
        }),
        plain(Row {
            value: Box::new(move |c| Some(mib(c.memory.as_ref()?.idle))),
            ..row("RSS idle, MiB".to_owned(), 1, |_| None)
        }),
        plain(Row {
            value: Box::new(move |c| {
                let memory = c.memory.as_ref()?;
                Some(real(memory.live.saturating_sub(memory.idle)) / per_stream)
            }),
            ..row(format!("RSS per live stream, KiB ({streams} streams)"), 1, |_| None)
        }),
        plain(Row {
            value: Box::new(move |c| Some(mib(c.memory.as_ref()?.after))),
            ..row("RSS after them, MiB".to_owned(), 1, |_| None)
        }),
    ]
}
