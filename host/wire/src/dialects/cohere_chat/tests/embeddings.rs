//! Documented embeddings, and replies that are none.

use super::*;
use crate::embed::EmbedRequest;
use crate::provider::Quirks;

fn two() -> EmbedRequest {
    let inputs = ["hello", "good\"bye"].map(|text| text.to_owned().into()).to_vec();
    EmbedRequest { model: "cohere/embed-v4".to_owned(), inputs, ..EmbedRequest::default() }
}

/// As in <https://docs.cohere.com/v2/reference/embed>.
const DOCUMENTED: &str = r#"{"id":"e","texts":["hello","goodbye"],
    "embeddings":{"float":[[0.016296387,-0.5,1],[0.25,1e-3,-2]]},
    "meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":2}}}"#;

#[test]
fn the_body_says_what_the_vectors_are_for() {
    let request = EmbedRequest { dimensions: Some(256), ..two() };
    let outgoing = CohereChat.write_texts(&request, "embed-v4.0", &Quirks::default()).unwrap();
    assert_eq!(outgoing.path, "/embed");
    let expected = r#"{"model":"embed-v4.0","texts":["hello","good\"bye"],"input_type":"search_document","embedding_types":["float"],"output_dimension":256}"#;
    assert_eq!(outgoing.body, expected);
}

#[test]
fn the_documented_reply_is_read() {
    let reply =
        CohereChat.read_vectors(&Bytes::from_static(DOCUMENTED.as_bytes()), &two()).unwrap();
    assert_eq!(reply.vectors, [[0.016_296_387, -0.5, 1.0], [0.25, 0.001, -2.0]]);
    assert_eq!(reply.usage, Usage { prompt: Some(2), ..Usage::default() });
}

#[test]
fn a_reply_that_is_not_one_vector_for_each_text_is_refused() {
    for (body, expected) in [
        (r#"{"embeddings":{"float":[[1]]}}"#, "embeddings.float: expected 2 vectors, found 1"),
        (r#"{"embeddings":{"float":[[1],[1,2]]}}"#, "embeddings.float[1]: "),
        (r#"{"embeddings":{"float":[[1],["1"]]}}"#, "embeddings.float: "),
        (r#"{"embeddings":{"int8":[[1],[1]]}}"#, "embeddings.float: "),
        (r#"{"embeddings":[[1],[1]]}"#, "embeddings: "),
        ("{}", "embeddings: "),
        ("[]", "body: "),
    ] {
        let result = CohereChat.read_vectors(&Bytes::from_static(body.as_bytes()), &two());
        let Err(StreamError::Read(error)) = result else { panic!("{body}: {result:?}") };
        assert!(error.to_string().starts_with(expected), "{body}: {error}");
    }
    for end in 0..DOCUMENTED.len() {
        let cut = Bytes::from_static(&DOCUMENTED.as_bytes()[..end]);
        assert!(CohereChat.read_vectors(&cut, &two()).is_err(), "cut at {end}");
    }
}

#[test]
fn an_error_inside_a_200_is_the_upstream_s() {
    let body = Bytes::from_static(br#"{"message":"texts must not be empty"}"#);
    let result = CohereChat.read_vectors(&body, &two());
    let Err(StreamError::Upstream(failure)) = result else { panic!("{result:?}") };
    assert_eq!(failure.message, "texts must not be empty");
}
