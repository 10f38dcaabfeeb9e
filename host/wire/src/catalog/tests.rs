//! A wrong model names the key and the nearest valid one.

use super::Model;
use crate::provider::{ChatTemplate, Quirks};

const GOOD: &str = r#"
[[model]]
id = "maker/small-1.5:free"
context_length = 1000
supported_parameters = ["temperature"]
[[model.endpoint]]
provider = "acme"
model = "Maker/Small"
max_output_tokens = 100
price = { prompt = "0.125", completion = "2" }
price_date = "2026-11-05"
"#;

fn refusal(from: &str, to: &str) -> String {
    Model::parse_file(&GOOD.replace(from, to)).unwrap_err().to_string()
}

#[test]
fn a_good_one_reads() {
    let models = Model::parse_file(GOOD).unwrap();
    assert_eq!(models.len(), 1);
    assert_eq!(models[0].endpoints[0].price["prompt"], "0.125");
}

#[test]
fn an_endpoint_may_be_spoken_to_in_a_template_of_its_own() {
    let own = GOOD.replace("price =", "chat_template = \"llama3\"\nprice =");
    let quirks = |text: &str, template| {
        let provider =
            Quirks { chat_template: template, stream_options: true, ..Quirks::default() };
        Model::parse_file(text).unwrap()[0].endpoints[0].quirks(&provider)
    };
    let gemma = Some(ChatTemplate::Gemma);
    assert_eq!(quirks(&own, gemma).chat_template, Some(ChatTemplate::Llama3));
    assert_eq!(quirks(GOOD, gemma).chat_template, gemma);
    assert!(quirks(&own, None).stream_options, "everything else is the provider's");
}

#[test]
fn each_wrong_value_names_its_key() {
    for (from, to, part) in [
        ("maker/small", "small", "id: "),
        ("maker/", "Maker/", "id: "),
        ("= 1000", "= 0", "context_length: "),
        ("= 1000", "= -1", "context_length: "),
        ("temperature", "temprature", "did you mean `temperature`?"),
        ("\"acme\"", "\"Acme\"", "endpoint[0].provider: "),
        ("\"Maker/Small\"", "\"\"", "endpoint[0].model: "),
        ("= 100\n", "= 1001\n", "endpoint[0].max_output_tokens: "),
        ("model = \"M", "context_length = 1001\nmodel = \"M", "endpoint[0].context_length: "),
        ("prompt =", "promt =", "did you mean `prompt`?"),
        ("\"0.125\"", "\"1e-3\"", "endpoint[0].price.prompt: "),
        ("\"0.125\"", "\"-1\"", "endpoint[0].price.prompt: "),
        ("\"0.125\"", "\".5\"", "endpoint[0].price.prompt: "),
        ("\"0.125\"", "\"0.1234567\"", "at most 6 places"),
        ("\"0.125\"", "0.125", "price: "),
        (", completion = \"2\"", "", "endpoint[0].price.completion: "),
        ("2026-11-05", "2026-13-05", "endpoint[0].price_date: "),
        ("2026-11-05", "yesterday", "endpoint[0].price_date: "),
        ("context_length = 1000", "context_lenght = 1000", "did you mean `context_length`?"),
        ("supported", "input_modalities = []\nsupported", "input_modalities"),
        ("supported", "input_modalities = [\"smell\"]\nsupported", "input_modalities"),
        ("supported", "input_modalities = [\"embeddings\"]\nsupported", "only comes out"),
        ("= 100\n", "= 100\nmax_prompt_tokens = 1001\n", "endpoint[0].max_prompt_tokens: "),
        ("= 100\n", "= 100\nvariant = \"Turbo\"\n", "endpoint[0].variant: "),
        ("= 100\n", "= 100\nquantization = \"fp5\"\n", "`mxfp4`"),
        ("= 100\n", "= 100\nregion = \"asia\"\n", "region: "),
        ("supported", "knowledge_cutoff = \"2025\"\nsupported", "knowledge_cutoff: "),
        ("supported", "expiration_date = \"soon\"\nsupported", "expiration_date: "),
        ("supported", "tokenizer = \"Llama\"\nsupported", "tokenizer: "),
        ("supported", "instruct_type = \"llama\"\nsupported", "instruct_type: "),
        ("supported", "default_parameters = { heat = 1 }\nsupported", "heat: "),
        ("supported", "reasoning_mandatory = true\nsupported", "reasoning: missing"),
        (
            "supported",
            "reasoning = \"effort\"\nreasoning_mandatory = true\n\
             reasoning_default = \"none\"\nsupported",
            "reasoning_default: ",
        ),
        (
            "supported",
            "output_modalities = [\"text\", \"embeddings\"]\nsupported",
            "output_modalities: `embeddings` stands alone",
        ),
    ] {
        let refusal = refusal(from, to);
        assert!(refusal.contains(part), "{from} -> {to}: {refusal}");
    }
}

#[test]
fn a_model_that_nobody_serves_is_refused() {
    let alone = GOOD.split("[[model.endpoint]]").next().unwrap();
    let refusal = Model::parse_file(alone).unwrap_err().to_string();
    assert!(refusal.contains("endpoint: "), "{refusal}");
}

#[test]
fn the_same_model_or_endpoint_twice_is_refused() {
    let refusal = Model::parse_file(&GOOD.repeat(2)).unwrap_err().to_string();
    assert!(refusal.contains("is there twice"), "{refusal}");
    let endpoint = GOOD.split_once("[[model.endpoint]]").unwrap().1;
    let twice = format!("{GOOD}[[model.endpoint]]{endpoint}");
    let refusal = Model::parse_file(&twice).unwrap_err().to_string();
    assert!(refusal.contains("endpoint[0]: is there twice"), "{refusal}");
}

#[test]
fn no_text_makes_the_readers_panic() {
    for end in 0..GOOD.len() {
        let _ = Model::parse_file(&GOOD[..end]);
        let _ = crate::provider::Provider::parse(&GOOD[end..]);
    }
    assert!(Model::parse_file("id = \"\u{fffd}").is_err());
}
