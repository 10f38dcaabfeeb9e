//! Documented replies, and replies that are none.

use super::*;
use crate::error::ErrorType;

fn two() -> EmbedRequest {
    EmbedRequest {
        model: "google/gemini-embedding-001".to_owned(),
        inputs: ["What is the meaning of life?", "And a cake?"]
            .map(|text| text.to_owned().into())
            .into(),
        ..EmbedRequest::default()
    }
}

fn read(body: &str) -> Result<EmbedReply, StreamError> {
    GeminiGenerate.read_vectors(&Bytes::copy_from_slice(body.as_bytes()), &two())
}

#[track_caller]
fn refusal(body: &str) -> String {
    match read(body) {
        Err(StreamError::Read(error)) => error.to_string(),
        other => panic!("{body}: {other:?}"),
    }
}

/// As in https://ai.google.dev/api/embeddings.
const DOCUMENTED: &str = r#"{
  "embeddings": [
    {"values": [-0.022374554, -0.004560777, 0.013309286]},
    {"values": [0.5, 1, -1e-3]}
  ],
  "usageMetadata": {"promptTokenCount": 11}
}"#;

#[test]
fn each_text_is_a_request_of_the_batch() {
    let request = EmbedRequest { dimensions: Some(768), ..two() };
    let outgoing =
        GeminiGenerate.write_texts(&request, "gemini-embedding-001", &Quirks::default()).unwrap();
    assert_eq!(outgoing.path, "/models/gemini-embedding-001:batchEmbedContents");
    let one = |text: &str| {
        format!(
            r#"{{"model":"models/gemini-embedding-001","content":{{"parts":[{{"text":"{text}"}}]}},"outputDimensionality":768}}"#
        )
    };
    let (life, cake) = (one("What is the meaning of life?"), one("And a cake?"));
    assert_eq!(outgoing.body, format!(r#"{{"requests":[{life},{cake}]}}"#));
    let body = GeminiGenerate.write_texts(&two(), "models/m", &Quirks::default()).unwrap().body;
    assert!(body.starts_with(br#"{"requests":[{"model":"models/m","content":"#), "{body:?}");
}

#[test]
fn what_the_vectors_are_for_is_said_in_google_s_words() {
    for (input_type, task) in [
        ("search_query", "RETRIEVAL_QUERY"),
        ("search_document", "RETRIEVAL_DOCUMENT"),
        ("classification", "CLASSIFICATION"),
        ("CODE_RETRIEVAL_QUERY", "CODE_RETRIEVAL_QUERY"),
    ] {
        let request = EmbedRequest { input_type: Some(input_type.to_owned()), ..two() };
        let body = GeminiGenerate.write_texts(&request, "m", &Quirks::default()).unwrap().body;
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains(&format!(r#","taskType":"{task}"}}"#)), "{body}");
    }
}

#[test]
fn the_documented_reply_is_read() {
    let reply = read(DOCUMENTED).unwrap();
    let expected = [[-0.022_374_554, -0.004_560_777, 0.013_309_286], [0.5, 1.0, -0.001]];
    assert_eq!(reply.vectors, expected);
    assert_eq!(reply.usage.prompt, Some(11));
    // Older versions count nothing.
    let reply = read(r#"{"embeddings":[{"values":[1]},{"values":[2]}]}"#).unwrap();
    assert_eq!((reply.vectors.len(), reply.usage.prompt), (2, None));
}

#[test]
fn a_reply_that_is_not_one_vector_for_each_text_is_refused() {
    let rows = |second: &str| format!(r#"{{"embeddings":[{{"values":[1]}},{second}]}}"#);
    for (body, part) in [
        (r#"{"embeddings":[]}"#.to_owned(), "embeddings: expected 2 vectors, found 0"),
        (r#"{"embeddings":{"values":[1]}}"#.to_owned(), "found 1"),
        (rows(r#"{"values":[1]},{"values":[1]}"#), "found 3"),
        (rows(r#"{"values":[1,2]}"#), "embeddings[1]: expected 1 numbers, found 2"),
        (rows(r#"{"values":[]}"#), "embeddings[1]: "),
        (rows("{}"), "embeddings[1]: "),
        (rows("7"), "embeddings[1]: "),
        (rows(r#"{"values":[1e39]}"#), "embeddings[1]"),
        (rows(r#"{"values":["NaN"]}"#), "embeddings[1].values: "),
        (rows(r#"{"values":[null]}"#), "embeddings[1].values: "),
        (rows(r#"{"values":"x"}"#), "embeddings[1].values: "),
        ("{}".to_owned(), "embeddings: "),
        ("[]".to_owned(), "body: "),
        (String::new(), "body: "),
    ] {
        let refusal = refusal(&body);
        assert!(refusal.contains(part), "{body}: {refusal}");
    }
}

#[test]
fn no_prefix_of_a_reply_is_a_reply() {
    for end in 0..DOCUMENTED.len() {
        refusal(&DOCUMENTED[..end]);
    }
}

#[test]
fn an_error_inside_a_200_is_the_upstream_s() {
    let body = r#"{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}"#;
    let Err(StreamError::Upstream(failure)) = read(body) else { panic!("it is an error") };
    assert_eq!(failure.error_type, ErrorType::RateLimitExceeded);
}
