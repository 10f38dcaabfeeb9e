//! Documented and recorded replies, and replies that are none.

use super::*;

fn request(documents: usize, top_n: Option<usize>) -> RerankRequest {
    let document = |at| Document { text: Some(format!("document {at}")), image: None };
    RerankRequest {
        query: "Which?".to_owned(),
        documents: (0..documents).map(document).collect(),
        top_n,
        ..RerankRequest::default()
    }
}

fn read(body: &str, request: &RerankRequest) -> Result<RerankReply, StreamError> {
    CohereForm.read_ranks(&Bytes::copy_from_slice(body.as_bytes()), request)
}

/// Index and score, the best first.
fn ranks(reply: &RerankReply) -> Vec<(usize, f64)> {
    reply.ranks.iter().map(|rank| (rank.index, rank.score)).collect()
}

#[test]
fn texts_are_sent_as_texts_and_pictures_with_their_text() {
    let mut request = request(1, Some(2));
    let image = Some("https://a.test/b.png".to_owned());
    request.documents.push(Document { text: Some("b".to_owned()), image: image.clone() });
    request.documents.push(Document { text: None, image });
    let outgoing = CohereForm.write_documents(&request, "rerank-v3.5").unwrap();
    assert_eq!(outgoing.path, "/rerank");
    let expected = r#"{"model":"rerank-v3.5","query":"Which?","documents":["document 0",{"text":"b","image":"https://a.test/b.png"},{"image":"https://a.test/b.png"}],"top_n":2}"#;
    assert_eq!(outgoing.body, expected);
}

#[test]
fn cohere_s_recorded_reply_is_read() {
    let body = r#"{"id":"b4","results":[{"index":1,"relevance_score":0.10183054},{"index":0,"relevance_score":0.03762639}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}"#;
    let reply = read(body, &request(2, None)).unwrap();
    assert_eq!(ranks(&reply), [(1, 0.101_830_54), (0, 0.037_626_39)]);
    assert_eq!((reply.units.search_units, reply.usage.prompt), (Some(1), None));
}

#[test]
fn together_s_recorded_reply_is_read() {
    let body = r#"{"id":"oG","object":"rerank","model":"m","results":[{"index":0,"relevance_score":0.6475887154399037,"document":{}},{"index":5,"relevance_score":0.6323295373206566,"document":{}}],"usage":{"prompt_tokens":2966,"completion_tokens":0,"total_tokens":2966}}"#;
    let reply = read(body, &request(6, None)).unwrap();
    assert_eq!(ranks(&reply), [(0, 0.647_588_715_439_903_7), (5, 0.632_329_537_320_656_6)]);
    assert_eq!((reply.units.search_units, reply.usage.prompt), (None, Some(2966)));
}

#[test]
fn voyage_s_and_jina_s_replies_are_read() {
    let rows = r#"[{"relevance_score":0.4375,"index":0},{"relevance_score":0.421875,"index":1}]"#;
    for body in [
        format!(r#"{{"object":"list","data":{rows},"model":"m","usage":{{"total_tokens":26}}}}"#),
        format!(r#"{{"model":"m","results":{rows},"usage":{{"total_tokens":26}}}}"#),
    ] {
        let reply = read(&body, &request(2, None)).unwrap();
        assert_eq!(ranks(&reply), [(0, 0.4375), (1, 0.421_875)]);
        assert_eq!(reply.usage.prompt, Some(26));
    }
}

#[test]
fn the_best_come_first_and_no_more_than_were_asked_for() {
    let rows = [(0, 0.1), (1, 0.9), (2, 0.5), (3, 0.5)]
        .map(|(index, score)| format!(r#"{{"index":{index},"relevance_score":{score}}}"#));
    let body = format!(r#"{{"results":[{}]}}"#, rows.join(","));
    let reply = read(&body, &request(4, Some(3))).unwrap();
    assert_eq!(ranks(&reply), [(1, 0.9), (2, 0.5), (3, 0.5)]);
}

#[test]
fn a_reply_that_ranks_what_it_was_not_given_is_refused() {
    let row = |index: i64| format!(r#"{{"index":{index},"relevance_score":0.5}}"#);
    let list = |rows: &[String]| format!(r#"{{"results":[{}]}}"#, rows.join(","));
    for (body, part) in [
        (list(&[row(2)]), "results[0].index: expected each number below 2 once, found 2"),
        (list(&[row(1), row(1)]), "results[1].index: expected each number below 2 once, found 1"),
        (list(&[row(-1)]), "body: "),
        (r#"{"results":[{"index":0}]}"#.to_owned(), "missing field `relevance_score`"),
        (r#"{"results":null}"#.to_owned(), "neither `results` nor `data`"),
        ("{}".to_owned(), "neither `results` nor `data`"),
        ("<html>".to_owned(), "body: "),
        (String::new(), "body: "),
    ] {
        let Err(StreamError::Read(error)) = read(&body, &request(2, None)) else {
            panic!("{body} is no ranking")
        };
        assert!(error.to_string().contains(part), "{body}: {error}");
    }
    let Err(StreamError::Upstream(failure)) = read(r#"{"message":"Sorry"}"#, &request(1, None))
    else {
        panic!("it is an error")
    };
    assert_eq!(failure.message, "Sorry");
}
