//! What is shipped is right, and what would not be is told apart from what is.

use super::*;
use crate::catalog::Modality;
use crate::catalog::models;
use crate::provider::providers;

const GOOD_PROVIDER: &str = r#"
slug = "acme"
name = "Acme"
dialect = "openai-chat"
base_url = "https://api.example.com/v1"
credential_env = ["ACME_API_KEY"]
"#;

const GOOD_MODEL: &str = r#"
[[model]]
id = "maker/small"
context_length = 1000
[[model.endpoint]]
provider = "acme"
model = "small-1"
price = { prompt = "1", completion = "2" }
price_source = "https://example.com/pricing"
price_date = "2026-11-05"
"#;

#[test]
fn everything_shipped_is_right() {
    let errors = shipped_errors().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(errors.is_empty(), "\n{}\n", errors.join("\n"));
    assert_eq!(providers().len(), PROVIDER_FILES.len());
    assert!(providers().len() >= 60, "{}", providers().len());
}

#[test]
fn one_usual_key_serves_its_company_s_models() {
    for (variable, author) in [
        ("OPENAI_API_KEY", "openai/"),
        ("ANTHROPIC_API_KEY", "anthropic/"),
        ("GEMINI_API_KEY", "google/"),
        ("GOOGLE_API_KEY", "google/"),
    ] {
        let with_key =
            providers().iter().filter(|p| p.credential_env.iter().any(|n| n == variable));
        let slugs = with_key.map(|provider| provider.slug.as_str()).collect::<Vec<_>>();
        let served = models()
            .iter()
            .filter(|model| model.id.starts_with(author))
            .filter(|model| model.endpoints.iter().any(|e| slugs.contains(&e.provider.as_str())))
            .count();
        assert!(served >= 5, "{variable} serves {served} of {author}");
    }
}

#[test]
fn who_serves_embeddings_has_a_call_for_them() {
    let embedding: Vec<_> =
        models().iter().filter(|model| model.makes(Modality::Embeddings)).collect();
    assert!(embedding.len() >= 4);
    for model in embedding {
        for endpoint in &model.endpoints {
            let provider = providers().iter().find(|it| it.slug == endpoint.provider).unwrap();
            let dialect = crate::dialect(&provider.dialect).unwrap();
            assert!(dialect.embeddings().is_some(), "{}: {}", model.id, provider.slug);
            assert_eq!(endpoint.price["completion"], "0", "{}: nothing is written", model.id);
        }
    }
}

#[test]
fn who_speaks_or_writes_down_has_a_call_and_a_price_for_it() {
    let mut found = 0;
    for model in models() {
        for endpoint in &model.endpoints {
            let provider = providers().iter().find(|it| it.slug == endpoint.provider).unwrap();
            let dialect = crate::dialect(&provider.dialect).unwrap();
            let (has_call, kinds) = match model.output_modalities.first() {
                Some(Modality::Speech) => (dialect.speech().is_some(), &["character"][..]),
                Some(Modality::Transcription) => {
                    (dialect.transcription().is_some(), &["second", "prompt"][..])
                }
                Some(Modality::Rerank) => {
                    (dialect.rerank().is_some(), &["search_unit", "prompt"][..])
                }
                _ => continue,
            };
            assert!(has_call, "{}: {}", model.id, provider.slug);
            let is_paid = |kind: &&str| endpoint.price.get(*kind).is_some_and(|price| price != "0");
            assert!(kinds.iter().any(is_paid), "{}: {kinds:?}", model.id);
            found += 1;
        }
    }
    assert!(found >= 3);
}

#[test]
fn a_good_provider_and_its_model_are_taken() {
    let shipped = Shipped::read(
        &[("providers/acme.toml", GOOD_PROVIDER)],
        &[("models/maker.toml", GOOD_MODEL)],
    );
    assert_eq!(shipped.errors, []);
    assert_eq!((shipped.providers.len(), shipped.models.len()), (1, 1));
}

#[test]
fn one_wrong_file_leaves_out_no_other() {
    let shipped = Shipped::read(
        &[("providers/acme.toml", GOOD_PROVIDER), ("providers/odd.toml", "slug = 5")],
        &[("models/other.toml", "[[model]"), ("models/maker.toml", GOOD_MODEL)],
    );
    assert_eq!((shipped.providers.len(), shipped.models.len()), (1, 1));
    let files = shipped.errors.iter().map(|error| error.file.as_deref().unwrap());
    assert_eq!(files.collect::<Vec<_>>(), ["providers/odd.toml", "models/other.toml"]);
}

#[test]
fn shipped_data_is_held_to_more_than_an_operator_s() {
    let provider = |from: &str, to: &str| {
        let text = GOOD_PROVIDER.replace(from, to);
        let read = Shipped::read(&[("providers/acme.toml", &text)], &[]);
        read.errors.into_iter().next().unwrap().to_string()
    };
    let plain = provider("https://", "http://");
    assert!(plain.starts_with("providers/acme.toml: base_url: "), "{plain}");
    let text = GOOD_PROVIDER.replace("https://api.example.com", "http://127.0.0.1:11434");
    let local = Shipped::read(&[("providers/acme.toml", &text)], &[]);
    assert_eq!(local.errors, [], "what stays on the machine");
    let nameless = provider("credential_env = [\"ACME_API_KEY\"]", "");
    assert!(nameless.starts_with("providers/acme.toml: credential_env: "), "{nameless}");
    let misplaced = provider("\"acme\"", "\"other\"");
    assert!(misplaced.contains("belongs into other.toml"), "{misplaced}");

    let model = |from: &str, to: &str| {
        let text = GOOD_MODEL.replace(from, to);
        let providers = [("providers/acme.toml", GOOD_PROVIDER)];
        let read = Shipped::read(&providers, &[("models/maker.toml", &text)]);
        read.errors.into_iter().next().unwrap().to_string()
    };
    let priceless = model("price = { prompt = \"1\", completion = \"2\" }", "");
    assert!(priceless.contains("maker/small: endpoint[0].price: "), "{priceless}");
    let unsourced = model("price_source = \"https://example.com/pricing\"", "");
    assert!(unsourced.contains("endpoint[0].price_source: "), "{unsourced}");
    let undated = model("price_date = \"2026-11-05\"", "");
    assert!(undated.contains("endpoint[0].price_date: "), "{undated}");
    let misspelt = model("\"acme\"", "\"acne\"");
    assert!(misspelt.contains("did you mean `acme`?"), "{misspelt}");
    let elsewhere = model("maker/", "author/");
    assert!(elsewhere.contains("belongs into author.toml"), "{elsewhere}");
}

#[test]
fn what_is_there_twice_is_taken_once() {
    let twice = [("providers/acme.toml", GOOD_PROVIDER), ("more/acme.toml", GOOD_PROVIDER)];
    let models = [("models/maker.toml", GOOD_MODEL), ("more/maker.toml", GOOD_MODEL)];
    let shipped = Shipped::read(&twice, &models);
    assert_eq!((shipped.providers.len(), shipped.models.len()), (1, 1));
    assert!(shipped.errors.iter().all(|error| error.problem.contains("twice")));
}
