//! The same conversation with tools, served by upstreams of three dialects, is the same to a chat
//! client, streamed and not; and each upstream is asked in its own words.

use serde_json::{Value, json};

use crate::conversation::{SIGNATURE, Turn, Upstream};
use crate::harness::{Double, Gateway};
use crate::told::{Call, Counts, Told};

const ASKS: Turn = Turn {
    thought: "Two places, so two calls.",
    text: "I’ll look at both.",
    calls: &[
        ("call_a", "tide", r#"{"port":"Oostende","days":2}"#),
        ("call_b", "weather", r#"{"town":"Zürich"}"#),
    ],
};

const ANSWERS: Turn =
    Turn { thought: "Now I know.", text: "High tide at 09:40; Zürich is sunny.", calls: &[] };

#[tokio::test]
async fn every_dialect_gives_the_same_reply_streamed_and_not() {
    let stage = Stage::set().await;
    for stream in [false, true] {
        for upstream in Upstream::ALL {
            let context = format!("{upstream:?}, stream: {stream}");
            let [asked, answered] = stage.converse(upstream, stream).await;
            assert_eq!(canonical(&asked), expected(&ASKS, "tool_calls"), "{context}");
            assert_eq!(canonical(&answered), expected(&ANSWERS, "stop"), "{context}");
            assert_eq!(asked.details, details(upstream, &ASKS, &asked), "{context}");
            assert_eq!(answered.details, details(upstream, &ANSWERS, &answered), "{context}");
        }
    }
}

#[tokio::test]
async fn every_upstream_is_asked_in_its_own_words() {
    let stage = Stage::set().await;
    for upstream in Upstream::ALL {
        for stream in [false, true] {
            let [asked, _] = stage.converse(upstream, stream).await;
            let log = stage.double.log(upstream.name()).await;
            let turns = log.as_array().unwrap();
            let [.., first, last] = turns.as_slice() else { panic!("{log}") };
            let (path, streams) = place(upstream, stream);
            for (turn, wanted) in [(first, opening(upstream)), (last, second(upstream, &asked))] {
                assert_eq!(turn["path"], path);
                let mut body = turn["body"].clone();
                let stream = body.as_object_mut().unwrap().remove("stream");
                assert_eq!(stream, streams, "{upstream:?}");
                assert_eq!(body, wanted, "{upstream:?}: {body:#}");
            }
        }
    }
}

/// A gateway with a model per dialect.
struct Stage {
    gateway: Gateway,
    double: Double,
}

impl Stage {
    async fn set() -> Self {
        let double = Double::start();
        let mut config = String::new();
        for upstream in Upstream::ALL {
            let turns = [(Some(upstream.result_mark()), ANSWERS), (None, ASKS)];
            let mut script = upstream.script(&turns);
            // No event comes in one piece, and no character of several bytes.
            for answer in script["stream"].as_array_mut().unwrap() {
                answer["split"] = json!(3);
            }
            double.script(upstream.name(), &script).await;
            let style = if upstream == Upstream::Anthropic { "adaptive" } else { "effort" };
            let model = double.model(upstream.name(), upstream.dialect(), true);
            let thinks = format!("[[model]]\nreasoning = \"{style}\"\n");
            config.push_str(&model.replace("[[model]]\n", &thinks));
        }
        Self { gateway: Gateway::start(&config).await, double }
    }

    /// Both turns; the second one returns what the first one said, as clients do.
    async fn converse(&self, upstream: Upstream, stream: bool) -> [Told; 2] {
        let mut ask = question(upstream.name());
        let asked = self.told(&ask, stream).await;
        let messages = ask["messages"].as_array_mut().unwrap();
        messages.push(asked.message());
        for (call, result) in asked.calls.iter().zip(["09:40", "sunny"]) {
            messages.push(json!({"role": "tool", "tool_call_id": call.id, "content": result}));
        }
        let answered = self.told(&ask, stream).await;
        [asked, answered]
    }

    async fn told(&self, ask: &Value, stream: bool) -> Told {
        if stream {
            return Told::streamed(&self.gateway.stream(ask).await);
        }
        let (status, reply) = self.gateway.chat(ask).await;
        assert_eq!(status, 200, "{reply}");
        Told::whole(&reply)
    }
}

const QUESTION: &str = "High tide in this port, and the weather in Zürich?";

/// A picture of one point.
const POINT: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

fn tide_schema() -> Value {
    let properties = json!({"port": {"type": "string"}, "days": {"type": "integer"}});
    json!({"type": "object", "properties": properties, "required": ["port"]})
}

fn weather_schema() -> Value {
    json!({"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]})
}

fn tools() -> Value {
    let tool = |name: &str, description: &str, parameters: Value| {
        let function = json!({"name": name, "description": description, "parameters": parameters});
        json!({"type": "function", "function": function})
    };
    json!([
        tool("tide", "Height of the tide.", tide_schema()),
        tool("weather", "The weather in a town.", weather_schema()),
    ])
}

fn question(model: &str) -> Value {
    json!({
        "model": format!("test/{model}"),
        "messages": [
            {"role": "system", "content": "Use the tools."},
            {"role": "user", "content": [
                {"type": "text", "text": QUESTION},
                {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{POINT}")}},
            ]},
        ],
        "tools": tools(),
        "tool_choice": "auto",
        "max_tokens": 900,
        "reasoning": {"effort": "high"},
    })
}

/// What is the same whoever serves: all but ids, proofs and the upstream's own words.
fn canonical(told: &Told) -> Told {
    let mut told = told.clone();
    told.calls.iter_mut().for_each(|call| call.id.clear());
    Told { details: Vec::new(), native: String::new(), ..told }
}

fn expected(turn: &Turn, finish: &str) -> Told {
    let call = |(_, name, arguments): &(&str, &str, &str)| Call {
        id: String::new(),
        name: (*name).to_owned(),
        arguments: serde_json::from_str(arguments).unwrap(),
    };
    let counts = Counts { prompt: 120, completion: 60, cached: 16, cache_write: 0, reasoning: 20 };
    Told {
        text: turn.text.to_owned(),
        reasoning: turn.thought.to_owned(),
        calls: turn.calls.iter().map(call).collect(),
        finish: finish.to_owned(),
        counts,
        cost: counts.cost(),
        ..Told::default()
    }
}

/// The thought's blocks, with the proof that the dialect has.
fn details(upstream: Upstream, turn: &Turn, told: &Told) -> Vec<Value> {
    let text = |format: &str| json!({"type": "reasoning.text", "text": turn.thought, "format": format, "index": 0});
    match upstream {
        Upstream::Openai => vec![text("unknown")],
        Upstream::Anthropic => {
            let mut text = text("anthropic-claude-v1");
            text["signature"] = SIGNATURE.into();
            vec![text]
        }
        Upstream::Gemini => {
            let mut proof = json!({
                "type": "reasoning.encrypted", "data": SIGNATURE,
                "format": "google-gemini-v1", "index": 1,
            });
            if let Some(call) = told.calls.first() {
                proof["id"] = call.id.as_str().into();
            }
            vec![text("google-gemini-v1"), proof]
        }
    }
}

/// The path, and whether the body says that it wants a stream.
fn place(upstream: Upstream, stream: bool) -> (&'static str, Option<Value>) {
    match upstream {
        Upstream::Openai => ("/chat/completions", stream.then(|| json!(true))),
        Upstream::Anthropic => ("/messages", stream.then(|| json!(true))),
        Upstream::Gemini if stream => ("/models/up:streamGenerateContent?alt=sse", None),
        Upstream::Gemini => ("/models/up:generateContent", None),
    }
}

/// The first turn's body without `stream`.
fn opening(upstream: Upstream) -> Value {
    match upstream {
        Upstream::Openai => {
            let mut body = question("");
            body.as_object_mut().unwrap().remove("reasoning");
            body["model"] = json!("up");
            body["reasoning_effort"] = json!("high");
            body
        }
        Upstream::Anthropic => json!({
            "model": "up",
            "system": "Use the tools.",
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": QUESTION},
                {"type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": POINT}},
            ]}],
            "tools": [
                {"name": "tide", "description": "Height of the tide.",
                    "input_schema": tide_schema()},
                {"name": "weather", "description": "The weather in a town.",
                    "input_schema": weather_schema()},
            ],
            "tool_choice": {"type": "auto"},
            "max_tokens": 900,
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": "high"},
        }),
        Upstream::Gemini => json!({
            "systemInstruction": {"parts": [{"text": "Use the tools."}]},
            "contents": [{"role": "user", "parts": [
                {"text": QUESTION},
                {"inlineData": {"mimeType": "image/png", "data": POINT}},
            ]}],
            "tools": [{"functionDeclarations": [
                {"name": "tide", "description": "Height of the tide.", "parameters": {
                    "type": "OBJECT", "required": ["port"],
                    "properties": {"port": {"type": "STRING"}, "days": {"type": "INTEGER"}},
                }},
                {"name": "weather", "description": "The weather in a town.", "parameters": {
                    "type": "OBJECT", "required": ["town"],
                    "properties": {"town": {"type": "STRING"}},
                }},
            ]}],
            "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
            "generationConfig": {
                "maxOutputTokens": 900,
                "thinkingConfig": {"thinkingLevel": "high", "includeThoughts": true},
            },
        }),
    }
}

/// The second turn's: the first one's, what was said, and the results.
fn second(upstream: Upstream, asked: &Told) -> Value {
    let mut body = opening(upstream);
    let [(id_a, tide, arguments_a), (id_b, weather, arguments_b)] = ASKS.calls else {
        panic!("two calls");
    };
    let parse = |arguments: &str| serde_json::from_str::<Value>(arguments).unwrap();
    let list = if upstream == Upstream::Gemini { "contents" } else { "messages" };
    let more = match upstream {
        Upstream::Openai => {
            let mut said = asked.message();
            let fields = said.as_object_mut().unwrap();
            fields.remove("reasoning_details");
            fields.insert("reasoning_content".to_owned(), json!(ASKS.thought));
            vec![
                said,
                json!({"role": "tool", "tool_call_id": id_a, "content": "09:40"}),
                json!({"role": "tool", "tool_call_id": id_b, "content": "sunny"}),
            ]
        }
        Upstream::Anthropic => vec![
            json!({"role": "assistant", "content": [
                {"type": "thinking", "thinking": ASKS.thought, "signature": SIGNATURE},
                {"type": "text", "text": ASKS.text},
                {"type": "tool_use", "id": id_a, "name": tide, "input": parse(arguments_a)},
                {"type": "tool_use", "id": id_b, "name": weather, "input": parse(arguments_b)},
            ]}),
            json!({"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": id_a, "content": "09:40"},
                {"type": "tool_result", "tool_use_id": id_b, "content": "sunny"},
            ]}),
        ],
        // It gave the calls no ids, so none are returned; the proof stands where it stood.
        Upstream::Gemini => vec![
            json!({"role": "model", "parts": [
                {"text": ASKS.thought, "thought": true},
                {"text": ASKS.text},
                {"functionCall": {"name": tide, "args": parse(arguments_a)},
                    "thoughtSignature": SIGNATURE},
                {"functionCall": {"name": weather, "args": parse(arguments_b)}},
            ]}),
            json!({"role": "user", "parts": [
                {"functionResponse": {"name": tide, "response": {"result": "09:40"}}},
                {"functionResponse": {"name": weather, "response": {"result": "sunny"}}},
            ]}),
        ],
    };
    body[list].as_array_mut().unwrap().extend(more);
    body
}
