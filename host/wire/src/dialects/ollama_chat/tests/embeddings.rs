//! Documented embeddings, and replies that are none.

use super::*;
use crate::embed::EmbedRequest;
use crate::provider::Quirks;

fn two() -> EmbedRequest {
    let inputs =
        ["Why is the sky blue?", "a \"quote\""].map(|text| text.to_owned().into()).to_vec();
    EmbedRequest { model: "local/minilm".to_owned(), inputs, ..EmbedRequest::default() }
}

/// As in <https://docs.ollama.com/api/embed>.
const DOCUMENTED: &str = r#"{"model":"all-minilm",
    "embeddings":[[0.010071029,-0.5,1],[-0.0098027075,1e-3,2]],
    "total_duration":14143917,"load_duration":1019500,"prompt_eval_count":8}"#;

#[test]
fn the_body_names_the_upstream_s_model_and_every_text() {
    let outgoing = OllamaChat.write_texts(&two(), "all-minilm", &Quirks::default()).unwrap();
    assert_eq!(outgoing.path, "/api/embed");
    let expected = r#"{"model":"all-minilm","input":["Why is the sky blue?","a \"quote\""]}"#;
    assert_eq!(outgoing.body, expected);
    let request = EmbedRequest { dimensions: Some(128), ..two() };
    let body = OllamaChat.write_texts(&request, "m", &Quirks::default()).unwrap().body;
    assert!(body.ends_with(br#","dimensions":128}"#), "{body:?}");
}

#[test]
fn the_documented_reply_is_read() {
    let reply =
        OllamaChat.read_vectors(&Bytes::from_static(DOCUMENTED.as_bytes()), &two()).unwrap();
    assert_eq!(reply.vectors, [[0.010_071_029, -0.5, 1.0], [-0.009_802_707_5, 0.001, 2.0]]);
    assert_eq!(reply.usage, Usage { prompt: Some(8), ..Usage::default() });
}

#[test]
fn a_reply_that_is_not_one_vector_for_each_text_is_refused() {
    for (body, expected) in [
        (r#"{"embeddings":[[1]]}"#, "embeddings: expected 2 vectors, found 1"),
        (r#"{"embeddings":[[1],[1,2]]}"#, "embeddings[1]: "),
        (r#"{"embeddings":[[1],[null]]}"#, "embeddings: "),
        (r#"{"embedding":[1]}"#, "embeddings: "),
        ("[]", "body: "),
    ] {
        let result = OllamaChat.read_vectors(&Bytes::from_static(body.as_bytes()), &two());
        let Err(StreamError::Read(error)) = result else { panic!("{body}: {result:?}") };
        assert!(error.to_string().starts_with(expected), "{body}: {error}");
    }
    for end in 0..DOCUMENTED.len() {
        let cut = Bytes::from_static(&DOCUMENTED.as_bytes()[..end]);
        assert!(OllamaChat.read_vectors(&cut, &two()).is_err(), "cut at {end}");
    }
}

#[test]
fn an_error_inside_a_200_is_the_upstream_s() {
    let body = Bytes::from_static(br#"{"error":"the input length exceeds the context length"}"#);
    let result = OllamaChat.read_vectors(&body, &two());
    let Err(StreamError::Upstream(failure)) = result else { panic!("{result:?}") };
    assert_eq!(failure.error_type, ErrorType::ContextLengthExceeded);
}
