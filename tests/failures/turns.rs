//! Failure: what a model signed is lost or altered on its way through a client, so that the provider
//! refuses the second turn of a tool loop; or another model is sent it, which refuses that.
//!
//! The double answers the second turn only if the signature is there (`upstreams/*/reasoning`).

use serde_json::{Value, json};

use crate::harness::{Double, Gateway, Streamed, http};
use crate::told::Told;
use crate::upstream::Upstream;

const SIGNATURE: &str = "c2lnbmVkIGJ5IHRoZSBkb3VibGU+Pz8/";

/// Upstreams that sign, and whose signatures they read.
const SIGNERS: [(&str, &str); 4] = [
    ("anthropic-messages", "Claude"),
    ("bedrock-converse", "Claude"),
    ("gemini-generate", "Gemini"),
    ("openai-responses", "OpenAI"),
];

/// Surfaces whose clients return what they were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    Chat,
    Messages,
    Responses,
    Gemini,
}

const CLIENTS: [Client; 4] = [Client::Chat, Client::Messages, Client::Responses, Client::Gemini];

#[tokio::test]
async fn what_an_upstream_signed_comes_back_to_it_byte_for_byte_whoever_asked() {
    let (gateway, double) = start().await;
    let mut wrong = Vec::new();
    for (signer, _) in SIGNERS {
        for client in CLIENTS {
            for stream in [false, true] {
                let case = format!("{signer} behind {client:?}, stream: {stream}");
                let model = format!("{signer}/reasoning");
                let turns = client.opening();
                let shown = match client.ask(&gateway, &model, &turns, stream).await {
                    Ok(shown) => shown,
                    Err(why) => {
                        wrong.push(format!("{case}: first turn: {why}"));
                        continue;
                    }
                };
                let second = client.answered(turns, &shown);
                if let Err(why) = client.ask(&gateway, &model, &second, stream).await {
                    wrong.push(format!("{case}: {why} for {}", second[1]));
                    continue;
                }
                let log = double.log(&format!("{signer}-reasoning")).await;
                let text = log.as_array().unwrap().last().unwrap()["text"].as_str().unwrap();
                if !text.contains(&format!("\"{SIGNATURE}\"")) {
                    wrong.push(format!("{case}: altered: {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_an_upstream_signed_is_not_sent_to_another() {
    let (gateway, double) = start().await;
    let mut wrong = Vec::new();
    for (signer, reader) in SIGNERS {
        for client in CLIENTS {
            for stream in [false, true] {
                let turns = client.opening();
                let model = format!("{signer}/reasoning");
                let shown = client.ask(&gateway, &model, &turns, stream).await.unwrap();
                let second = client.answered(turns, &shown);
                let others = SIGNERS.iter().filter(|(_, other)| *other != reader);
                let others = others.map(|(other, _)| *other).chain(["openai-chat", "cohere-chat"]);
                for other in others {
                    let case = format!("{signer} to {other} behind {client:?}, stream: {stream}");
                    let model = format!("{other}/chat");
                    let asked = client.ask(&gateway, &model, &second, stream).await;
                    wrong.extend(asked.err().map(|why| format!("{case}: {why}")));
                    let log = double.log(&format!("{other}-chat")).await;
                    let text = log.as_array().unwrap().last().unwrap()["text"].as_str().unwrap();
                    assert!(text.contains("sunny, 21"), "{case}: another turn: {text}");
                    // Nor in the form that clients are given to carry.
                    if text.contains(&SIGNATURE[..16]) || text.contains("cGF0Y2hiYXku") {
                        wrong.push(format!("{case}: {text}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn start() -> (Gateway, Double) {
    let double = Double::start();
    let mut config = String::new();
    for upstream in Upstream::all() {
        if SIGNERS.iter().any(|(signer, _)| *signer == upstream.dialect) {
            config.push_str(&upstream.serve("reasoning", &double).await);
        }
        config.push_str(&upstream.serve("chat", &double).await);
    }
    (Gateway::start(&config).await, double)
}

impl Client {
    /// The first turn: a list in the form that the client's dialect has.
    fn opening(self) -> Vec<Value> {
        let text = "What is the weather in Paris?";
        match self {
            Self::Gemini => vec![json!({"role": "user", "parts": [{"text": text}]})],
            _ => vec![json!({"role": "user", "content": text})],
        }
    }

    /// Asks; returns what the client keeps of the reply for its next turn.
    async fn ask(
        self,
        gateway: &Gateway,
        model: &str,
        turns: &[Value],
        stream: bool,
    ) -> Result<Value, String> {
        let (path, mut body) = self.request(model, turns, stream);
        if self != Self::Gemini {
            body["model"] = model.into();
            body["stream"] = stream.into();
        }
        let call = http().post(format!("{}{path}", gateway.url)).bearer_auth(&gateway.key);
        let call = call.header("content-type", "application/json").body(body.to_string());
        let response = call.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        if status != 200 || text.contains("\"error\":{") {
            return Err(format!("{status} {text}"));
        }
        let events = if stream {
            Streamed::read(&text).chunks
        } else {
            vec![serde_json::from_str(&text).unwrap()]
        };
        Ok(match self {
            Self::Chat if stream => Told::streamed(&Streamed::read(&text)).message(),
            Self::Chat => events[0]["choices"][0]["message"].clone(),
            Self::Messages if stream => blocks(&events),
            Self::Messages => json!({"role": "assistant", "content": events[0]["content"]}),
            Self::Responses if stream => events.last().unwrap()["response"]["output"].clone(),
            Self::Responses => events[0]["output"].clone(),
            Self::Gemini => {
                let parts = events.iter().filter_map(|event| {
                    event["candidates"][0]["content"]["parts"].as_array().cloned()
                });
                json!({"role": "model", "parts": parts.flatten().collect::<Vec<_>>()})
            }
        })
    }

    fn request(self, model: &str, turns: &[Value], stream: bool) -> (String, Value) {
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}},
            "required": ["city"]});
        let name = "get_weather";
        match self {
            Self::Chat => {
                let function = json!({"name": name, "parameters": schema});
                let tools = json!([{"type": "function", "function": function}]);
                let body = json!({"messages": turns, "tools": tools, "max_tokens": 4000,
                    "reasoning": {"effort": "high"}});
                ("/api/v1/chat/completions".to_owned(), body)
            }
            Self::Messages => {
                let tools = json!([{"name": name, "input_schema": schema}]);
                let thinking = json!({"type": "enabled", "budget_tokens": 2000});
                let body = json!({"messages": turns, "tools": tools, "max_tokens": 4000,
                    "thinking": thinking});
                ("/api/v1/messages".to_owned(), body)
            }
            Self::Responses => {
                let tools = json!([{"type": "function", "name": name, "parameters": schema}]);
                let body = json!({"input": turns, "tools": tools, "max_output_tokens": 4000,
                    "reasoning": {"effort": "high"}, "store": false,
                    "include": ["reasoning.encrypted_content"]});
                ("/api/v1/responses".to_owned(), body)
            }
            Self::Gemini => {
                let functions = json!([{"name": name, "parametersJsonSchema": schema}]);
                let thinking = json!({"thinkingBudget": 2000, "includeThoughts": true});
                let body = json!({"contents": turns, "tools": [{"functionDeclarations": functions}],
                    "generationConfig": {"maxOutputTokens": 4000, "thinkingConfig": thinking}});
                let method =
                    if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
                (format!("/v1beta/models/{model}:{method}"), body)
            }
        }
    }

    /// The second turn: what was shown goes back as it came, with the call's result.
    fn answered(self, mut turns: Vec<Value>, shown: &Value) -> Vec<Value> {
        const RESULT: &str = "sunny, 21";
        let find = |list: &Value, kind: &str| -> Value {
            let list = list.as_array().unwrap();
            let found = list.iter().find(|it| it["type"] == kind || it.get(kind).is_some());
            found.unwrap_or_else(|| panic!("{self:?}: no {kind}: {shown}")).clone()
        };
        match self {
            Self::Chat => {
                let id = &shown["tool_calls"][0]["id"];
                let result = json!({"role": "tool", "tool_call_id": id, "content": RESULT});
                turns.extend([shown.clone(), result]);
            }
            Self::Messages => {
                let id = &find(&shown["content"], "tool_use")["id"];
                let result = json!({"type": "tool_result", "tool_use_id": id, "content": RESULT});
                turns.extend([shown.clone(), json!({"role": "user", "content": [result]})]);
            }
            Self::Responses => {
                let id = &find(shown, "function_call")["call_id"];
                turns.extend(shown.as_array().unwrap().iter().cloned());
                turns.push(json!({"type": "function_call_output", "call_id": id,
                    "output": RESULT}));
            }
            Self::Gemini => {
                let call = &find(&shown["parts"], "functionCall")["functionCall"];
                let mut result = json!({"name": call["name"], "response": {"result": RESULT}});
                if let Some(id) = call.get("id") {
                    result["id"] = id.clone();
                }
                let parts = json!([{"functionResponse": result}]);
                turns.extend([shown.clone(), json!({"role": "user", "parts": parts})]);
            }
        }
        turns
    }
}

/// A streamed message put together the way Anthropic's clients do it.
fn blocks(events: &[Value]) -> Value {
    let mut blocks: Vec<Value> = Vec::new();
    let mut arguments = String::new();
    for event in events {
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                blocks.push(event["content_block"].clone());
                arguments.clear();
            }
            "content_block_delta" => {
                let (block, delta) = (blocks.last_mut().unwrap(), &event["delta"]);
                for field in ["text", "thinking", "signature"] {
                    if let Some(piece) = delta[field].as_str() {
                        block[field] =
                            (block[field].as_str().unwrap_or("").to_owned() + piece).into();
                    }
                }
                arguments.push_str(delta["partial_json"].as_str().unwrap_or_default());
            }
            "content_block_stop" if !arguments.is_empty() => {
                blocks.last_mut().unwrap()["input"] = serde_json::from_str(&arguments).unwrap();
            }
            _ => {}
        }
    }
    json!({"role": "assistant", "content": blocks})
}
