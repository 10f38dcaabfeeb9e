//! Documented replies, what is asked for, and what can't be.

use super::*;
use crate::error::ErrorType;
use crate::request::MediaKind;

fn cat() -> ImageRequest {
    ImageRequest { prompt: "A cat".to_owned(), n: 1, ..ImageRequest::default() }
}

fn write(request: &ImageRequest, quirks: &Quirks) -> Outgoing {
    OpenaiChat.write_prompt(request, "gpt-image-1", quirks).unwrap()
}

fn read(body: &str) -> Result<ImageReply, StreamError> {
    OpenaiChat.read_pictures(&Bytes::copy_from_slice(body.as_bytes()))
}

fn picture(mime: &str, base64: &str) -> Media {
    let data = MediaData::Inline { mime: mime.to_owned(), base64: base64.to_owned() };
    Media { kind: MediaKind::Image, data, name: None, detail: None }
}

#[test]
fn the_body_says_what_the_client_said() {
    let mut request = cat();
    let outgoing = write(&request, &Quirks::default());
    assert_eq!(outgoing.path, "/images/generations");
    assert_eq!(outgoing.body, r#"{"model":"gpt-image-1","prompt":"A cat","n":1}"#);
    request.n = 3;
    request.size = Size::Pixels(1024, 1536);
    request.quality = Some("high".to_owned());
    request.output_format = Some("webp".to_owned());
    request.output_compression = Some(80);
    request.background = Some("transparent".to_owned());
    let quirks = Quirks { image_response_format: Some("b64_json".to_owned()), ..Quirks::default() };
    let expected = r#"{"model":"gpt-image-1","prompt":"A cat","n":3,"size":"1024x1536","quality":"high","output_format":"webp","output_compression":80,"background":"transparent","response_format":"b64_json"}"#;
    assert_eq!(write(&request, &quirks).body, expected);
}

#[test]
fn a_shape_becomes_the_nearest_size_that_openai_draws() {
    let about = |resolution: Option<&str>, aspect| {
        size(&Size::About { resolution: resolution.map(str::to_owned), aspect })
    };
    assert_eq!(about(None, Some((16, 9))).as_deref(), Some("1536x1024"));
    assert_eq!(about(Some("2K"), Some((90, 195))).as_deref(), Some("1024x1536"));
    assert_eq!(about(Some("4K"), None).as_deref(), Some("1024x1024"));
    assert_eq!(about(None, None), None);
}

#[test]
fn pictures_to_go_by_are_files_of_a_form() {
    let references = vec![picture("image/png", "iVBORw=="), picture("image/jpeg", "/9j/")];
    let outgoing = write(&ImageRequest { references, ..cat() }, &Quirks::default());
    assert_eq!(outgoing.path, "/images/edits");
    let body = String::from_utf8_lossy(&outgoing.body);
    assert!(body.contains("name=\"prompt\"\r\n\r\nA cat\r\n"), "{body}");
    assert!(
        body.contains("name=\"image[]\"; filename=\"image-0.png\"\r\nContent-Type: image/png\r\n"),
        "{body}"
    );
    assert!(body.contains("name=\"image[]\"; filename=\"image-1.jpeg\"\r\n"), "{body}");
    assert!(outgoing.body.windows(4).any(|bytes| bytes == b"\x89PNG"));
}

#[test]
fn a_reference_that_can_t_be_sent_is_named() {
    let address = MediaData::Url("https://a.test/cat.png".to_owned());
    let address = Media { kind: MediaKind::Image, data: address, name: None, detail: None };
    for (media, part) in [
        (address, "the address of a picture in input_references[0]"),
        (picture("image/tiff", "iVBORw=="), "a picture of another kind in input_references[0]"),
        (picture("image/png", "!"), "what is no base64 in input_references[0]"),
    ] {
        let request = ImageRequest { references: vec![media], ..cat() };
        let error = OpenaiChat.write_prompt(&request, "m", &Quirks::default()).unwrap_err();
        assert!(error.what.starts_with(part), "{error}");
    }
}

/// As in https://platform.openai.com/docs/api-reference/images/create, shortened.
const DOCUMENTED: &str = r#"{
  "created": 1713833628,
  "data": [{"b64_json": "iVBORw0KGgoAAA"}, {"b64_json": "AAAA"}],
  "output_format": "webp",
  "usage": {
    "total_tokens": 100, "input_tokens": 50, "output_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}
  }
}"#;

#[test]
fn the_documented_reply_is_read() {
    let reply = read(DOCUMENTED).unwrap();
    let mimes: Vec<_> = reply.pictures.iter().map(|picture| picture.mime.as_deref()).collect();
    assert_eq!(mimes, [Some("image/png"), Some("image/webp")]);
    assert_eq!(reply.pictures[0].base64, "iVBORw0KGgoAAA");
    let usage = reply.usage;
    assert_eq!(
        (usage.prompt, usage.completion, usage.image_completion),
        (Some(50), Some(50), Some(50))
    );
    assert_eq!((reply.units.images, reply.units.image_prompt), (2, 40));
}

#[test]
fn a_reply_without_a_picture_is_refused() {
    for (body, part) in [
        ("", "body: "),
        ("[]", "body: "),
        ("{}", "data: "),
        (r#"{"data":[]}"#, "data: "),
        (r#"{"data":[{"url":"https://a.test/1.png"}]}"#, "data[0].b64_json: "),
        (r#"{"data":[{"b64_json":""}]}"#, "data[0].b64_json: "),
    ] {
        let Err(StreamError::Read(error)) = read(body) else { panic!("{body} has no picture") };
        assert!(error.to_string().starts_with(part), "{body}: {error}");
    }
    let body = r#"{"error":{"message":"No cats","code":"content_policy_violation"}}"#;
    let Err(StreamError::Upstream(failure)) = read(body) else { panic!("it is an error") };
    assert_eq!(failure.error_type, ErrorType::ContentPolicyViolation);
}
