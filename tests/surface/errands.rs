//! The surfaces beside text: vectors, rankings, pictures, speech and transcriptions, through the
//! running gateway to the double and back, with the bill to the nano-dollar.

use reqwest::Response;
use serde_json::{Value, json};

use crate::answers::{attempts, generation_id, record};
use crate::harness::{Double, Gateway, http};

/// A model `test/{name}` with one endpoint at each of the double's names.
fn model(double: &Double, name: &str, output: &str, price: &str, endpoints: &[&str]) -> String {
    let head = format!(
        "[[model]]\nid = \"test/{name}\"\ncontext_length = 8192\n\
         output_modalities = [\"{output}\"]\n"
    );
    let endpoint = |endpoint: &&str| {
        format!(
            "[[model.endpoint]]\nprovider = \"{endpoint}\"\nmodel = \"up-{name}\"\n\
             price = {{ {price} }}\n"
        )
    };
    let provider = |provider: &&str| {
        format!(
            "[[provider]]\nslug = \"{provider}\"\ndialect = \"openai-chat\"\n\
             base_url = \"{}/{provider}\"\ncredential = \"none\"\n",
            double.url
        )
    };
    let providers: String = endpoints.iter().map(provider).collect();
    let endpoints: String = endpoints.iter().map(endpoint).collect();
    format!("{providers}{head}{endpoints}")
}

async fn send(gateway: &Gateway, path: &str, body: &Value) -> Response {
    let url = format!("{}{path}", gateway.url);
    let call = http().post(url).bearer_auth(&gateway.key);
    let call = call.header("content-type", "application/json").body(body.to_string());
    call.send().await.unwrap()
}

/// Sends and reads JSON: status, the generation's id, body.
async fn ask(gateway: &Gateway, path: &str, body: &Value) -> (u16, String, Value) {
    let response = send(gateway, path, body).await;
    let status = response.status().as_u16();
    let id = match response.headers().contains_key("x-generation-id") {
        true => generation_id(&response),
        false => String::new(),
    };
    let text = response.text().await.unwrap();
    (status, id, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// What a record says of a bill.
async fn billed(gateway: &Gateway, id: &str) -> (Value, Value) {
    let record = record(gateway, id).await;
    (record["api_type"].clone(), record["total_cost"].clone())
}

const TOKENS: &str = "prompt = \"2\", completion = \"0\"";

fn vectors() -> Value {
    json!({"body": {"object": "list", "model": "up", "data": [
        {"object": "embedding", "index": 1, "embedding": [0.25, 1]},
        {"object": "embedding", "index": 0, "embedding": [0.5, -2]},
    ], "usage": {"prompt_tokens": 7, "total_tokens": 7}}})
}

#[tokio::test]
async fn vectors_come_in_order_as_the_client_asked_and_are_billed() {
    let double = Double::start();
    double.script("first", &vectors()).await;
    let gateway = Gateway::start(&model(&double, "embed", "embeddings", TOKENS, &["first"])).await;
    let mut body = json!({"model": "test/embed", "input": ["a", "b"], "dimensions": 2});
    for path in ["/api/v1/embeddings", "/v1/embeddings"] {
        let (status, id, reply) = ask(&gateway, path, &body).await;
        assert_eq!(status, 200, "{reply}");
        assert_eq!(reply["data"][0]["embedding"], json!([0.5, -2.0]));
        assert_eq!(reply["data"][1]["embedding"], json!([0.25, 1.0]));
        assert_eq!((&reply["id"], &reply["model"]), (&json!(id), &json!("test/embed")));
        assert_eq!(reply["usage"]["prompt_tokens"], 7);
        assert_eq!(reply["usage"]["cost"], 0.000_014);
        assert_eq!(billed(&gateway, &id).await, (json!("embeddings"), json!(0.000_014)));
    }
    body["encoding_format"] = json!("base64");
    let (_, _, reply) = ask(&gateway, "/v1/embeddings", &body).await;
    assert_eq!(reply["data"][0]["embedding"], "AAAAPwAAAMA=");
    let log = double.log("first").await;
    assert_eq!(log[0]["path"], "/embeddings");
    let sent = json!({"model": "up-embed", "input": ["a", "b"], "encoding_format": "float",
        "dimensions": 2});
    assert_eq!(log[0]["body"], sent);
}

#[tokio::test]
async fn token_ids_are_passed_on() {
    let double = Double::start();
    double.script("first", &vectors()).await;
    let gateway = Gateway::start(&model(&double, "embed", "embeddings", TOKENS, &["first"])).await;
    let body = json!({"model": "test/embed", "input": [[1, 2], [3]]});
    let (status, _, reply) = ask(&gateway, "/v1/embeddings", &body).await;
    assert_eq!(status, 200, "{reply}");
    assert_eq!(double.log("first").await[0]["body"]["input"], json!([[1, 2], [3]]));
}

#[tokio::test]
async fn many_texts_are_asked_for_in_several_calls() {
    let double = Double::start();
    let part = |count: usize| {
        let row = |index| json!({"index": index, "embedding": [index, count]});
        json!({"body": {"data": (0..count).map(row).collect::<Vec<_>>(),
            "usage": {"prompt_tokens": count}}})
    };
    double.script("first", &json!([part(512), part(88)])).await;
    let gateway = Gateway::start(&model(&double, "embed", "embeddings", TOKENS, &["first"])).await;
    let texts: Vec<String> = (0..600).map(|number| format!("text {number}")).collect();
    let body = json!({"model": "test/embed", "input": texts});
    let (status, _, reply) = ask(&gateway, "/v1/embeddings", &body).await;
    assert_eq!(status, 200, "{reply}");
    let rows = reply["data"].as_array().unwrap();
    assert_eq!(rows.len(), 600);
    assert_eq!(rows[511]["embedding"], json!([511.0, 512.0]));
    assert_eq!((&rows[512]["index"], &rows[512]["embedding"]), (&json!(512), &json!([0.0, 88.0])));
    assert_eq!(reply["usage"]["prompt_tokens"], 600);
    assert_eq!(reply["usage"]["cost"], 0.0012);
    assert_eq!(double.log("first").await[1]["body"]["input"][0], "text 512");
}

#[tokio::test]
async fn a_ranking_echoes_its_documents_and_is_billed_by_the_unit() {
    let double = Double::start();
    let ranks = json!([{"index": 1, "relevance_score": 0.1}, {"index": 0, "relevance_score": 0.9},
        {"index": 2, "relevance_score": 0.5}]);
    let meta = json!({"billed_units": {"search_units": 3}});
    double.script("first", &json!({"body": {"results": ranks, "meta": meta}})).await;
    let price = "prompt = \"0\", completion = \"0\", search_unit = \"0.002\"";
    let gateway = Gateway::start(&model(&double, "rank", "rerank", price, &["first"])).await;
    let documents = json!(["Paris", {"text": "Rome"}, {"image": "https://a.test/b.png"}]);
    let body = json!({"model": "test/rank", "query": "q", "documents": documents, "top_n": 2});
    let (status, id, reply) = ask(&gateway, "/api/v1/rerank", &body).await;
    assert_eq!(status, 200, "{reply}");
    let expected = json!([
        {"index": 0, "relevance_score": 0.9, "document": {"text": "Paris"}},
        {"index": 2, "relevance_score": 0.5, "document": {"image": "https://a.test/b.png"}},
    ]);
    assert_eq!(reply["results"], expected);
    assert_eq!(reply["usage"], json!({"search_units": 3, "cost": 0.006}));
    assert_eq!(billed(&gateway, &id).await, (json!("rerank"), json!(0.006)));
    let sent = &double.log("first").await[0];
    assert_eq!(sent["path"], "/rerank");
    let documents = json!(["Paris", "Rome", {"image": "https://a.test/b.png"}]);
    assert_eq!(sent["body"]["documents"], documents);
}

fn pictures() -> Value {
    json!({"body": {"created": 1, "data": [{"b64_json": "iVBORw0KGgoA"}], "usage": {
        "total_tokens": 150, "input_tokens": 50, "output_tokens": 100,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}}}})
}

const PICTURES: &str = "prompt = \"5\", completion = \"40\", image_prompt = \"10\"";

#[tokio::test]
async fn pictures_are_billed_by_their_tokens() {
    let double = Double::start();
    double.script("first", &pictures()).await;
    let gateway = Gateway::start(&model(&double, "draw", "image", PICTURES, &["first"])).await;
    let body = json!({"model": "test/draw", "prompt": "A cat", "aspect_ratio": "16:9"});
    for path in ["/api/v1/images", "/v1/images/generations"] {
        let (status, id, reply) = ask(&gateway, path, &body).await;
        assert_eq!(status, 200, "{reply}");
        let data = json!([{"b64_json": "iVBORw0KGgoA", "media_type": "image/png"}]);
        assert_eq!(reply["data"], data);
        // 10 of text at 5, 40 of pictures at 10, 100 written at 40, by the million.
        assert_eq!(reply["usage"]["cost"], 0.004_45);
        assert_eq!(billed(&gateway, &id).await, (json!("image"), json!(0.004_45)));
    }
    let sent = &double.log("first").await[0];
    let expected = json!({"model": "up-draw", "prompt": "A cat", "n": 1, "size": "1536x1024"});
    assert_eq!((&sent["path"], &sent["body"]), (&json!("/images/generations"), &expected));
}

#[tokio::test]
async fn pictures_by_the_piece_cost_what_came() {
    let double = Double::start();
    let two = json!([{"b64_json": "/9j/AA=="}, {"b64_json": "/9j/AQ=="}]);
    double.script("first", &json!({"body": {"data": two}})).await;
    let price = "prompt = \"0\", completion = \"0\", image = \"0.04\"";
    let gateway = Gateway::start(&model(&double, "draw", "image", price, &["first"])).await;
    let body = json!({"model": "test/draw", "prompt": "A cat", "n": 3});
    let (status, id, reply) = ask(&gateway, "/api/v1/images", &body).await;
    assert_eq!((status, &reply["usage"]["cost"]), (200, &json!(0.08)), "{reply}");
    let record = record(&gateway, &id).await;
    assert_eq!((&record["total_cost"], &record["num_media_completion"]), (&json!(0.08), &json!(2)));
}

#[tokio::test]
async fn a_stream_of_pictures_has_one_event_each_and_an_end() {
    let double = Double::start();
    double.script("first", &pictures()).await;
    let gateway = Gateway::start(&model(&double, "draw", "image", PICTURES, &["first"])).await;
    let body = json!({"model": "test/draw", "prompt": "A cat", "stream": true});
    let response = send(&gateway, "/api/v1/images", &body).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    let events: Vec<&str> = text.split_terminator("\n\n").collect();
    let [event, "data: [DONE]"] = events[..] else { panic!("{text}") };
    let data = event.strip_prefix("event: image_generation.completed\ndata: ").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (&data["type"], &data["b64_json"]),
        (&json!("image_generation.completed"), &json!("iVBORw0KGgoA"))
    );
    assert_eq!(data["usage"]["cost"], 0.004_45);
}

#[tokio::test]
async fn an_error_after_the_headers_of_a_stream_of_pictures_is_an_event() {
    let double = Double::start();
    let refusal = json!({"error": {"message": "No cats", "code": "content_policy_violation"}});
    double.script("first", &json!({"head_ms": 400, "status": 400, "body": refusal})).await;
    let early = "[server]\nfirst_comment_ms = 50\ncomment_ms = 50\n";
    let config = format!("{early}{}", model(&double, "draw", "image", PICTURES, &["first"]));
    let gateway = Gateway::start(&config).await;
    let body = json!({"model": "test/draw", "prompt": "A cat", "stream": true});
    let response = send(&gateway, "/api/v1/images", &body).await;
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    assert!(text.starts_with(": OPENROUTER PROCESSING\n\n"), "{text}");
    assert!(text.contains("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"content_policy_violation\",\"code\":\"400\",\"message\":\"No cats\""), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
}

#[tokio::test]
async fn who_leaves_before_the_pictures_pays_nothing() {
    let double = Double::start();
    double.script("first", &json!({"hang": "head"})).await;
    let config = model(&double, "draw", "image", PICTURES, &["first"]);
    // A provider that goes on and bills it anyway.
    let config = config.replace("credential = \"none\"", "credential = \"none\"\ncancel = false");
    let gateway = Gateway::start(&config).await;
    let body = json!({"model": "test/draw", "prompt": "A cat"});
    let url = format!("{}/api/v1/images", gateway.url);
    let call = http().post(url).bearer_auth(&gateway.key).body(body.to_string());
    let asked = tokio::spawn(call.send());
    double.log_when("first", 1, 0).await;
    asked.abort();
    double.log_when("first", 1, 1).await;
    let (_, key) = gateway.get("/key").await;
    assert_eq!(key["data"]["usage"], 0.0, "{key}");
}

const SPOKEN: &str = "prompt = \"0\", completion = \"0\", character = \"0.000015\"";

#[tokio::test]
async fn speech_goes_through_as_it_comes_and_is_billed_by_the_character() {
    let double = Double::start();
    let sound = "not really sound, but bytes that nobody reads";
    let script = json!({"headers": {"content-type": "audio/mpeg"}, "body": sound, "split": 7});
    double.script("first", &script).await;
    let gateway = Gateway::start(&model(&double, "say", "speech", SPOKEN, &["first"])).await;
    for (format, kind) in [(None, "audio/pcm"), (Some("mp3"), "audio/mpeg")] {
        let body = json!({"model": "test/say", "input": "Grüße", "voice": "nova",
            "response_format": format});
        let response = send(&gateway, "/v1/audio/speech", &body).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], kind);
        let id = generation_id(&response);
        assert_eq!(response.text().await.unwrap(), sound);
        assert_eq!(billed(&gateway, &id).await, (json!("tts"), json!(0.000_075)));
    }
    let log = double.log("first").await;
    assert_eq!(log[0]["path"], "/audio/speech");
    let sent = json!({"model": "up-say", "input": "Grüße", "voice": "nova",
        "response_format": "pcm"});
    assert_eq!(log[0]["body"], sent);
}

#[tokio::test]
async fn speech_that_breaks_off_has_no_end() {
    let double = Double::start();
    let script = json!({"headers": {"content-type": "audio/pcm"},
        "sse": [{"raw": "first"}, {"raw": "second"}], "gate_after": 1, "cut_bytes": 7});
    double.script("first", &script).await;
    let gateway = Gateway::start(&model(&double, "say", "speech", SPOKEN, &["first"])).await;
    let response =
        send(&gateway, "/v1/audio/speech", &json!({"model": "test/say", "input": "Hi"})).await;
    assert_eq!(response.status(), 200);
    let id = generation_id(&response);
    double.release("first").await;
    assert!(response.bytes().await.is_err(), "a client must not take half of it for all");
    // There was something to hear.
    assert_eq!(billed(&gateway, &id).await.1, json!(0.000_03));
}

const HEARD: &str = "prompt = \"0\", completion = \"0\", second = \"0.0001\"";

#[tokio::test]
async fn sound_as_json_and_as_a_form_is_written_down_and_billed_by_the_second() {
    let double = Double::start();
    let said = json!({"text": "Hello.", "usage": {"type": "duration", "seconds": 9}});
    double.script("first", &json!({"body": said})).await;
    let gateway = Gateway::start(&model(&double, "hear", "transcription", HEARD, &["first"])).await;
    let expected = json!({"text": "Hello.", "usage": {"seconds": 9, "cost": 0.0009}});
    let body = json!({"model": "test/hear", "language": "en",
        "input_audio": {"data": "UklGRg==", "format": "wav"}});
    let (status, id, reply) = ask(&gateway, "/api/v1/audio/transcriptions", &body).await;
    assert_eq!((status, &reply), (200, &expected));
    assert_eq!(billed(&gateway, &id).await, (json!("stt"), json!(0.0009)));
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ntest/hear\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\
        Content-Type: audio/wav\r\n\r\nRIFF\r\n--b--\r\n";
    let reply = upload(&gateway, form).await;
    assert_eq!(reply, (200, expected));
    for sent in double.log("first").await.as_array().unwrap() {
        assert_eq!(sent["path"], "/audio/transcriptions");
        let kind = sent["headers"]["content-type"].as_str().unwrap();
        assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
        let text = sent["text"].as_str().unwrap();
        assert!(text.contains("name=\"model\"\r\n\r\nup-hear\r\n"), "{text}");
        assert!(
            text.contains("filename=\"audio.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n"),
            "{text}"
        );
    }
}

async fn upload(gateway: &Gateway, form: &str) -> (u16, Value) {
    let url = format!("{}/v1/audio/transcriptions", gateway.url);
    let call = http().post(url).bearer_auth(&gateway.key);
    let call = call.header("content-type", "multipart/form-data; boundary=b");
    let response = call.body(form.to_owned()).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn sound_of_unknown_length_is_estimated_and_marked_so() {
    let double = Double::start();
    double.script("first", &json!({"body": {"text": "Hello."}})).await;
    let gateway = Gateway::start(&model(&double, "hear", "transcription", HEARD, &["first"])).await;
    // 8,000 bytes, half a second at 128 kbit/s.
    let data = "AAAA".repeat(8000 / 3) + "AAA=";
    let body = json!({"model": "test/hear", "input_audio": {"data": data, "format": "mp3"}});
    let (status, id, reply) = ask(&gateway, "/v1/audio/transcriptions", &body).await;
    assert_eq!((status, &reply["usage"]), (200, &json!({"seconds": 0.5, "cost": 0.00005})));
    assert_eq!(record(&gateway, &id).await["is_estimated"], true);
}

#[tokio::test]
async fn a_form_that_is_wrong_or_too_large_is_refused() {
    let double = Double::start();
    let small = "[server]\nupload_bytes_max = 200\n";
    let config = model(&double, "hear", "transcription", HEARD, &["first"]);
    let gateway = Gateway::start(&format!("{small}{config}")).await;
    let format = |format: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"response_format\"\r\n\r\n{format}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b--\r\n"
        )
    };
    for (form, status, part) in [
        (format("srt"), 400, "response_format: expected json or verbose_json"),
        (format("json"), 400, "file: expected the sound as a file"),
        (format(&"j".repeat(200)), 413, "server.upload_bytes_max"),
        ("no form".to_owned(), 400, "body: expected a form"),
    ] {
        let (found, reply) = upload(&gateway, &form).await;
        let message = reply["error"]["message"].as_str().unwrap();
        assert_eq!((found, message.contains(part)), (status, true), "{reply}");
    }
    assert_eq!(double.log("first").await, json!([]));
}

#[tokio::test]
async fn a_transcription_that_takes_too_long_is_given_up() {
    let double = Double::start();
    double.script("first", &json!({"hang": "head"})).await;
    double.script("second", &json!({"body": {"text": "Hello.", "usage": {"seconds": 1}}})).await;
    let config = model(&double, "hear", "transcription", HEARD, &["first", "second"]);
    let gateway = Gateway::start(&format!("[upstream]\ntranscription_ms = 300\n{config}")).await;
    let body = json!({"model": "test/hear", "input_audio": {"data": "AAAA", "format": "wav"}});
    let (status, id, reply) = ask(&gateway, "/v1/audio/transcriptions", &body).await;
    assert_eq!((status, &reply["text"]), (200, &json!("Hello.")), "{reply}");
    assert_eq!(attempts(&record(&gateway, &id).await), [504, 200]);
}

/// Every surface with a good body for a model.
fn surfaces(model: &str) -> Vec<(&'static str, Value)> {
    let sound = json!({"data": "AAAA", "format": "wav"});
    vec![
        ("/embeddings", json!({"model": model, "input": "a"})),
        ("/rerank", json!({"model": model, "query": "q", "documents": ["a"]})),
        ("/images", json!({"model": model, "prompt": "p"})),
        ("/audio/speech", json!({"model": model, "input": "a"})),
        ("/audio/transcriptions", json!({"model": model, "input_audio": sound})),
    ]
}

#[tokio::test]
async fn a_model_asked_at_the_wrong_path_is_told_the_right_one() {
    let double = Double::start();
    let config = format!(
        "{}{}",
        double.model("chat", "openai-chat", true),
        model(&double, "embed", "embeddings", TOKENS, &["first"])
    );
    let gateway = Gateway::start(&config).await;
    for (path, body) in surfaces("test/chat") {
        let (status, _, reply) = ask(&gateway, &format!("/api/v1{path}"), &body).await;
        assert_eq!(status, 400, "{path}: {reply}");
        let error = &reply["error"];
        assert_eq!(error["availability"]["code"], "wrong_endpoint", "{path}: {reply}");
        assert_eq!(error["availability"]["requested_models"], json!(["test/chat"]));
        assert_eq!(error["metadata"]["error_type"], "invalid_request");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("POST /api/v1/chat/completions"), "{path}: {message}");
    }
    let (status, reply) = gateway
        .chat(&json!({"model": "test/embed", "messages": [
        {"role": "user", "content": "Hi"}]}))
        .await;
    assert_eq!((status, &reply["error"]["availability"]["code"]), (400, &json!("wrong_endpoint")));
    assert!(reply["error"]["message"].as_str().unwrap().contains("POST /api/v1/embeddings"));
    for (path, body) in surfaces("test/none") {
        let (status, _, reply) = ask(&gateway, &format!("/api/v1{path}"), &body).await;
        assert_eq!(status, 400, "{path}: {reply}");
    }
    assert_eq!(double.log("chat").await, json!([]));
}

#[tokio::test]
async fn nobody_asks_without_a_key_or_with_a_broken_body() {
    let gateway = Gateway::start("").await;
    for (path, body) in surfaces("test/none") {
        let url = format!("{}/api/v1{path}", gateway.url);
        let response = http().post(&url).body(body.to_string()).send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
        let (status, _, reply) = ask(&gateway, &format!("/api/v1{path}"), &json!([])).await;
        assert_eq!(status, 400, "{path}: {reply}");
        let message = reply["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("body: expected a JSON object"), "{path}: {message}");
    }
}

#[tokio::test]
async fn what_fails_is_followed_by_the_next_endpoint_and_costs_nothing_when_all_fail() {
    let double = Double::start();
    let failure = json!({"status": 500, "body": {"error": {"message": "it went wrong"}}});
    double.script("first", &failure).await;
    double.script("second", &vectors()).await;
    let config = model(&double, "embed", "embeddings", TOKENS, &["first", "second"]);
    let gateway = Gateway::start(&config).await;
    let mut body = json!({"model": "test/embed", "input": ["a", "b"]});
    let (status, id, reply) = ask(&gateway, "/v1/embeddings", &body).await;
    assert_eq!((status, &reply["provider"]), (200, &json!("second")), "{reply}");
    assert_eq!(attempts(&record(&gateway, &id).await), [502, 200]);
    // The client's preferences count here, too.
    body["provider"] = json!({"only": ["first"]});
    let (status, id, reply) = ask(&gateway, "/v1/embeddings", &body).await;
    assert_eq!(status, 502, "{reply}");
    assert_eq!(billed(&gateway, &id).await.1.as_f64(), Some(0.0));
    body["provider"] = json!({"allow_fallbacks": false});
    assert_eq!(ask(&gateway, "/v1/embeddings", &body).await.0, 502);
    // One vector for two texts is no answer.
    let short = json!({"body": {"data": [{"embedding": [1]}], "usage": {"prompt_tokens": 1}}});
    double.script("first", &short).await;
    body["provider"] = json!({});
    let (status, _, reply) = ask(&gateway, "/v1/embeddings", &body).await;
    assert_eq!((status, &reply["provider"]), (200, &json!("second")), "{reply}");
}

#[tokio::test]
async fn what_nobody_can_pay_is_not_asked() {
    let double = Double::start();
    double.script("first", &vectors()).await;
    let config = model(&double, "embed", "embeddings", TOKENS, &["first"]);
    let gateway = Gateway::start(&format!("[billing]\nmode = \"prepaid\"\n{config}")).await;
    let body = json!({"model": "test/embed", "input": ["a", "b"]});
    let (status, _, reply) = ask(&gateway, "/v1/embeddings", &body).await;
    assert_eq!((status, &reply["error"]["code"]), (402, &json!(402)), "{reply}");
    assert_eq!(double.log("first").await, json!([]));
}

#[tokio::test]
async fn the_simulated_vectors_and_rankings_need_no_key_and_are_always_the_same() {
    let gateway = Gateway::start("").await;
    let body = json!({"model": "patchbay/sim-embed", "input": ["a cat", "a cat"], "dimensions": 8});
    let (status, _, reply) = ask(&gateway, "/api/v1/embeddings", &body).await;
    assert_eq!((status, &reply["provider"]), (200, &json!("Patchbay (simulated)")), "{reply}");
    assert_eq!(reply["data"][0]["embedding"], reply["data"][1]["embedding"]);
    assert_eq!(reply["data"][0]["embedding"].as_array().unwrap().len(), 8);
    assert_eq!(reply["usage"]["cost"], 0);
    let documents = ["Berlin is in Germany.", "Paris is the capital of France.", "A cat."];
    let body = json!({"model": "patchbay/sim-rerank", "query": "capital of France",
        "documents": documents, "top_n": 1});
    let (status, _, reply) = ask(&gateway, "/api/v1/rerank", &body).await;
    assert_eq!((status, &reply["results"][0]["index"]), (200, &json!(1)), "{reply}");
    assert_eq!(reply["results"].as_array().unwrap().len(), 1);
}
