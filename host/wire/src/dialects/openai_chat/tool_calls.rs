//! Which call a streamed piece belongs to. Hosts number calls by index, by id, by both, or not at
//! all; the canonical index counts them in order of first appearance.

use serde_json::value::RawValue;

use super::shape::{Value, count, list, text, word};
use crate::chunk::Delta;
use crate::error::ReadError;
use crate::json::{Json, Object};

/// The calls of one choice so far.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

#[derive(Debug)]
struct Call {
    /// The index the host gave it, if any.
    index: Option<u64>,
    id: Option<String>,
}

/// One piece as the host wrote it.
struct Piece {
    index: Option<u64>,
    id: Option<String>,
    name: Option<String>,
    arguments: String,
}

impl Calls {
    /// Reads the pieces of one event into deltas.
    pub(super) fn read(
        &mut self,
        choice: u16,
        pieces: &RawValue,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        for raw in list(Some(pieces)) {
            let Ok(fields) = Object::parse(raw.get()) else {
                return Err(ReadError::new("tool_calls[]", "an object", raw.get()));
            };
            let Some(function) = fields.field("function") else {
                // A call of another kind (`custom`) has no canonical form.
                deltas.push(Delta::Other {
                    choice: Some(choice),
                    kind: OTHER_CALL.to_owned(),
                    json: Json::from(raw),
                });
                continue;
            };
            let (name, arguments) = read_function(function);
            let (index, id) = (count(fields.field("index")), word(fields.field("id")));
            self.push(choice, Piece { index, id, name, arguments }, deltas)?;
        }
        Ok(())
    }

    /// Reads OpenAI's older form, which knows one call and no id.
    pub(super) fn read_legacy(
        &mut self,
        choice: u16,
        function: &RawValue,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let (name, arguments) = read_function(function);
        self.push(choice, Piece { index: Some(0), id: None, name, arguments }, deltas)
    }

    fn push(
        &mut self,
        choice: u16,
        piece: Piece,
        deltas: &mut Vec<Delta>,
    ) -> Result<(), ReadError> {
        let Piece { index, id, name, arguments } = piece;
        let position = match self.position(index, id.as_deref(), name.is_some()) {
            Some(position) => position,
            None => {
                self.0.push(Call { index, id: None });
                self.0.len() - 1
            }
        };
        let Ok(number) = u16::try_from(position) else {
            return Err(ReadError::new("tool_calls", "at most 65536 calls", "more"));
        };
        let Some(call) = self.0.get_mut(position) else { return Ok(()) };
        // Hosts that repeat the id with every piece exist; only the first one says something.
        let id = id.filter(|_| call.id.is_none());
        if id.is_some() {
            call.id.clone_from(&id);
        }
        if id.is_some() || name.is_some() || !arguments.is_empty() {
            deltas.push(Delta::ToolCall { choice, index: number, id, name, arguments });
        }
        Ok(())
    }

    /// The call that a piece continues; `None` when it begins one.
    fn position(&self, index: Option<u64>, id: Option<&str>, has_name: bool) -> Option<usize> {
        let same_id = || self.0.iter().rposition(|call| id.is_some() && call.id.as_deref() == id);
        if index.is_none() {
            return match id {
                Some(_) => same_id(),
                None if has_name => None,
                None => self.0.len().checked_sub(1),
            };
        }
        let Some(position) = self.0.iter().rposition(|call| call.index == index) else {
            // Hosts exist whose index changes within a call: its id stays, or nothing but more of
            // its arguments comes.
            return match id {
                None if !has_name => self.0.len().checked_sub(1),
                _ => same_id(),
            };
        };
        match (id, self.0.get(position)?.id.as_deref()) {
            // Another id with a name under a used index is another call: hosts exist that number
            // every call 0. Without a name it is a host that makes up an id for each piece.
            (Some(new), Some(old)) if new != old => {
                same_id().or_else(|| (!has_name).then_some(position))
            }
            _ => Some(position),
        }
    }
}

/// A function's name and arguments. The arguments are text that holds JSON; some hosts send the
/// JSON itself.
fn read_function(function: &RawValue) -> (Option<String>, String) {
    let fields = Object::parse(function.get()).unwrap_or_default();
    let arguments: Value<'_> = fields.field("arguments").filter(|raw| raw.get() != "null");
    let read = text(arguments).or_else(|| arguments.map(|raw| raw.get().to_owned()));
    (word(fields.field("name")), read.unwrap_or_default())
}

/// The kind of a call that is no function's.
pub(super) const OTHER_CALL: &str = "openai-chat.tool_call";
