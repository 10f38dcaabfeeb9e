//! `double`: an upstream double in a process of its own, on real sockets.
//!
//! The first line on stdout is the bound address. It ends when its stdin closes, so that it
//! never outlives the test that started it, and on SIGTERM. What it answers: scripts under
//! `/{name}/…` (`script.rs`), the load pattern under `/fast/…` (`fast.rs`), and its own control
//! paths under `/_double/…` (`control.rs`). It checks no key and knows no dialect.

#![expect(clippy::print_stdout, reason = "the bound address is this program's answer")]

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

mod body;
mod clock;
mod control;
mod encoding;
mod event_stream;
mod fast;
mod gzip;
mod journal;
mod play;
mod recording;
mod script;

/// An upstream double: scripted and recorded replies on real sockets.
#[derive(Parser)]
struct Args {
    /// Address and port; port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<(), anyhow::Error> {
    let args = Args::parse();
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("can't listen on {}", args.listen))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (closed, mut stdin_closed) = tokio::sync::mpsc::channel::<()>(1);
    std::thread::spawn(move || {
        let mut bytes = [0; 1024];
        while matches!(std::io::stdin().read(&mut bytes), Ok(1..)) {}
        drop(closed);
    });
    println!("{}", listener.local_addr()?);
    let double = Arc::new(control::Double::default());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => serve(stream, Arc::clone(&double)),
                // Out of file descriptors: those in use come back when their streams end.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            },
            _ = stdin_closed.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        }
    }
}

fn serve(stream: TcpStream, double: Arc<control::Double>) {
    // Without it a small chunk waits for the acknowledgement of the one before.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    tokio::spawn(async move {
        let service = service_fn(move |request| {
            let double = Arc::clone(&double);
            async move { Ok::<_, std::convert::Infallible>(double.answer(request).await) }
        });
        let server = auto::Builder::new(TokioExecutor::new());
        // An error here is a client that left or a cut that a script asked for: both are in the
        // journal, where tests look for them.
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    });
}
