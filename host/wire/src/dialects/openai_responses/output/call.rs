//! Items of tools that the client runs: functions, and those that functions stand for.

use super::{Output, write_fields};
use crate::dialects::openai_chat::emit::Object as Writer;
use crate::dialects::openai_responses::annotation::of_bytes;
use crate::dialects::openai_responses::custom::{self, Kind};
use crate::json::Json;

/// A call that is open.
#[derive(Debug, Default)]
pub(super) struct Call {
    index: u16,
    id: Option<String>,
    name: Option<String>,
    arguments: String,
    /// Once it was told of.
    begun: Option<Begun>,
}

/// What a call that was told of is called.
#[derive(Debug)]
struct Begun {
    place: usize,
    item_id: String,
    call_id: String,
    kind: Option<Kind>,
    fields: Option<Json>,
}

impl Output {
    /// Writes a piece of a call. A call is told of when its name is known.
    pub(super) fn call(
        &mut self,
        index: u16,
        (id, name): (Option<&str>, Option<&str>),
        arguments: &str,
        out: &mut Vec<u8>,
    ) {
        let position = self.calls.iter().position(|call| call.index == index);
        let mut call = match position {
            Some(position) => self.calls.remove(position),
            None => Call { index, ..Call::default() },
        };
        call.id = call.id.take().or_else(|| id.map(str::to_owned));
        call.name = call.name.take().or_else(|| name.map(str::to_owned));
        let is_new = call.begun.is_none();
        if is_new && call.name.is_some() {
            self.begin_call(&mut call, out);
        }
        call.arguments.push_str(arguments);
        let piece = if is_new { call.arguments.as_str() } else { arguments };
        self.call_piece(&call, piece, out);
        self.calls.insert(position.unwrap_or(self.calls.len()), call);
    }

    fn begin_call(&mut self, call: &mut Call, out: &mut Vec<u8>) {
        self.close_open(out);
        let place = self.place();
        let made_up = || format!("call_{}_{}", self.own, call.index);
        let call_id = call.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(made_up);
        let kind = Kind::of_name(&self.custom_tools, call.name.as_deref().unwrap_or_default());
        let item_type = kind.map_or("function_call", Kind::call_type);
        let fields = self.take_fields(item_type, Some(&call_id));
        let prefix = match kind {
            None => "fc",
            Some(Kind::Custom) => "ctc",
            Some(Kind::LocalShell) => "lsh",
        };
        let item_id = self.item_id(prefix, place, fields.as_ref());
        call.begun = Some(Begun { place, item_id, call_id, kind, fields });
        let item = call.json("in_progress", "");
        self.added(place, &item, out);
    }

    /// Only a function's arguments go out as they come: the text inside of a custom tool's is
    /// known when they end.
    fn call_piece(&mut self, call: &Call, piece: &str, out: &mut Vec<u8>) {
        let Some(begun) = call.begun.as_ref().filter(|begun| begun.kind.is_none()) else { return };
        if piece.is_empty() {
            return;
        }
        self.event("response.function_call_arguments.delta", out, |event| {
            event.value("item_id", &begun.item_id);
            event.value("output_index", &begun.place);
            event.value("delta", piece);
        });
    }

    /// Closes a call.
    pub(super) fn close_call(&mut self, mut call: Call, out: &mut Vec<u8>) {
        if call.begun.is_none() {
            self.begin_call(&mut call, out);
            self.call_piece(&call, &call.arguments, out);
        }
        let item = call.json(self.status(), &call.arguments);
        let Some(begun) = &call.begun else { return };
        match begun.kind {
            None => self.event("response.function_call_arguments.done", out, |event| {
                event.value("item_id", &begun.item_id);
                event.value("output_index", &begun.place);
                event.value("name", call.name.as_deref().unwrap_or_default());
                event.value("arguments", &call.arguments);
            }),
            Some(Kind::Custom) => {
                let input = custom::input(&call.arguments);
                for (kind, name) in [("delta", "delta"), ("done", "input")] {
                    let kind = format!("response.custom_tool_call_input.{kind}");
                    self.event(&kind, out, |event| {
                        event.value("item_id", &begun.item_id);
                        event.value("output_index", &begun.place);
                        event.value(name, &input);
                    });
                }
            }
            Some(Kind::LocalShell) => {}
        }
        self.done(begun.place, item, out);
    }
}

impl Call {
    fn json(&self, status: &str, arguments: &str) -> Json {
        let Some(begun) = &self.begun else { return Json::null() };
        let mut out = Vec::new();
        let mut item = Writer::begin(&mut out);
        item.value("id", &begun.item_id);
        item.value("type", begun.kind.map_or("function_call", Kind::call_type));
        item.value("status", status);
        item.value("call_id", &begun.call_id);
        let name = self.name.as_deref().unwrap_or_default();
        match begun.kind {
            None => {
                item.value("name", name);
                item.value("arguments", arguments);
            }
            Some(Kind::Custom) => {
                item.value("name", name);
                item.value("input", &custom::input(arguments));
            }
            Some(Kind::LocalShell) => custom::write_action(arguments, item.key("action")),
        }
        write_fields(begun.fields.as_ref(), &mut item);
        item.end();
        of_bytes(out)
    }
}
