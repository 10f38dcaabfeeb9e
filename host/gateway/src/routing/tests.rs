//! Conversations go to models that write, texts to embed to those that make vectors.

use super::*;
use crate::config::Config;

fn catalog() -> Catalog {
    let config = r#"
        [[provider]]
        slug = "acme"
        dialect = "openai-chat"
        base_url = "http://127.0.0.1:1"
        credential = "none"
        [[model]]
        id = "acme/chat"
        context_length = 1000
        [[model.endpoint]]
        provider = "acme"
        model = "chat"
        price = { prompt = "1", completion = "1" }
        [[model]]
        id = "acme/embed"
        context_length = 1000
        output_modalities = ["embeddings"]
        [[model.endpoint]]
        provider = "acme"
        model = "embed"
        price = { prompt = "1", completion = "0" }
    "#;
    Catalog::build(&Config::parse(config).unwrap(), |_| None).unwrap()
}

fn models(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| &*step.model).collect()
}

fn chat(model: &str, others: &[&str]) -> Result<Plan, Error> {
    let mut request = Request { model: model.to_owned(), ..Request::default() };
    request.controls.models = others.iter().map(|&other| other.to_owned()).collect();
    plan(&catalog(), &request, |_| false)
}

fn embed(model: &str) -> Result<Plan, Error> {
    plan_errand(&catalog(), model, Modality::Embeddings, None)
}

#[test]
fn texts_go_to_models_that_make_vectors() {
    let plan = embed("acme/embed").unwrap();
    assert_eq!(models(&plan), ["acme/embed"]);
    assert_eq!(models(&embed("acme/embed:floor").unwrap()), ["acme/embed"]);
}

#[test]
fn a_model_that_writes_makes_no_embeddings() {
    let error = embed("acme/chat").unwrap_err();
    assert_eq!(error.failure.status, 400);
    let message = error.failure.message;
    assert!(
        message.starts_with(
            "acme/chat is not a model for embeddings: ask it by POST /api/v1/chat/completions."
        ),
        "{message}"
    );
    assert!(message.contains("acme/embed"), "{message}");
    assert_eq!(embed("acme/none").unwrap_err().failure.status, 400);
}

#[test]
fn a_model_that_makes_vectors_is_no_candidate_for_a_conversation() {
    let error = chat("acme/embed", &[]).unwrap_err();
    assert_eq!(error.failure.status, 400);
    let message = error.failure.message;
    assert!(
        message.starts_with(
            "acme/embed is not a model for conversations: ask it by POST /api/v1/embeddings."
        ),
        "{message}"
    );
    assert_eq!(models(&chat("acme/embed", &["acme/chat"]).unwrap()), ["acme/chat"]);
    assert_eq!(models(&chat("acme/chat", &["acme/embed"]).unwrap()), ["acme/chat"]);
}

#[test]
fn a_client_is_told_why_nobody_can_serve_it_and_whether_to_wait() {
    let told = |error: Error| error.failure.availability.unwrap();
    let unknown = told(chat("acme/none", &[]).unwrap_err());
    assert_eq!(unknown.code, Unavailable::ModelNotFound);
    assert_eq!(unknown.requested_models, ["acme/none"]);
    let wrong = told(chat("acme/embed", &[]).unwrap_err());
    assert_eq!(wrong.code, Unavailable::WrongEndpoint);

    let mut request = Request { model: "acme/chat".to_owned(), ..Request::default() };
    let mut refused = |provider: &str| {
        request.controls.provider = Some(Json::parse(provider).unwrap());
        told(plan(&catalog(), &request, |_| false).unwrap_err())
    };
    assert_eq!(refused(r#"{"zdr":true}"#).code, Unavailable::PrivacyRestricted);
    let ignored = refused(r#"{"ignore":["acme"]}"#);
    assert_eq!(ignored.code, Unavailable::ConstraintFiltered);
    assert_eq!(ignored.requested_models, ["acme/chat"]);
}

#[test]
fn when_everybody_was_asked_the_last_error_says_what_that_means() {
    let plan = chat("acme/chat", &[]).unwrap();
    let code = |error_type| {
        let failure = wire::Failure::new(error_type, "No");
        plan.exhausted(Error::upstream(failure)).failure.availability
    };
    let limited = code(ErrorType::RateLimitExceeded).unwrap();
    assert_eq!(limited.code, Unavailable::CapacityExhausted);
    assert_eq!(limited.affected_providers, ["acme"]);
    assert_eq!(code(ErrorType::Timeout).unwrap().code, Unavailable::TemporarilyUnavailable);
    // The request is wrong, and would be wherever it went.
    assert_eq!(code(ErrorType::InvalidRequest), None);
}

#[test]
fn a_model_that_always_thinks_is_not_told_not_to() {
    let config = |lines: &str| {
        format!(
            "[[provider]]\nslug = \"acme\"\ndialect = \"openai-chat\"\n\
             base_url = \"http://127.0.0.1:1\"\ncredential = \"none\"\n\
             [[model]]\nid = \"acme/chat\"\ncontext_length = 1000\n{lines}\
             [[model.endpoint]]\nprovider = \"acme\"\nmodel = \"chat\"\n\
             price = {{ prompt = \"1\", completion = \"1\" }}\n"
        )
    };
    let ask = |lines: &str, reasoning: Reasoning| {
        let catalog = Catalog::build(&Config::parse(&config(lines)).unwrap(), |_| None).unwrap();
        let model = "acme/chat".to_owned();
        let request = Request { model, reasoning: Some(reasoning), ..Request::default() };
        plan(&catalog, &request, |_| false)
    };
    let always = "reasoning = \"effort\"\nreasoning_mandatory = true\n\
                  efforts = [\"low\", \"high\"]\nsupported_parameters = [\"reasoning\"]\n";
    let off = [
        Reasoning { enabled: Some(false), ..Reasoning::default() },
        Reasoning { effort: Some(Effort::None), ..Reasoning::default() },
        Reasoning { max_tokens: Some(0), ..Reasoning::default() },
    ];
    for reasoning in off {
        let error = ask(always, reasoning.clone()).unwrap_err().failure;
        assert_eq!((error.status, error.error_type), (400, ErrorType::InvalidRequest));
        let message = error.message;
        assert!(message.starts_with("acme/chat can't be told not to think."), "{message}");
        assert!(message.contains("one of low, high, or"), "{message}");
        // Nothing is known of a model whose catalog entry says nothing.
        assert!(ask("", reasoning).is_ok());
    }
    let hidden = Reasoning { exclude: true, effort: Some(Effort::Max), ..Reasoning::default() };
    assert!(ask(always, hidden).is_ok());
}

#[test]
fn the_preferences_count_for_other_calls_too() {
    let provider = Json::of(&serde_json::json!({"ignore": ["acme"]}));
    let plan = plan_errand(&catalog(), "acme/embed", Modality::Embeddings, Some(&provider));
    assert_eq!(plan.unwrap_err().failure.status, 404);
    let provider = Json::of(&serde_json::json!({"onyl": ["acme"]}));
    let plan = plan_errand(&catalog(), "acme/embed", Modality::Embeddings, Some(&provider));
    assert_eq!(plan.unwrap_err().failure.status, 400);
}
