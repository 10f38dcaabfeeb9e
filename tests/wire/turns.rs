//! A tool loop over two turns: what a provider signed in the first comes back to it byte for byte
//! in the second, whatever the client in between speaks; and another provider never sees it.

use bytes::Bytes;
use serde_json::{Value, json};
use wire::{
    Choice, Content, DIALECTS, Dialect, Head, Quirks, ReasoningDetail, ReasoningKind,
    ReasoningStyle, Reply, Request, Target, ToolCall,
};

use crate::replay::{cost, head};

/// A provider that signs what it thinks.
struct Signer {
    dialect: &'static str,
    thoughts: Vec<(String, Option<ReasoningDetail>)>,
}

const CALL: &str = "call_0";

/// A proof that would not survive being decoded and encoded again, nor being read as JSON.
const PROOF: &str = "EqQBCkgIAhABGAIiQL+/x==";

fn signers() -> Vec<Signer> {
    let signed = |format: &str| ReasoningDetail {
        format: Some(format.to_owned()),
        index: Some(0),
        signature: Some(PROOF.to_owned()),
        ..ReasoningDetail::default()
    };
    let encrypted = |format: &str, id: &str| ReasoningDetail {
        kind: ReasoningKind::Encrypted,
        id: Some(id.to_owned()),
        format: Some(format.to_owned()),
        index: Some(0),
        data: Some(PROOF.to_owned()),
        ..ReasoningDetail::default()
    };
    let thought = |detail| vec![("I must look.".to_owned(), Some(detail))];
    let sealed = |detail| vec![(String::new(), Some(detail))];
    vec![
        Signer { dialect: "anthropic-messages", thoughts: thought(signed("anthropic-claude-v1")) },
        Signer {
            dialect: "anthropic-messages",
            thoughts: sealed(ReasoningDetail { id: None, ..encrypted("anthropic-claude-v1", "") }),
        },
        Signer {
            dialect: "gemini-generate",
            thoughts: sealed(encrypted("google-gemini-v1", CALL)),
        },
        Signer {
            dialect: "openai-responses",
            thoughts: sealed(encrypted("openai-responses-v1", "rs_1")),
        },
        Signer { dialect: "bedrock-converse", thoughts: thought(signed("anthropic-claude-v1")) },
        Signer { dialect: "openai-chat", thoughts: thought(signed("anthropic-claude-v1")) },
    ]
}

/// Dialects whose clients have no place to give a proof back in.
const CARRIES_NO_PROOF: [&str; 3] = ["cohere-chat", "ollama-chat", "openai-completions"];

#[test]
fn what_a_provider_signed_comes_back_to_it_byte_for_byte_through_every_surface() {
    for signer in signers() {
        let Some(upstream) = wire::dialect(signer.dialect) else { continue };
        for surface in DIALECTS.iter().filter(|it| !CARRIES_NO_PROOF.contains(&it.name())) {
            let case = format!("{} behind {}", signer.dialect, surface.name());
            let request = second_turn(*surface, &signer.thoughts);
            let written = written(upstream, &request, "test/same");
            let proofs = proofs(&upstream.read_request(&written).unwrap());
            let expected: Vec<_> = signer
                .thoughts
                .iter()
                .filter_map(|(text, detail)| {
                    let detail = detail.as_ref()?;
                    Some((text.clone(), detail.signature.clone(), detail.data.clone()))
                })
                .collect();
            let text = String::from_utf8_lossy(&written);
            assert_eq!(proofs, expected, "{case}: {text}");
        }
    }
}

#[test]
fn what_a_provider_signed_is_never_sent_to_another() {
    for signer in signers() {
        let format = signer.thoughts[0].1.as_ref().unwrap().format.clone();
        for surface in DIALECTS.iter().filter(|it| !CARRIES_NO_PROOF.contains(&it.name())) {
            let request = second_turn(*surface, &signer.thoughts);
            for upstream in DIALECTS.iter().filter(|it| !reads(it.name(), format.as_deref())) {
                let written = written(*upstream, &request, "other/model");
                let text = String::from_utf8_lossy(&written);
                let case = format!("{} to {}", signer.dialect, upstream.name());
                assert!(!text.contains(&PROOF[..12]), "{case} behind {}: {text}", surface.name());
                assert!(!text.contains("cGF0Y2hiYXku"), "{case} behind {}: {text}", surface.name());
            }
        }
    }
}

/// Whether a dialect's providers can be those of a format.
fn reads(dialect: &str, format: Option<&str>) -> bool {
    match dialect {
        // Another gateway: it sorts them itself.
        "openai-chat" => true,
        "anthropic-messages" | "bedrock-converse" => format == Some("anthropic-claude-v1"),
        "gemini-generate" => format == Some("google-gemini-v1"),
        "openai-responses" => format == Some("openai-responses-v1"),
        _ => false,
    }
}

/// The request of a client that was told these thoughts and a call, and has its result.
fn second_turn(surface: &dyn Dialect, thoughts: &[(String, Option<ReasoningDetail>)]) -> Request {
    let call = ToolCall {
        id: CALL.to_owned(),
        name: "look".to_owned(),
        arguments: "{\"at\":1.0}".to_owned(),
    };
    let finish = Some((wire::FinishReason::ToolCalls, None));
    let (reasoning, tool_calls) = (thoughts.to_vec(), vec![call]);
    let choice = Choice { reasoning, tool_calls, finish, ..Choice::default() };
    let reply = Reply { choices: vec![choice], ..Reply::default() };
    let head: Head = head();
    let said: Value = serde_json::from_slice(&surface.write_reply(&reply, &head, &cost())).unwrap();
    let body = history(surface.name(), &said);
    surface.read_request(&Bytes::from(body.to_string())).unwrap()
}

/// What a client of the dialect sends in its second turn, as its vendor's documentation says.
fn history(surface: &str, said: &Value) -> Value {
    let tool = json!({"type": "object", "properties": {"at": {"type": "number"}}});
    match surface {
        "openai-chat" => json!({"model": "m",
            "tools": [{"type": "function", "function": {"name": "look", "parameters": tool}}],
            "messages": [{"role": "user", "content": "Look."}, said["choices"][0]["message"],
                {"role": "tool", "tool_call_id": CALL, "content": "42"}]}),
        "anthropic-messages" => json!({"model": "m", "max_tokens": 4096,
            "tools": [{"name": "look", "input_schema": tool}],
            "messages": [{"role": "user", "content": "Look."},
                {"role": "assistant", "content": said["content"]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": CALL, "content": "42"}]}]}),
        "gemini-generate" => json!({
            "tools": [{"functionDeclarations": [{"name": "look", "parametersJsonSchema": tool}]}],
            "contents": [{"role": "user", "parts": [{"text": "Look."}]},
                said["candidates"][0]["content"],
                {"role": "user", "parts": [{"functionResponse":
                    {"name": "look", "id": CALL, "response": {"result": "42"}}}]}]}),
        "openai-responses" => {
            let mut input = vec![json!({"role": "user", "content": "Look."})];
            input.extend(said["output"].as_array().unwrap().iter().cloned());
            input.push(json!({"type": "function_call_output", "call_id": CALL, "output": "42"}));
            json!({"model": "m", "input": input,
                "tools": [{"type": "function", "name": "look", "parameters": tool}]})
        }
        "bedrock-converse" => json!({
            "toolConfig": {"tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": tool}}}]},
            "messages": [{"role": "user", "content": [{"text": "Look."}]},
                said["output"]["message"],
                {"role": "user", "content": [{"toolResult":
                    {"toolUseId": CALL, "content": [{"text": "42"}], "status": "success"}}]}]}),
        other => panic!("how does a client of {other} go on?"),
    }
}

fn written(upstream: &dyn Dialect, request: &Request, model: &str) -> Bytes {
    // Another gateway reads every provider's blocks, and sorts them itself.
    let openrouter_reasoning = upstream.name() == "openai-chat";
    let quirks = Quirks { openrouter_reasoning, ..Quirks::default() };
    let target = Target {
        model,
        stream: false,
        max_output_tokens: Some(4096),
        reasoning: ReasoningStyle::Budget,
        efforts: &[],
        quirks: &quirks,
    };
    upstream.write_request(request, &target).unwrap().body
}

/// Text, signature and data of every block that has a proof.
fn proofs(request: &Request) -> Vec<(String, Option<String>, Option<String>)> {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let blocks = parts.filter_map(|part| match &part.content {
        Content::Reasoning { text, detail: Some(detail) } => {
            Some((text.clone(), detail.signature.clone(), detail.data.clone()))
        }
        _ => None,
    });
    blocks.filter(|(_, signature, data)| signature.is_some() || data.is_some()).collect()
}
