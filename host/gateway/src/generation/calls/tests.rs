//! Whole calls for vectors against a provider that answers from a script: what is sent, billed and kept.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use ledger::Money;
use parking_lot::Mutex;

use super::*;
use crate::config::Config;
use crate::store::{GenerationRecord, KeyRecord};

/// Status and body of each answer, in order.
type Answers = Arc<Mutex<VecDeque<(u16, &'static str)>>>;

struct World {
    app: App,
    answers: Answers,
    /// The bodies that came.
    asked: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl World {
    /// Two providers that make the same vectors, the first for 2 dollars a million tokens, the
    /// second for 4, and one whose dialect has no embeddings.
    async fn new(answers: &[(u16, &'static str)]) -> Self {
        let answers: Answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (script, log) = (Arc::clone(&answers), Arc::clone(&asked));
        let answer = move |headers: http::HeaderMap, body: String| async move {
            assert_eq!(headers[http::header::AUTHORIZATION], "Bearer credential-of-ours");
            log.lock().push(body);
            let (status, body) = script.lock().pop_front().unwrap();
            (StatusCode::from_u16(status).unwrap(), body)
        };
        let router = Router::new().route("/v1/embeddings", post(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });

        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            r#"
            [store]
            url = "sqlite:{}"
            [[provider]]
            slug = "one"
            dialect = "openai-chat"
            base_url = "http://{address}/v1"
            credential = "credential-of-ours"
            [[provider]]
            slug = "two"
            dialect = "openai-chat"
            base_url = "http://{address}/v1"
            credential = "credential-of-ours"
            [[provider]]
            slug = "mute"
            dialect = "anthropic-messages"
            base_url = "http://{address}/v1"
            credential = "none"
            [[model]]
            id = "openai/text-embedding-3-small"
            context_length = 8192
            output_modalities = ["embeddings"]
            [[model.endpoint]]
            provider = "mute"
            model = "small"
            price = {{ prompt = "1", completion = "0" }}
            [[model.endpoint]]
            provider = "one"
            model = "small"
            price = {{ prompt = "2", completion = "0" }}
            [[model.endpoint]]
            provider = "two"
            model = "small"
            price = {{ prompt = "4", completion = "0" }}
            [[model]]
            id = "test/speaks"
            context_length = 8192
            [[model.endpoint]]
            provider = "one"
            model = "speaks"
            price = {{ prompt = "1", completion = "1" }}
            "#,
            folder.path().join("a.db").display()
        );
        let app = App::build(Config::parse(&config).unwrap()).await.unwrap();
        Self { app, answers, asked, _folder: folder }
    }

    /// What is asked in a call's name, by a plugin that may spend so much.
    fn ask(request: Request, nanos_max: u64) -> (Ask, Call) {
        let ask = Ask {
            id: "gen-1.1".to_owned(),
            caller: Arc::new(KeyRecord { hash: "k".to_owned(), ..KeyRecord::default() }),
            surface: wire::DIALECTS[0],
            request,
            headers: http::HeaderMap::new(),
            turn: None,
            body_bytes: 0,
        };
        let setting = "plugin.a.limits.model_nanos".to_owned();
        (ask, Call { plugin: "a".to_owned(), nanos_max, setting })
    }

    async fn embed(
        &self,
        inputs: &[&str],
        nanos_max: u64,
    ) -> Result<Answered<Vec<Vec<f32>>>, Error> {
        let model = "openai/text-embedding-3-small".to_owned();
        let request = Request { model: model.clone(), ..Request::default() };
        let (ask, call) = Self::ask(request, nanos_max);
        let inputs = inputs.iter().map(|&text| text.to_owned().into()).collect();
        let request = EmbedRequest { model, inputs, ..EmbedRequest::default() };
        embed(&self.app, &ask, &request, &call).await
    }

    /// What was kept of the call, once everything is written.
    async fn record(self) -> Option<GenerationRecord> {
        self.app.store.keys().await.unwrap();
        let nothing = ledger::Movement::Renew { id: "none".into(), expires_ms: 0 };
        self.app.store.commit(Write::Movement(nothing)).await.unwrap();
        self.app.store.generation("gen-1.1").await.unwrap()
    }

    /// What is spent and what is held.
    fn sums(&self) -> (i64, i64) {
        let credits = self.app.billing.credits();
        (credits.spent.nanos(), credits.held.nanos())
    }
}

const TWO: &str = r#"{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}],
    "usage":{"prompt_tokens":10,"total_tokens":10}}"#;

/// Every story in one test: building the program's parts twice at once sets up its metrics twice.
#[tokio::test]
async fn vectors_are_made_billed_and_kept_and_failures_cost_nothing() {
    the_upstream_s_count_is_billed().await;
    an_answer_without_a_count_is_counted_here().await;
    another_provider_is_asked_when_one_breaks_its_word().await;
    a_failure_gives_the_hold_back().await;
    what_could_cost_too_much_is_not_asked().await;
    a_tool_that_nobody_runs_is_refused_here_too().await;
}

async fn the_upstream_s_count_is_billed() {
    let world = World::new(&[(200, TWO)]).await;
    let answered = world.embed(&["a", "b"], u64::MAX).await.unwrap();
    assert_eq!(answered.answer, [[1.0, 0.0], [0.0, 1.0]]);
    assert_eq!(answered.model, "openai/text-embedding-3-small");
    assert_eq!((answered.usage.prompt, answered.usage.completion), (Some(10), None));
    assert_eq!(answered.cost_nanos, 20_000, "ten tokens at 2 dollars a million");
    assert_eq!(world.sums(), (20_000, 0));
    let body = r#"{"model":"small","input":["a","b"],"encoding_format":"float"}"#;
    assert_eq!(*world.asked.lock(), [body]);
    let record = world.record().await.unwrap();
    assert_eq!((record.api_type.as_str(), record.is_estimated), ("embeddings", false));
    assert_eq!((record.native_tokens_prompt, record.native_tokens_completion), (10, 0));
    assert_eq!(record.total_cost, Money::from_nanos(20_000));
    // The provider without such a call was passed over, and that is on record.
    let statuses = record.provider_responses.iter().map(|response| response.status);
    assert_eq!(statuses.collect::<Vec<_>>(), [Some(404), Some(200)]);
}

async fn an_answer_without_a_count_is_counted_here() {
    let body = r#"{"data":[{"embedding":[1]},{"embedding":[2]}]}"#;
    let world = World::new(&[(200, body)]).await;
    let answered = world.embed(&["hello world", "2 + 2 = 4"], u64::MAX).await.unwrap();
    assert_eq!(answered.usage.prompt, Some(2 + 7));
    assert_eq!(world.sums(), (18_000, 0));
    assert!(world.record().await.unwrap().is_estimated);
}

async fn another_provider_is_asked_when_one_breaks_its_word() {
    let one = r#"{"data":[{"embedding":[1]}],"usage":{"prompt_tokens":10}}"#;
    let world = World::new(&[(200, one), (200, TWO)]).await;
    let answered = world.embed(&["a", "b"], u64::MAX).await.unwrap();
    assert_eq!((answered.provider.as_str(), answered.cost_nanos), ("two", 40_000));
    assert_eq!(world.sums(), (40_000, 0), "the first is not paid");
}

async fn a_failure_gives_the_hold_back() {
    let refused = r#"{"error":{"message":"credential-of-ours: too long","code":400}}"#;
    let world = World::new(&[(400, refused), (200, TWO)]).await;
    let error = world.embed(&["a", "b"], u64::MAX).await.unwrap_err();
    assert_eq!(error.failure.status, 400);
    assert_eq!(error.failure.message, "[credential]: too long");
    assert_eq!(world.answers.lock().len(), 1, "another would say the same");
    assert_eq!(world.sums(), (0, 0));
    let record = world.record().await.unwrap();
    assert_eq!((record.total_cost, record.api_type.as_str()), (Money::ZERO, "embeddings"));
    assert_eq!(record.error.as_deref(), Some("[credential]: too long"));
}

async fn what_could_cost_too_much_is_not_asked() {
    let world = World::new(&[]).await;
    let error = world.embed(&["hello world"], 100).await.unwrap_err();
    assert_eq!(error.failure.status, 402);
    assert!(error.failure.message.contains("plugin.a.limits.model_nanos"), "{error}");
    assert_eq!(world.embed(&[], u64::MAX).await.unwrap_err().failure.status, 400);
    assert_eq!((world.asked.lock().len(), world.sums()), (0, (0, 0)));
}

async fn a_tool_that_nobody_runs_is_refused_here_too() {
    let world = World::new(&[]).await;
    let json = Json::parse(r#"{"type":"openrouter:datetime"}"#).unwrap();
    let tools = vec![wire::Tool::Other(wire::Other { dialect: "openai-chat", json })];
    let request = Request { model: "test/speaks".to_owned(), tools, ..Request::default() };
    let (ask, call) = World::ask(request, u64::MAX);
    let error = complete(&world.app, &ask, &call).await.unwrap_err();
    assert_eq!(error.failure.status, 400, "{error}");
    assert!(error.failure.message.contains("`openrouter:datetime`"), "{error}");
    assert_eq!((world.asked.lock().len(), world.sums()), (0, (0, 0)));
}
