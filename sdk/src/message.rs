//! Builds messages and reads their texts.

use crate::{
    Content, Media, MediaData, MediaKind, Message, Part, Role, ToolResult, ToolResultPart,
};

impl Message {
    /// A message of one text.
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self { role, name: None, parts: vec![Part::text(text)], extra: Vec::new() }
    }

    /// What the operator or the plugin tells the model.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, text)
    }

    /// What a person says.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, text)
    }

    /// What the model said.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, text)
    }

    /// What a tool gave for the call with this id.
    pub fn tool(call_id: &str, text: impl Into<String>) -> Self {
        let parts = vec![ToolResultPart::Text(text.into())];
        let result = ToolResult { call_id: call_id.into(), parts, is_error: false };
        let part = Part::new(Content::ToolResult(result));
        Self { role: Role::Tool, name: None, parts: vec![part], extra: Vec::new() }
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Its texts, joined. Those inside tool results are not the message's own.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match &part.content {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// Every text in it, those inside tool results too. Reasoning is not among them: providers
    /// want it back as it was.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.parts.iter_mut().flat_map(|part| match &mut part.content {
            Content::Text(text) => vec![text],
            Content::ToolResult(result) => {
                let texts = result.parts.iter_mut().filter_map(|part| match part {
                    ToolResultPart::Text(text) => Some(text),
                    ToolResultPart::Media(_) | ToolResultPart::Other(_) => None,
                });
                texts.collect()
            }
            _ => Vec::new(),
        })
    }
}

impl Part {
    /// A part of a message.
    pub fn new(content: Content) -> Self {
        Self { content, cache_control: None }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Text(text.into()))
    }

    /// A picture at an http(s) address.
    pub fn image_url(url: &str) -> Self {
        let data = MediaData::Url(url.into());
        Self::new(Content::Media(Media { kind: MediaKind::Image, data, name: None, detail: None }))
    }
}
