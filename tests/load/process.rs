//! Child processes and what `/proc` says of them. A child is ended by its id when its handle is
//! dropped; none is ever looked up by name.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// A running child.
pub(crate) struct Process {
    child: Child,
    stderr: PathBuf,
}

impl Process {
    /// Starts a program with its stderr in `{folder}/{name}.err`, its stdin and stdout piped.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start<I: IntoIterator<Item = impl AsRef<OsStr>>>(
        program: &Path,
        args: I,
        folder: &Path,
        name: &str,
    ) -> Result<Self, anyhow::Error> {
        let stderr = folder.join(format!("{name}.err"));
        let stdout = if name == "double" { Stdio::piped() } else { Stdio::null() };
        let child = Command::new(program)
            .args(args)
            .current_dir(folder)
            .env("PATCHBAY_MANAGEMENT_KEY", MANAGEMENT_KEY)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(File::create(&stderr)?)
            .spawn()
            .with_context(|| format!("can't start {}", program.display()))?;
        Ok(Self { child, stderr })
    }

    /// The first line that it writes to stdout.
    ///
    /// # Errors
    /// When it ends before it writes one.
    pub(crate) fn first_line(&mut self) -> Result<String, anyhow::Error> {
        let stdout = self.child.stdout.take().context("its stdout was read before")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "it ended at once: {}", self.complaint());
        Ok(line.trim().to_owned())
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The last of what it wrote to stderr.
    pub(crate) fn complaint(&self) -> String {
        let text = std::fs::read_to_string(&self.stderr).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(6).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about either error.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The management key that the gateway under load is started with.
pub(crate) const MANAGEMENT_KEY: &str =
    "sk-or-v1-10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad";

/// CPU time that a process has used in all its threads, user and system, in microseconds.
///
/// # Errors
/// When the process is gone.
pub(crate) fn cpu_us(id: u32) -> Result<u64, anyhow::Error> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))
        .with_context(|| format!("process {id} is gone"))?;
    // The name, in brackets, may hold anything: the numbers begin after the last bracket.
    let (_, rest) = stat.rsplit_once(')').context("/proc/…/stat has no name")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<u64, _>>().context("/proc/…/stat")?;
    Ok(ticks * TICK_US)
}

/// The kernel shows CPU time in hundredths of a second, whatever its own tick is.
const TICK_US: u64 = 10_000;

/// Resident memory of a process in KiB.
///
/// # Errors
/// When the process is gone.
pub(crate) fn rss_kib(id: u32) -> Result<u64, anyhow::Error> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))
        .with_context(|| format!("process {id} is gone"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let text = line.and_then(|line| line.split_whitespace().next());
    text.context("/proc/…/status has no VmRSS")?.parse().context("VmRSS")
}

/// Starts this program anew with as many open files as the system allows, once: a stream needs
/// two in the gateway, which inherits the limit. Returns when that was done before.
///
/// # Errors
/// When there is no shell to raise the limit.
pub(crate) fn raise_file_limit() -> Result<(), anyhow::Error> {
    if std::env::var_os(RAISED).is_some() {
        return Ok(());
    }
    let error = Command::new("sh")
        .args(["-c", RAISE, "load"])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(RAISED, "1")
        .exec();
    Err(error).context("can't raise the limit of open files")
}

/// 65,536 where the system lets us raise its own limit, else that limit.
const RAISE: &str = "ulimit -n 65536 2>/dev/null || ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"";

const RAISED: &str = "PATCHBAY_LOAD_FILES_RAISED";

/// A folder that is removed when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Makes one in the system's place for temporary files.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn new() -> Result<Self, anyhow::Error> {
        let path = std::env::temp_dir().join(format!("patchbay-load-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("can't make {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind in a temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
