//! The catalog as clients read it: forms, filters, orders, pages, and other APIs' lists.

use serde_json::{Value, json};

use crate::harness::{Gateway, http};

/// Three models and who serves them; nobody is asked.
const CATALOG: &str = r#"
    [[provider]]
    slug = "plain"
    name = "Plain Inc"
    dialect = "openai-chat"
    base_url = "http://127.0.0.1:1"
    credential = "none"
    policy = { headquarters = "FR", privacy_policy_url = "https://example.com/privacy" }
    [[provider]]
    slug = "sealed"
    dialect = "openai-chat"
    base_url = "http://127.0.0.1:1"
    credential = "none"
    policy = { zdr = true, trains = false }
    [[model]]
    id = "acme/alpha"
    name = "Acme: Alpha <1>"
    description = "Reads & writes"
    created = 1700000000
    context_length = 1000
    input_modalities = ["text", "image"]
    supported_parameters = ["tools", "reasoning", "temperature"]
    reasoning = "budget"
    efforts = ["low", "high", "none"]
    reasoning_default = "low"
    knowledge_cutoff = "2025-06-30"
    expiration_date = "2027-01-01"
    hugging_face_id = "acme/Alpha"
    tokenizer = "Llama3"
    instruct_type = "llama3"
    default_parameters = { temperature = 0.5, top_k = 40 }
    distillable = true
    [[model.endpoint]]
    provider = "plain"
    model = "a"
    variant = "turbo"
    quantization = "fp8"
    region = "eu"
    supports_implicit_caching = true
    max_output_tokens = 200
    max_prompt_tokens = 800
    price = { prompt = "2", completion = "4", cache_read = "0.25" }
    [[model.endpoint]]
    provider = "sealed"
    model = "a"
    price = { prompt = "3", completion = "3" }
    [[model]]
    id = "acme/beta:free"
    created = 1600000000
    context_length = 3000
    supported_parameters = ["tools"]
    [[model.endpoint]]
    provider = "sealed"
    model = "b"
    price = { prompt = "0", completion = "0" }
    [[model]]
    id = "other/embed"
    context_length = 2000
    output_modalities = ["embeddings"]
    [[model.endpoint]]
    provider = "plain"
    model = "e"
    price = { prompt = "0.02", completion = "0" }
    [[model]]
    id = "other/paint"
    context_length = 500
    output_modalities = ["image", "text"]
    [[model.endpoint]]
    provider = "plain"
    model = "p"
    price = { prompt = "9", completion = "9", image_completion = "30" }
"#;

/// The ids of a list, without the simulated model that is always there.
fn ids(listed: &Value) -> Vec<&str> {
    let ids = listed["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap());
    ids.filter(|id| !id.starts_with("patchbay/sim")).collect()
}

/// What nobody has to show a key for.
async fn public(gateway: &Gateway, path: &str, headers: &[(&'static str, &str)]) -> (u16, String) {
    let mut call = http().get(format!("{}{path}", gateway.url));
    for (name, value) in headers {
        call = call.header(*name, *value);
    }
    let response = call.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn public_json(gateway: &Gateway, path: &str) -> (u16, Value) {
    let (status, text) = public(gateway, path, &[]).await;
    (status, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn a_model_is_shown_with_all_that_is_known_of_it() {
    let gateway = Gateway::start(CATALOG).await;
    let (status, shown) = public_json(&gateway, "/api/v1/model/acme/alpha").await;
    assert_eq!(status, 200, "{shown}");
    let expected = json!({
        "id": "acme/alpha", "canonical_slug": "acme/alpha", "object": "model",
        "owned_by": "acme", "name": "Acme: Alpha <1>", "created": 1_700_000_000,
        "description": "Reads & writes", "context_length": 1000,
        "hugging_face_id": "acme/Alpha", "knowledge_cutoff": "2025-06-30",
        "expiration_date": "2027-01-01",
        "architecture": {"modality": "text+image->text", "input_modalities": ["text", "image"],
            "output_modalities": ["text"], "tokenizer": "Llama3", "instruct_type": "llama3"},
        "pricing": {"prompt": "0.000002", "completion": "0.000004", "request": "0", "image": "0",
            "input_cache_read": "0.00000025"},
        "top_provider": {"context_length": 1000, "max_completion_tokens": 200,
            "is_moderated": false},
        "per_request_limits": null,
        "supported_parameters": ["tools", "reasoning", "temperature"],
        "default_parameters": {"temperature": 0.5, "top_p": null, "top_k": 40,
            "frequency_penalty": null, "presence_penalty": null, "repetition_penalty": null},
        "supported_voices": null,
        "links": {"details": "/api/v1/models/acme/alpha/endpoints"},
        "reasoning": {"mandatory": false, "default_enabled": true, "default_effort": "low",
            "supported_efforts": ["high", "low", "none"], "supports_max_tokens": true},
    });
    assert_eq!(shown["data"], expected);
    // With a variant it is the same model; OpenAI's clients ask elsewhere, and escape the slash.
    for path in ["/api/v1/model/acme/alpha:floor", "/v1/model/acme/alpha:nitro"] {
        assert_eq!(public_json(&gateway, path).await, (200, json!({ "data": expected })), "{path}");
    }
    for path in ["/v1/models/acme/alpha", "/v1/models/acme%2Falpha"] {
        assert_eq!(public_json(&gateway, path).await, (200, expected.clone()), "{path}");
    }
    let (_, beta) = public_json(&gateway, "/api/v1/model/acme/beta:free").await;
    assert_eq!(beta["data"]["id"], "acme/beta:free");
    assert!(beta["data"].get("reasoning").is_none(), "{beta}");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let gateway = Gateway::start(CATALOG).await;
    for path in [
        "/api/v1/model/acme/nonesuch",
        "/api/v1/model/acme/alpha:nonesuch",
        "/api/v1/models/acme/nonesuch",
        "/api/v1/models/acme/nonesuch/endpoints",
        "/api/v1/images/models/acme/alpha/endpoints",
        "/v1/models/nonesuch",
    ] {
        let (status, body) = public_json(&gateway, path).await;
        assert_eq!((status, &body["error"]["code"]), (404, &json!(404)), "{path}: {body}");
    }
    // A shipped model without a credential says what is missing.
    let (status, body) = public_json(&gateway, "/api/v1/model/openai/gpt-5-mini").await;
    assert_eq!(status, 404);
    assert!(body["error"]["message"].as_str().unwrap().contains("OPENAI_API_KEY"), "{body}");
}

#[tokio::test]
async fn each_filter_leaves_what_is_asked_for() {
    let gateway = Gateway::start(CATALOG).await;
    let (alpha, beta, paint) = ("acme/alpha", "acme/beta:free", "other/paint");
    let cases: [(&str, &[&str]); 34] = [
        ("", &[alpha, beta, paint]),
        ("output_modalities=all", &[alpha, beta, "other/embed", paint]),
        ("output_modalities=embeddings", &["other/embed"]),
        ("output_modalities=embeddings,image", &["other/embed", paint]),
        ("output_modalities=rerank", &[]),
        ("input_modalities=text,image", &[alpha]),
        ("supported_parameters=tools", &[alpha, beta]),
        ("supported_parameters=tools,temperature", &[alpha]),
        ("q=ACME+alpha", &[alpha]),
        ("q=writes", &[alpha]),
        ("context=1000", &[alpha, beta]),
        ("max_price=0", &[beta]),
        ("min_price=2&max_price=2", &[alpha]),
        ("min_price=2.5", &[paint]),
        ("min_output_price=4.000001", &[paint]),
        ("max_output_price=4", &[alpha, beta]),
        ("arch=Llama", &[alpha]),
        ("arch=llama3,other", &[alpha, beta, paint]),
        ("model_authors=acme", &[alpha, beta]),
        ("model_authors=acme,other", &[alpha, beta, paint]),
        ("providers=Plain%20Inc", &[alpha, paint]),
        ("providers=sealed", &[alpha, beta]),
        ("distillable=true", &[alpha]),
        ("distillable=false", &[beta, paint]),
        ("zdr=true", &[alpha, beta]),
        ("zdr=true&providers=plain", &[]),
        ("region=eu", &[alpha]),
        ("region=us", &[]),
        ("min_age_days=1", &[alpha, beta]),
        ("max_age_days=1", &[]),
        ("category=programming", &[]),
        ("min_intelligence_index=1", &[]),
        ("max_tool_success_rate=1", &[]),
        ("sort=&q=&offset=", &[alpha, beta, paint]),
    ];
    let mut failures = Vec::new();
    for (query, expected) in cases {
        let (status, listed) = public_json(&gateway, &format!("/api/v1/models?{query}")).await;
        if (status, ids(&listed)) != (200, expected.to_vec()) {
            failures.push(format!("{query}: {status} {:?}, expected {expected:?}", ids(&listed)));
        }
        let total = listed["data"].as_array().unwrap().len();
        let path = format!("/api/v1/models/count?{query}");
        assert_eq!(public_json(&gateway, &path).await.1, json!({"data": {"count": total}}));
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

#[tokio::test]
async fn what_has_no_data_for_an_order_comes_last() {
    let gateway = Gateway::start(CATALOG).await;
    let (alpha, beta, embed, paint) =
        ("acme/alpha", "acme/beta:free", "other/embed", "other/paint");
    for (sort, expected) in [
        ("newest", [alpha, beta, embed, paint]),
        ("pricing-low-to-high", [beta, embed, alpha, paint]),
        ("pricing-high-to-low", [paint, alpha, embed, beta]),
        ("context-high-to-low", [beta, embed, alpha, paint]),
        ("most-popular", [alpha, beta, embed, paint]),
        ("top-weekly", [alpha, beta, embed, paint]),
        ("throughput-high-to-low", [alpha, beta, embed, paint]),
        ("design-arena-elo-high-to-low", [alpha, beta, embed, paint]),
    ] {
        let path = format!("/api/v1/models?output_modalities=all&sort={sort}");
        let (_, listed) = public_json(&gateway, &path).await;
        assert_eq!(ids(&listed), expected, "{sort}");
    }
}

#[tokio::test]
async fn a_wrong_query_is_told_what_would_be_right() {
    let gateway = Gateway::start(CATALOG).await;
    for (query, words) in [
        ("sort=cheapest", "sort: expected one of most-popular, newest"),
        ("category=cooking", "marketing/seo"),
        ("output_modalities=text,smell", "transcription"),
        ("input_modalities=smell", "text, image, audio, file, video"),
        ("region=asia", "eu, us"),
        ("distillable=maybe", "true, false"),
        ("zdr=false", "zdr: expected one of true"),
        ("limit=0", "1 to 1000"),
        ("limit=1001", "1 to 1000"),
        ("offset=-1", "offset"),
        ("context=big", "context"),
        ("min_price=1e3", "min_price"),
        ("max_coding_index=high", "max_coding_index"),
    ] {
        let (status, body) = public_json(&gateway, &format!("/api/v1/models?{query}")).await;
        let message = body["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(words), "{query}: {status} {body}");
    }
}

#[tokio::test]
async fn a_list_is_whole_unless_a_page_is_asked_for() {
    let gateway = Gateway::start(CATALOG).await;
    let (_, whole) = public_json(&gateway, "/api/v1/models?output_modalities=all").await;
    assert_eq!((&whole["total_count"], &whole["links"]["next"]), (&json!(7), &Value::Null));
    let mut path = "/api/v1/models?limit=2&output_modalities=all".to_owned();
    let mut pages = Vec::new();
    loop {
        let (status, page) = public_json(&gateway, &path).await;
        assert_eq!((status, &page["total_count"]), (200, &json!(7)), "{path}");
        pages.push(page["data"].as_array().unwrap().clone());
        let Some(next) = page["links"]["next"].as_str() else { break };
        path = next.to_owned();
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2, 1]);
    assert_eq!(json!(pages.concat()), whole["data"]);
    assert_eq!(path, "/api/v1/models?output_modalities=all&offset=6&limit=2");
    let (_, past) = public_json(&gateway, "/api/v1/models?offset=99").await;
    assert_eq!((&past["data"], &past["links"]["next"]), (&json!([]), &Value::Null));
}

#[tokio::test]
async fn lists_of_one_kind_have_their_own_paths() {
    let gateway = Gateway::start(CATALOG).await;
    let (_, embeddings) = public_json(&gateway, "/api/v1/embeddings/models").await;
    assert_eq!(ids(&embeddings), ["other/embed"]);
    assert_eq!(embeddings["total_count"], 2);
    let (_, images) = public_json(&gateway, "/api/v1/images/models").await;
    assert_eq!(ids(&images), ["other/paint"]);
    let endpoints = images["data"][0]["endpoints"].as_str().unwrap();
    let (_, endpoints) = public_json(&gateway, endpoints).await;
    assert_eq!(endpoints["id"], "other/paint");
    let expected = json!([{"billable": "output_image", "unit": "token", "cost_usd": 0.00003}]);
    assert_eq!(endpoints["endpoints"][0]["pricing"], expected);
    // What a key may use is told to who shows one.
    assert_eq!(public_json(&gateway, "/api/v1/models/user").await.0, 401);
    let (status, of_user) = gateway.get("/models/user?limit=3").await;
    assert_eq!((status, &of_user["total_count"]), (200, &json!(7)), "{of_user}");
    assert_eq!(of_user["links"]["next"], "/api/v1/models/user?offset=3&limit=3");
}

#[tokio::test]
async fn endpoints_are_shown_with_price_limits_and_tag() {
    let gateway = Gateway::start(CATALOG).await;
    let (status, shown) = public_json(&gateway, "/api/v1/models/acme/alpha/endpoints").await;
    assert_eq!(status, 200, "{shown}");
    let model = &shown["data"];
    assert_eq!(model["id"], "acme/alpha");
    assert_eq!(model["architecture"]["instruct_type"], "llama3");
    let expected = json!({
        "name": "Plain Inc | acme/alpha", "model_id": "acme/alpha",
        "model_name": "Acme: Alpha <1>", "provider_name": "Plain Inc", "tag": "plain/turbo",
        "quantization": "fp8", "context_length": 1000, "max_prompt_tokens": 800,
        "max_completion_tokens": 200,
        "pricing": {"prompt": "0.000002", "completion": "0.000004", "request": "0", "image": "0",
            "input_cache_read": "0.00000025"},
        "supported_parameters": ["tools", "reasoning", "temperature"],
        "supports_implicit_caching": true, "supports_voice_cloning": false, "service_tier": null,
        "supports_tool_choice": {"auto": false, "none": false, "required": false,
            "function": false},
        "native_tools": {}, "supports_diarization": false,
        "status": 0, "uptime_last_5m": null, "uptime_last_30m": null, "uptime_last_1d": null,
        "latency_last_30m": null, "throughput_last_30m": null,
    });
    assert_eq!(model["endpoints"][0], expected);
    assert_eq!(model["endpoints"][1]["tag"], "sealed");
    assert_eq!(model["endpoints"][1]["quantization"], "unknown");
    let (_, zdr) = public_json(&gateway, "/api/v1/endpoints/zdr").await;
    let zdr = zdr["data"].as_array().unwrap();
    let of = |key: &str| zdr.iter().map(|one| one[key].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(of("model_id")[..3], ["acme/alpha", "acme/beta:free", "patchbay/sim"]);
    assert_eq!(of("tag")[..3], ["sealed", "sealed", "patchbay-sim"]);
}

#[tokio::test]
async fn providers_are_shown_with_where_their_rules_stand() {
    let gateway = Gateway::start(CATALOG).await;
    let (status, listed) = public_json(&gateway, "/api/v1/providers").await;
    assert_eq!(status, 200);
    let listed = listed["data"].as_array().unwrap();
    let find = |slug: &str| listed.iter().find(|one| one["slug"] == slug).unwrap();
    let expected = json!({
        "name": "Plain Inc", "slug": "plain", "headquarters": "FR", "datacenters": null,
        "privacy_policy_url": "https://example.com/privacy", "terms_of_service_url": null,
        "status_page_url": null,
    });
    assert_eq!(find("plain"), &expected);
    assert_eq!(find("openai")["status_page_url"], "https://status.openai.com");
    assert!(listed.len() > 60, "{}", listed.len());
}

#[tokio::test]
async fn a_feed_holds_the_same_models_and_escapes_their_texts() {
    let gateway = Gateway::start(CATALOG).await;
    let path = "/api/v1/models?use_rss=true&model_authors=acme&sort=newest";
    let url = format!("{}{path}", gateway.url);
    let response = http().get(url).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/rss+xml; charset=utf-8");
    let feed = response.text().await.unwrap();
    assert!(feed.contains("<title>Acme: Alpha &lt;1&gt;</title>"), "{feed}");
    assert!(feed.contains("<description>Reads &amp; writes</description>"), "{feed}");
    assert!(feed.contains("<pubDate>Tue, 14 Nov 2023 22:13:20 +0000</pubDate>"), "{feed}");
    let link = format!("<link>{}/api/v1/models/acme/alpha/endpoints</link>", gateway.url);
    assert!(feed.contains(&link), "{feed}");
    assert_eq!(feed.matches("<item>").count(), 2);
    assert!(feed.ends_with("</channel></rss>\n"), "{feed}");
}

#[tokio::test]
async fn anthropic_s_clients_are_told_by_their_header() {
    let gateway = Gateway::start(CATALOG).await;
    let version = [("anthropic-version", "2023-06-01")];
    let ask = async |query: &str| -> (u16, Value) {
        let (status, text) = public(&gateway, &format!("/v1/models{query}"), &version).await;
        (status, serde_json::from_str(&text).unwrap())
    };
    let (_, first) = ask("?limit=2").await;
    let alpha = json!({"type": "model", "id": "acme/alpha", "display_name": "Acme: Alpha <1>",
        "created_at": "2023-11-14T22:13:20Z", "lifecycle": "active", "max_input_tokens": 1000,
        "max_tokens": 200});
    assert_eq!(first["data"][0], alpha);
    assert_eq!(
        (&first["first_id"], &first["last_id"]),
        (&json!("acme/alpha"), &json!("acme/beta:free"))
    );
    assert_eq!(first["has_more"], true);
    let (_, rest) = ask("?after_id=acme/beta:free").await;
    let listed: Vec<_> = rest["data"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(listed, ["other/paint", "patchbay/sim"]);
    assert_eq!(rest["has_more"], false);
    let (_, back) = ask("?before_id=other/paint&limit=1").await;
    assert_eq!((&back["first_id"], &back["has_more"]), (&json!("acme/beta:free"), &json!(true)));
    assert_eq!(ask("/acme/alpha").await, (200, alpha));
    for (query, status, kind) in [
        ("?limit=0", 400, "invalid_request_error"),
        ("?after_id=nonesuch", 400, "invalid_request_error"),
        ("/acme/nonesuch", 404, "not_found_error"),
    ] {
        let (found, body) = ask(query).await;
        assert_eq!((found, &body["error"]["type"]), (status, &json!(kind)), "{query}: {body}");
        assert_eq!(body["type"], "error");
    }
}

#[tokio::test]
async fn gemini_s_and_ollama_s_clients_find_models_where_they_look() {
    let gateway = Gateway::start(CATALOG).await;
    let (_, first) = public_json(&gateway, "/v1beta/models?pageSize=3").await;
    let alpha = json!({"name": "models/acme/alpha", "baseModelId": "acme/alpha", "version": "001",
        "displayName": "Acme: Alpha <1>", "description": "Reads & writes",
        "inputTokenLimit": 1000, "outputTokenLimit": 200, "thinking": true,
        "supportedGenerationMethods":
            ["generateContent", "streamGenerateContent", "countTokens"]});
    assert_eq!(first["models"][0], alpha);
    assert_eq!(first["models"][2]["name"], "models/other/paint");
    let token = first["nextPageToken"].as_str().unwrap();
    let path = format!("/v1beta/models?pageSize=3&pageToken={token}");
    let (_, last) = public_json(&gateway, &path).await;
    assert_eq!(last["models"].as_array().unwrap().len(), 1);
    assert!(last.get("nextPageToken").is_none(), "{last}");
    // Newer ones look under the path of the others, with their key in a header of its own.
    let key = [("x-goog-api-key", "any")];
    let (_, listed) = public(&gateway, "/v1/models?pageSize=3", &key).await;
    assert_eq!(serde_json::from_str::<Value>(&listed).unwrap(), first);
    for path in ["/v1/models/acme/alpha", "/v1beta/models/acme/alpha"] {
        let (_, shown) = public(&gateway, path, &key).await;
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), alpha, "{path}");
    }
    let (status, wrong) = public_json(&gateway, "/v1beta/models?pageToken=x").await;
    assert_eq!((status, &wrong["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{wrong}");

    let (_, tags) = public_json(&gateway, "/api/tags").await;
    let tags = tags["models"].as_array().unwrap();
    assert_eq!(tags.len(), 4, "{tags:?}");
    assert_eq!(tags[0]["model"], "acme/alpha");
    assert_eq!(tags[0]["details"]["family"], "llama3");
    assert_eq!(tags[0]["digest"].as_str().unwrap().len(), 64);
    let (status, version) = public_json(&gateway, "/api/version").await;
    assert!(status == 200 && version["version"].is_string(), "{version}");
}

#[tokio::test]
async fn a_request_is_served_only_by_who_does_with_it_what_it_allows() {
    let gateway = Gateway::start(CATALOG).await;
    let ask = async |provider: Value| {
        let messages = json!([{"role": "user", "content": "Hello"}]);
        let body = json!({"model": "patchbay/sim", "messages": messages, "provider": provider});
        gateway.chat(&body).await
    };
    for allowed in [
        json!({"zdr": true}),
        json!({"data_collection": "deny"}),
        json!({"quantizations": ["unknown"], "max_price": {"prompt": 0, "request": "0"}}),
        json!({"only": ["Patchbay (simulated)"]}),
    ] {
        assert_eq!(ask(allowed.clone()).await.0, 200, "{allowed}");
    }
    for (refused, status, words) in [
        (json!({"quantizations": ["fp8"]}), 404, "provider.quantizations: fp8"),
        (json!({"quantizations": ["fp5"]}), 400, "nvfp4"),
        (json!({"enforce_distillable_text": true}), 404, "provider.enforce_distillable_text"),
        (json!({"ignore": ["patchbay-sim"]}), 404, "Providers serving patchbay/sim: patchbay-sim"),
        (json!({"only": ["plain"]}), 404, "provider.only preference permits only: plain"),
    ] {
        let (found, body) = ask(refused.clone()).await;
        let message = body["error"]["message"].as_str().unwrap_or_default();
        assert!(found == status && message.contains(words), "{refused}: {found} {body}");
    }
}
