//! What a request's `provider` object leaves of a model's endpoints.

use super::*;
use crate::config::Config;
use crate::config::catalog::{Catalog, Served};

const OFFERS: &str = r#"
    [[provider]]
    slug = "plain"
    name = "Plain Inc"
    dialect = "openai-chat"
    base_url = "http://127.0.0.1:1"
    credential = "none"
    [[provider]]
    slug = "keeper"
    dialect = "openai-chat"
    base_url = "http://127.0.0.1:1"
    credential = "none"
    policy = { retains_prompts = true, trains = false }
    [[provider]]
    slug = "sealed"
    dialect = "openai-chat"
    base_url = "http://127.0.0.1:1"
    credential = "none"
    policy = { zdr = true, trains = false }
    [[model]]
    id = "acme/chat"
    context_length = 1000
    [[model.endpoint]]
    provider = "plain"
    model = "a"
    quantization = "mxfp4"
    price = { prompt = "2", completion = "4" }
    [[model.endpoint]]
    provider = "plain"
    model = "a"
    variant = "turbo"
    quantization = "fp8"
    price = { prompt = "1", completion = "8", audio_prompt = "3" }
    [[model.endpoint]]
    provider = "plain"
    model = "a"
    variant = "priority"
    price = { prompt = "9", completion = "9" }
    [[model.endpoint]]
    provider = "keeper"
    model = "a"
    quantization = "bf16"
    price = { prompt = "1", completion = "1", request = "0.01" }
    [[model.endpoint]]
    provider = "sealed"
    model = "a"
    price = { prompt = "5", completion = "5" }
"#;

fn served(config: &str) -> Arc<Served> {
    let catalog = Catalog::build(&Config::parse(config).unwrap(), |_| None).unwrap();
    Arc::clone(&catalog.models["acme/chat"])
}

fn left_of(config: &str, provider: &str) -> Result<Vec<String>, Error> {
    let served = served(config);
    let json = Json::parse(provider).unwrap();
    let preferences = Preferences::read(Some(&json))?;
    let left = preferences.filter(&served.model, served.ready().cloned().collect())?;
    Ok(left.iter().map(|endpoint| endpoint.tag()).collect())
}

fn left(provider: &str) -> Vec<String> {
    left_of(OFFERS, provider).unwrap()
}

fn refusal(provider: &str) -> (u16, String) {
    let failure = left_of(OFFERS, provider).unwrap_err().failure;
    (failure.status, failure.message)
}

#[test]
fn a_tier_of_service_is_only_served_by_its_full_name() {
    assert_eq!(left("{}"), ["plain", "plain/turbo", "keeper", "sealed"]);
    assert_eq!(left(r#"{"only": ["plain"]}"#), ["plain", "plain/turbo"]);
    assert_eq!(left(r#"{"only": ["plain/priority"]}"#), ["plain/priority"]);
    let ordered = left(r#"{"order": ["plain/priority"]}"#);
    assert_eq!(ordered, ["plain/priority", "plain", "plain/turbo", "keeper", "sealed"]);
}

#[test]
fn a_slug_means_all_variants_and_a_full_tag_one() {
    assert_eq!(left(r#"{"only": ["Plain Inc"]}"#), ["plain", "plain/turbo"]);
    assert_eq!(left(r#"{"only": ["PLAIN/turbo"]}"#), ["plain/turbo"]);
    assert_eq!(left(r#"{"ignore": ["plain/turbo", "keeper"]}"#), ["plain", "sealed"]);
    assert_eq!(left(r#"{"ignore": ["plain"]}"#), ["keeper", "sealed"]);
    let order = r#"{"order": ["sealed", "plain/turbo"], "allow_fallbacks": false}"#;
    assert_eq!(left(order), ["sealed", "plain/turbo"]);
    let (status, message) = refusal(r#"{"order": ["nobody"], "allow_fallbacks": false}"#);
    assert_eq!((status, message.contains("provider.order")), (404, true), "{message}");
}

#[test]
fn what_is_permitted_by_nobody_is_told_with_who_serves() {
    let (status, message) = refusal(r#"{"only": ["nobody", "other"]}"#);
    assert_eq!(status, 404);
    assert_eq!(
        message,
        "No allowed providers are available for the selected model. Providers serving acme/chat: \
         plain, plain/turbo, plain/priority, keeper, sealed, but your request's provider.only \
         preference permits only: nobody, other."
    );
    let (status, message) = refusal(r#"{"ignore": ["plain", "keeper", "sealed"]}"#);
    assert_eq!(status, 404);
    assert!(message.contains("provider.ignore preference"), "{message}");
}

#[test]
fn a_plain_quantization_stands_for_its_block_formats() {
    assert_eq!(left(r#"{"quantizations": ["fp4"]}"#), ["plain"]);
    assert_eq!(left(r#"{"quantizations": ["mxfp4"]}"#), ["plain"]);
    assert_eq!(left(r#"{"quantizations": ["fp8", "bf16"]}"#), ["plain/turbo", "keeper"]);
    assert_eq!(left(r#"{"quantizations": ["unknown"]}"#), ["sealed"]);
    assert_eq!(refusal(r#"{"quantizations": ["mxfp8"]}"#).0, 404);
    let (status, message) = refusal(r#"{"quantizations": ["fp5"]}"#);
    assert_eq!(status, 400);
    assert!(message.contains("mxfp4, nvfp4"), "{message}");
}

#[test]
fn a_policy_that_is_not_known_is_assumed_to_be_the_worst() {
    assert_eq!(left(r#"{"zdr": true}"#), ["sealed"]);
    assert_eq!(left(r#"{"zdr": false}"#).len(), 4);
    assert_eq!(left(r#"{"data_collection": "deny"}"#), ["sealed"]);
    assert_eq!(left(r#"{"data_collection": "allow"}"#).len(), 4);
    let (status, message) = refusal(r#"{"zdr": true, "only": ["plain"]}"#);
    assert_eq!(status, 404);
    assert!(message.starts_with("No endpoints found matching your data policy"), "{message}");
    assert_eq!(refusal(r#"{"data_collection": "maybe"}"#).0, 400);
}

#[test]
fn only_a_licence_that_is_known_lets_others_learn_from_a_model() {
    let asked = r#"{"enforce_distillable_text": true}"#;
    assert_eq!(refusal(asked).0, 404);
    let open = OFFERS.replace("context_length = 1000", "context_length = 1000\ndistillable = true");
    assert_eq!(left_of(&open, asked).unwrap().len(), 4);
}

#[test]
fn the_most_that_may_be_asked_is_per_million_tokens_or_per_unit() {
    assert_eq!(left(r#"{"max_price": {"prompt": 1}}"#), ["plain/turbo", "keeper"]);
    assert_eq!(left(r#"{"max_price": {"prompt": "1", "completion": 1.5}}"#), ["keeper"]);
    let without_fee = ["plain", "plain/turbo", "sealed"];
    assert_eq!(left(r#"{"max_price": {"request": 0.009}}"#), without_fee);
    assert_eq!(left(r#"{"max_price": {"audio": "0.000002"}}"#), ["plain", "keeper", "sealed"]);
    assert_eq!(left(r#"{"max_price": {"audio": "0.000003"}}"#).len(), 4);
    assert_eq!(left(r#"{"max_price": {"image": 0}}"#).len(), 4);
    let (status, message) = refusal(r#"{"max_price": {"prompt": 0.5}}"#);
    assert_eq!((status, message.contains("provider.max_price")), (404, true), "{message}");
    assert_eq!(refusal(r#"{"max_price": {"prompt": "cheap"}}"#).0, 400);
    assert_eq!(refusal(r#"{"max_price": {"tokens": 1}}"#).0, 400);
}
