//! What clients are told of files that can't be had: what they can do, and nothing of the operator's
//! settings.

use crate::FileParser;
use patchbay_sdk::http::{HttpError, Method};
use patchbay_sdk::testing::{Facts, generation, kit};
use patchbay_sdk::{
    Content, Decision, InlineMedia, Media, MediaData, MediaKind, Message, Part, Plugin, Request,
};

fn refused(data: MediaData, options: &str) -> String {
    let facts = Facts { options: options.into(), ..Facts::default() };
    let name = Some("a.pdf".into());
    let media = Media { kind: MediaKind::File, data, name, detail: None };
    let mut message = Message::user("What is in it?");
    message.parts.push(Part::new(Content::Media(media)));
    let generation = generation(facts);
    let mut plugin = FileParser::new(&generation).unwrap();
    let request = Request::new("test/model").message(message);
    let decision = plugin.on_request(&generation, request).unwrap();
    let Decision::Reject(rejection) = decision else { panic!("{decision:?}") };
    for setting in ["grant", "secret", "MISTRAL", "plugin.", "10.0.0.1"] {
        assert!(!rejection.message.contains(setting), "{}", rejection.message);
    }
    rejection.message
}

#[test]
fn an_address_that_is_not_granted_is_told_by_what_to_send_instead() {
    let url = "https://a.example/a.pdf";
    let why = "`https://a.example` leads to 10.0.0.1; add \"http=…\" to plugin.file-parser.grant";
    kit().http_fails(Method::Get, url, HttpError::Denied(why.into()));
    assert_eq!(
        refused(MediaData::Url(url.into()), "{}"),
        "The file `a.pdf` could not be fetched: this gateway does not allow it. Check the address, \
         or send the file itself, as a data URL."
    );
}

#[test]
fn an_engine_without_its_key_is_told_by_others() {
    kit();
    let bytes = b"%PDF-1.4".to_vec();
    let data = MediaData::Inline(InlineMedia { mime: "application/pdf".into(), bytes });
    let told = refused(data, r#"{"pdf": {"engine": "mistral-ocr"}}"#);
    assert!(told.contains("is not set up on this gateway. Use the engine `pdf-text`"), "{told}");
}

#[test]
fn a_scan_is_sent_to_an_engine_only_where_there_is_one() {
    let scan = || {
        let bytes = super::pages::scan();
        MediaData::Inline(InlineMedia { mime: "application/pdf".into(), bytes })
    };
    kit();
    let told = refused(scan(), "{}");
    assert!(told.ends_with("Ask a model that reads files itself."), "{told}");
}
