//! Documented replies, and replies that are none.

use super::*;
use crate::error::ErrorType;
use crate::request::{Content, Media, MediaData, MediaKind, Part};

fn two() -> EmbedRequest {
    EmbedRequest {
        model: "openai/text-embedding-3-small".to_owned(),
        inputs: vec!["The food was delicious".to_owned().into(), "a \"quote\"".to_owned().into()],
        ..EmbedRequest::default()
    }
}

fn read(body: &str) -> Result<EmbedReply, StreamError> {
    OpenaiChat.read_vectors(&Bytes::copy_from_slice(body.as_bytes()), &two())
}

#[track_caller]
fn refusal(body: &str) -> String {
    match read(body) {
        Err(StreamError::Read(error)) => error.to_string(),
        other => panic!("{body}: {other:?}"),
    }
}

/// As in https://developers.openai.com/api/docs/api-reference/embeddings.
const DOCUMENTED: &str = r#"{
  "object": "list",
  "data": [
    {"object": "embedding", "embedding": [0.0023064255, -0.009327292, 1], "index": 0},
    {"object": "embedding", "embedding": [-0.0028842222, 0.5, -1e-3], "index": 1}
  ],
  "model": "text-embedding-3-small",
  "usage": {"prompt_tokens": 8, "total_tokens": 8}
}"#;

#[test]
fn the_body_names_the_upstream_s_model_and_every_text() {
    let mut request = two();
    let outgoing =
        OpenaiChat.write_texts(&request, "text-embedding-3-small", &Quirks::default()).unwrap();
    assert_eq!(outgoing.path, "/embeddings");
    let expected = r#"{"model":"text-embedding-3-small","input":["The food was delicious","a \"quote\""],"encoding_format":"float"}"#;
    assert_eq!(outgoing.body, expected);
    request.dimensions = Some(256);
    let quirks = Quirks { embed_input_type: true, ..Quirks::default() };
    let body = OpenaiChat.write_texts(&request, "m", &quirks).unwrap().body;
    assert!(body.ends_with(br#","dimensions":256}"#), "{body:?}");
}

#[test]
fn token_ids_go_as_they_are_and_not_beside_texts() {
    let tokens = |ids: &[u32]| EmbedInput::Tokens(ids.to_vec());
    let mut request = EmbedRequest { inputs: vec![tokens(&[1, 2]), tokens(&[3])], ..two() };
    request.input_type = Some("search_query".to_owned());
    let quirks = Quirks { embed_input_type: true, ..Quirks::default() };
    let body = OpenaiChat.write_texts(&request, "m", &quirks).unwrap().body;
    let expected = r#"{"model":"m","input":[[1,2],[3]],"encoding_format":"float","input_type":"search_query"}"#;
    assert_eq!(body, expected);
    request.inputs.push("a text".to_owned().into());
    let error = OpenaiChat.write_texts(&request, "m", &quirks).unwrap_err();
    assert_eq!(error.what, "token ids in input[0]");
}

#[test]
fn parts_are_one_text_unless_one_is_a_picture() {
    let text = |text: &str| Part::text(text);
    let parts = EmbedInput::Parts(vec![text("a cat"), text("on a mat")]);
    let mut request = EmbedRequest { inputs: vec![parts], ..two() };
    let quirks = Quirks { embed_input_type: true, ..Quirks::default() };
    let body = OpenaiChat.write_texts(&request, "m", &quirks).unwrap().body;
    assert_eq!(body, r#"{"model":"m","input":["a cat\non a mat"],"encoding_format":"float"}"#);
    let data = MediaData::Url("https://a.test/cat.png".to_owned());
    let media = Media { kind: MediaKind::Image, data, name: None, detail: None };
    request.inputs.push(EmbedInput::Parts(vec![Part::new(Content::Media(media))]));
    let error = OpenaiChat.write_texts(&request, "m", &quirks).unwrap_err();
    assert_eq!(error.what, "an image in input[1]");
}

#[test]
fn the_documented_reply_is_read() {
    let reply = read(DOCUMENTED).unwrap();
    let expected = [[0.002_306_425_5, -0.009_327_292, 1.0], [-0.002_884_222_2, 0.5, -0.001]];
    assert_eq!(reply.vectors, expected);
    assert_eq!((reply.usage.prompt, reply.usage.completion), (Some(8), None));
}

#[test]
fn base64_and_lists_are_the_same_numbers() {
    let bytes: Vec<u8> = [0.5_f32, -2.0].iter().flat_map(|number| number.to_le_bytes()).collect();
    let text = STANDARD.encode(bytes);
    let body = format!(r#"{{"data":[{{"embedding":"{text}"}},{{"embedding":[0.5,-2]}}]}}"#);
    let reply = read(&body).unwrap();
    assert_eq!(reply.vectors, [[0.5, -2.0], [0.5, -2.0]]);
    assert_eq!(reply.usage, crate::chunk::Usage::default());
}

#[test]
fn vectors_are_put_in_the_order_of_the_texts() {
    let body = r#"{"data":[{"index":1,"embedding":[1]},{"index":0,"embedding":[0]}]}"#;
    assert_eq!(read(body).unwrap().vectors, [[0.0], [1.0]]);
}

#[test]
fn a_reply_that_is_not_one_vector_for_each_text_is_refused() {
    let one = r#"{"index":0,"embedding":[1]}"#;
    let rows = |second: &str| format!(r#"{{"data":[{one},{second}]}}"#);
    let nan = STANDARD.encode(f32::NAN.to_le_bytes());
    for (body, part) in [
        (format!(r#"{{"data":[{one}]}}"#), "data: expected 2 embeddings, found 1"),
        (rows(&format!("{one},{one}")), "data: expected 2 embeddings, found 3"),
        (rows(one), "data[1].index: expected each number below 2 once, found 0"),
        (rows(r#"{"index":2,"embedding":[1]}"#), "data[1].index: "),
        (rows(r#"{"index":-1,"embedding":[1]}"#), "body: "),
        (rows(r#"{"embedding":[1,2]}"#), "data[1]: expected 1 numbers, found 2"),
        (r#"{"data":[{"embedding":[]},{"embedding":[]}]}"#.to_owned(), "data[0]: "),
        (rows(r#"{"embedding":[1e39]}"#), "data[1]"),
        (rows(r#"{"embedding":[1e999]}"#), "data[1].embedding: "),
        (rows(r#"{"embedding":[NaN]}"#), "body: "),
        (rows(r#"{"embedding":["1"]}"#), "data[1].embedding: "),
        (rows(r#"{"embedding":[null]}"#), "data[1].embedding: "),
        (rows(r#"{"embedding":null}"#), "data[1].embedding: "),
        (rows(r#"{"embedding":{"0":1}}"#), "data[1].embedding: "),
        (rows(&format!(r#"{{"embedding":"{nan}"}}"#)), "found NaN"),
        (rows(r#"{"embedding":"AAAA"}"#), "data[1].embedding: "),
        (rows(r#"{"embedding":"!"}"#), "data[1].embedding: "),
        (rows(r#"{"index":1}"#), "body: "),
        (r#"{"data":null}"#.to_owned(), "data: "),
        (r#"{"data":{}}"#.to_owned(), "body: "),
        ("{}".to_owned(), "data: "),
        ("[]".to_owned(), "data: "),
        ("<html>".to_owned(), "body: "),
        (String::new(), "body: "),
    ] {
        let refusal = refusal(&body);
        assert!(refusal.contains(part), "{body}: {refusal}");
    }
}

#[test]
fn vectors_of_another_length_than_asked_for_are_refused() {
    let request = EmbedRequest { dimensions: Some(2), ..two() };
    let body = Bytes::from_static(br#"{"data":[{"embedding":[1]},{"embedding":[1]}]}"#);
    let refusal = OpenaiChat.read_vectors(&body, &request).unwrap_err().to_string();
    assert_eq!(refusal, "data[0]: expected 2 numbers, found 1");
}

#[test]
fn no_prefix_of_a_reply_is_a_reply() {
    for end in 0..DOCUMENTED.len() {
        refusal(&DOCUMENTED[..end]);
    }
}

#[test]
fn an_error_inside_a_200_is_the_upstream_s() {
    let body = r#"{"error":{"message":"Slow down","code":"rate_limit_exceeded"}}"#;
    let Err(StreamError::Upstream(failure)) = read(body) else { panic!("it is an error") };
    assert_eq!(failure.error_type, ErrorType::RateLimitExceeded);
}
