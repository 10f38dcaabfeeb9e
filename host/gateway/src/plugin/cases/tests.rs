//! Cases through the runtime: those that plugins carry, and those that must fail.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{CASES_MAX, CaseReport, SECTION, SECTION_BYTES_MAX, embedded};
use crate::config::{self, Config};
use crate::plugin::load::{Origin, Plugin};
use crate::plugin::{Compiler, Plugins};

#[expect(unreachable_pub, reason = "written by the build script, for whoever includes it")]
mod shipped {
    include!(concat!(env!("OUT_DIR"), "/shipped.rs"));
}

fn file(path: &str) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn template() -> Vec<u8> {
    file(env!("PATCHBAY_TEMPLATE_WASM"))
}

fn caller() -> Vec<u8> {
    file(env!("PATCHBAY_CALLER_WASM"))
}

/// Generous, because tests share the machine.
fn config() -> Config {
    let mut config = Config::default();
    config.plugins.dir = PathBuf::new();
    config.plugins.cache_dir = Some(PathBuf::new());
    config.plugins.instances_max = 20;
    config.plugins.limits.cpu_ms = 500;
    config.plugins.self_test_ms = 120_000;
    config
}

fn plugins() -> Plugins {
    Plugins::empty(&config(), Compiler::Here).unwrap()
}

fn test(wasm: &[u8], more: &[&str]) -> (Arc<Plugin>, Vec<CaseReport>) {
    let more: Vec<_> = more.iter().map(|text| (String::new(), (*text).to_owned())).collect();
    plugins().test(wasm, &more).unwrap()
}

/// What became of a case, beside those that the file carries.
fn failure(wasm: &[u8], case: &str) -> Option<String> {
    test(wasm, &[case]).1.pop().unwrap().failure
}

fn number_of_cases(folder: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    std::fs::read_dir(root.join(folder).join("cases")).unwrap().count()
}

/// `bytes` as a custom section of an empty module.
fn module(bytes: &[u8]) -> Vec<u8> {
    let leb = |mut number: usize| {
        let mut out = Vec::new();
        while number >= 128 {
            out.push(u8::try_from(number % 128).unwrap() | 128);
            number /= 128;
        }
        out.push(u8::try_from(number).unwrap());
        out
    };
    let name = [leb(SECTION.len()), SECTION.as_bytes().to_vec()].concat();
    let size = leb(name.len() + bytes.len());
    [b"\0asm\x01\0\0\0\0", &size[..], &name, bytes].concat()
}

#[test]
fn the_plugins_of_this_repository_pass_their_own_cases_in_the_runtime() {
    let shipped = shipped::SHIPPED.iter().map(|(id, _)| {
        // As it was built: what is shipped has its cases no more.
        let whole = Path::new(env!("OUT_DIR")).join(format!("plugin-{id}.wasm"));
        (format!("plugins/{id}"), std::fs::read(whole).unwrap(), 10)
    });
    let example = ("examples/plugin-template".to_owned(), template(), 1);
    for (folder, wasm, least) in shipped.chain([example]) {
        let (_, reports) = test(&wasm, &[]);
        assert_eq!(reports.len(), number_of_cases(&folder), "{folder}");
        assert!(reports.len() >= least, "{folder} has {} cases", reports.len());
        for report in reports {
            assert_eq!(report.failure, None, "{folder}: {}", report.name);
            assert_eq!(report.replays, 6, "{folder}: {}", report.name);
        }
    }
}

const REPLACED: &str = r#"{
    "name": "replaced", "options": {"replace": {"cat": "dog"}},
    "deltas": [{"text": "a cat"}, {"finish": "stop"}],
    "expect": [{"text": "a DOG"}, {"finish": "stop"}]
}"#;

#[test]
fn a_wrong_expectation_says_what_came_and_what_was_wanted() {
    assert_eq!(failure(&template(), &REPLACED.replace("DOG", "dog")), None);
    let said = failure(&template(), REPLACED).unwrap();
    for part in ["(delta by delta)", "got ", "a dog", "wanted ", "a DOG"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn what_does_not_hold_or_cannot_be_read_fails() {
    let fails = [
        (r#"{"deltas":[{"text":"ab"}],"expect":[{"text":"b"}]}"#, "(delta by delta)"),
        (r#"{"deltas":[{"txt":"ab"}]}"#, "unknown field `txt`"),
        (r#"{"deltas":[{"text":"a","refusal":"b"}]}"#, "not exactly one delta"),
        (r#"{"deltas":[{"finish":"done"}]}"#, "not exactly one delta"),
        (r#"{"expected":[]}"#, "unknown field `expected`"),
        (r#"{"stop":403}"#, "stop is None"),
        (r#"{"stop_metadata":{"a":1}}"#, "without `stop`"),
        (r#"{"decision":{"reject":403}}"#, "the decision is Pass"),
        (r#"{"options":{"replace":7}}"#, "options of `template` at /replace"),
        (r#"{"expect_state":{"seen":"1"}}"#, "state `seen` is None"),
        (r#"{"secrets":["A"],"models":[{"text":"a"},{"text":"b"}]}"#, "models: 2 not asked"),
        (r#"{"http":[{"method":"GET","url":"https://a.org/"}]}"#, "http: GET https://a.org/"),
        (r#"{"search":[{"index":"docs","hits":[]}]}"#, "search: 1 not asked"),
        (r#"{"embeddings":[[0.5]]}"#, "embeddings: 1 not asked"),
        ("[]", "a case is a JSON object"),
        ("{", "EOF"),
    ];
    let (_, reports) = test(&template(), &fails.map(|(case, _)| case));
    let own = reports.len() - fails.len();
    for ((case, part), report) in fails.into_iter().zip(&reports[own..]) {
        let said = report.failure.as_ref();
        assert!(said.is_some_and(|said| said.contains(part)), "{case}: {said:?}");
    }
}

#[test]
fn a_case_that_does_not_hold_keeps_a_file_out() {
    let wasm = [template(), module(REPLACED.as_bytes())[8..].to_vec()].concat();
    let plugins = plugins();
    let error = plugins.install(&wasm, Origin::Upload).unwrap_err();
    assert_eq!(error.step, "self-test");
    for part in ["`replaced`", "(delta by delta)", "a DOG"] {
        assert!(error.reason.contains(part), "{part}: {error}");
    }
    assert!(plugins.snapshot().find("template").is_none());
    plugins.install(&template(), Origin::Upload).unwrap();
    assert!(plugins.snapshot().find("template").is_some());
}

#[test]
fn time_that_is_up_ends_the_test() {
    let plugins = plugins();
    let (plugin, _) = plugins.test(&template(), &[]).unwrap();
    let cases = [(String::new(), "{}".to_owned())];
    let none = config::Plugins { self_test_ms: 0, ..config().plugins };
    let reports = super::run(&plugin, &cases, &none);
    let said = reports[0].failure.as_ref().unwrap();
    assert!(said.contains("plugins.self_test_ms"), "{said}");
}

#[test]
fn a_section_is_read_from_modules_and_from_within_components() {
    let section = br#"{"name":"a"}{"deltas":[]} {"name":"c"}"#;
    let names = |wasm: &[u8]| {
        let cases = embedded(wasm).unwrap().into_iter();
        cases.map(|(name, _)| name).collect::<Vec<_>>()
    };
    let inner = module(section);
    assert_eq!(names(&inner), ["a", "case 2", "c"]);
    // A component that holds the module: section 1, its size, and the module.
    let size = u8::try_from(inner.len()).unwrap();
    assert!(size < 128);
    let outer = [b"\0asm\x0d\0\x01\0\x01", &[size][..], &inner].concat();
    assert_eq!(names(&outer), ["a", "case 2", "c"]);
    assert_eq!(names(b"\0asm\x01\0\0\0"), Vec::<String>::new());
}

#[test]
fn a_hostile_section_is_refused() {
    let many = "{}".repeat(CASES_MAX + 1);
    let million = "{}".repeat(1_000_000);
    let deep = format!("{{\"name\":{}", "[".repeat(500_000));
    let large = vec![b' '; 100 << 20];
    let refused: [(&[u8], &str); 7] = [
        (b"hello", "case 1: this is no JSON object"),
        (b"{} []", "case 2: this is no JSON object"),
        (b"{\"name\":\"\xff\"}", "case 1: this is no JSON object"),
        (many.as_bytes(), "more than 500 cases"),
        (million.as_bytes(), "are allowed"),
        (deep.as_bytes(), "case 1: this is no JSON object"),
        (&large, "are allowed"),
    ];
    for (section, part) in refused {
        let error = embedded(&module(section)).unwrap_err();
        assert_eq!(error.step, "self-test");
        assert!(error.reason.contains(part), "{part}: {error}");
    }
    assert!(million.len() > SECTION_BYTES_MAX);
}

/// Everything that the plugin calls, and what comes of it.
fn calls(options: &Value, answers: &Value, said: &str) -> String {
    let mut options = options.clone();
    options["answer"] = true.into();
    let mut case = answers.clone();
    case["options"] = options;
    case["decision"] = json!({"answer": [{"text": said}]});
    case.to_string()
}

fn http() -> Value {
    let secret = json!({"name": "EXA_KEY", "placement": "bearer"});
    json!({"http": {"url": "https://api.exa.ai/x", "secret": secret, "show": ["x-n"]}})
}

fn model() -> Value {
    json!({"model": {"model": "openai/gpt-4o", "prompt": "Hi"}})
}

#[test]
fn what_lies_outside_is_answered_by_the_case() {
    let search = json!({"search": {"index": "docs", "text": "a", "count": 1}});
    let embed = json!({"embed": {"model": "openai/e", "inputs": ["a", "b"]}});
    let page = json!({"method": "GET", "url": "https://api.exa.ai/x", "headers": {"X-N": "1"},
        "body": "fine"});
    let hit = |source: &str| json!({"source": source, "text": "t", "headings": ["H"]});
    let hits = json!([hit("a.md"), hit("b.md")]);
    let cases = [
        (
            http(),
            json!({"secrets": ["EXA_KEY"], "http": [page]}),
            "http: 200 from https://api.exa.ai/x; x-n: 1; fine",
        ),
        (
            model(),
            json!({"models": [{"text": "Yes.", "cost_nanos": 7}]}),
            "model: openai/gpt-4o for 7 nanos: Yes.",
        ),
        (embed, json!({"embeddings": [[0.5], [0.1, 0.2]]}), "embed: openai/e for 0 nanos: [1, 2]"),
        (
            search,
            json!({"search": [{"index": "docs", "hits": hits}]}),
            "search: 1 hits: a.md |  | H | t",
        ),
        (model(), json!({"models": [{"error": "limit: enough"}]}), "model: limit: enough"),
        (model(), json!({"models": [{"error": "internal: ours"}]}), "model: internal: ours"),
        (model(), json!({"models": [{"error": "options: no"}]}), "model: options: no"),
        (model(), json!({"models": [{"error": "denied: no"}]}), "model: denied: no"),
        (model(), json!({"models": [{"error": "upstream: no"}]}), "model: upstream: no"),
        (
            http(),
            json!({}),
            "http: denied: there is no secret `EXA_KEY`: set \
            plugin.caller.secrets.EXA_KEY and add \"secrets=EXA_KEY\" to plugin.caller.grant",
        ),
    ];
    let cases = cases.map(|(options, answers, said)| calls(&options, &answers, said));
    let (_, reports) = test(&caller(), &cases.each_ref().map(String::as_str));
    let own = reports.len() - cases.len();
    for (case, report) in cases.iter().zip(&reports[own..]) {
        assert_eq!(report.failure, None, "{case}");
    }
}

#[test]
fn a_call_that_nothing_answers_fails_even_if_the_plugin_gets_over_it() {
    let others = json!({"models": [{"model": "openai/o1", "text": "a"}]});
    let fails = [
        (
            calls(&http(), &json!({"secrets": ["EXA_KEY"]}), "?"),
            "GET https://api.exa.ai/x: not scr",
        ),
        (calls(&model(), &json!({}), "?"), "models: `openai/gpt-4o`: not scripted"),
        (calls(&model(), &others, "?"), "`openai/gpt-4o` was asked, not `openai/o1`"),
    ];
    let (_, reports) = test(&caller(), &fails.each_ref().map(|(case, _)| case.as_str()));
    let own = reports.len() - fails.len();
    for ((case, part), report) in fails.iter().zip(&reports[own..]) {
        let said = report.failure.as_ref();
        assert!(said.is_some_and(|said| said.contains(part)), "{case}: {said:?}");
    }
}

#[test]
fn a_call_that_the_description_does_not_want_fails() {
    let plugins = plugins();
    let (plugin, _) = plugins.test(&caller(), &[]).unwrap();
    let mut plugin = Arc::into_inner(plugin).unwrap();
    let wanted = ["http=https://api.exa.org", "models=anthropic/*", "secrets=OTHER"];
    plugin.description.capabilities = wanted.map(ToOwned::to_owned).to_vec();
    let page = json!({"http": {"url": "https://api.exa.ai/x"}});
    let fails = [
        (calls(&http(), &json!({}), "?"), "does not want `secrets=EXA_KEY`"),
        (calls(&page, &json!({}), "?"), "does not want `http=https://api.exa.ai`"),
        (calls(&model(), &json!({}), "?"), "does not want `models=openai/gpt-4o`"),
    ];
    let cases = fails.each_ref().map(|(case, _)| (String::new(), case.clone()));
    let reports = super::run(&Arc::new(plugin), &cases, &config().plugins);
    for ((case, part), report) in fails.iter().zip(&reports) {
        let said = report.failure.as_ref();
        assert!(said.is_some_and(|said| said.contains(part)), "{case}: {said:?}");
    }
}

#[test]
fn a_hook_that_fails_fails_the_case_also_where_requests_go_on_without_it() {
    let wasm = file(env!("PATCHBAY_HOSTILE_WASM"));
    let deltas = r#"[{"text":"x"},{"finish":"stop"}]"#;
    let at = |deed: &str, place: &str| {
        let options = format!(r#"{{"do":"{deed}","at":"{place}"}}"#);
        format!(r#"{{"options":{options},"deltas":{deltas},"expect":{deltas}}}"#)
    };
    for (deed, fault) in [("panic", "failed (trap)"), ("error", "failed (error)")] {
        for place in ["request", "push", "finish"] {
            let said = failure(&wasm, &at(deed, place)).unwrap();
            assert!(said.contains(fault), "{deed} at {place}: {said}");
        }
    }
}
