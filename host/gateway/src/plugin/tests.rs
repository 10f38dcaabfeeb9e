//! The runtime with real guests: the template and the plugin that misbehaves on purpose.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use wire::{Chunk, Delta, FinishReason, Json, PluginEntry, Request, Role, Source};

use super::compile::{Compiler, Workshop};
use super::engine::Sandboxes;
use super::fault::Fault;
use super::instance::Instance;
use super::load::{Loader, Origin, Plugin};
use super::media;
use super::pipeline::{Pipeline, Requested};
use super::registry::Plugins;
use super::select::{Selected, Wanted};
use super::view::GenerationView;
use crate::clock;
use crate::config::{Config, OnError, PluginTable};

fn template() -> Vec<u8> {
    std::fs::read(env!("PATCHBAY_TEMPLATE_WASM")).unwrap()
}

fn hostile() -> Vec<u8> {
    std::fs::read(env!("PATCHBAY_HOSTILE_WASM")).unwrap()
}

fn config() -> Config {
    let mut config = Config::default();
    config.plugins.instances_max = 20;
    config.plugins.cache_dir = Some(std::path::PathBuf::new());
    config.plugins.limits.memory_bytes = 16 << 20;
    // Generous, because ticks are of wall time and tests share the machine.
    config.plugins.limits.cpu_ms = 500;
    config
}

fn plugins(config: &Config) -> Plugins {
    let plugins = Plugins::empty(config, Compiler::Here).unwrap();
    plugins.install(&template(), Origin::Upload).unwrap();
    plugins.install(&hostile(), Origin::Upload).unwrap();
    plugins
}

fn view() -> GenerationView {
    GenerationView::of_load(Duration::from_secs(60))
}

/// What a plugin that never waits does is over when it is asked for.
fn now<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never().expect("the plugin waits")
}

fn entry(id: &str, options: &str) -> PluginEntry {
    PluginEntry { id: id.to_owned(), enabled: true, options: Json::parse(options).unwrap() }
}

fn pipeline(plugins: &Plugins, config: &Config, entries: &[PluginEntry]) -> Pipeline {
    let wanted = Wanted::of("gen-1", entries, &[], &[]);
    let selected = plugins.snapshot().select(&wanted, config).unwrap();
    Pipeline::new(selected, view())
}

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.to_owned() }
}

fn finish() -> Delta {
    Delta::Finish { choice: 0, reason: FinishReason::Stop, native: None }
}

fn role() -> Delta {
    Delta::Role { choice: 0, role: Role::Assistant }
}

/// Through the pipeline, each delta as its own chunk; text that stands together is joined.
fn run(pipeline: &mut Pipeline, deltas: Vec<Delta>) -> Vec<Delta> {
    let mut out = Vec::new();
    for delta in deltas {
        now(pipeline.push(Chunk::of(vec![delta]), &mut out)).unwrap();
    }
    now(pipeline.finish(&mut out)).unwrap();
    joined(out)
}

fn joined(chunks: Vec<Chunk>) -> Vec<Delta> {
    let mut joined: Vec<Delta> = Vec::new();
    for delta in chunks.into_iter().flat_map(|chunk| chunk.deltas) {
        match (joined.last_mut(), delta) {
            (Some(Delta::Text { text, .. }), Delta::Text { text: more, .. }) => {
                text.push_str(&more)
            }
            (_, Delta::Text { text, .. }) if text.is_empty() => {}
            (_, delta) => joined.push(delta),
        }
    }
    joined
}

const REPLACE: &str = r#"{"replace":{"cat":"dog"}}"#;

#[test]
fn a_word_is_replaced_wherever_the_stream_is_cut() {
    let config = config();
    let plugins = plugins(&config);
    let whole = "a cat, a category, ca";
    for cut in 0..whole.len() {
        let mut pipeline = pipeline(&plugins, &config, &[entry("template", REPLACE)]);
        let deltas = vec![role(), text(&whole[..cut]), text(&whole[cut..]), finish()];
        let want = vec![role(), text("a dog, a dogegory, ca"), finish()];
        assert_eq!(run(&mut pipeline, deltas), want, "cut at {cut}");
    }
}

#[test]
fn a_whole_reply_is_one_batch() {
    let config = config();
    let plugins = plugins(&config);
    let mut pipeline = pipeline(&plugins, &config, &[entry("template", REPLACE)]);
    let mut out = Vec::new();
    let chunk = Chunk::of(vec![role(), text("a c"), text("at"), finish()]);
    now(pipeline.push_all(vec![chunk], &mut out)).unwrap();
    now(pipeline.finish(&mut out)).unwrap();
    assert_eq!(joined(out), vec![role(), text("a dog"), finish()]);
}

#[test]
fn what_comes_after_the_finish_does_not_go_past_a_guard() {
    for (on_error, late) in [(OnError::Closed, vec![]), (OnError::Open, vec![text("late")])] {
        let mut config = config();
        let table = PluginTable { on_error: Some(on_error), ..PluginTable::default() };
        config.plugin.insert("template".to_owned(), table);
        let plugins = plugins(&config);
        let mut pipeline = pipeline(&plugins, &config, &[entry("template", REPLACE)]);
        let deltas = vec![role(), text("a cat"), finish(), text("late")];
        let want = [vec![role(), text("a dog"), finish()], late].concat();
        assert_eq!(run(&mut pipeline, deltas), want, "{on_error:?}");
    }
}

#[test]
fn choices_do_not_mix() {
    let config = config();
    let plugins = plugins(&config);
    let mut pipeline = pipeline(&plugins, &config, &[entry("template", REPLACE)]);
    let piece = |choice, text: &str| Delta::Text { choice, text: text.to_owned() };
    let deltas = vec![piece(0, "c"), piece(1, "at"), piece(0, "at"), piece(1, "c")];
    let mut out = Vec::new();
    for delta in deltas {
        now(pipeline.push(Chunk::of(vec![delta]), &mut out)).unwrap();
    }
    now(pipeline.finish(&mut out)).unwrap();
    let of = |choice| {
        let own = out.iter().flat_map(|chunk| &chunk.deltas);
        let own = own.filter(|delta| delta.choice() == Some(choice));
        own.map(|delta| if let Delta::Text { text, .. } = delta { text.as_str() } else { "" })
            .collect::<String>()
    };
    assert_eq!((of(0), of(1)), ("dog".to_owned(), "atc".to_owned()));
}

#[test]
fn what_is_not_of_interest_keeps_its_bytes() {
    let config = config();
    let plugins = plugins(&config);
    let mut pipeline = pipeline(&plugins, &config, &[entry("template", REPLACE)]);
    let source = Some(Source { dialect: "openai-chat", bytes: "{}".into() });
    for deltas in [vec![role()], vec![text("nothing here. ")], vec![]] {
        let chunk = Chunk { deltas, source: source.clone() };
        let mut out = Vec::new();
        now(pipeline.push(chunk.clone(), &mut out)).unwrap();
        assert_eq!(out, vec![chunk]);
    }
}

fn load(bytes: &[u8], config: &Config, change: impl FnOnce(&mut Plugin)) -> Arc<Plugin> {
    let sandboxes = Sandboxes::new(config).unwrap();
    let workshop = Workshop::new(&config.plugins, Compiler::Here).unwrap();
    let loader = Loader { workshop: &workshop, sandboxes: &sandboxes, config };
    let environment = |id: &str, limits: &_| super::capability::Environment::new(id, limits);
    let mut plugin = loader.load(bytes, Origin::Upload, 1, &environment).unwrap();
    change(&mut plugin);
    Arc::new(plugin)
}

const FAULTS: [(&str, Fault, &str); 8] = [
    ("loop", Fault::Timeout, "500 ms of CPU (cpu_ms)"),
    ("memory", Fault::Memory, "16777216 bytes (memory_bytes)"),
    ("stack", Fault::Stack, "the call stack is exhausted"),
    ("panic", Fault::Trap, "panic"),
    ("trap", Fault::Trap, "unreachable"),
    ("error", Fault::Error, ""),
    ("stray", Fault::Error, "another choice"),
    ("status", Fault::Error, "400 to 499 and 503"),
];

#[test]
fn each_harm_is_classified_where_it_is_done() {
    let config = config();
    let plugin = load(&hostile(), &config, |_| {});
    for (deed, fault, _) in FAULTS.iter().take(6) {
        let options: Arc<str> = format!(r#"{{"do":"{deed}","at":"request"}}"#).into();
        let mut instance = now(Instance::new(&plugin, &Arc::new(view()), &options)).unwrap();
        let mut held = Vec::new();
        let failed = now(instance.on_request(&Request::default(), &mut held)).unwrap_err();
        assert_eq!(failed.fault, *fault, "{deed}: {}", failed.detail);
    }
}

#[test]
fn a_guard_that_fails_ends_the_reply_and_says_how() {
    let config = config();
    let plugin = load(&hostile(), &config, |plugin| plugin.on_error = OnError::Closed);
    for (deed, fault, detail) in FAULTS {
        let options: Arc<str> = format!(r#"{{"do":"{deed}"}}"#).into();
        let selected =
            Selected { plugin: Arc::clone(&plugin), options, is_disabled: false, shadow: None };
        let mut pipeline = Pipeline::new(vec![selected], view());
        let error = now(pipeline.push(Chunk::of(vec![text("x")]), &mut Vec::new())).unwrap_err();
        assert_eq!(error.failure.status, 503);
        assert!(error.failure.message.contains(detail), "{deed}: {}", error.failure.message);
        let metadata: Vec<_> =
            error.failure.metadata.iter().map(|(_, json)| json.as_str()).collect();
        assert_eq!(metadata, ["\"hostile\"", &format!("\"{fault}\"")], "{deed}");
    }
}

#[test]
fn a_transform_that_fails_is_left_out_of_its_own_request() {
    let config = config();
    let plugins = plugins(&config);
    let deltas = || vec![role(), text("a cat"), text(" here"), finish()];
    let deeds = FAULTS.iter().map(|(deed, ..)| *deed).chain(["huge"]);
    for (deed, place) in deeds.flat_map(|deed| [(deed, "push"), (deed, "finish")]) {
        let options = format!(r#"{{"do":"{deed}","at":"{place}"}}"#);
        let entries = vec![entry("template", REPLACE), entry("hostile", &options)];
        let mut harmed = pipeline(&plugins, &config, &entries);
        let want = vec![role(), text("a dog here"), finish()];
        assert_eq!(run(&mut harmed, deltas()), want, "{deed} at {place}");
    }
}

#[test]
fn what_a_failed_transform_held_is_released_unchanged() {
    let mut config = config();
    config.plugins.limits.held_bytes = 100;
    // The template's own cases would not fit into this.
    let plugins = Plugins::empty(&config, Compiler::Here).unwrap();
    plugins.install(&hostile(), Origin::Upload).unwrap();
    let entries = || vec![entry("hostile", r#"{"do":"hold"}"#)];
    let mut full = pipeline(&plugins, &config, &entries());
    let long = "x".repeat(90);
    let deltas = vec![text(&long), text("y"), text(&long), finish()];
    let want = vec![text(&format!("{long}y{long}")), finish()];
    assert_eq!(run(&mut full, deltas), want, "too many bytes");

    let mut late = pipeline(&plugins, &config, &entries());
    let mut out = Vec::new();
    now(late.push(Chunk::of(vec![text("x")]), &mut out)).unwrap();
    assert_eq!(out, vec![]);
    let deadline = late.held_deadline().unwrap();
    now(late.expire_held(deadline - Duration::from_millis(1), &mut out)).unwrap();
    assert_eq!(out, vec![], "in time");
    now(late.expire_held(deadline, &mut out)).unwrap();
    assert_eq!(out, vec![Chunk::of(vec![text("x")])]);
    assert_eq!(late.held_deadline(), None);
}

#[test]
fn a_full_pool_is_busy_and_not_a_crash() {
    let mut config = config();
    config.plugins.instances_max = 1;
    let plugin = load(&template(), &config, |_| {});
    let (view, options) = (Arc::new(view()), Arc::from(REPLACE));
    let first = now(Instance::new(&plugin, &view, &options)).unwrap();
    let failed = now(Instance::new(&plugin, &view, &options)).map(|_| ()).unwrap_err();
    assert_eq!(failed.fault, Fault::Busy);
    drop(first);
    assert!(now(Instance::new(&plugin, &view, &options)).is_ok(), "the place is free again");
}

#[test]
fn request_hooks_of_other_plugins_cost_nothing() {
    let config = config();
    let plugins = plugins(&config);
    let mut pipeline = pipeline(&plugins, &config, &[entry("template", REPLACE)]);
    let source = Some(Source { dialect: "openai-chat", bytes: "{}".into() });
    let request = Request { source, ..Request::default() };
    let Requested::Go(after) = now(pipeline.on_request(request.clone())).unwrap() else { panic!() };
    assert_eq!(after, request);
}

#[test]
fn a_request_hook_that_fails_leaves_the_request_as_it_was() {
    let config = config();
    let plugins = plugins(&config);
    for deed in FAULTS.iter().map(|(deed, ..)| *deed).chain(["huge"]).filter(|it| *it != "stray") {
        let options = format!(r#"{{"do":"{deed}","at":"request"}}"#);
        let mut harmed = pipeline(&plugins, &config, &[entry("hostile", &options)]);
        let source = Some(Source { dialect: "openai-chat", bytes: "{}".into() });
        let request = Request { model: "author/name".into(), source, ..Request::default() };
        let Requested::Go(after) = now(harmed.on_request(request.clone())).unwrap() else {
            panic!()
        };
        assert_eq!(after, request, "{deed}");
    }
}

#[test]
fn an_answer_is_a_whole_reply() {
    let config = config();
    let plugins = plugins(&config);
    let options = r#"{"do":"stray","at":"request"}"#;
    let mut pipeline = pipeline(&plugins, &config, &[entry("hostile", options)]);
    let requested = now(pipeline.on_request(Request::default())).unwrap();
    let Requested::Answer(deltas, _) = requested else { panic!("{requested:?}") };
    for choice in [0, u16::MAX] {
        let own: Vec<_> = deltas.iter().filter(|it| it.choice() == Some(choice)).collect();
        assert!(matches!(own.first(), Some(Delta::Role { .. })), "{own:?}");
        assert!(matches!(own.last(), Some(Delta::Finish { .. })), "{own:?}");
    }
}

#[test]
fn a_watched_file_is_live_while_it_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("template.wasm");
    std::fs::write(&file, template()).unwrap();
    std::fs::write(dir.path().join("broken.wasm"), b"hello").unwrap();
    let mut config = config();
    config.plugins.dir = dir.path().to_owned();
    let plugins = Plugins::start(&config, Compiler::Here).unwrap();
    let registry = plugins.snapshot();
    assert!(registry.find("template").is_some());
    let refused = registry.refused();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].file.ends_with("broken.wasm"));
    assert_eq!(refused[0].error.step, "wrap");

    let until = |is_so: &dyn Fn(&super::registry::Registry) -> bool| {
        let deadline = clock::now() + Duration::from_secs(60);
        while !is_so(&plugins.snapshot()) {
            assert!(clock::now() < deadline, "the folder is not followed");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    std::fs::remove_file(&file).unwrap();
    until(&|registry| registry.find("template").is_none());
    std::fs::write(dir.path().join("broken.wasm"), template()).unwrap();
    until(&|registry| registry.find("template").is_some() && registry.refused().is_empty());
}

#[test]
fn media_that_were_lent_come_back() {
    let image = |base64: &str| {
        let data = wire::MediaData::Inline { mime: "image/png".into(), base64: base64.into() };
        let kind = wire::MediaKind::Image;
        let media = wire::Media { kind, data, name: None, detail: None };
        wire::Part::new(wire::Content::Media(media))
    };
    let result = wire::Content::ToolResult {
        call_id: "1".into(),
        parts: vec![image("BBBB")],
        is_error: false,
    };
    let parts = vec![image("AAAA"), wire::Part::new(result), image("CCCC")];
    let message =
        wire::Message { role: Role::User, name: None, parts, extra: wire::Extra::default() };
    let request = Request { messages: vec![message], ..Request::default() };
    let mut lent = request.clone();
    let held = media::lend(&mut lent);
    let texts: Vec<_> = held.iter().map(|held| held.base64.as_str()).collect();
    assert_eq!(texts, ["AAAA", "BBBB", "CCCC"]);
    media::restore(&mut lent, held);
    assert_eq!(lent, request);
}

#[test]
fn a_broken_file_is_refused_and_the_old_version_stays() {
    let config = config();
    let plugins = plugins(&config);
    let before = Arc::clone(plugins.snapshot().find("template").unwrap());
    let mut cut = template();
    cut.truncate(cut.len() / 2);
    let no_plugin = b"\0asm\x01\0\0\0".to_vec();
    for (bytes, step) in [(b"hello".to_vec(), "wrap"), (cut, "wrap"), (no_plugin, "exports")] {
        assert_eq!(plugins.install(&bytes, Origin::Upload).unwrap_err().step, step);
    }
    let after = plugins.install(&template(), Origin::Upload).unwrap();
    assert!(Arc::ptr_eq(&before, &after), "the same file changes nothing");
}

#[test]
fn a_file_that_is_too_large_is_refused_with_the_setting() {
    let mut config = config();
    config.plugins.wasm_bytes_max = 1_000;
    let plugins = Plugins::empty(&config, Compiler::Here).unwrap();
    let error = plugins.install(&template(), Origin::Upload).unwrap_err();
    assert_eq!(error.step, "size");
    assert!(error.reason.contains("plugins.wasm_bytes_max"), "{error}");
}

#[test]
fn a_snapshot_keeps_what_it_began_with_and_rollback_returns_to_it() {
    let config = config();
    let plugins = plugins(&config);
    let old = plugins.snapshot();
    let mut changed = template();
    // An empty custom section: other bytes, the same plugin.
    changed.extend([0, 2, 1, b'x']);
    let new = plugins.install(&changed, Origin::Upload).unwrap();
    assert_ne!(old.find("template").unwrap().digest, new.digest);
    assert_eq!(plugins.snapshot().kept("template").len(), 1);
    let back = plugins.rollback("template").unwrap();
    assert_eq!(back.digest, old.find("template").unwrap().digest);
    assert_eq!(plugins.rollback("template").unwrap_err().step, "find");
    plugins.remove("template").unwrap();
    assert!(plugins.snapshot().find("template").is_none());
    assert!(old.find("template").is_some());
}

#[test]
fn selection_follows_the_operator_then_the_request() {
    let mut config = config();
    let plugins = plugins(&config);
    let registry = plugins.snapshot();
    let ids = |entries, config: &Config| {
        let entries: Vec<PluginEntry> = entries;
        let selected = registry.select(&Wanted::of("gen-1", &entries, &[], &[]), config)?;
        Ok(selected.iter().map(|it| it.plugin.description.id.clone()).collect::<Vec<_>>())
    };
    let message =
        |result: Result<Vec<String>, crate::error::Error>| result.unwrap_err().failure.message;
    let two = || vec![entry("template", REPLACE), entry("hostile", r#"{"do":"trap"}"#)];
    assert_eq!(ids(two(), &config).unwrap(), ["template", "hostile"]);

    let unknown = message(ids(vec![entry("webb", "{}")], &config));
    assert!(
        unknown.contains("plugins[0].id") && unknown.contains("hostile, template"),
        "{unknown}"
    );
    let twice = vec![entry("template", REPLACE), entry("template", REPLACE)];
    assert!(message(ids(twice, &config)).contains("stands twice"));
    let wrong = message(ids(vec![entry("template", r#"{"replace":7}"#)], &config));
    assert!(wrong.contains("`template` at /replace"), "{wrong}");

    let options = toml::from_str("do = \"trap\"").unwrap();
    let table = PluginTable { always: true, options, ..PluginTable::default() };
    config.plugin.insert("hostile".to_owned(), table);
    let off = PluginEntry { enabled: false, ..entry("hostile", "{}") };
    assert_eq!(
        ids(vec![entry("template", REPLACE), off], &config).unwrap(),
        ["hostile", "template"]
    );
    config.plugins.per_request_max = 1;
    assert!(message(ids(vec![entry("template", REPLACE)], &config)).contains("at most 1"));
    let table = PluginTable { enabled: Some(false), ..PluginTable::default() };
    config.plugin.insert("template".to_owned(), table);
    config.plugins.per_request_max = 9;
    assert!(message(ids(vec![entry("template", REPLACE)], &config)).contains("switched off"));
}
