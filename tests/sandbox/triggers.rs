//! What in a request enables a plugin beside its id: each kind of trigger, and how it is switched
//! off. The operator's options let the plugin leave a mark in what the model is asked.

use serde_json::{Value, json};
use wire::{Content, Json, Media, MediaData, MediaKind, Other, Part, Request, Tool};

use super::caller::{double, gateway, grant, text};
use super::upstream::reply;
use crate::harness::{Double, Gateway};
use crate::spoken::{Surface, Told, saying, surfaces};

/// The operator's options: what the plugin adds to each request.
const MARKED: &str = "[plugin.caller.options]\ncatalog = \"test/none\"\n";
const MARK: &str = "catalog: 0 models";

/// What a request has that enables the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Suffix,
    Tool,
    Field,
    Media,
    Context,
}

const SIGNS: [Sign; 5] = [Sign::Suffix, Sign::Tool, Sign::Field, Sign::Media, Sign::Context];

/// A gateway with one more model, whose context is short.
async fn start(config: &str) -> (Double, Gateway) {
    let double = double().await;
    double.script("short", &reply(&["Short."])).await;
    let short = double.model("short", "openai-chat", true).replace("100000", "5000");
    let gateway = gateway(&double, &format!("{config}{short}")).await;
    (double, gateway)
}

/// A request with that sign, and what else stands in its body.
fn request(surface: &Surface, sign: Sign) -> (Request, Value) {
    let mut request = saying("test/plain", "Hello", false);
    let mut more = json!({});
    match sign {
        Sign::Suffix => request.model.push_str(":caller"),
        Sign::Tool => {
            let json = Json::of(&json!({"type": "test:lookup"}));
            request.tools.push(Tool::Other(Other { dialect: surface.dialect.name(), json }));
        }
        Sign::Field => more["caller_field"] = json!({"any": "thing"}),
        Sign::Media => {
            let data = MediaData::Inline {
                mime: "application/pdf".to_owned(),
                base64: "JVBERi0xLjQ=".to_owned(),
            };
            let name = Some("a.pdf".to_owned());
            let file = Media { kind: MediaKind::File, data, name, detail: None };
            request.messages[0].parts.push(Part::new(Content::Media(file)));
        }
        Sign::Context => request.model = "test/short".to_owned(),
    }
    (request, more)
}

/// The surfaces on which a request can have all of it.
fn talking() -> impl Iterator<Item = Surface> {
    let known = ["openai-chat", "openai-responses", "anthropic-messages"];
    surfaces().into_iter().filter(move |it| known.contains(&it.dialect.name()))
}

/// Whether the plugin took part: its mark stands in what the model was asked last.
async fn took_part(double: &Double, sign: Sign) -> bool {
    let name = if sign == Sign::Context { "short" } else { "plain" };
    let log = double.log(name).await;
    log.as_array().unwrap().last().unwrap()["body"].to_string().contains(MARK)
}

/// Without the plugin a request goes on as it is; a tool of its kind only to providers that speak
/// the client's dialect.
fn is_served(surface: &Surface, sign: Sign, told: &Told) -> bool {
    let is_foreign = sign == Sign::Tool && surface.dialect.name() != "openai-chat";
    let wanted = if is_foreign { 404 } else { 200 };
    assert_eq!(told.status, wanted, "{sign:?} on {}: {}", surface.dialect.name(), told.body);
    !is_foreign
}

#[tokio::test]
async fn each_sign_enables_the_plugin_and_the_request_can_switch_it_off() {
    let (double, gateway) = start(&format!("{}{MARKED}", grant(&[]))).await;
    for surface in talking() {
        for sign in SIGNS {
            let place = format!("{sign:?} on {}", surface.dialect.name());
            let (request, mut more) = request(&surface, sign);
            let told = surface.ask(&gateway, &request, &more).await;
            assert_eq!(told.status, 200, "{place}: {}", told.body);
            assert!(took_part(&double, sign).await, "{place}");
            more["plugins"] = json!([{"id": "caller", "enabled": false}]);
            let told = surface.ask(&gateway, &request, &more).await;
            if is_served(&surface, sign, &told) {
                assert!(!took_part(&double, sign).await, "{place}");
            }
        }
        let told = surface.ask(&gateway, &saying("test/plain", "Hello", false), &json!({})).await;
        assert_eq!(told.status, 200, "{}", told.body);
        assert!(!took_part(&double, Sign::Suffix).await, "a request without a sign");
    }
}

#[tokio::test]
async fn what_the_operator_switched_off_is_refused_where_it_is_named_and_else_stays_silent() {
    let config = format!("{}enabled = false\n{MARKED}", grant(&[]));
    let (double, gateway) = start(&config).await;
    for surface in talking() {
        for sign in SIGNS {
            let place = format!("{sign:?} on {}", surface.dialect.name());
            let (request, mut more) = request(&surface, sign);
            let told = surface.ask(&gateway, &request, &more).await;
            if matches!(sign, Sign::Suffix | Sign::Tool) {
                assert_eq!(told.status, 403, "{place}: {}", told.body);
            } else if is_served(&surface, sign, &told) {
                assert!(!took_part(&double, sign).await, "{place}");
            }
            // A request that names it can't have it.
            more["plugins"] = json!([{"id": "caller"}]);
            let told = surface.ask(&gateway, &request, &more).await;
            assert_eq!(told.status, 403, "{place}: {}", told.body);
        }
    }
}

/// A request for the model that stands for the plugin.
fn any() -> Value {
    json!({"model": "test/any", "messages": [{"role": "user", "content": "Hello"}]})
}

#[tokio::test]
async fn a_model_that_stands_for_a_plugin_is_the_one_that_it_chooses() {
    let chosen = "[plugin.caller.options]\ninstead = \"test/plain\"\nfallbacks = [\"test/side\"]\n";
    let (double, gateway) = start(&format!("{}{chosen}", grant(&[]))).await;
    let (status, body) = gateway.chat(&any()).await;
    assert_eq!((status, &body["model"]), (200, &json!("test/plain")), "{body}");
    assert_eq!(double.log("side").await, json!([]));
    // Its fallbacks are asked where that one fails.
    let down = json!({"status": 500, "body": {"error": {"message": "It is down."}}});
    double.script("plain", &down).await;
    let (status, body) = gateway.chat(&any()).await;
    assert_eq!((status, &body["model"]), (200, &json!("test/side")), "{body}");
    assert_eq!(text(&body), super::caller::SIDE);
    let streamed = gateway.stream(&any()).await;
    assert_eq!(streamed.joined("content"), super::caller::SIDE);
    // What is the gateway's own is never sent on.
    let log = double.log("side").await;
    assert!(log[0]["body"].get("models").is_none(), "{log}");
}

#[tokio::test]
async fn without_its_plugin_the_model_is_unknown() {
    let (double, gateway) = start(&grant(&[])).await;
    // The plugin is there, and chooses none.
    let (status, body) = gateway.chat(&any()).await;
    assert_eq!(status, 400, "{body}");
    let mut off = any();
    off["plugins"] = json!([{"id": "caller", "enabled": false}]);
    let (status, body) = gateway.chat(&off).await;
    let message = body["error"]["message"].as_str().unwrap();
    assert_eq!((status, message.contains("test/any")), (400, true), "{body}");
    assert_eq!(double.log("plain").await, json!([]));
}

#[tokio::test]
async fn a_plugin_knows_the_suffix_that_enabled_it() {
    let double = Double::start();
    double.script("plain", &reply(&["Plain."])).await;
    let model = double.model("plain", "openai-chat", true);
    let quirk = "slug = \"plain\"\nquirks = { openrouter_reasoning = true }";
    let gateway = Gateway::start(&model.replace("slug = \"plain\"", quirk)).await;
    for (name, wanted) in [("test/plain:thinking", json!(true)), ("test/plain", Value::Null)] {
        let body = json!({"model": name, "messages": [{"role": "user", "content": "Hello"}]});
        let (status, answer) = gateway.chat(&body).await;
        assert_eq!((status, &answer["model"]), (200, &json!("test/plain")), "{answer}");
        let log = double.log("plain").await;
        let asked = &log.as_array().unwrap().last().unwrap()["body"];
        assert_eq!(asked["reasoning"]["enabled"], wanted, "{name}: {asked}");
    }
}
