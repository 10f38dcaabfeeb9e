//! What the plugin says of itself, true or not.

use patchbay_sdk::{Description, Kind, system};

/// Describes the plugin as the built file says.
pub(crate) fn describe() -> Description {
    // Not known to the compiler, or it would leave the bytes out.
    let (id, kind) = match std::hint::black_box(&KIND) {
        kind if kind.ends_with(b"guard    ") => ("hostile-guard", Kind::Guard),
        kind if kind.ends_with(b"observe  ") => ("hostile-observer", Kind::Observe),
        _ => ("hostile", Kind::Transform),
    };
    let honest = Description::new(id, "0.1.0", kind);
    let honest = honest.summary("Misbehaves on purpose.").options(include_str!("options.json"));
    let lie = std::hint::black_box(&LIE);
    let lie = std::str::from_utf8(lie.get(PREFIX..).unwrap_or_default()).unwrap_or_default();
    match lie.trim_end() {
        "none" => honest,
        "id" => Description { id: "template".into(), ..honest },
        "fickle id" => {
            let letters = system::random_bytes(8).into_iter().map(|it| char::from(b'a' + it % 26));
            Description { id: letters.collect(), ..honest }
        }
        "bad id" => Description { id: "../../etc/passwd\n".into(), ..honest },
        "long id" => Description { id: "x".repeat(10 << 20), ..honest },
        "version" => Description { version: "newest".into(), ..honest },
        "summary" => Description { summary: "x".repeat(10 << 20), ..honest },
        "suffix" => Description { triggers: vec!["suffix=taken".into()], ..honest },
        "many triggers" => {
            let triggers = (0..100_000).map(|number| format!("suffix=suffix-{number}"));
            Description { triggers: triggers.collect(), ..honest }
        }
        "trigger" => Description { triggers: vec!["weather=fine".into()], ..honest },
        "many wishes" => Description { capabilities: vec!["http".into(); 100_000], ..honest },
        "capability" => Description { capabilities: vec!["root".into()], ..honest },
        "no schema" => Description { options: "[]".into(), ..honest },
        "long schema" => {
            let options = format!(r#"{{"description": "{}"}}"#, "x".repeat(10 << 20));
            Description { options, ..honest }
        }
        "deep schema" => {
            let (begin, end) = (r#"{"not":"#.repeat(DEPTH), "}".repeat(DEPTH));
            Description { options: format!("{begin}{{}}{end}"), ..honest }
        }
        "endless schema" => {
            let options = r##"{"$ref": "#/a", "a": {"$ref": "#/a"}}"##;
            Description { options: options.into(), ..honest }
        }
        "endless schema2" => {
            Description { options: r##"{"allOf": [{"$ref": "#"}]}"##.into(), ..honest }
        }
        "endless schema3" => {
            let options = r##"{"$ref": "#/$defs/a", "$defs": {
                "a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}"##;
            Description { options: options.into(), ..honest }
        }
        "remote schema" => {
            let options = r#"{"$ref": "http://127.0.0.1:1/schema.json"}"#;
            Description { options: options.into(), ..honest }
        }
        "file schema" => {
            let options = r#"{"$ref": "file:///etc/passwd"}"#;
            Description { options: options.into(), ..honest }
        }
        "loop" => loop {
            std::hint::black_box(());
        },
        #[expect(clippy::panic, reason = "that is the deed")]
        _ => panic!("on purpose"),
    }
}

/// How often what is deep nests.
const DEPTH: usize = 100_000;

/// The kind that `describe` names. Tests look for these bytes and write `guard` or `observe` there,
/// padded to the same length.
static KIND: [u8; 23] = *b"hostile kind: transform";

/// The lie that `describe` tells. Tests write another one there, padded to the same length.
static LIE: [u8; 29] = *b"hostile lie: none            ";

/// What stands before the lie.
const PREFIX: usize = 13;
