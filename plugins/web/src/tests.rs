//! The cases, and what a case has no words for.

use super::{CASES, OPTIONS, Web};
use patchbay_sdk::catalog::Model;
use patchbay_sdk::testing::{self, Facts, Failures, check, generation};
use patchbay_sdk::{Decision, Other, Plugin, Request, Tool, ToolChoice};
use serde_json::{Value, json};

#[test]
fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
    check::<Web>(env!("CARGO_MANIFEST_DIR"), CASES)
}

#[test]
fn every_engine_and_every_default_is_in_the_schema() {
    let schema: Value = serde_json::from_str(OPTIONS).unwrap();
    let fields = &schema["properties"];
    let engines = fields["engine"]["enum"].as_array().unwrap();
    for engine in super::engine::OURS {
        assert!(engines.contains(&json!(engine.name())), "{}", engine.name());
    }
    let settings = super::Settings::default();
    assert_eq!(fields["max_results"]["default"], settings.max_results());
    assert_eq!(fields["max_total_results"]["default"], settings.max_total_results());
    assert_eq!(fields["fetch_pages"]["default"], settings.fetch_pages());
    assert_eq!(fields["index"]["default"], settings.index());
}

/// What becomes of a request to a model that searches itself.
fn natively(request: &Request, options: &Value, model: &str) -> Decision {
    testing::kit().catalog(Model::new(model).parameter("web_search_options")).secret("EXA_API_KEY");
    let options = options.to_string();
    let generation =
        generation(Facts { model: request.model.clone(), options, ..Facts::default() });
    let mut web = Web::new(&generation).unwrap();
    let decision = web.on_request(&generation, request.clone()).unwrap();
    assert!(web.tools(&generation, Vec::new()).unwrap().is_empty());
    decision
}

fn replaced(decision: Decision) -> (Request, Vec<Value>) {
    let Decision::Replace(request) = decision else { panic!("{decision:?}") };
    let tools = request.tools.iter().map(|tool| match tool {
        Tool::Other(other) => {
            let json: Value = serde_json::from_str(&other.json).unwrap();
            json!([other.kind, json])
        }
        Tool::Function(function) => json!(function.name),
    });
    let tools = tools.collect();
    (request, tools)
}

fn other(kind: &str, json: &Value) -> Tool {
    Tool::Other(Other { kind: kind.into(), json: json.to_string() })
}

#[test]
fn a_native_search_is_wished_for_in_a_form_that_every_dialect_reads() {
    let options = json!({
        "search_context_size": "high", "include_domains": ["a.example"],
        "user_location": {"type": "approximate", "city": "Berlin"},
    });
    let request = Request::new("anthropic/m:online").user("Who?");
    let (_, tools) = replaced(natively(&request, &options, "anthropic/m"));
    let wish = json!({
        "type": "web_search_20250305", "name": "web_search", "search_context_size": "high",
        "allowed_domains": ["a.example"], "user_location": {"city": "Berlin"},
    });
    assert_eq!(tools, [json!(["openai-completions.web_search", wish])]);
}

#[test]
fn the_tool_becomes_that_wish_and_is_no_longer_a_trigger() {
    let tool =
        json!({"type": "openrouter:web_search", "parameters": {"engine": "native", "max_uses": 2}});
    let mut request = Request::new("x-ai/m").user("Who?").tool(other("openai-chat", &tool));
    let choice = json!({"type": "openrouter:web_search"}).to_string();
    request.tool_choice =
        Some(ToolChoice::Other(Other { kind: "openai-chat".into(), json: choice }));
    let (request, tools) = replaced(natively(&request, &json!({}), "x-ai/m"));
    let wish = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 2});
    assert_eq!(tools, [json!(["openai-completions.web_search", wish])]);
    assert_eq!(request.tool_choice, Some(ToolChoice::Auto));
}

#[test]
fn openais_own_tool_keeps_all_that_it_says_for_openais_models() {
    let tool = json!({"type": "web_search", "external_web_access": false});
    let request = Request::new("openai/m").user("Who?").tool(other("openai-responses.x", &tool));
    let (_, tools) = replaced(natively(&request, &json!({}), "openai/m"));
    let own = json!({"type": "web_search_2025_08_26", "external_web_access": false});
    assert_eq!(tools, [json!(["openai-responses.web_search_2025_08_26", own])]);
}

#[test]
fn a_provider_that_takes_no_domains_is_not_asked_to() {
    let options = json!({"engine": "native", "include_domains": ["a.example"]});
    let request = Request::new("google/m").user("Who?");
    let decision = natively(&request, &options, "google/m");
    let Decision::Reject(rejection) = decision else { panic!("{decision:?}") };
    assert_eq!(rejection.status, 400);
    assert!(rejection.message.contains("leave `include_domains`"), "{}", rejection.message);
}

#[test]
fn engines_are_asked_within_their_own_limits() {
    testing::kit().secret("TAVILY_API_KEY").http(
        patchbay_sdk::http::Method::Post,
        "https://api.tavily.com/search",
        200,
        r#"{"results":[]}"#,
    );
    let options = json!({"max_results": 25, "exclude_domains": ["a.example"]}).to_string();
    let generation = generation(Facts { options, ..Facts::default() });
    let mut web = Web::new(&generation).unwrap();
    let request = Request::new("test/model").user("Who?");
    assert_eq!(web.on_request(&generation, request).unwrap(), Decision::Pass);
    let sent = testing::sent();
    let body: Value = serde_json::from_slice(&sent[0].body).unwrap();
    let wanted = json!({"query": "Who?", "max_results": 20, "exclude_domains": ["a.example"]});
    assert_eq!(body, wanted);
}

#[test]
fn long_results_stay_within_what_a_hook_may_add() {
    let text = "A long text about anything. ".repeat(3000);
    let item = |number: u32| json!({"url": format!("https://a.example/{number}"), "text": text});
    let results: Vec<Value> = (0..25).map(item).collect();
    testing::kit().secret("EXA_API_KEY").http(
        patchbay_sdk::http::Method::Post,
        "https://api.exa.ai/search",
        200,
        json!({"results": results}).to_string(),
    );
    let options = json!({"max_results": 25, "max_characters": 100_000}).to_string();
    let generation = generation(Facts { options, ..Facts::default() });
    let mut web = Web::new(&generation).unwrap();
    let request = Request::new("test/model").user("A long text?");
    let (mut request, _) = replaced(web.on_request(&generation, request).unwrap());
    let bytes: usize = request.texts_mut().map(|(_, text)| text.len()).sum();
    assert!((40_000..65_536).contains(&bytes), "{bytes}");
}

fn refused(request: Request, options: &Value) -> String {
    let generation = generation(Facts { options: options.to_string(), ..Facts::default() });
    let decision = Web::new(&generation).unwrap().on_request(&generation, request).unwrap();
    let Decision::Reject(rejection) = decision else { panic!("{decision:?}") };
    rejection.message
}

#[test]
fn an_engine_without_its_key_is_told_to_clients_by_what_they_can_do() {
    testing::kit().secret("BRAVE_API_KEY");
    let told = refused(Request::new("test/model").user("Who?"), &json!({"engine": "exa"}));
    assert_eq!(
        told,
        "web: the engine `exa` is not set up here: use `brave`, `local`, or leave `engine` out"
    );
    let told = refused(Request::new("test/model").user("Who?"), &json!({"engine": "searxng"}));
    assert!(told.contains("set `searxng_url`, or use `brave`"), "{told}");
}

#[test]
fn a_query_model_that_is_not_served_is_refused_with_some_that_are() {
    testing::kit().catalog(Model::new("acme/small")).catalog(Model::new("acme/large"));
    let told =
        refused(Request::new("test/model").user("Who?"), &json!({"query_model": "acme/smal"}));
    assert!(told.contains("`acme/smal`, which is not served here"), "{told}");
    assert!(told.contains("use `acme/small`, `acme/large`, or leave it out"), "{told}");
}
