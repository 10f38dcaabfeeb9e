//! One candidate of Gemini's replies: its parts, its end, and what it rests on.

use serde_json::json;
use serde_json::value::RawValue;

use crate::chunk::{Delta, FinishReason, ReasoningDetail, ReasoningKind};
use crate::error::ReadError;
use crate::json::Json;

use super::fields::{Fields, under};
use super::grounding::{self, Said};
use super::partial_args::OpenCall;
use super::{FORMAT, MADE_ID, NAME, finish, logprobs};

/// What must be remembered of a choice from event to event.
pub(super) struct ChoiceReader {
    number: u16,
    id_stem: String,
    /// The words so far: citations count in them.
    text: String,
    call_count: u16,
    open: Option<OpenCall>,
    /// The next reasoning block's index, and whether the last one is a thought that may go on.
    next_block: u32,
    is_thinking: bool,
    finished: Option<FinishReason>,
    searches: u64,
    /// Metadata that waits for the end, when all that it refers to has been said.
    grounds: Vec<(&'static str, Json)>,
    cited: Vec<Json>,
    seen: Vec<(String, Json)>,
}

impl ChoiceReader {
    /// A choice that begins.
    pub(super) fn new(number: u16, id_stem: &str) -> Self {
        Self {
            number,
            id_stem: id_stem.to_owned(),
            text: String::new(),
            call_count: 0,
            open: None,
            next_block: 0,
            is_thinking: false,
            finished: None,
            searches: 0,
            grounds: Vec::new(),
            cited: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Whether its finish reason was seen.
    pub(super) fn is_done(&self) -> bool {
        self.finished.is_some()
    }

    /// How often the model searched for it.
    pub(super) fn searches(&self) -> u64 {
        self.searches
    }

    /// Reads the next piece of the candidate. `false` when it held a piece of a call.
    pub(super) fn read(
        &mut self,
        candidate: &Fields<'_>,
        deltas: &mut Vec<Delta>,
    ) -> Result<bool, ReadError> {
        let mut is_whole = true;
        let content = candidate.object("content")?;
        if let Some(content) = &content {
            for (at, raw) in
                content.list("parts").map_err(|error| under(error, "content"))?.iter().enumerate()
            {
                let here = |error| under(error, &format!("content.parts[{at}]"));
                let part = Fields::parse(raw.get()).map_err(here)?;
                is_whole &= self.part(&part, raw, deltas).map_err(here)?;
            }
        }
        for key in ["groundingMetadata", "citationMetadata"] {
            // Google sends an empty one with events that have nothing to cite.
            if let Some(raw) = candidate.raw(key).filter(|raw| raw.get() != "{}") {
                self.grounds.push((key, raw.into()));
            }
        }
        deltas.extend(logprobs::read(candidate, self.number)?);
        for (key, raw) in candidate.others(&CANONICAL) {
            self.keep(key, raw.into(), deltas);
        }
        let native = candidate.text("finishReason")?;
        if native.is_some() || self.is_done() {
            self.cite(content.as_ref(), deltas)?;
        }
        if let Some(native) = native {
            is_whole &= self.open.is_none();
            self.complete(deltas);
            self.end(native, deltas);
        }
        Ok(is_whole)
    }

    fn part(
        &mut self,
        part: &Fields<'_>,
        whole: &RawValue,
        deltas: &mut Vec<Delta>,
    ) -> Result<bool, ReadError> {
        let signature = part.text("thoughtSignature")?;
        let is_thought = part.flag("thought")?.unwrap_or(false);
        if let Some(call) = part.object("functionCall")? {
            let here = |error| under(error, "functionCall");
            return self.call(&call, signature, deltas).map_err(here);
        }
        if let Some(text) = part.text("text")? {
            if is_thought {
                self.thought(text, signature, deltas);
                return Ok(true);
            }
            if !text.is_empty() {
                self.is_thinking = false;
                self.text.push_str(&text);
                deltas.push(Delta::Text { choice: self.number, text });
            }
        } else if let Some(media) = media(part, self.number, &self.id_stem)?.filter(|_| !is_thought)
        {
            deltas.push(media);
        } else {
            // The signature stays in the part.
            let known = ["thought", "thoughtSignature"];
            if let Some((key, _)) = part.others(&known).next() {
                let (choice, kind) = (Some(self.number), format!("{NAME}.{key}"));
                deltas.push(Delta::Other { choice, kind, json: whole.into() });
                return Ok(true);
            }
        }
        if let Some(data) = signature {
            self.sign(data, None, deltas);
        }
        Ok(true)
    }

    fn thought(&mut self, text: String, signature: Option<String>, deltas: &mut Vec<Delta>) {
        if text.is_empty() && signature.is_none() {
            return;
        }
        if !self.is_thinking {
            self.next_block = self.next_block.saturating_add(1);
        }
        // A signature completes the block.
        self.is_thinking = signature.is_none();
        let detail = Some(ReasoningDetail {
            format: Some(FORMAT.to_owned()),
            index: self.next_block.checked_sub(1),
            signature,
            ..ReasoningDetail::default()
        });
        deltas.push(Delta::Reasoning { choice: self.number, text, detail });
    }

    fn sign(&mut self, data: String, id: Option<String>, deltas: &mut Vec<Delta>) {
        let detail = Some(ReasoningDetail {
            kind: ReasoningKind::Encrypted,
            id,
            format: Some(FORMAT.to_owned()),
            index: Some(self.next_block),
            data: Some(data),
            ..ReasoningDetail::default()
        });
        self.next_block = self.next_block.saturating_add(1);
        self.is_thinking = false;
        deltas.push(Delta::Reasoning { choice: self.number, text: String::new(), detail });
    }

    fn call(
        &mut self,
        call: &Fields<'_>,
        signature: Option<String>,
        deltas: &mut Vec<Delta>,
    ) -> Result<bool, ReadError> {
        let name = call.text("name")?.filter(|name| !name.is_empty());
        let goes_on = call.flag("willContinue")?.unwrap_or(false);
        let is_piece = goes_on || call.raw("partialArgs").is_some();
        let args = call.raw("args");
        let Some(name) = name else {
            if self.open.is_none() && (is_piece || args.is_some()) {
                return Err(ReadError::new("name", "the function's name", "nothing"));
            }
            self.sign_open(signature, deltas);
            return self.go_on(call, goes_on, deltas).map(|()| false);
        };
        if self.open.as_ref().is_some_and(|open| open.name == name) && args.is_none() && is_piece {
            self.sign_open(signature, deltas);
            return self.go_on(call, goes_on, deltas).map(|()| false);
        }
        let was_open = self.open.is_some();
        self.complete(deltas);
        self.is_thinking = false;
        let index = self.call_count;
        self.call_count = index.saturating_add(1);
        let id = call.text("id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| self.id_of(index));
        if let Some(data) = signature {
            self.sign(data, Some(id.clone()), deltas);
        }
        call.object("args")?;
        if is_piece {
            self.open = Some(OpenCall::new(index, id, name, args)?);
            return self.go_on(call, goes_on, deltas).map(|()| false);
        }
        deltas.push(Delta::ToolCall {
            choice: self.number,
            index,
            id: Some(id),
            name: Some(name),
            arguments: args.map_or("{}", |args| args.get()).to_owned(),
        });
        Ok(!was_open)
    }

    /// A signature on a later piece of a call is the call's as well.
    fn sign_open(&mut self, signature: Option<String>, deltas: &mut Vec<Delta>) {
        if let Some(data) = signature {
            let id = self.open.as_ref().map(|open| open.id.clone());
            self.sign(data, id, deltas);
        }
    }

    fn go_on(
        &mut self,
        call: &Fields<'_>,
        goes_on: bool,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        if let Some(open) = &mut self.open {
            open.take(call)?;
        }
        if !goes_on {
            self.complete(deltas);
        }
        Ok(())
    }

    /// Tells the call that was open.
    fn complete(&mut self, deltas: &mut Vec<Delta>) {
        let Some(open) = self.open.take() else { return };
        deltas.push(Delta::ToolCall {
            choice: self.number,
            index: open.index,
            arguments: open.arguments(),
            id: Some(open.id),
            name: Some(open.name),
        });
    }

    fn id_of(&self, index: u16) -> String {
        match self.number {
            0 => format!("{MADE_ID}{}_{index}", self.id_stem),
            number => format!("{MADE_ID}{}_{number}_{index}", self.id_stem),
        }
    }

    fn end(&mut self, native: String, deltas: &mut Vec<Delta>) {
        let reason = finish::read(&native, self.call_count > 0);
        // Some models repeat it in every event.
        if self.finished != Some(reason) {
            self.finished = Some(reason);
            deltas.push(Delta::Finish { choice: self.number, reason, native: Some(native) });
        }
    }

    /// Tells what the metadata that came so far refers to, and keeps it whole.
    fn cite(
        &mut self,
        content: Option<&Fields<'_>>,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        if self.grounds.is_empty() {
            return Ok(());
        }
        let parts = content.map_or(Ok(Vec::new()), said)?;
        for (key, json) in std::mem::take(&mut self.grounds) {
            let here = |error| under(error, key);
            let fields = Fields::parse(json.as_str()).map_err(here)?;
            let said = Said { whole: &self.text, parts: &parts };
            let citations = if key == "groundingMetadata" {
                let searches = grounding::searches(&fields).map_err(here)?;
                self.searches = self.searches.max(u64::try_from(searches).unwrap_or(u64::MAX));
                grounding::citations(&fields, said)
            } else {
                grounding::recitations(&fields, said)
            };
            for json in citations.map_err(here)? {
                if !self.cited.contains(&json) {
                    self.cited.push(json.clone());
                    deltas.push(Delta::Annotation { choice: self.number, json });
                }
            }
            self.keep(key, json, deltas);
        }
        Ok(())
    }

    /// Keeps a field of the candidate as it came, once.
    fn keep(&mut self, key: &str, json: Json, deltas: &mut Vec<Delta>) {
        match self.seen.iter_mut().find(|(known, _)| known == key) {
            Some((_, last)) if *last == json => return,
            Some((_, last)) => last.clone_from(&json),
            None => self.seen.push((key.to_owned(), json.clone())),
        }
        let kind = format!("{NAME}.{CANDIDATE}{key}");
        deltas.push(Delta::Other { choice: Some(self.number), kind, json });
    }
}

/// The words of each part, nothing for the parts that say none.
fn said(content: &Fields<'_>) -> Result<Vec<String>, ReadError> {
    let mut texts = Vec::new();
    for part in content.objects("parts")? {
        let is_said = !part.flag("thought")?.unwrap_or(false);
        texts.push(part.text("text")?.filter(|_| is_said).unwrap_or_default());
    }
    Ok(texts)
}

/// A picture or a piece of sound.
fn media(part: &Fields<'_>, choice: u16, id_stem: &str) -> Result<Option<Delta>, ReadError> {
    let Some(blob) = part.object("inlineData")? else { return Ok(None) };
    let here = |error| under(error, "inlineData");
    let mime = blob.text("mimeType").map_err(here)?.unwrap_or_default();
    let data = blob.text("data").map_err(here)?.unwrap_or_default();
    Ok(if mime.starts_with("image/") {
        let url = format!("data:{mime};base64,{data}");
        let json = Json::of(&json!({"type": "image_url", "image_url": {"url": url}}));
        Some(Delta::Image { choice, json })
    } else if mime.starts_with("audio/") {
        let id = format!("audio_{id_stem}");
        let json = Json::of(&json!({"id": id, "data": data, "mime_type": mime}));
        Some(Delta::Audio { choice, json })
    } else {
        None
    })
}

/// Begins the kinds of what stands beside a candidate's content.
pub(super) const CANDIDATE: &str = "candidate.";

/// What is read into deltas.
const CANONICAL: [&str; 6] =
    ["content", "finishReason", "index", "groundingMetadata", "citationMetadata", logprobs::NAME];
