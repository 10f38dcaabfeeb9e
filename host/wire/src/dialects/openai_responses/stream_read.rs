//! Reading a stream, event by event. An event's type stands in its data; its name repeats it.

use super::items::{Items, event_of};
use super::reply_read::{self, parse};
use super::{NAME, error};
use crate::chunk::{Chunk, Delta, Role};
use crate::dialect::ReadStream;
use crate::dialects::openai_chat::shape::text;
use crate::error::StreamError;
use crate::json::Object;
use crate::source::Source;
use crate::sse::Event;

/// A stream so far.
#[derive(Debug, Default)]
pub(super) struct Stream {
    items: Items,
    has_begun: bool,
    has_ended: bool,
}

impl ReadStream for Stream {
    fn read(&mut self, event: &Event, chunks: &mut Vec<Chunk>) -> Result<(), StreamError> {
        let data = event.data.trim_ascii();
        if data == b"[DONE]" || data.is_empty() {
            return Ok(());
        }
        let fields = parse(data)?;
        let kind = text(fields.field("type")).or_else(|| event.name.clone()).unwrap_or_default();
        if matches!(kind.as_str(), "ping" | "keepalive" | "keep-alive") {
            return Ok(());
        }
        let is_error = fields.field("error").is_some_and(|error| error.get() != "null");
        if kind == "error" || (is_error && fields.field("type").is_none()) {
            return Err(StreamError::Upstream(error::read(200, data)));
        }
        let mut deltas = Vec::with_capacity(1);
        if !std::mem::replace(&mut self.has_begun, true) {
            deltas.push(Delta::Role { choice: 0, role: Role::Assistant });
        }
        self.read_event(&kind, &fields, &mut deltas)?;
        if !deltas.is_empty() {
            let source = Some(Source { dialect: NAME, bytes: event.data.clone() });
            chunks.push(Chunk { deltas, source });
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.has_ended
    }
}

impl Stream {
    fn read_event(
        &mut self,
        kind: &str,
        event: &Object<'_>,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), StreamError> {
        let response = || {
            let raw = event.field("response").map(|raw| Object::parse(raw.get()));
            raw.and_then(Result::ok).unwrap_or_default()
        };
        match kind {
            "response.created" => {
                self.items.restart();
                deltas.extend(reply_read::echo(&response()));
            }
            "response.in_progress" | "response.queued" => {}
            "response.output_item.added" => self.items.added(event, deltas)?,
            "response.output_item.done" => {
                if let Some(item) = event.field("item") {
                    self.items.done(event.field("output_index"), item, deltas)?;
                }
            }
            "response.failed" | "response.error" => {
                return Err(StreamError::Upstream(error::read_failed(&response())));
            }
            "response.completed"
            | "response.incomplete"
            | "response.cancelled"
            | "response.done" => {
                let response = response();
                if reply_read::is_failure(&response) {
                    return Err(StreamError::Upstream(error::read_failed(&response)));
                }
                deltas.extend(reply_read::echo(&response));
                reply_read::end(&response, &mut self.items, deltas)?;
                self.has_ended = true;
            }
            _ => {
                if !self.items.piece(kind, event, deltas) {
                    deltas.push(event_of(event));
                }
            }
        }
        Ok(())
    }
}
