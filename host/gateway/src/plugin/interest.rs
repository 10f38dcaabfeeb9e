//! The deltas that a plugin wants, as bits: what is not wanted never enters the sandbox.

use wire::Delta;

use super::bindings::types::Interest;

/// A delta's bit, in the order of `interest`.
pub(super) fn bit(delta: &Delta) -> u16 {
    match delta {
        Delta::Role { .. } => 1,
        Delta::Text { .. } => 1 << 1,
        Delta::Reasoning { .. } => 1 << 2,
        Delta::ToolCall { .. } => 1 << 3,
        Delta::Refusal { .. } => 1 << 4,
        Delta::Annotation { .. } => 1 << 5,
        Delta::Image { .. } => 1 << 6,
        Delta::Audio { .. } => 1 << 7,
        Delta::Finish { .. } => FINISH,
        Delta::Usage(_) => 1 << 9,
        Delta::Other { .. } => 1 << 10,
    }
}

/// What a plugin wants, in bits as [`bit`] has them.
pub(super) fn bits(interest: Interest) -> u16 {
    use Interest as I;
    let order = [
        I::ROLE,
        I::TEXT,
        I::REASONING,
        I::TOOL_CALL,
        I::REFUSAL,
        I::ANNOTATION,
        I::IMAGE,
        I::AUDIO,
        I::FINISH,
        I::USAGE,
        I::OTHER,
    ];
    let wanted = order.into_iter().zip(0_u16..).filter(|(flag, _)| interest.contains(*flag));
    wanted.fold(0, |bits, (_, place)| bits | 1 << place)
}

/// A choice's end always matters: it is when `finish` is called.
pub(super) const FINISH: u16 = 1 << 8;
