//! The deeds that lie in what a hook gives back.

use patchbay_sdk::{
    Delta, Error, Field, Function, JsonDelta, OtherDelta, Rejection, Request, Tool, Usage, Verdict,
    system,
};

use crate::act::Act;

/// What a stream hook gives back; a request hook answers or rejects with the same.
pub(crate) fn verdict(act: Act, status: u16) -> Result<Verdict, Error> {
    Ok(match act {
        Act::Hold => Verdict::Hold,
        Act::Huge => emit(Delta::text(0, "x".repeat(HUGE_BYTES))),
        Act::Many => Verdict::Emit(vec![Delta::text(0, ""); MANY]),
        Act::Stray => emit(Delta::text(u16::MAX, "stray")),
        Act::Utf8 => emit(Delta::text(0, no_text())),
        Act::Deep => emit(Delta::Annotation(JsonDelta { choice: 0, json: deep() })),
        Act::DeepOther => emit(Delta::Other(OtherDelta {
            choice: Some(0),
            kind: "openai-chat.deep".into(),
            json: deep(),
        })),
        Act::DeepMetadata => Verdict::Stop(Rejection {
            status: 403,
            message: "deep".into(),
            metadata: vec![field("deep", deep())],
            retry_after_ms: None,
        }),
        Act::Usage => {
            emit(Delta::Usage(Usage { prompt: Some(0), completion: Some(0), ..Usage::default() }))
        }
        Act::Status | Act::AfterStop => Verdict::Stop(Rejection {
            status: if act == Act::Status { status } else { 403 },
            message: "rejected on purpose".into(),
            metadata: vec![
                field("reasons", r#"["violence"]"#),
                field("flagged_input", r#""a word""#),
                field("plugin", r#""somebody else""#),
            ],
            retry_after_ms: Some(2500),
        }),
        Act::Coin => emit(Delta::text(0, format!("{:?}", system::random_bytes(8)))),
        _ => Verdict::Pass,
    })
}

/// The request in the place of the client's, where that is the deed.
pub(crate) fn request(act: Act, mut request: Request) -> Option<Request> {
    match act {
        Act::DeepExtra => request.extra.push(field("deep", deep())),
        Act::DeepTool => request.tools.push(Tool::Function(Function {
            name: "deep".into(),
            description: None,
            parameters: Some(deep()),
            strict: None,
            cache_control: None,
        })),
        _ => return None,
    }
    Some(request)
}

fn emit(delta: Delta) -> Verdict {
    Verdict::Emit(vec![delta])
}

fn field(name: &str, value: impl Into<String>) -> Field {
    Field { name: name.into(), value: value.into() }
}

/// JSON that takes a stack of its own to read.
fn deep() -> String {
    "[".repeat(DEPTH) + &"]".repeat(DEPTH)
}

/// A string that is none.
#[expect(unsafe_code, reason = "that is the deed: the ABI takes any bytes for text")]
fn no_text() -> String {
    // SAFETY: nothing here looks at the characters; the bytes leave the plugin as they are.
    unsafe { String::from_utf8_unchecked(vec![b'a', 0xff, 0xfe, 0xc0, 0x80, b'z']) }
}

const DEPTH: usize = 100_000;
const HUGE_BYTES: usize = 64 << 20;
const MANY: usize = 1_000_000;
