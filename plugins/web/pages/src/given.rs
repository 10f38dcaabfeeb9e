//! What the model of one generation is given of pages, and what the reply may cite of it.

use patchbay_sdk::{Generation, Message, Request, Role, Stream, system};

use crate::cite::Citing;
use crate::fence::Fence;
use crate::source::{Source, Sources, fit_into, room};

/// The marks and the sources of one generation.
#[derive(Debug)]
pub struct Given {
    fence: Fence,
    sources: Sources,
}

impl Given {
    /// Nothing, yet.
    pub fn new(generation: &Generation) -> Self {
        let fence = Fence::new(&generation.id(), system::unix_ms());
        Self { fence, sources: Sources::default() }
    }

    /// A source that the reply may cite from now on.
    pub fn add(&self, source: &Source) {
        self.sources.add(source);
    }

    /// Sources as they stand in a prompt, as long as there is room for beside `input` bytes of text.
    /// The reply may cite them from now on.
    pub fn write(&self, mut sources: Vec<Source>, input: usize) -> String {
        fit_into(&mut sources, room(input));
        sources.iter().for_each(|source| self.add(source));
        self.fence.write(&sources)
    }

    /// A choice that cites what was given. Without any source it need not look, unless a tool may
    /// bring some.
    pub fn stream(&self, choice: u16, has_tool: bool) -> Box<dyn Stream> {
        let is_idle = self.sources.is_empty() && !has_tool;
        Box::new(Citing::new(choice, &self.sources, is_idle))
    }
}

/// How many bytes of text a request has.
pub fn text_bytes(request: &mut Request) -> usize {
    request.texts_mut().map(|(_, text)| text.len()).sum()
}

/// Says something to the model right before what the user said last.
pub fn say(request: &mut Request, text: String) {
    let is_users = |message: &Message| message.role == Role::User;
    let place = request.messages.iter().rposition(is_users).unwrap_or_default();
    request.messages.insert(place, Message::system(text));
}
