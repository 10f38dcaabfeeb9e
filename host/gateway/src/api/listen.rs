//! Connections: accepted, served with limits on their heads, and closed in order.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::watch;
use tower::ServiceExt;

use super::stall::Impatient;
use crate::config::Server;

/// A bound address that several threads can listen on.
pub(crate) struct Listener {
    sockets: Vec<Socket>,
    /// Where clients connect.
    pub(crate) address: SocketAddr,
}

impl Listener {
    /// Binds one socket per thread to the same address; the system spreads connections over
    /// them.
    ///
    /// # Errors
    /// Names the address that is taken or not ours.
    pub(crate) fn bind(server: &Server, threads: usize) -> Result<Self, anyhow::Error> {
        // Sockets that share a port would also share it with another Patchbay, so ask first.
        if server.listen.port() != 0 {
            std::net::TcpListener::bind(server.listen)
                .map_err(|error| unbound(server.listen, &error))?;
        }
        let first = socket(server.listen).map_err(|error| unbound(server.listen, &error))?;
        let address = first.local_addr()?.as_socket().unwrap_or(server.listen);
        let mut sockets = vec![first];
        while sockets.len() < threads {
            sockets.push(socket(address).map_err(|error| unbound(address, &error))?);
        }
        Ok(Self { sockets, address })
    }

    /// The sockets, one for each thread.
    pub(crate) fn into_sockets(self) -> Vec<std::net::TcpListener> {
        self.sockets.into_iter().map(Into::into).collect()
    }
}

/// Serves one socket until `stop` says so, then lets running connections end.
///
/// # Errors
/// When the socket can't be used.
pub(crate) async fn serve(
    router: Router,
    socket: std::net::TcpListener,
    server: &Server,
    mut stop: watch::Receiver<bool>,
) -> Result<(), anyhow::Error> {
    let listener = tokio::net::TcpListener::from_std(socket)?;
    let builder = builder(server);
    let graceful = GracefulShutdown::new();
    let stall = Duration::from_millis(server.client_stall_ms);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file handles, mostly: pause, or the loop spins until one is free.
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Events are small; without this they wait for each other.
        let _ = stream.set_nodelay(true);
        let stream = Impatient::new(stream, stall);
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            router.clone().oneshot(request.map(Body::new))
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!("a connection ended: {error}");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

fn builder(server: &Server) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let head_bytes = u32::try_from(server.head_bytes_max).unwrap_or(u32::MAX);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(server.head_ms))
        .max_buf_size(server.head_bytes_max)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .max_concurrent_streams(10_000)
        .max_header_list_size(head_bytes);
    builder
}

fn socket(address: SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket)
}

fn unbound(address: SocketAddr, error: &std::io::Error) -> anyhow::Error {
    anyhow::anyhow!("can't listen on {address}: {error}; choose another `server.listen`")
}
