//! Cases with doubles: a plugin that calls everything, and what its cases must notice.

use crate::testing::cases::check_one;
use crate::{
    Decision, Delta, Description, Error, Generation, Kind, Message, Plugin, Rejection, Request,
    Stream, Verdict, http, models, search, secrets, state, tokens,
};

/// Does what the user says, in words: `fetch`, `ask`, `embed`, `search`, `count`, `refuse`,
/// `rewrite`. Any failure but that of a hook is swallowed.
struct Doer;

impl Plugin for Doer {
    fn describe() -> Description {
        Description::new("doer", "0.1.0", Kind::Transform)
            .capability("http=https://*.exa.ai")
            .capability("secrets=EXA_KEY")
            .capability("models=openai/*")
            .capability("search")
    }

    fn new(_: &Generation) -> Result<Self, Error> {
        Ok(Self)
    }

    fn on_request(&mut self, _: &Generation, request: Request) -> Result<Decision, Error> {
        let order = request.last_user_text().unwrap_or_default();
        let answer = match order.split_once(' ').unwrap_or((&order, "")) {
            ("fetch", url) => fetch(url),
            ("ask", model) => models::ask(model).user("Well?").complete().map(|it| it.text()),
            ("embed", text) => {
                models::embed("openai/e", text.split(' ')).map(|it| format!("{:?}", it.vectors))
            }
            ("search", text) => search::query("docs", text, 1).map(|hits| {
                hits.into_iter().map(|hit| format!("{}: {}", hit.source, hit.text)).collect()
            }),
            ("count", text) => Ok(tokens::count("m", text).tokens.to_string()),
            ("refuse", _) => {
                let no = Rejection::new(451, "no").metadata("reasons", vec!["law", "order"]);
                return Ok(Decision::Reject(no.metadata("more", 1)));
            }
            ("rewrite", _) => {
                let mut request = request;
                request.texts_mut().for_each(|(_, text)| *text = text.to_uppercase());
                return Ok(Decision::Replace(request));
            }
            _ => return Ok(Decision::Pass),
        };
        Ok(Decision::answer(answer.unwrap_or_else(|error| error.to_string())))
    }

    fn stream(&mut self, _: &Generation, _: u16) -> Result<Box<dyn Stream>, Error> {
        Ok(Box::new(Self))
    }
}

impl Stream for Doer {
    fn push(&mut self, _: Vec<Delta>) -> Result<Verdict, Error> {
        Ok(Verdict::Stop(Rejection::new(403, "stop").metadata("at", "once")))
    }
}

fn fetch(url: &str) -> Result<String, Error> {
    if secrets::exists("EXA_KEY") {
        state::increment("fetched", 1, None)?;
    }
    Ok(http::get(url).bearer("EXA_KEY").send()?.ok()?.text())
}

/// A case in which the user says `order`, the answer is `answer`, and `more` holds.
fn case(order: &str, answer: &str, more: &str) -> String {
    format!(
        r#"{{"request":{{"messages":[{{"role":"user","text":"{order}"}}]}},
            "decision":{{"answer":[
                {{"role":"assistant"}},{{"text":"{answer}"}},{{"finish":"stop"}}]}}
            {more}}}"#
    )
}

#[test]
fn every_answer_of_the_host_can_be_scripted() {
    let url = "https://api.exa.ai/x";
    let get = format!(r#"{{"method":"GET","url":"{url}""#);
    let fetches = |reply: &str| format!(r#","secrets":["EXA_KEY"],"http":[{get},{reply}}}]"#);
    let fetch = format!("fetch {url}");
    let calls = r#"[{"id":"a","name":"f","arguments":"{}"}]"#;
    let hits = r#"[{"source":"a.md","text":"one"},{"source":"b.md","text":"two"}]"#;
    let kept = r#","state":{"fetched":"8"},"expect_state":{"fetched":"9","x":null}"#;
    let model = r#","models":[{"model":"openai/a","text":"Yes."}]"#;
    let table = [
        (fetch.as_str(), "fine", fetches(r#""body":"fine""#)),
        (&fetch, "[1]", fetches(r#""json":[1]"#) + r#","expect_state":{"fetched":"1"}"#),
        (&fetch, "[1]", fetches(r#""json":[1]"#) + kept),
        ("ask openai/a", "Yes.", model.into()),
        ("ask openai/a", "", format!(r#","models":[{{"tool_calls":{calls}}}]"#)),
        ("embed a b", "[[0.5], [1.0]]", r#","embeddings":[[0.5],[1]]"#.into()),
        ("search x", "a.md: one", format!(r#","search":[{{"index":"docs","hits":{hits}}}]"#)),
        ("count 12345", "2", String::new()),
    ];
    for (order, answer, more) in table {
        assert_eq!(check_one::<Doer>(&case(order, answer, &more)), Ok(()), "{order} {more}");
    }
    let errors = [
        (r#""status":503"#, "https://api.exa.ai/x answered 503"),
        (r#""error":"timeout""#, "the reply took too long"),
        (r#""error":"connect: refused""#, "no connection: refused"),
    ];
    for (reply, text) in errors {
        let failing = case(&format!("fetch {url}"), "?", &fetches(reply));
        let error = check_one::<Doer>(&failing).unwrap_err();
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn what_is_not_scripted_not_wanted_or_left_over_fails_the_case() {
    let exa = "fetch https://api.exa.ai/x";
    let table = [
        (exa, r#","secrets":["EXA_KEY"]"#, "http: GET https://api.exa.ai/x: not scripted"),
        ("fetch https://exa.evil/x", "", "does not want `http=https://exa.evil`"),
        ("ask anthropic/a", "", "does not want `models=anthropic/a`"),
        ("ask openai/a", "", "models: `openai/a`: not scripted"),
        (
            "ask openai/a",
            r#","models":[{"model":"openai/b","text":""}]"#,
            "was asked, not `openai/b`",
        ),
        ("embed a b", r#","embeddings":[[1]]"#, "2 inputs, but 1 scripted vectors"),
        ("search x", r#","search":[{"index":"web","hits":[]}]"#, "`docs` was asked, not `web`"),
        (
            "idle",
            r#","http":[{"method":"GET","url":"https://a/"}]"#,
            "http: GET https://a/: not asked",
        ),
        (
            "idle",
            r#","models":[{"text":""}],"embeddings":[[1]]"#,
            "models: 1 not asked\n  embeddings: 1",
        ),
        ("count 1", r#","expect_state":{"x":"1"}"#, "the decision is"),
    ];
    for (order, more, expected) in table {
        let error = check_one::<Doer>(&case(order, "?", more)).unwrap_err();
        assert!(error.contains(expected), "{order} {more}: {error}");
    }
    let state = r#"{"expect_state":{"x":"1"}}"#;
    assert!(check_one::<Doer>(state).unwrap_err().contains("state `x` is None"));
}

#[test]
fn a_secret_that_does_not_exist_is_denied_and_fails_nothing() {
    let denied = case("fetch https://api.exa.ai/x", "?", r#","expect_state":{"fetched":null}"#);
    let error = check_one::<Doer>(&denied).unwrap_err();
    assert!(error.contains("the decision is") && error.contains("no secret `EXA_KEY`"), "{error}");
}

#[test]
fn metadata_may_have_more_than_the_case_names() {
    let refuse = |decision: &str| {
        let request = r#""request":{"messages":[{"role":"user","text":"refuse"}]}"#;
        check_one::<Doer>(&format!(r#"{{{request},"decision":{decision}}}"#))
    };
    assert_eq!(refuse(r#"{"reject":451,"metadata":{"reasons":["law","order"]}}"#), Ok(()));
    let error = refuse(r#"{"reject":451,"metadata":{"reasons":["law"]}}"#).unwrap_err();
    assert!(error.contains("metadata `reasons`"), "{error}");
    let stops = |metadata: &str| {
        let deltas = r#""deltas":[{"text":"a"}]"#;
        check_one::<Doer>(&format!(r#"{{{deltas},"stop":403,"stop_metadata":{metadata}}}"#))
    };
    assert_eq!(stops(r#"{"at":"once"}"#), Ok(()));
    assert!(stops(r#"{"at":"last"}"#).unwrap_err().contains("metadata `at`"));
}

#[test]
fn a_request_is_read_whole_and_rewritten_in_all_its_texts() {
    let request = |text: &str, user: &str, result: &str| {
        format!(
            r#"{{"model":"a/b","top_p":0.5,"n":2,"stop":["x"],
              "tools":[{{"name":"f","description":"d","parameters":{{"type":"object"}}}}],
              "response_format":{{"type":"json_schema","schema":{{}}}},
              "messages":[{{"role":"system","text":"{text}"}},
                {{"role":"assistant","parts":[
                  {{"tool_call":{{"id":"a","name":"f","arguments":"{{}}"}}}}]}},
                {{"role":"tool","parts":[
                  {{"tool_result":{{"call_id":"a","text":"{result}"}}}}]}},
                {{"role":"user","parts":[
                  {{"text":"{user}"}},{{"image_url":"https://a/b.png"}}]}}]}}"#
        )
    };
    let (before, after) = (request("s", "rewrite", "r"), request("S", "REWRITE", "R"));
    let case = format!(r#"{{"request":{before},"decision":{{"replace":{after}}}}}"#);
    assert_eq!(check_one::<Doer>(&case), Ok(()));
    let case = format!(r#"{{"request":{before},"decision":{{"replace":{before}}}}}"#);
    assert!(check_one::<Doer>(&case).unwrap_err().contains("to replace it by"));
}

#[test]
fn what_the_notation_does_not_have_is_refused() {
    let table = [
        (r#"{"decision":{"reject":403,"because":"x"}}"#, "unknown field `because`"),
        (r#"{"decision":{"reject":403,"answer":[]}}"#, "not exactly one of"),
        (r#"{"decision":{"metadata":{}}}"#, "not exactly one of"),
        (r#"{"stop_metadata":{"a":1}}"#, "without `stop`"),
        (r#"{"http":[{"method":"get","url":"https://a/"}]}"#, "no method `get`"),
        (r#"{"http":[{"method":"GET","url":"u","body":"","json":1}]}"#, "either `body` or `json`"),
        (
            r#"{"http":[{"method":"GET","url":"u","error":"timeout","status":200}]}"#,
            "`error` alone",
        ),
        (r#"{"http":[{"method":"GET","url":"u","error":"tired"}]}"#, "no error of http `tired`"),
        (r#"{"models":[{}]}"#, "either `text` and `tool_calls`, or `error`"),
        (r#"{"models":[{"error":"tired: x"}]}"#, "no error `tired`"),
        (r#"{"search":[{"index":"docs"}]}"#, "either `hits` or `error`"),
        (r#"{"search":[{"index":"docs","hits":[{"text":"x"}]}]}"#, "missing field `source`"),
        (r#"{"request":{"messages":[{"role":"user"}]}}"#, "either `text` or `parts`"),
        (
            r#"{"request":{"messages":[{"role":"user","parts":[{"video":"x"}]}]}}"#,
            "unknown variant",
        ),
        (r#"{"request":{"response_format":{"type":"xml"}}}"#, "no response format `xml`"),
    ];
    for (case, expected) in table {
        let error = check_one::<Doer>(case).unwrap_err();
        assert!(error.contains(expected), "{case}: {error}");
    }
}

/// Wants what nobody can grant.
struct Dreamer;

impl Plugin for Dreamer {
    fn describe() -> Description {
        Description::new("dreamer", "0.1.0", Kind::Observe).capability("htpp=https://a")
    }

    fn new(_: &Generation) -> Result<Self, Error> {
        Ok(Self)
    }
}

#[test]
fn a_wish_that_cannot_be_granted_fails_every_case() {
    assert!(check_one::<Dreamer>("{}").unwrap_err().contains("wants `htpp=https://a`"));
}

#[test]
fn fields_of_extra_are_read_and_written_as_json() {
    let mut request = Request::new("a/b").message(Message::user("x"));
    request.extra_set("web", serde_json::json!({"count": 3}));
    request.extra_set("web", vec![1, 2]);
    assert_eq!(request.extra_get::<Vec<u8>>("web"), Ok(Some(vec![1, 2])));
    assert_eq!(request.extra_get::<bool>("none"), Ok(None));
    assert!(matches!(request.extra_get::<bool>("web"), Err(Error::Options(_))));
    assert_eq!(request.extra.len(), 1);
}
