//! Between `wire` and the guest: lowering borrows, so the only copy is the one into the guest's
//! memory; lifting checks, because a guest may return anything.

mod delta;
mod replaced;
mod request;

pub(super) use delta::{lift_delta, lower_delta, lower_finish, lower_usage, size_of};
pub(super) use replaced::{Host, lift_request, size_of_request};
pub(super) use request::lower_request;

use super::bindings::types as wit;
use super::bindings::types::{FieldResult, ReasoningDetailParam, ReasoningDetailResult};
use super::fault::{Failed, Fault};

/// Checks JSON text that a guest returned; `place` is where it stood.
pub(super) fn lift_json(text: String, place: &str) -> Result<wire::Json, Failed> {
    wire::Json::parse(text)
        .map_err(|error| Failed::new(Fault::Error, format!("{place} is not JSON: {error}")))
}

/// Checks a list of fields.
pub(super) fn lift_fields(
    fields: Vec<FieldResult>,
    place: &str,
) -> Result<Vec<(String, wire::Json)>, Failed> {
    let field = |field: FieldResult| Ok((field.name, lift_json(field.value, place)?));
    fields.into_iter().map(field).collect()
}

fn lower_role(role: wire::Role) -> wit::Role {
    match role {
        wire::Role::System => wit::Role::System,
        wire::Role::Developer => wit::Role::Developer,
        wire::Role::User => wit::Role::User,
        wire::Role::Assistant => wit::Role::Assistant,
        wire::Role::Tool => wit::Role::Tool,
    }
}

fn lift_role(role: wit::Role) -> wire::Role {
    match role {
        wit::Role::System => wire::Role::System,
        wit::Role::Developer => wire::Role::Developer,
        wit::Role::User => wire::Role::User,
        wit::Role::Assistant => wire::Role::Assistant,
        wit::Role::Tool => wire::Role::Tool,
    }
}

fn lower_detail(detail: &wire::ReasoningDetail) -> ReasoningDetailParam<'_> {
    ReasoningDetailParam {
        kind: match detail.kind {
            wire::ReasoningKind::Text => wit::ReasoningKind::Text,
            wire::ReasoningKind::Summary => wit::ReasoningKind::Summary,
            wire::ReasoningKind::Encrypted => wit::ReasoningKind::Encrypted,
        },
        id: detail.id.as_deref(),
        format: detail.format.as_deref(),
        index: detail.index,
        signature: detail.signature.as_deref(),
        data: detail.data.as_deref(),
    }
}

fn lift_detail(detail: ReasoningDetailResult) -> wire::ReasoningDetail {
    wire::ReasoningDetail {
        kind: match detail.kind {
            wit::ReasoningKind::Text => wire::ReasoningKind::Text,
            wit::ReasoningKind::Summary => wire::ReasoningKind::Summary,
            wit::ReasoningKind::Encrypted => wire::ReasoningKind::Encrypted,
        },
        id: detail.id,
        format: detail.format,
        index: detail.index,
        signature: detail.signature,
        data: detail.data,
    }
}
