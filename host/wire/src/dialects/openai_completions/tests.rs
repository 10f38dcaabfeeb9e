//! What fixtures can't show: replies to rendered prompts, read with what was asked for, in every
//! split; and what follows from where a request came from.

use std::iter;

use super::*;
use crate::chunk::{Delta, FinishReason};
use crate::dialect::ReasoningStyle;
use crate::json::Json;
use crate::provider::{ChatTemplate, Quirks};
use crate::reply::ToolCall;
use crate::request::{Message, Part};
use crate::source::Source;
use crate::sse::Event;

mod calls;

/// What is read of a choice: its text, its calls, and why it ended.
type Read = (String, Vec<ToolCall>, FinishReason);

fn quirks(template: ChatTemplate) -> Quirks {
    Quirks { chat_template: Some(template), ..Quirks::default() }
}

fn target(quirks: &Quirks) -> Target<'_> {
    let reasoning = ReasoningStyle::None;
    Target { model: "m", stream: true, max_output_tokens: None, reasoning, efforts: &[], quirks }
}

/// A chat request that offers the tools `f` and `g`.
fn asking() -> Request {
    let body = r#"{"messages":[{"role":"user","content":"x"}],"stop":["END"],"tools":[
        {"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]}"#;
    OpenaiChat.read_request(&Bytes::from(body)).unwrap()
}

/// The same without tools.
fn talking() -> Request {
    Request { tools: Vec::new(), ..asking() }
}

fn event(data: &str) -> Event {
    Event { name: None, data: Bytes::copy_from_slice(data.as_bytes()) }
}

fn piece(text: &str) -> Event {
    event(&format!(r#"{{"choices":[{{"index":0,"text":{}}}]}}"#, Json::of(&text).as_str()))
}

fn finish(reason: &str) -> Event {
    event(&format!(r#"{{"choices":[{{"index":0,"text":"","finish_reason":"{reason}"}}]}}"#))
}

/// The chunks of a stream of these pieces.
fn stream(request: &Request, template: ChatTemplate, pieces: &[&str], end: &str) -> Vec<Chunk> {
    let quirks = quirks(template);
    let mut reader = OpenaiCompletions.read_stream_to(request, &target(&quirks));
    let mut chunks = Vec::new();
    let pieces = pieces.iter().map(|text| piece(text));
    for event in pieces.chain([finish(end), event("[DONE]")]) {
        reader.read(&event, &mut chunks).unwrap();
    }
    assert!(reader.is_done());
    chunks
}

fn read_of(chunks: &[Chunk]) -> Read {
    let choice = Reply::fold(chunks).choices.remove(0);
    (choice.text, choice.tool_calls, choice.finish.unwrap().0)
}

/// What a text is read as: whole, in two at every character, and character by character.
fn read(request: &Request, template: ChatTemplate, text: &str, end: &str) -> Read {
    let body = format!(
        r#"{{"choices":[{{"index":0,"text":{},"finish_reason":"{end}"}}]}}"#,
        Json::of(&text).as_str()
    );
    let quirks = quirks(template);
    let whole = OpenaiCompletions.read_reply_to(request, &target(&quirks), &body.into()).unwrap();
    let whole = read_of(&whole);
    for (at, _) in text.char_indices() {
        let (head, tail) = text.split_at(at);
        assert_eq!(read_of(&stream(request, template, &[head, tail], end)), whole, "cut at {at}");
    }
    let letters: Vec<String> = text.chars().map(String::from).collect();
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    assert_eq!(read_of(&stream(request, template, &letters, end)), whole, "by character");
    whole
}

#[test]
fn what_ends_a_turn_ends_the_reply() {
    let read = |template, text: &str| read(&talking(), template, text, "length");
    let stop = FinishReason::Stop;
    let words = |text: &str, reason| (text.to_owned(), Vec::new(), reason);
    assert_eq!(read(ChatTemplate::Chatml, "Hi<|im_end|>\n<|im_start|>user"), words("Hi", stop));
    assert_eq!(read(ChatTemplate::Llama3, "Hi<|eot_id|>"), words("Hi", stop));
    assert_eq!(read(ChatTemplate::Gemma, "Hi\n<end_of_turn>\n"), words("Hi\n", stop));
    let deepseek = read(ChatTemplate::Deepseek, "Hi<｜end▁of▁sentence｜>Hi");
    assert_eq!(deepseek, words("Hi", stop));
    assert_eq!(read(ChatTemplate::MistralV3, " Hi</s>"), words(" Hi", stop));
    assert_eq!(read(ChatTemplate::Raw, "The END."), words("The ", stop), "a text the client named");
    let half = "a <|im_en| b <|im_end| </s>";
    assert_eq!(read(ChatTemplate::Chatml, half), words(half, FinishReason::Length));
}

#[test]
fn words_are_given_on_as_they_come() {
    let texts = |pieces: &[&str]| -> Vec<String> {
        let chunks = stream(&talking(), ChatTemplate::Chatml, pieces, "stop");
        let deltas = chunks.into_iter().flat_map(|chunk| chunk.deltas);
        let texts = deltas.filter_map(|delta| match delta {
            Delta::Text { text, .. } => Some(text),
            _ => None,
        });
        texts.collect()
    };
    assert_eq!(texts(&["a", "b <", "c"]), ["a", "b ", "<c"]);
    assert_eq!(texts(&["a<|im", "_end|>b", "c"]), ["a"]);
}

#[test]
fn what_is_held_is_given_before_an_error() {
    let quirks = quirks(ChatTemplate::Chatml);
    let mut reader = OpenaiCompletions.read_stream_to(&talking(), &target(&quirks));
    let mut chunks = Vec::new();
    reader.read(&piece("a <|im"), &mut chunks).unwrap();
    reader.read(&event(r#"{"error":{"message":"no"}}"#), &mut chunks).unwrap_err();
    assert_eq!(Reply::fold(&chunks).choices[0].text, "a <|im");
}

#[test]
fn a_clients_own_prompt_is_continued_as_it_is() {
    let body = Bytes::from_static(br#"{"model":"m","prompt":"x <|im_end|>","stop":"y"}"#);
    let request = OpenaiCompletions.read_request(&body).unwrap();
    let text = r#"<tool_call>{"name":"f"}</tool_call><|im_end|>y"#;
    let expected = (text.to_owned(), Vec::new(), FinishReason::Stop);
    assert_eq!(read(&request, ChatTemplate::Chatml, text, "stop"), expected);
}

#[test]
fn words_that_a_hook_puts_before_a_prompt_stand_before_it() {
    let body = Bytes::from_static(br#"{"model":"m","prompt":"x","suffix":"z"}"#);
    let mut request = OpenaiCompletions.read_request(&body).unwrap();
    let system = Message {
        role: crate::chunk::Role::System,
        name: None,
        parts: vec![Part::text("News.")],
        extra: Default::default(),
    };
    request.messages.insert(0, system);
    request.source = None;
    let quirks = quirks(ChatTemplate::Llama3);
    let outgoing = OpenaiCompletions.write_request(&request, &target(&quirks)).unwrap();
    assert_eq!(
        &*outgoing.body,
        br#"{"model":"m","stream":true,"prompt":"News.\n\nx","suffix":"z"}"#
    );
    assert_eq!(outgoing.path, "/completions");
}

#[test]
fn stop_texts_and_a_limit_go_with_a_rendered_prompt() {
    let quirks = quirks(ChatTemplate::MistralV3);
    let to = Target { max_output_tokens: Some(100), ..target(&quirks) };
    let outgoing = OpenaiCompletions.write_request(&talking(), &to).unwrap();
    let body = std::str::from_utf8(&outgoing.body).unwrap();
    let expected = r#""prompt":"[INST] x[/INST]","max_tokens":100,"stop":["END","</s>"]}"#;
    assert!(body.ends_with(expected), "{body}");
}

#[test]
fn probabilities_of_a_chat_host_count_their_own_offsets() {
    let json = Json::parse(
        r#"{"content":[{"token":"é","logprob":-1.50,"top_logprobs":[]},{"token":"ab","logprob":0,"top_logprobs":[{"token":"x","logprob":-9},{"token":"x","logprob":-8}]}]}"#,
    );
    let kind = "openai-chat.logprobs".to_owned();
    let delta = Delta::Other { choice: Some(0), kind, json: json.unwrap() };
    let head = Head {
        id: String::new(),
        created: 1,
        model: String::new(),
        provider: String::new(),
        ..Head::default()
    };
    let mut out = Vec::new();
    let mut writer = OpenaiCompletions.write_stream(&head);
    for chunk in iter::repeat_n(Chunk::of(vec![delta]), 2) {
        writer.chunk(&chunk, &mut out);
    }
    let out = String::from_utf8(out).unwrap();
    let columns =
        r#""tokens":["é","ab"],"token_logprobs":[-1.50,0],"top_logprobs":[null,{"x":-9}],"#;
    let offsets: Vec<&str> = out
        .split(columns)
        .skip(1)
        .filter_map(|rest| rest.split_once("}}]}"))
        .map(|(at, _)| at)
        .collect();
    assert_eq!(offsets, [r#""text_offset":[0,1]"#, r#""text_offset":[3,4]"#]);
}

#[test]
fn a_source_of_this_dialect_is_no_source_for_chat() {
    let body = Bytes::from_static(br#"{"choices":[{"index":0,"text":"a"}],"x":1}"#);
    let mut chunks = Vec::new();
    let event = Event { name: None, data: body.clone() };
    OpenaiCompletions.read_stream().read(&event, &mut chunks).unwrap();
    assert_eq!(chunks[0].source, Some(Source { dialect: "openai-completions", bytes: body }));
}
