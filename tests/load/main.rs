//! `load`: what the gateway costs, measured against the direct call and against nginx as a plain
//! reverse proxy, in one run with one upstream double, printed as a Markdown table.
//!
//! It starts what it measures as child processes and ends them by their ids. It checks nothing:
//! a number is read by people, and no test depends on it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is the output")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use serde_json::Value;

use crate::measure::{Kind, Plan, closed, memory, open, paced};
use crate::process::Folder;
use crate::table::Column;
use crate::target::{Gateway, Target};

mod client;
mod clock;
mod hostile;
mod measure;
mod process;
mod swap;
mod table;
mod target;

/// Measures the gateway against the direct call and nginx, and prints a table.
#[derive(Parser)]
struct Args {
    /// The gateway's binary; the `patchbay` beside this program without it.
    gateway: Option<PathBuf>,
    /// The double's binary; the `double` beside this program without it.
    #[arg(long)]
    double: Option<PathBuf>,
    /// Shorter windows and fewer streams: half a minute, and less exact.
    #[arg(long)]
    quick: bool,
    /// Streams alive at once in the memory measurement.
    #[arg(long, default_value_t = 1000)]
    streams: usize,
    /// A further column with this as the requests' field `plugins`, a JSON array; may be
    /// repeated.
    #[arg(long, default_value = r#"[{"id":"reasoning"}]"#)]
    plugins: Vec<String>,
    /// A further plugin's file for the gateway's `plugins.d`; may be repeated.
    #[arg(long)]
    wasm: Vec<PathBuf>,
    /// Instead of the table: swap the plugin with this id under load, `id=FILE.wasm`.
    #[arg(long, value_name = "ID=FILE")]
    swap: Option<String>,
    /// How many swaps.
    #[arg(long, default_value_t = 200)]
    swaps: u32,
    /// Instead of the table: what neighbours feel of `plugin-hostile.wasm`, this file.
    #[arg(long, value_name = "FILE")]
    hostile: Option<PathBuf>,
    /// Its endless loops in a second. Each takes 50 ms of a core, so 20 take all of one.
    #[arg(long, default_value_t = 10)]
    hostile_rate: u32,
}

// One thread: the clients share the machine with what they measure, and cost it least this way.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), anyhow::Error> {
    let args = Args::parse();
    process::raise_file_limit()?;
    let plan = if args.quick {
        let live_streams = args.streams.min(200);
        Plan { window: Duration::from_millis(500), rounds: 1, paced_streams: 100, live_streams }
    } else {
        let live_streams = args.streams;
        Plan { window: Duration::from_millis(800), rounds: 3, paced_streams: 500, live_streams }
    };
    let machine = machine(&plan);
    let folder = Folder::new()?;
    if let Some(swap) = &args.swap {
        return swap_under_load(&args, swap, &plan, folder.path()).await;
    }
    if let Some(file) = &args.hostile {
        return beside_hostile(&args, file, &plan, folder.path()).await;
    }
    let targets = targets(&args, &plan, folder.path()).await?;
    let mut columns = Vec::new();
    for target in &targets {
        eprintln!("memory: {}", target.name);
        let mut column = Column { name: target.name.clone(), ..Column::default() };
        let found = within(60, memory(target, &plan)).await;
        column.memory = found.map_err(|error| column.fail("memory", &error)).ok();
        columns.push(column);
    }
    let mut rates = None;
    for round in 1..=plan.rounds {
        for (target, column) in targets.iter().zip(&mut columns) {
            // What failed once is shown as failed; trying it again only costs time.
            if round > 1 && !column.failures.is_empty() {
                continue;
            }
            eprintln!("round {round} of {}: {}", plan.rounds, target.name);
            alone(target, &plan, column).await;
        }
        let (small, first) = *rates.get_or_insert_with(|| common_rates(&columns));
        for (target, column) in targets.iter().zip(&mut columns) {
            if round > 1 && !column.failures.is_empty() {
                continue;
            }
            eprintln!("round {round} of {}, at the common rate: {}", plan.rounds, target.name);
            let found = within(20, open(target, Kind::Small, small, plan.window)).await;
            keep(found, "small requests, open loop", column, |column| &mut column.small_open);
            let found = within(20, open(target, Kind::First, first, plan.window)).await;
            keep(found, "first token, open loop", column, |column| &mut column.first_open);
        }
    }
    println!("{}\n{machine}", table::write(&columns, &plan, rates.unwrap_or_default()));
    Ok(())
}

async fn targets(args: &Args, plan: &Plan, folder: &Path) -> Result<Vec<Target>, anyhow::Error> {
    let double = double(args, folder)?;
    let mut others = Vec::new();
    match target::nginx(&double, plan, folder).await {
        Ok(target) => others.push(target),
        Err(error) => eprintln!("no nginx column: {error:#} (apt-get install nginx-light)"),
    }
    let program = match program(args.gateway.as_deref(), "patchbay") {
        Ok(program) => program,
        Err(error) => {
            eprintln!("no gateway columns: {error:#}");
            return Ok([double].into_iter().chain(others).collect());
        }
    };
    let mut sets = vec![("gateway".to_owned(), None)];
    for text in &args.plugins {
        let plugins: Vec<Value> = serde_json::from_str(text)
            .with_context(|| format!("--plugins takes a JSON array, not {text}"))?;
        let ids: Vec<_> = plugins.iter().filter_map(|p| p.get("id")?.as_str()).collect();
        sets.push((format!("gateway + {}", ids.join(", ")), Some(Value::Array(plugins.clone()))));
    }
    for (name, plugins) in sets {
        let how = Gateway { program: &program, wasm: &args.wasm, plugins, name: name.clone() };
        match target::gateway(how, &double, plan, folder).await {
            Ok(target) => others.push(target),
            Err(error) => eprintln!("no column `{name}`: {error:#}"),
        }
    }
    Ok([double].into_iter().chain(others).collect())
}

fn double(args: &Args, folder: &Path) -> Result<Target, anyhow::Error> {
    let program = program(args.double.as_deref(), "double")?;
    target::double(&program, folder).context("the double")
}

/// The path that was given, or the program of that name beside this one.
fn program(given: Option<&Path>, name: &str) -> Result<PathBuf, anyhow::Error> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()?.with_file_name(name),
    };
    let missing = || format!("there is no {} (cargo build --release -p gateway)", path.display());
    path.canonicalize().with_context(missing)
}

async fn swap_under_load(
    args: &Args,
    swap: &str,
    plan: &Plan,
    folder: &Path,
) -> Result<(), anyhow::Error> {
    let (id, file) = swap.split_once('=').context("--swap takes ID=FILE.wasm")?;
    let double = double(args, folder)?;
    let program = program(args.gateway.as_deref(), "patchbay")?;
    let file = Path::new(file);
    let how = Gateway {
        program: &program,
        wasm: &[file.to_owned()],
        plugins: Some(serde_json::json!([{"id": id}])),
        name: "gateway".to_owned(),
    };
    let target = target::gateway(how, &double, plan, folder).await?;
    let limit = 60 + u64::from(args.swaps);
    let swaps = within(limit, swap::swaps(&target, id, file, args.swaps)).await?;
    println!(
        "{} swaps of `{id}` under 100 streams: {} streams whole, {} failed; a swap took \
         p50 {:.0} ms, p99 {:.0} ms",
        args.swaps,
        swaps.whole,
        swaps.failures.len(),
        swaps.took.p50,
        swaps.took.p99
    );
    for failure in swaps.failures.iter().take(10) {
        println!("- {failure}");
    }
    Ok(())
}

async fn beside_hostile(
    args: &Args,
    file: &Path,
    plan: &Plan,
    folder: &Path,
) -> Result<(), anyhow::Error> {
    let double = double(args, folder)?;
    let program = program(args.gateway.as_deref(), "patchbay")?;
    let how = Gateway {
        program: &program,
        wasm: &[file.to_owned()],
        plugins: Some(serde_json::json!([{"id": "reasoning"}])),
        name: "gateway".to_owned(),
    };
    let target = target::gateway(how, &double, plan, folder).await?;
    let felt = within(120, hostile::felt(&target, HOSTILE_WINDOW, args.hostile_rate)).await?;
    println!("{}\n{}", felt.row(), machine(plan));
    Ok(())
}

/// Long enough for a thousandth of the neighbours' requests to be several.
const HOSTILE_WINDOW: Duration = Duration::from_secs(10);

/// What needs no knowledge of the other targets.
async fn alone(target: &Target, plan: &Plan, column: &mut Column) {
    let window = plan.window;
    let found = within(20, closed(target, Kind::Small, window)).await;
    keep(found, "small requests", column, |column| &mut column.small);
    let found = within(20, closed(target, Kind::First, window / 2)).await;
    keep(found, "streams of one chunk", column, |column| &mut column.first);
    let found = within(20, closed(target, Kind::Burst, window)).await;
    keep(found, "bursts", column, |column| &mut column.burst);
    let found = within(20, closed(target, Kind::Flush, window)).await;
    keep(found, "bursts in single writes", column, |column| &mut column.flush);
    let found = within(20, paced(target, plan)).await;
    keep(found, "paced streams", column, |column| &mut column.paced);
}

/// A target that hangs must not hang the run.
async fn within<T>(
    seconds: u64,
    measurement: impl Future<Output = Result<T, anyhow::Error>>,
) -> Result<T, anyhow::Error> {
    let measured = tokio::time::timeout(Duration::from_secs(seconds), measurement).await;
    measured.with_context(|| format!("not done within {seconds} s"))?
}

fn keep<T>(
    found: Result<T, anyhow::Error>,
    what: &str,
    column: &mut Column,
    rounds: impl Fn(&mut Column) -> &mut Vec<T>,
) {
    match found {
        Ok(found) => rounds(column).push(found),
        Err(error) => column.fail(what, &error),
    }
}

/// One rate for all, of small requests and of streams: half of what the slowest can do. With a
/// rate for each, a quick target would be measured under a load that a slow one never sees.
fn common_rates(columns: &[Column]) -> (f64, f64) {
    let half = |rounds: fn(&Column) -> &Vec<measure::Closed>| {
        let rates =
            columns.iter().filter_map(|column| table::median(rounds(column), |one| one.rate));
        let slowest = rates.fold(f64::INFINITY, f64::min);
        // Where nothing could be measured the rate is of no matter, but must be one.
        if slowest.is_finite() && slowest > 2.0 { slowest / 2.0 } else { 1.0 }
    };
    (half(|column| &column.small), half(|column| &column.first))
}

fn machine(plan: &Plan) -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    format!(
        "{cores} cores ({model}), shared by client, double and target; load average {load} before \
         the run. nginx runs one worker, the gateway a thread per core. Median of {} round(s) of \
         {} ms windows, targets in turn. Ratios are to nginx; `added` is to direct.",
        plan.rounds,
        plan.window.as_millis()
    )
}
