//! What clients send and what they are told.

use bytes::Bytes;

use super::*;
use crate::chunk::Usage;
use crate::dialect::{Cost, Head};
use crate::embed::{EmbedInput, EmbedReply, EmbedRequest, Encoding};
use crate::error::{ErrorType, Failure};
use crate::image::{ImageReply, Picture, Size};
use crate::rerank::{Rank, RerankReply};
use crate::speech::SoundFormat;
use crate::transcribe::TranscribeReply;
use crate::units::Units;

fn head() -> Head {
    let text = str::to_owned;
    Head {
        id: text("gen-1"),
        created: 7,
        model: text("a/b"),
        provider: text("P"),
        ..Head::default()
    }
}

fn cost() -> Cost {
    let text = str::to_owned;
    Cost { total: text("0.02"), prompt: text("0.01"), completion: text("0.01"), is_byok: false }
}

/// Each body with a part of what is said of it.
#[track_caller]
fn refused<T: std::fmt::Debug>(
    read: impl Fn(&[u8]) -> Result<T, ReadError>,
    cases: &[(&str, &str)],
) {
    for (body, part) in cases {
        let error = read(body.as_bytes()).expect_err(body).to_string();
        assert!(error.contains(part), "{body}: {error}");
    }
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    refused(read_embed, &[("", "body: "), ("[]", "body: "), ("{}", "model: expected")]);
    refused(read_embed, &[(r#"{"model":"m","model":"n"}"#, "model: expected the field once")]);
}

#[test]
fn what_to_embed_is_texts_token_ids_or_parts() {
    let inputs = |input: &str| {
        let body = format!(r#"{{"model":"m","input":{input}}}"#);
        read_embed(body.as_bytes()).map(|request| request.inputs)
    };
    let text = |text: &str| EmbedInput::Text(text.to_owned());
    let tokens = |ids: &[u32]| EmbedInput::Tokens(ids.to_vec());
    assert_eq!(inputs(r#""a""#).unwrap(), [text("a")]);
    assert_eq!(inputs(r#"["a","b"]"#).unwrap(), [text("a"), text("b")]);
    assert_eq!(inputs("[1, 2]").unwrap(), [tokens(&[1, 2])]);
    assert_eq!(inputs("[[1,2],[3]]").unwrap(), [tokens(&[1, 2]), tokens(&[3])]);
    let parts = inputs(
        r#"[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://a.test/b.png"}}]}]"#,
    );
    let parts = parts.unwrap();
    let [EmbedInput::Parts(parts)] = parts.as_slice() else { panic!("{parts:?}") };
    assert_eq!(parts.len(), 2);
    for (input, part) in [
        (r#""""#, "input: expected a text that is not empty"),
        ("[]", "input: expected a text, or a list"),
        (r#"["a",""]"#, "input[1]: expected a text that is not empty"),
        ("[1,-1]", "input[1]: expected a whole number"),
        ("[[1],[]]", "input[1]: expected at least one token id"),
        (r#"["a",null]"#, "input[1]: expected a text, a list of token ids"),
        (r#"[{"text":"a"}]"#, "input[0].content: expected a list of parts"),
        (r#"[{"content":[]}]"#, "input[0].content: expected at least one part"),
        (r#"[{"content":[{"type":"image_url"}]}]"#, "input[0].content[0].image_url"),
        ("{}", "input: expected a text, or a list"),
    ] {
        let error = inputs(input).unwrap_err().to_string();
        assert!(error.contains(part), "{input}: {error}");
    }
}

#[test]
fn the_other_fields_of_an_embedding_are_read() {
    let body = br#"{"model":"m","input":"a","dimensions":256,"encoding_format":"base64","input_type":"search_query","user":"u","provider":{"only":["x"]},"new":1}"#;
    let request = read_embed(body).unwrap();
    assert_eq!((request.dimensions, request.encoding), (Some(256), Encoding::Base64));
    assert_eq!(request.input_type.as_deref(), Some("search_query"));
    assert_eq!(request.provider.unwrap().as_str(), r#"{"only":["x"]}"#);
    refused(
        read_embed,
        &[
            (r#"{"input":"a"}"#, "model: expected a model's id"),
            (
                r#"{"model":"m","input":"a","dimensions":0}"#,
                "dimensions: expected a whole number of at least 1",
            ),
            (
                r#"{"model":"m","input":"a","encoding_format":"int8"}"#,
                "encoding_format: expected float, base64",
            ),
        ],
    );
}

#[test]
fn vectors_are_written_as_the_client_asked() {
    let usage = Usage { prompt: Some(8), ..Usage::default() };
    let reply = EmbedReply { vectors: vec![vec![0.5, -2.0], vec![0.1, 1e-9]], usage };
    let mut request = EmbedRequest::default();
    let text = |request: &EmbedRequest| {
        String::from_utf8(write_embed(&reply, request, &head(), &cost())).unwrap()
    };
    let tail = r#""usage":{"prompt_tokens":8,"total_tokens":8,"cost":0.02,"is_byok":false,"cost_details":{"upstream_inference_cost":null,"upstream_inference_prompt_cost":0.01,"upstream_inference_completions_cost":0.01}}}"#;
    let float = format!(
        r#"{{"id":"gen-1","object":"list","model":"a/b","provider":"P","data":[{{"object":"embedding","index":0,"embedding":[0.5,-2.0]}},{{"object":"embedding","index":1,"embedding":[0.1,1e-9]}}],{tail}"#
    );
    assert_eq!(text(&request), float);
    request.encoding = Encoding::Base64;
    // 0x3f000000 and 0xc0000000, the lowest byte first.
    assert!(
        text(&request).contains(r#""index":0,"embedding":"AAAAPwAAAMA="}"#),
        "{}",
        text(&request)
    );
}

#[test]
fn documents_are_texts_or_have_pictures_and_come_back() {
    let body = br#"{"model":"m","query":"q","documents":["a",{"text":"b"},{"image":"https://a.test/c.png"}],"top_n":2}"#;
    let request = read_rerank(body).unwrap();
    assert_eq!(request.top_n, Some(2));
    let ranks = vec![Rank { index: 2, score: 0.75 }, Rank { index: 0, score: 0.101_830_54 }];
    let units = Units { search_units: Some(1), ..Units::default() };
    let reply = RerankReply { ranks, usage: Usage::default(), units };
    let written = String::from_utf8(write_rerank(&reply, &request, &head(), &cost())).unwrap();
    let expected = r#"{"id":"gen-1","model":"a/b","provider":"P","results":[{"index":2,"relevance_score":0.75,"document":{"image":"https://a.test/c.png"}},{"index":0,"relevance_score":0.10183054,"document":{"text":"a"}}],"usage":{"search_units":1,"cost":0.02}}"#;
    assert_eq!(written, expected);
    refused(
        read_rerank,
        &[
            (
                r#"{"model":"m","query":"q","documents":[]}"#,
                "documents: expected a list of at least one",
            ),
            (r#"{"model":"m","query":"q","documents":"a"}"#, "documents: expected a list"),
            (
                r#"{"model":"m","query":"q","documents":["a",{"title":"t"}]}"#,
                "documents[1]: expected a text, or an object",
            ),
            (
                r#"{"model":"m","query":"q","documents":["a"],"top_n":0}"#,
                "top_n: expected a whole number of at least 1",
            ),
            (r#"{"model":"m","documents":["a"]}"#, "query: expected a text"),
        ],
    );
}

#[test]
fn a_size_in_pixels_decides_alone() {
    let size = |fields: &str| {
        let body = format!(r#"{{"model":"m","prompt":"p",{fields}}}"#);
        read_image(body.as_bytes()).map(|request| request.size)
    };
    let about = |resolution: Option<&str>, aspect| Size::About {
        resolution: resolution.map(str::to_owned),
        aspect,
    };
    for (fields, expected) in [
        (r#""n":1"#, Size::Auto),
        (r#""size":"auto""#, Size::Auto),
        (r#""size":"1024x1536""#, Size::Pixels(1024, 1536)),
        (r#""size":"1600x900","aspect_ratio":"16:9""#, Size::Pixels(1600, 900)),
        (r#""size":"2K""#, about(Some("2K"), None)),
        (
            r#""size":"2K","resolution":"2K","aspect_ratio":"9:19.5""#,
            about(Some("2K"), Some((90, 195))),
        ),
        (r#""resolution":"4K","aspect_ratio":"auto""#, about(Some("4K"), None)),
    ] {
        assert_eq!(size(fields).unwrap(), expected, "{fields}");
    }
    for (fields, part) in [
        (r#""size":"1024x1024","resolution":"1K""#, "size: expected no `resolution` beside it"),
        (
            r#""size":"1024x1024","aspect_ratio":"16:9""#,
            "size: expected no `aspect_ratio` beside it",
        ),
        (r#""size":"2K","resolution":"4K""#, "size: expected no `resolution` beside it"),
        (r#""size":"large""#, "size: expected pixels"),
        (r#""size":"0x1""#, "size: expected pixels"),
        (r#""resolution":"3K""#, "resolution: expected 512, 1K, 2K, 4K"),
        (r#""aspect_ratio":"wide""#, "aspect_ratio: expected a ratio"),
        (r#""aspect_ratio":"0:9""#, "aspect_ratio: expected a ratio"),
    ] {
        let error = size(fields).unwrap_err().to_string();
        assert!(error.contains(part), "{fields}: {error}");
    }
}

#[test]
fn what_is_wrong_with_a_picture_is_named() {
    let picture = r#"{"type":"image_url","image_url":{"url":"https://a.test/b.png"}}"#;
    let references = |count: usize| {
        let list = vec![picture; count].join(",");
        format!(r#"{{"model":"m","prompt":"p","input_references":[{list}]}}"#)
    };
    assert_eq!(read_image(references(16).as_bytes()).unwrap().references.len(), 16);
    refused(
        read_image,
        &[
            (&references(17), "input_references: expected at most 16 pictures, found 17"),
            (r#"{"model":"m"}"#, "prompt: expected what shall be seen"),
            (r#"{"model":"m","prompt":"p","n":11}"#, "n: expected a whole number from 1 to 10"),
            (r#"{"model":"m","prompt":"p","n":0}"#, "n: expected a whole number from 1 to 10"),
            (r#"{"model":"m","prompt":"p","background":"red"}"#, "background: expected auto"),
            (r#"{"model":"m","prompt":"p","output_format":"gif"}"#, "output_format: expected png"),
            (r#"{"model":"m","prompt":"p","output_compression":101}"#, "from 0 to 100"),
            (
                r#"{"model":"m","prompt":"p","input_references":[{"type":"text","text":"a"}]}"#,
                "input_references[0]: expected an `image_url` part",
            ),
        ],
    );
}

#[test]
fn pictures_are_written_whole_or_as_events() {
    let picture = |base64: &str, mime: Option<&str>| Picture {
        base64: base64.to_owned(),
        mime: mime.map(str::to_owned),
    };
    let usage = Usage { prompt: Some(1), completion: Some(2), ..Usage::default() };
    let pictures = vec![picture("AA==", Some("image/png")), picture("AQ==", None)];
    let reply = ImageReply { pictures, usage, units: Units::default() };
    let whole: serde_json::Value =
        serde_json::from_slice(&write_image(&reply, &head(), &cost())).unwrap();
    assert_eq!(whole["created"], 7);
    assert_eq!(
        whole["data"],
        serde_json::json!([
            {"b64_json": "AA==", "media_type": "image/png"}, {"b64_json": "AQ=="}
        ])
    );
    assert_eq!(whole["usage"]["total_tokens"], 3);
    assert_eq!(whole["usage"]["cost"], 0.02);
    let events = String::from_utf8(write_image_events(&reply, &head(), &cost())).unwrap();
    let events: Vec<_> = events.split_terminator("\n\n").collect();
    let [first, second, "data: [DONE]"] = events[..] else { panic!("{events:?}") };
    assert_eq!(
        first,
        "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"AA==\",\"media_type\":\"image/png\",\"created\":7}"
    );
    assert!(second.contains(r#""usage":{"prompt_tokens":1,"#), "{second}");
}

#[test]
fn speech_is_pcm_unless_asked_otherwise() {
    let request = read_speech(br#"{"model":"m","input":"Hi"}"#).unwrap();
    assert_eq!((request.format, request.format.mime()), (SoundFormat::Pcm, "audio/pcm"));
    let body = r#"{"model":"m","input":"Gr\u00fc\u00dfe","voice":"nova","response_format":"mp3","speed":1.25,"input_references":[]}"#;
    let request = read_speech(body.as_bytes()).unwrap();
    assert_eq!((request.format.mime(), request.speed), ("audio/mpeg", Some(1.25)));
    assert_eq!((request.characters(), request.references), (5, None));
    refused(
        read_speech,
        &[
            (r#"{"model":"m"}"#, "input: expected the text to read aloud"),
            (r#"{"model":"m","input":""}"#, "input: expected the text to read aloud"),
            (
                r#"{"model":"m","input":"a","response_format":"midi"}"#,
                "response_format: expected mp3, opus",
            ),
            (r#"{"model":"m","input":"a","speed":9}"#, "speed: expected a number from 0.25 to 4"),
        ],
    );
}

#[test]
fn sound_comes_as_base64_in_json() {
    let body = br#"{"model":"m","input_audio":{"data":"UklGRg==","format":"WAV"},"language":"en","response_format":"verbose_json","timestamp_granularities":["word"],"temperature":0.5}"#;
    let request = read_transcribe(body).unwrap();
    assert_eq!((&*request.sound, request.format.as_str()), (&b"RIFF"[..], "wav"));
    assert_eq!((request.is_verbose, request.granularities), (true, vec!["word".to_owned()]));
    let with = |sound: &str, more: &str| format!(r#"{{"model":"m","input_audio":{sound}{more}}}"#);
    let good = r#"{"data":"UklGRg==","format":"wav"}"#;
    refused(
        read_transcribe,
        &[
            (r#"{"model":"m"}"#, "input_audio: expected an object with `data` and `format`"),
            (&with(r#"{"format":"wav"}"#, ""), "input_audio.data: expected the sound in base64"),
            (
                &with(r#"{"data":"!","format":"wav"}"#, ""),
                "input_audio.data: expected the sound in base64",
            ),
            (
                &with(r#"{"data":"","format":"wav"}"#, ""),
                "input_audio.data: expected the sound in base64",
            ),
            (
                &with(r#"{"data":"UklGRg=="}"#, ""),
                "input_audio.format: expected the sound's format",
            ),
            (
                &with(r#"{"data":"UklGRg==","format":"w\"\r\n"}"#, ""),
                "input_audio.format: expected",
            ),
            (
                &with(good, r#","response_format":"srt""#),
                "response_format: expected json or verbose_json (text, srt and vtt are not offered), found srt",
            ),
            (
                &with(good, r#","timestamp_granularities":["line"]"#),
                "timestamp_granularities: expected word or segment, found line",
            ),
        ],
    );
}

fn upload(fields: &[(&str, &str)], name: Option<&str>, kind: Option<&str>) -> Upload {
    let text = str::to_owned;
    let fields = fields.iter().map(|(name, value)| (text(name), text(value)));
    let file = (name.map(text), kind.map(text), Bytes::from_static(b"RIFF"));
    Upload { fields: fields.collect(), file: Some(file) }
}

#[test]
fn sound_comes_as_a_file_of_a_form() {
    let fields = [
        ("model", "m"),
        ("response_format", "verbose_json"),
        ("timestamp_granularities[]", "word"),
        ("timestamp_granularities[]", "segment"),
    ];
    let request = read_upload(upload(&fields, Some("a.b.MP3"), Some("audio/wav"))).unwrap();
    assert_eq!((request.format.as_str(), request.granularities.len()), ("mp3", 2));
    let request = read_upload(upload(&fields, Some("blob"), Some("audio/x-wav"))).unwrap();
    assert_eq!(request.format, "wav");
    for (upload, part) in [
        (upload(&[], Some("a.wav"), None), "model: expected a model's id"),
        (upload(&[("model", "m")], Some("a"), None), "file: expected a name that ends"),
        (
            upload(&[("model", "m"), ("response_format", "vtt")], Some("a.wav"), None),
            "response_format: ",
        ),
        (upload(&[("model", "m"), ("temperature", "hot")], Some("a.wav"), None), "temperature: "),
        (
            Upload { file: None, ..upload(&[("model", "m")], None, None) },
            "file: expected the sound",
        ),
    ] {
        let error = read_upload(upload).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_transcription_tells_seconds_or_tokens_and_the_cost() {
    let details = vec![("language".to_owned(), Json::of(&"english"))];
    let units = Units { sound_ms: Some(9200), ..Units::default() };
    let mut reply =
        TranscribeReply { text: "Hi".to_owned(), details, usage: Usage::default(), units };
    let mut request =
        read_transcribe(br#"{"model":"m","input_audio":{"data":"UklGRg==","format":"wav"}}"#)
            .unwrap();
    let text = |reply: &TranscribeReply, request: &_| {
        String::from_utf8(write_transcribe(reply, request, &cost())).unwrap()
    };
    assert_eq!(text(&reply, &request), r#"{"text":"Hi","usage":{"seconds":9.2,"cost":0.02}}"#);
    request.is_verbose = true;
    reply.units.sound_ms = None;
    reply.usage = Usage { prompt: Some(83), completion: Some(30), ..Usage::default() };
    let expected = r#"{"text":"Hi","language":"english","usage":{"input_tokens":83,"output_tokens":30,"total_tokens":113,"cost":0.02}}"#;
    assert_eq!(text(&reply, &request), expected);
}

#[test]
fn pictures_that_fail_end_with_an_error_and_done() {
    let mut out = Vec::new();
    let mut stream = image_stream();
    stream.keep_alive(&mut out);
    let failure = Failure::new(ErrorType::ContentPolicyViolation, "No \"cats\"");
    stream.error(&failure, &mut out);
    let expected = ": OPENROUTER PROCESSING\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"content_policy_violation\",\"code\":\"400\",\"message\":\"No \\\"cats\\\"\",\"param\":null}}\n\ndata: [DONE]\n\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
