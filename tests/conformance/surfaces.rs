//! Every surface in its own words: `surfaces/<surface>/` says where it is and what a client sends.
//! A reply is read with the reader of the surface's dialect, so that what was said can be compared
//! with what the upstream said, whatever the two dialects are; and every body and event is held
//! against the operation's schema.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use wire::{Chunk, Dialect, Reply};

use crate::harness::http;
use crate::matrix::{Matrix, Outcome, Place};
use crate::schema::Schemas;
use crate::stage::{Stage, expected};
use crate::upstream::{DIALECTS, folder, reasons, text};

#[tokio::test]
async fn every_surface_works_with_every_upstream() {
    let stage = Stage::set().await;
    let mut matrix = Matrix::new("surface x upstream dialect x feature", FEATURES);
    for name in DIALECTS {
        let surface = Surface::read(name, &stage).await;
        for upstream in &stage.upstreams {
            for (feature, modes) in FEATURES {
                for streamed in *modes {
                    let place = Place::new(name, feature, upstream.dialect, *streamed);
                    let obstacle = surface.obstacle(&place);
                    let outcome = match obstacle.or_else(|| upstream.obstacle(feature)) {
                        Some(why) => Outcome::No(why),
                        None => match surface.tries(&stage, &place).await {
                            Ok(()) => Outcome::Good,
                            Err(why) => Outcome::Failed(why),
                        },
                    };
                    matrix.set(place, outcome);
                }
            }
        }
    }
    matrix.settle();
}

/// What is asked of a surface.
const FEATURES: &[(&str, &[bool])] = &[
    ("chat", &[false, true]),
    ("tools", &[false, true]),
    ("structured", &[false, true]),
    ("reasoning", &[false, true]),
    ("image", &[false, true]),
    ("file", &[false, true]),
    ("error", &[false, true]),
];

/// One surface.
struct Surface {
    name: &'static str,
    about: About,
    no: BTreeMap<String, String>,
    /// Why it can't be asked at all.
    missing: Option<String>,
    schemas: Option<Schemas>,
}

/// `surface.json`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    /// The path, with `{model}` where the dialect has the model in it.
    path: String,
    /// The path of a streamed reply, where that is how it is asked for; otherwise it is a field.
    stream_path: Option<String>,
    /// Where a request's turns are, as a JSON pointer.
    turns: String,
}

impl Surface {
    async fn read(name: &'static str, stage: &Stage) -> Self {
        let folder = folder("surfaces").join(name);
        let about: About = serde_json::from_str(&text(&folder.join("surface.json"))).unwrap();
        let no = reasons(&folder);
        let path = about.path.replace("{model}", "openai-chat/chat");
        let missing = match wire::dialect(name) {
            Some(_) => stage.obstacle(&path).await,
            None => Some(format!("the gateway has no dialect {name} yet")),
        };
        Self { name, about, no, missing, schemas: Schemas::read(name) }
    }

    fn obstacle(&self, place: &Place) -> Option<String> {
        let of_both = self.no.get(&format!("{} {}", place.feature, place.upstream));
        of_both
            .or_else(|| self.no.get(&place.feature))
            .or_else(|| self.no.get(&place.upstream))
            .cloned()
            .or_else(|| self.missing.clone())
    }

    /// One cell; an error is what was wrong.
    async fn tries(&self, stage: &Stage, place: &Place) -> Result<(), String> {
        let expected = expected();
        let mut request = self.json(place, "request.json").expect("every feature has a request");
        if place.feature == "error" {
            let (status, body) = self.post(stage, place, &request, place.streamed).await;
            same(&status, &429, "the status")?;
            let failure = self.dialect().read_error(status, &body);
            let wanted = expected["error"]["message"].as_str().unwrap();
            if !failure.message.contains(wanted) {
                return Err(format!("the message is {:?}", failure.message));
            }
            return self.holds("error", &body);
        }
        let wanted = &expected[&place.feature];
        let said = self.asks(stage, place, &request, place.streamed).await?;
        let Some(again) = self.json(place, "again.json") else {
            let text = said.choices.first().map(|choice| choice.text.as_str()).unwrap_or_default();
            let text = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
            let wanted =
                if place.feature == "structured" { &wanted["json"] } else { &wanted["text"] };
            same(&text, wanted, "the text")?;
            return self.ends(&said, wire::FinishReason::Stop);
        };
        self.calls(&said, place, &expected)?;
        // What goes back is taken from a reply that was not streamed: clients put streams together
        // each in its own way, and have a matrix of their own.
        let (_, first) = self.post(stage, place, &request, false).await;
        let first = serde_json::from_slice(&first).map_err(|error| error.to_string())?;
        let turns = request.pointer_mut(&self.about.turns).and_then(Value::as_array_mut).unwrap();
        for turn in again.as_array().unwrap() {
            match filled(turn, &first) {
                Value::Array(several) => turns.extend(several),
                one => turns.push(one),
            }
        }
        let said = self.asks(stage, place, &request, place.streamed).await?;
        let text = said.choices.first().map(|choice| choice.text.as_str()).unwrap_or_default();
        same(&Value::from(text), &wanted["text"], "the text at last")?;
        self.ends(&said, wire::FinishReason::Stop)
    }

    fn calls(&self, said: &Reply, place: &Place, expected: &Value) -> Result<(), String> {
        let choice = said.choices.first().ok_or("no choice")?;
        let [call] = choice.tool_calls.as_slice() else {
            return Err(format!("the calls are {:?}", choice.tool_calls));
        };
        same(&Value::from(call.name.as_str()), &expected["tools"]["name"], "the tool")?;
        let arguments: Value = serde_json::from_str(&call.arguments).map_err(|e| e.to_string())?;
        same(&arguments, &expected["tools"]["arguments"], "the arguments")?;
        if place.feature == "reasoning" {
            let thought: String = choice.reasoning.iter().map(|(text, _)| text.as_str()).collect();
            same(&Value::from(thought), &expected["reasoning"]["thought"], "the thought")?;
        }
        self.ends(said, wire::FinishReason::ToolCalls)
    }

    fn ends(&self, said: &Reply, reason: wire::FinishReason) -> Result<(), String> {
        let finish = said.choices.first().and_then(|choice| choice.finish.as_ref());
        same(&finish.map(|(reason, _)| *reason), &Some(reason), "the finish")?;
        let expected = &expected()["usage"];
        let counts = [("prompt", said.usage.prompt), ("completion", said.usage.completion)];
        for (kind, count) in counts {
            same(&count, &expected[kind].as_u64(), &format!("the count of {kind} tokens"))?;
        }
        Ok(())
    }

    /// Asks and reads the reply; what was sent is checked on the way.
    async fn asks(
        &self,
        stage: &Stage,
        place: &Place,
        request: &Value,
        streamed: bool,
    ) -> Result<Reply, String> {
        let (status, body) = self.post(stage, place, request, streamed).await;
        if status != 200 {
            return Err(format!("answered {status}: {}", String::from_utf8_lossy(&body)));
        }
        if !streamed {
            self.holds("reply", &body)?;
            let chunks = self.dialect().read_reply(&body);
            return Ok(Reply::fold(&chunks.map_err(|error| format!("{error:?}"))?));
        }
        let mut frames = self.dialect().framing().reader(1 << 20);
        let mut reader = self.dialect().read_stream();
        let mut chunks: Vec<Chunk> = Vec::new();
        frames.push(body);
        while let Some(event) = frames.next_event().or_else(|| frames.finish()) {
            let event = event.map_err(|error| format!("{error:?}"))?;
            if event.data.starts_with(b"{") {
                self.holds("event", &event.data)?;
            }
            let read = reader.read(&event, &mut chunks);
            read.map_err(|error| format!("{error:?}"))?;
        }
        match reader.is_done() {
            true => Ok(Reply::fold(&chunks)),
            false => Err("the stream has no end".to_owned()),
        }
    }

    async fn post(
        &self,
        stage: &Stage,
        place: &Place,
        request: &Value,
        streamed: bool,
    ) -> (u16, Bytes) {
        let path = match &self.about.stream_path {
            Some(path) if streamed => path,
            _ => &self.about.path,
        };
        let path = path.replace("{model}", &format!("{}/{}", place.upstream, place.feature));
        let mut request = request.clone();
        if self.about.stream_path.is_none() {
            request["stream"] = streamed.into();
        }
        let call = http().post(format!("{}{path}", stage.gateway.url));
        let call = call.bearer_auth(&stage.gateway.key).header("content-type", "application/json");
        let response = call.body(request.to_string()).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.bytes().await.unwrap())
    }

    fn holds(&self, kind: &str, body: &[u8]) -> Result<(), String> {
        self.schemas.as_ref().map_or(Ok(()), |schemas| schemas.check(kind, body))
    }

    /// A file of a feature, its `$…` filled in.
    fn json(&self, place: &Place, file: &str) -> Option<Value> {
        let path = folder("surfaces").join(self.name).join(&place.feature).join(file);
        let expected = expected();
        let word = |pointer: &str| expected.pointer(pointer).and_then(Value::as_str).unwrap();
        let filled = path.exists().then(|| text(&path))?;
        let filled = filled
            .replace("$MODEL", &format!("{}/{}", place.upstream, place.feature))
            .replace("$PNG", word("/image/base64"))
            .replace("$PDF", word("/file/base64"))
            .replace("$RESULT", word("/tools/result"));
        Some(serde_json::from_str(&filled).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    }

    fn dialect(&self) -> &'static dyn Dialect {
        wire::dialect(self.name).expect("it was looked for")
    }
}

/// A turn with every `{"$reply": ["/pointer", …]}` replaced by what the reply has there; of several
/// the first one that there is, for what stands before a call differs.
fn filled(turn: &Value, reply: &Value) -> Value {
    match turn {
        Value::Object(fields) => match fields.get("$reply").and_then(Value::as_array) {
            Some(pointers) => {
                let mut found = pointers.iter().filter_map(|one| reply.pointer(one.as_str()?));
                found.next().cloned().unwrap_or_default()
            }
            None => fields.iter().map(|(key, value)| (key.clone(), filled(value, reply))).collect(),
        },
        Value::Array(items) => items.iter().map(|item| filled(item, reply)).collect(),
        other => other.clone(),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, wanted: &T, what: &str) -> Result<(), String> {
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{what} is {found:?}, not {wanted:?}")),
    }
}
