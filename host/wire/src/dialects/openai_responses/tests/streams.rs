//! Streams that other dialects made, and streams that end too soon.

use super::*;

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.to_owned() }
}

fn finish(reason: FinishReason) -> Delta {
    Delta::Finish { choice: 0, reason, native: None }
}

fn thought(text: &str, index: u32, signature: Option<&str>) -> Delta {
    let detail = ReasoningDetail {
        format: Some("anthropic-claude-v1".to_owned()),
        index: Some(index),
        signature: signature.map(str::to_owned),
        ..ReasoningDetail::default()
    };
    Delta::Reasoning { choice: 0, text: text.to_owned(), detail: Some(detail) }
}

fn read_stream(events: &[Value]) -> (Vec<Chunk>, bool) {
    let mut stream = OpenaiResponses.read_stream();
    let mut chunks = Vec::new();
    for event in events {
        let event = Event { name: None, data: event.to_string().into() };
        stream.read(&event, &mut chunks).unwrap();
    }
    (chunks, stream.is_done())
}

#[test]
fn items_open_and_close_whatever_comes_in_between() {
    let call = |index, name: Option<&str>, arguments: &str| Delta::ToolCall {
        choice: 0,
        index,
        id: name.map(|_| format!("c{index}")),
        name: name.map(str::to_owned),
        arguments: arguments.to_owned(),
    };
    let deltas = [
        thought("a", 0, None),
        thought("", 0, Some("sig0")),
        thought("b", 1, None),
        text("x"),
        call(0, Some("f"), "{\"a\""),
        text("y"),
        call(1, Some("g"), ""),
        call(0, None, ":1}"),
        Delta::Refusal { choice: 0, text: "no".to_owned() },
        call(1, None, "{}"),
        Delta::Text { choice: 1, text: "of another choice".to_owned() },
        finish(FinishReason::ToolCalls),
    ];
    let chunks: Vec<Chunk> = deltas.into_iter().map(|delta| Chunk::of(vec![delta])).collect();
    let events = write(&head(), &chunks);
    let mut open = std::collections::BTreeMap::new();
    let mut done = std::collections::BTreeMap::new();
    for event in &events {
        let place = event["output_index"].as_u64();
        match event["type"].as_str().unwrap() {
            "response.output_item.added" => {
                assert!(open.insert(place, event["item"]["id"].clone()).is_none());
            }
            "response.output_item.done" => {
                assert_eq!(open.remove(&place).as_ref(), Some(&event["item"]["id"]));
                done.insert(place, event["item"].clone());
            }
            _ if place.is_some() => assert_eq!(open.get(&place), Some(&event["item_id"])),
            _ => {}
        }
    }
    assert!(open.is_empty());
    let items: Vec<&Value> = done.values().collect();
    let output = events.last().unwrap()["response"]["output"].as_array().unwrap();
    assert_eq!(items, output.iter().collect::<Vec<_>>());
    let kinds: Vec<&str> = output.iter().map(|item| item["type"].as_str().unwrap()).collect();
    let expected = [
        "reasoning",
        "reasoning",
        "message",
        "function_call",
        "message",
        "function_call",
        "message",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(output[0]["signature"], "sig0");
    assert_eq!(output[3]["arguments"], "{\"a\":1}");
    assert_eq!(output[6]["content"][0], json!({"type": "refusal", "refusal": "no"}));
}

#[test]
fn what_was_written_is_read_back_equal() {
    let encrypted = ReasoningDetail {
        kind: ReasoningKind::Encrypted,
        format: Some("google-gemini-v1".to_owned()),
        index: Some(2),
        data: Some("AbC+/=".to_owned()),
        ..ReasoningDetail::default()
    };
    let citation = r#"{"type":"url_citation","url_citation":{"url":"u","title":"t","start_index":0,"end_index":1}}"#;
    let image = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#;
    let usage = Usage {
        prompt: Some(9),
        completion: Some(7),
        cached: Some(4),
        cache_write: Some(2),
        reasoning: Some(3),
        web_searches: Some(1),
        ..Usage::default()
    };
    let chunks = [
        Chunk::of(vec![thought("a", 0, None), thought("", 0, Some("s+/="))]),
        Chunk::of(vec![Delta::Reasoning {
            choice: 0,
            text: String::new(),
            detail: Some(ReasoningDetail { index: Some(1), ..encrypted }),
        }]),
        Chunk::of(vec![
            text("x"),
            Delta::Annotation { choice: 0, json: Json::parse(citation).unwrap() },
        ]),
        Chunk::of(vec![Delta::Image { choice: 0, json: Json::parse(image).unwrap() }]),
        Chunk::of(vec![finish(FinishReason::Length), Delta::Usage(usage)]),
    ];
    let reply = Reply::fold(&chunks);
    let (streamed, is_done) = read_stream(&write(&head(), &chunks));
    assert!(is_done);
    let body = OpenaiResponses.write_reply(&reply, &head(), &cost());
    let whole = OpenaiResponses.read_reply(&body.into()).unwrap();
    for chunks in [streamed, whole] {
        let mut back = Reply::fold(&chunks);
        let choice = &mut back.choices[0];
        choice.other.clear();
        assert_eq!(
            choice.finish,
            Some((FinishReason::Length, Some("max_output_tokens".to_owned())))
        );
        choice.finish.clone_from(&reply.choices[0].finish);
        assert_eq!(back.choices, reply.choices);
        let usage = Usage { audio_prompt: None, ..back.usage };
        assert_eq!(usage, reply.usage);
    }
}

#[test]
fn usage_says_what_it_cost_in_words_of_this_dialect() {
    let events = write(&head(), &[Chunk::of(vec![text("x"), finish(FinishReason::Stop)])]);
    let usage = &events.last().unwrap()["response"]["usage"];
    assert_eq!(usage["cost"], 0.3);
    let details = json!({
        "upstream_inference_cost": 0.3,
        "upstream_inference_input_cost": 0.1,
        "upstream_inference_output_cost": 0.2,
    });
    assert_eq!(usage["cost_details"], details);
}

#[test]
fn a_stream_without_its_last_event_is_not_done() {
    let all = write(&head(), &[Chunk::of(vec![text("x"), finish(FinishReason::Stop)])]);
    let (last, rest) = all.split_last().unwrap();
    assert!(!read_stream(rest).1);
    assert!(read_stream(&[rest, std::slice::from_ref(last)].concat()).1);
    let mut stream = OpenaiResponses.read_stream();
    let done = Event { name: None, data: Bytes::from_static(b"[DONE]") };
    stream.read(&done, &mut Vec::new()).unwrap();
    assert!(!stream.is_done());
}

#[test]
fn an_event_may_name_its_type_or_not_but_must_be_json() {
    let mut stream = OpenaiResponses.read_stream();
    let data = Bytes::from_static(br#"{"error":{"message":"busy"}}"#);
    let event = Event { name: Some("error".to_owned()), data };
    let error = stream.read(&event, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, StreamError::Upstream(failure) if failure.message == "busy"));
    let event = Event { name: None, data: Bytes::from_static(b"oops") };
    let error = stream.read(&event, &mut Vec::new()).unwrap_err();
    assert!(matches!(error, StreamError::Read(_)));
    for body in ["{}", "[]", r#"{"output":{}}"#] {
        let error = OpenaiResponses.read_reply(&Bytes::from(body)).unwrap_err();
        assert!(matches!(error, StreamError::Read(_)), "{body}");
    }
}
