//! Failures: `{"id", "message"}` before a reply has begun, and a `message-end` that tells of an
//! error afterwards. `error_type` is the gateway's, as in every dialect.

use super::REASONS;
use crate::availability::Availability;
use crate::chunk::FinishReason;
use crate::dialect::Head;
use crate::error::{ErrorType, Failure};
use crate::json::Json;
use crate::json_text::{ObjectWriter, object};

/// Writes an error body.
pub(super) fn write_error(failure: &Failure, head: Option<&Head>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    writer.some("id", head.map(|head| &head.id));
    writer.field("message", &failure.message);
    writer.field("error_type", failure.error_type.as_str());
    writer.some("availability", Availability::json(failure).as_ref());
    writer.close();
    out
}

/// What an event says that ends a failed reply.
pub(super) fn ending(failure: &Failure) -> Json {
    let reason = match failure.error_type {
        ErrorType::Timeout => "TIMEOUT",
        _ => REASONS.write(FinishReason::Error, None),
    };
    object(|writer| {
        writer.field("error", &failure.message);
        writer.field("finish_reason", reason);
        writer.field("error_type", failure.error_type.as_str());
        writer.some("availability", Availability::json(failure).as_ref());
    })
}
