//! A wrong provider names the key and the nearest valid one.

use super::Provider;
use crate::provider::Auth;

const GOOD: &str = r#"
slug = "acme"
name = "Acme"
dialect = "anthropic-messages"
base_url = "http://127.0.0.1:8000/v1"
auth = { header = "x-api-key" }
quirks = { headers = [["x-team", "blue"]] }
"#;

fn refusal(from: &str, to: &str) -> String {
    Provider::parse(&GOOD.replace(from, to)).unwrap_err().to_string()
}

#[test]
fn a_good_one_reads() {
    let provider = Provider::parse(GOOD).unwrap();
    assert_eq!(provider.auth, Auth::Header("x-api-key".to_owned()));
    assert!(!provider.cancel);
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_nearest_and_all_valid_ones() {
    let refusal = refusal("base_url", "base_ulr");
    assert!(refusal.starts_with("base_ulr: "), "{refusal}");
    assert!(refusal.contains("did you mean `base_url`?"), "{refusal}");
    assert!(refusal.contains("line 5"), "{refusal}");
    assert!(refusal.contains("`credential_env`"), "{refusal}");
}

#[test]
fn each_wrong_value_names_its_key() {
    for (from, to, start) in [
        ("\"acme\"", "\"Acme Inc\"", "slug: "),
        ("\"acme\"", "\"-acme\"", "slug: "),
        ("\"Acme\"", "\" \"", "name: "),
        ("\"anthropic-messages\"", "\"anthropic-message\"", "dialect: "),
        ("http:", "ftp:", "base_url: "),
        ("/v1", "/v1/", "base_url: "),
        ("127.0.0.1:8000/v1", "", "base_url: "),
        ("/v1", "/v1?key=1", "base_url: "),
        ("x-api-key", "x api key", "auth.header: "),
        ("blue", "bl\\nue", "quirks.headers: "),
        ("name = \"Acme\"", "name = 5", "name: "),
        ("name = \"Acme\"", "", "name: "),
        ("slug", "credential_env = [\"lower\"]\nslug", "credential_env: "),
        ("{ header = \"x-api-key\" }", "\"beerer\"", "auth: "),
        ("slug", "policy = { headquarters = \"usa\" }\nslug", "policy.headquarters: "),
        ("slug", "policy = { trained = true }\nslug", "trained: "),
    ] {
        let refusal = refusal(from, to);
        assert!(refusal.starts_with(start), "{from} -> {to}: {refusal}");
    }
}

#[test]
fn an_unknown_dialect_is_told_with_those_there_are() {
    let refusal = refusal("anthropic-messages", "openai-chats");
    assert!(refusal.contains("did you mean `openai-chat`?"), "{refusal}");
    assert!(refusal.contains("gemini-generate"), "{refusal}");
}

#[test]
fn an_address_has_no_variable_but_those_that_are_declared() {
    let url = "http://127.0.0.1:8000/v1";
    let message = refusal(url, "https://{region}.acme.example");
    assert!(message.starts_with("base_url: `{region}` is none of `variables`"), "{message}");
    let declared = "https://{region}.acme.example/{model}\"\n\
                    variables = { region = { env = [\"ACME_REGION\"], default = \"a\" } }\n\
                    query = { v = \"1\" } #\"";
    let provider = Provider::parse(&GOOD.replace(&format!("{url}\""), declared)).unwrap();
    assert_eq!(provider.variables["region"].default.as_deref(), Some("a"));
    let wrong = declared.replace("ACME_REGION", "acme region");
    let message = refusal(&format!("{url}\""), &wrong);
    assert!(message.starts_with("variables.region.env: `acme region`"), "{message}");
}

#[test]
fn clouds_are_shown_a_credential_in_their_own_way() {
    let auth =
        |text| Provider::parse(&GOOD.replace("{ header = \"x-api-key\" }", text)).unwrap().auth;
    let service = "bedrock".to_owned();
    assert_eq!(auth("{ aws_sigv4 = { service = \"bedrock\" } }"), Auth::AwsSigv4 { service });
    assert_eq!(auth("\"google_service_account\""), Auth::GoogleServiceAccount);
}
