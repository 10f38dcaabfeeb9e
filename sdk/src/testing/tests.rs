//! The kit itself: what it plays must be what the host does, and a case that fails must be told.

mod scripted;

use super::{Facts, advance_ms, check, counted, generation, kit, logged};
use crate::log::Level;
use crate::state::{self, StateError};
use crate::{
    Decision, Delta, Description, Edit, Editor, Error, Generation, Kind, Plugin, Rejection,
    Request, Stream, metrics, system,
};

/// Gives each text back in one piece, and refuses requests of the model `closed`.
struct Whole;

impl Plugin for Whole {
    fn describe() -> Description {
        Description::new("whole", "0.1.0", Kind::Guard)
    }

    fn new(_: &Generation) -> Result<Self, Error> {
        Ok(Self)
    }

    fn on_request(&mut self, _: &Generation, request: Request) -> Result<Decision, Error> {
        Ok(match request.model.as_str() {
            "closed" => Decision::Reject(Rejection::new(403, "closed")),
            "" => Decision::Replace(Request { model: "named".into(), ..request }),
            _ => Decision::Pass,
        })
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        Ok(Box::new(Edit(Held { choice, text: String::new() })))
    }
}

struct Held {
    choice: u16,
    text: String,
}

impl Editor for Held {
    fn passes(&mut self, _: &str) -> bool {
        false
    }

    fn holds(&self) -> bool {
        !self.text.is_empty()
    }

    fn edit(&mut self, text: &str, is_end: bool, out: &mut Vec<Delta>) {
        self.text.push_str(text);
        if is_end && self.holds() {
            out.push(Delta::text(self.choice, std::mem::take(&mut self.text)));
        }
    }
}

fn failure(case: &str) -> Option<String> {
    let folder = env!("CARGO_MANIFEST_DIR").replace("sdk", "examples/plugin-template");
    let failures = check::<Whole>(&folder, &[("case", case)]).unwrap_err();
    let text = format!("{failures:?}");
    assert!(text.contains("cases/split.json: not listed"), "{text}");
    text.lines().find_map(|line| line.strip_prefix("case: ").map(str::to_owned))
}

#[test]
fn cases_that_hold_are_silent_and_others_say_what_differs() {
    let holds = [
        r#"{"deltas":[{"text":"ab"},{"finish":"stop"}],"expect":[{"text":"ab"},{"finish":"stop"}]}"#,
        r#"{"request":{"model":"closed"},"decision":{"reject":403}}"#,
        r#"{"request":{"model":""},"decision":{"replace":{"model":"named"}}}"#,
    ];
    for case in holds {
        assert_eq!(failure(case), None, "{case}");
    }
    let fails = [
        (r#"{"deltas":[{"text":"ab"}],"expect":[{"text":"b"}]}"#, "(delta by delta)"),
        (r#"{"deltas":[{"text":"ab"}],"expect":[{"text":"ab"}],"passes":true}"#, "other than pass"),
        (r#"{"deltas":[{"txt":"ab"}]}"#, "unknown field `txt`"),
        (r#"{"deltas":[{"text":"a","refusal":"b"}]}"#, "not exactly one delta"),
        (r#"{"deltas":[{"finish":"done"}]}"#, "not exactly one delta"),
        (r#"{"request":{"model":"closed"}}"#, "the decision is Decision::Reject"),
        (r#"{"stop":403}"#, "stop is None"),
        (r#"{"expected":[]}"#, "unknown field `expected`"),
    ];
    for (case, expected) in fails {
        let found = failure(case);
        assert!(found.as_ref().is_some_and(|text| text.contains(expected)), "{case}: {found:?}");
    }
}

#[test]
fn values_end_with_their_time_to_live_and_numbers_add_up() {
    assert_eq!(state::increment("n", 2, Some(10)), Ok(2));
    advance_ms(9);
    assert_eq!(state::increment("n", 3, Some(10)), Ok(5));
    advance_ms(1);
    assert_eq!(state::get("n"), None);
    assert_eq!(state::set("n", b"x", None), Ok(()));
    assert!(matches!(state::increment("n", 1, None), Err(StateError::NotANumber)));
    assert_eq!(state::compare_and_set("n", Some(b"y"), b"z", None), Ok(false));
    assert_eq!(state::compare_and_set("n", Some(b"x"), b"z", None), Ok(true));
    state::delete("n");
    assert_eq!(state::compare_and_set("n", None, b"a", None), Ok(true));
    assert_eq!(system::unix_ms(), 1_700_000_000_010);
}

#[test]
fn what_a_plugin_says_is_captured() {
    crate::warn!("{} left", 3);
    metrics::count("seen", 1, &[("kind", "text")]);
    assert_eq!(logged(), [(Level::Warn, "3 left".to_owned())]);
    assert_eq!(counted(), [("seen".to_owned(), 1)]);
    assert!(logged().is_empty());
}

#[test]
fn media_are_read_in_ranges_and_options_must_fit_their_type() {
    let facts = Facts { media: vec![("image/png".into(), b"12345".to_vec())], ..Facts::default() };
    let generation = generation(facts);
    assert_eq!(generation.media_read(0, 3, 9), b"45");
    assert_eq!(generation.media_read(0, 9, 1), b"");
    assert_eq!((generation.media_size(0), generation.media_size(1)), (Some(5), None));
    assert!(matches!(generation.options::<Vec<u8>>(), Err(Error::Options(_))));
}

#[test]
fn state_is_read_as_text_and_as_json() {
    kit().state("a", "[1]").state("b", [0xff]);
    assert_eq!((state::get_text("a").as_deref(), state::get_text("b")), (Some("[1]"), None));
    assert_eq!(state::get_json::<Vec<u8>>("a"), Ok(Some(vec![1])));
    assert!(matches!(state::get_json::<String>("a"), Err(Error::Internal(_))));
    assert_eq!(state::set_json("c", &["x"], None), Ok(()));
    assert_eq!(state::get("c").as_deref(), Some(&br#"["x"]"#[..]));
    kit();
    assert_eq!(state::get("c"), None, "a kit begins anew");
}
