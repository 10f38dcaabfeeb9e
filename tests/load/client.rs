//! The cheapest client that still reads every byte: one raw hyper HTTP/1.1 connection per
//! client, no pool, no JSON; chunks are found by the stamp that the double writes into them.

use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A request that can be sent again and again.
#[derive(Clone)]
pub(crate) struct Ask {
    /// Where it goes.
    pub(crate) address: SocketAddr,
    /// The method.
    pub(crate) method: Method,
    /// The path.
    pub(crate) path: String,
    /// The value of the header `content-type`.
    pub(crate) content_type: &'static str,
    /// The body.
    pub(crate) body: Bytes,
    /// The value of the header `authorization`.
    pub(crate) authorization: Option<String>,
}

impl Ask {
    fn request(&self) -> Result<Request<Full<Bytes>>, anyhow::Error> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .header("host", "127.0.0.1")
            .header("content-type", self.content_type);
        if let Some(value) = &self.authorization {
            request = request.header("authorization", value);
        }
        Ok(request.body(Full::new(self.body.clone()))?)
    }
}

/// One connection.
pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    /// Connects, without Nagle's delay.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, anyhow::Error> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("can't connect to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // How it ends shows in the request that was on it.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self(sender))
    }

    /// Sends a request and reads its whole reply.
    ///
    /// # Errors
    /// On any status but 200 and 201, with the body's beginning.
    pub(crate) async fn whole(&mut self, ask: &Ask) -> Result<Bytes, anyhow::Error> {
        let response = self.send(ask).await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }

    /// Sends a request and reads its stream, calling `arrived` with each chunk's stamp.
    ///
    /// # Errors
    /// On any status but 200 and 201, and when the stream has not the end it should have.
    pub(crate) async fn stream(
        &mut self,
        ask: &Ask,
        mut arrived: impl FnMut(u64),
    ) -> Result<(), anyhow::Error> {
        let mut body = self.send(ask).await?.into_body();
        let mut scanner = Scanner::default();
        while let Some(frame) = body.frame().await {
            if let Some(bytes) = frame.context("the stream broke off")?.data_ref() {
                scanner.push(bytes, &mut arrived);
            }
        }
        anyhow::ensure!(scanner.is_done(), "the stream ended without [DONE]");
        Ok(())
    }

    async fn send(&mut self, ask: &Ask) -> Result<Response<Incoming>, anyhow::Error> {
        self.0.ready().await?;
        let response = self.0.send_request(ask.request()?).await?;
        let status = response.status();
        if status == StatusCode::OK || status == StatusCode::CREATED {
            return Ok(response);
        }
        let body = response.into_body().collect().await?.to_bytes();
        let text: String = String::from_utf8_lossy(&body).chars().take(300).collect();
        anyhow::bail!("{status}: {text}");
    }
}

/// Finds `t=<digits>;` in a stream, however it is cut into pieces, and its end.
#[derive(Default)]
struct Scanner {
    is_after_t: bool,
    number: Option<u64>,
    last: [u8; 8],
}

impl Scanner {
    fn push(&mut self, bytes: &[u8], arrived: &mut impl FnMut(u64)) {
        for byte in bytes {
            match (self.number, byte) {
                (Some(number), b'0'..=b'9') => {
                    self.number = Some(number.wrapping_mul(10) + u64::from(byte - b'0'));
                }
                (Some(number), b';') => {
                    arrived(number);
                    self.number = None;
                }
                (Some(_), _) => self.number = None,
                (None, b'=') if self.is_after_t => self.number = Some(0),
                (None, _) => {}
            }
            self.is_after_t = *byte == b't';
        }
        let tail = bytes.len().saturating_sub(8);
        for byte in bytes.get(tail..).unwrap_or_default() {
            self.last.rotate_left(1);
            if let Some(end) = self.last.last_mut() {
                *end = *byte;
            }
        }
    }

    fn is_done(&self) -> bool {
        self.last == *b"[DONE]\n\n"
    }
}
