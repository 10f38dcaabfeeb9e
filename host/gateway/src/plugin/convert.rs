//! Between `wire` and the guest: lowering borrows, so the only copy is the one into the guest's
//! memory; lifting checks, because a guest may return anything.

mod answer;
mod controls;
mod delta;
mod replaced;
mod request;

pub(super) use answer::message_of;
pub(super) use controls::take as take_controls;
pub(super) use delta::{lift_delta, lower_delta, lower_finish, lower_usage, size_of};
pub(crate) use replaced::size_of_request;
pub(super) use replaced::{Host, lift_function, lift_own_part, lift_request, size_of_content};
pub(super) use request::lower_request;

use super::bindings::types as wit;
use super::bindings::types::{FieldResult, ReasoningDetailParam, ReasoningDetailResult};
use super::fault::{Failed, Fault};

/// Checks JSON text that a guest returned; `place` is where it stood.
pub(super) fn lift_json(text: String, place: &str) -> Result<wire::Json, Failed> {
    let wrong = |what: String| Failed::new(Fault::Error, format!("{place} {what}"));
    if depth(&text) > DEPTH_MAX {
        return Err(wrong(format!("is JSON that nests more than {DEPTH_MAX} times")));
    }
    wire::Json::parse(text).map_err(|error| wrong(format!("is not JSON: {error}")))
}

/// How often lists and objects stand within each other. What is no JSON has some depth as well.
fn depth(json: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'[' | b'{' if !is_text => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' if !is_text => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
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

/// Readers of JSON, ours and those of clients and upstreams, go a level of their stack deeper each
/// time; this is where most of them give up.
const DEPTH_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_what_nests_and_not_what_only_looks_so() {
        assert_eq!(depth(r#"{"a":[1,{"b":[]}],"c":[]}"#), 4);
        assert_eq!(depth(r#"["[[[", "\"[[", "\\\\"]"#), 1);
        assert_eq!(depth("7"), 0);
        let nested = |times: usize| "[".repeat(times) + &"]".repeat(times);
        assert!(lift_json(nested(DEPTH_MAX), "it").is_ok());
        let failed = lift_json(nested(DEPTH_MAX + 1), "it").unwrap_err();
        assert!(failed.detail.contains("nests"), "{}", failed.detail);
        assert!(lift_json("[".to_owned(), "it").unwrap_err().detail.contains("is not JSON"));
    }
}
