//! WASI for components that were built for `wasm32-wasip2`, in Rust or another language. It grants
//! nothing: no files, no network, no environment, no arguments. Time and randomness are there, and
//! what is printed becomes lines of the plugin's log.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, async_trait};

use super::super::bindings::log::Level;
use super::super::host::{State, as_usize};
use super::log::Line;

/// What a component for WASI finds.
pub(crate) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    printed: Printed,
}

impl Wasi {
    /// The last line that was printed to standard error: other languages explain a crash there.
    pub(in crate::plugin) fn last_error(&self) -> Option<String> {
        let printed = self.printed.0.lock();
        printed.last_error.clone()
    }
}

/// Links WASI's second version.
///
/// # Errors
/// When two define the same name.
pub(in crate::plugin) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (plugin, view, limits) = (&self.plugin, &self.view, &self.limits);
        let wasi = self.wasi.get_or_insert_with(|| {
            let printed = Printed(Arc::new(Mutex::new(Output {
                plugin: plugin.id.clone(),
                generation: view.id.clone(),
                line: Vec::new(),
                lines_left: limits.log_lines,
                line_bytes: as_usize(limits.log_line_bytes),
                last_error: None,
            })));
            let stream = |level| Stream { printed: printed.clone(), level };
            let context = WasiCtxBuilder::new()
                .stdout(stream(Level::Info))
                .stderr(stream(Level::Error))
                .allow_tcp(false)
                .allow_udp(false)
                .allow_ip_name_lookup(false)
                .max_random_size(RANDOM_BYTES_MAX)
                .build();
            Box::new(Wasi { context, table: ResourceTable::new(), printed })
        });
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}

/// Where both streams end.
#[derive(Clone)]
struct Printed(Arc<Mutex<Output>>);

struct Output {
    plugin: String,
    generation: String,
    /// What has no line end yet.
    line: Vec<u8>,
    lines_left: u64,
    line_bytes: usize,
    last_error: Option<String>,
}

impl Output {
    fn write(&mut self, bytes: &[u8], level: Level) {
        for &byte in bytes {
            if byte == b'\n' {
                self.end_line(level);
            } else if self.line.len() < self.line_bytes {
                self.line.push(byte);
            }
        }
    }

    fn end_line(&mut self, level: Level) {
        let line = std::mem::take(&mut self.line);
        let message = String::from_utf8_lossy(&line);
        if level == Level::Error && !message.is_empty() {
            self.last_error = Some(message.to_string());
        }
        if self.lines_left == 0 {
            return;
        }
        self.lines_left -= 1;
        let Self { plugin, generation, .. } = self;
        Line { plugin, generation, fields: "", message: &message }.write(level);
    }
}

/// One of the two standard streams.
#[derive(Clone)]
struct Stream {
    printed: Printed,
    level: Level,
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only the third version of WASI asks for this, and it is not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.printed.0.lock().write(&bytes, self.level);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

/// Enough for seeds and names.
const RANDOM_BYTES_MAX: u64 = 64 << 10;

/// What one write to a standard stream may carry.
const WRITE_BYTES_MAX: usize = 64 << 10;
