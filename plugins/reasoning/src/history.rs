//! Former turns: a client that was shown thoughts inside the text sends them back there, and they
//! cost tokens and mislead the model.

use crate::split::{Settled, Splitter};
use patchbay_sdk::{Content, Request, Role};

/// Takes the thoughts out of the assistant's texts before the user's last message, and says whether
/// there were any. A text that is all thought stays: many upstreams refuse an empty message. So does
/// one with calls, which are the answer there.
pub(crate) fn strip(request: &mut Request, splitter: impl Fn() -> Splitter) -> bool {
    let last = request.messages.iter().rposition(|message| message.role == Role::User);
    let former = request.messages.iter_mut().take(last.unwrap_or_default());
    let mut is_changed = false;
    for message in former.filter(|message| message.role == Role::Assistant) {
        for part in &mut message.parts {
            let Content::Text(text) = &mut part.content else { continue };
            if let Some(answer) = answer(text, splitter()) {
                *text = answer;
                is_changed = true;
            }
        }
    }
    is_changed
}

/// The text without its thoughts, if it has any.
fn answer(text: &str, mut splitter: Splitter) -> Option<String> {
    if splitter.passes(text) {
        return None;
    }
    splitter.push(text);
    splitter.end();
    let mut answer = String::new();
    while let Some(piece) = splitter.take() {
        match piece {
            Settled::Thought(_) => {}
            Settled::Answer(piece) => answer.push_str(&piece),
            Settled::Call(_) | Settled::Arguments(_) => return None,
        }
    }
    (!answer.trim().is_empty() && answer != text).then_some(answer)
}
