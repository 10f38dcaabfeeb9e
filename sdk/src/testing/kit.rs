//! Scripts what the host would answer, for tests that call a plugin's hooks themselves.

use super::doubles::{HttpDouble, ModelDouble, SearchDouble};
use super::host::SCENE;
use super::script::completion;
use crate::bindings::base::patchbay::plugin::http::Incoming;
use crate::catalog::Model;
use crate::http::{HttpError, Method, Outgoing};
use crate::report::Stage;
use crate::search::Hit;
use crate::{Error, Field, Request};

/// Begins anew on this thread: nothing logged, no state, no secret, no reply. Then says what
/// replies there are, each of them for one call.
///
/// ```
/// use patchbay_sdk::{http, models, testing};
/// testing::kit()
///     .secret("EXA_KEY")
///     .http(http::Method::Get, "https://api.exa.ai/status", 200, "fine")
///     .model("Hello.");
/// let reply = http::get("https://api.exa.ai/status").bearer("EXA_KEY").send()?;
/// assert_eq!(reply.text(), "fine");
/// assert_eq!(testing::unmet(), ["models: 1 not asked"]);
/// # Ok::<(), patchbay_sdk::Error>(())
/// ```
pub fn kit() -> Kit {
    SCENE.with_borrow_mut(|scene| *scene = super::host::Scene::default());
    Kit { _private: () }
}

/// The faults since the last call: what was called and not scripted, and what was scripted and
/// not called.
pub fn unmet() -> Vec<String> {
    SCENE.with_borrow_mut(|scene| scene.doubles.unmet())
}

/// The requests by `http` since the last call, refused ones too.
pub fn sent() -> Vec<Outgoing> {
    SCENE.with_borrow_mut(|scene| std::mem::take(&mut scene.doubles.sent))
}

/// What models were asked since the last call, embeddings left out.
pub fn asked() -> Vec<Request> {
    SCENE.with_borrow_mut(|scene| std::mem::take(&mut scene.doubles.asked))
}

/// The entries of the pipeline since the last call.
pub fn stages() -> Vec<Stage> {
    SCENE.with_borrow_mut(|scene| std::mem::take(&mut scene.stages))
}

/// What a client would be told if the generation failed, since the last call.
pub fn if_failed() -> Vec<Field> {
    SCENE.with_borrow_mut(|scene| std::mem::take(&mut scene.if_failed))
}

/// What was charged since the last call: unit and count.
pub fn charged() -> Vec<(String, u32)> {
    SCENE.with_borrow_mut(|scene| std::mem::take(&mut scene.charges))
}

/// What [`kit`] gives. Every method takes effect at once.
#[derive(Debug)]
pub struct Kit {
    _private: (),
}

impl Kit {
    /// A reply to a request with this method and URL. Of several, the first comes first.
    pub fn http(self, method: Method, url: &str, status: u16, body: impl Into<Vec<u8>>) -> Self {
        let incoming =
            Incoming { status, headers: Vec::new(), body: body.into(), url: String::new() };
        self.add_http(HttpDouble { method, url: url.into(), reply: Ok(incoming) })
    }

    /// A request with this method and URL that fails.
    pub fn http_fails(self, method: Method, url: &str, error: HttpError) -> Self {
        self.add_http(HttpDouble { method, url: url.into(), reply: Err(error) })
    }

    /// What the next model answers.
    pub fn model(self, text: &str) -> Self {
        self.add_model(Ok(completion(Some(text.into()), Vec::new(), 0)))
    }

    /// The next call of a model fails.
    pub fn model_fails(self, error: Error) -> Self {
        self.add_model(Err(error))
    }

    /// The vector of the next input to embed.
    pub fn embedding(self, vector: impl Into<Vec<f32>>) -> Self {
        SCENE.with_borrow_mut(|scene| scene.doubles.embeddings.push_back(vector.into()));
        self
    }

    /// The next call of an embedding model fails.
    pub fn embedding_fails(self, error: Error) -> Self {
        SCENE.with_borrow_mut(|scene| scene.doubles.embedding_fails = Some(error));
        self
    }

    /// What the next query finds, which must ask this index.
    pub fn search(self, index: &str, hits: impl Into<Vec<Hit>>) -> Self {
        self.add_search(SearchDouble { index: index.into(), reply: Ok(hits.into()) })
    }

    /// The next query, which must ask this index, fails.
    pub fn search_fails(self, index: &str, error: Error) -> Self {
        self.add_search(SearchDouble { index: index.into(), reply: Err(error) })
    }

    /// A secret that exists.
    pub fn secret(self, name: &str) -> Self {
        SCENE.with_borrow_mut(|scene| scene.doubles.secrets.push(name.into()));
        self
    }

    /// A model that the gateway serves.
    pub fn catalog(self, model: Model) -> Self {
        SCENE.with_borrow_mut(|scene| scene.doubles.catalog.push(model));
        self
    }

    /// A value in the state.
    pub fn state(self, key: &str, value: impl AsRef<[u8]>) -> Self {
        SCENE.with_borrow_mut(|scene| scene.put(key, value.as_ref(), None));
        self
    }

    fn add_http(self, double: HttpDouble) -> Self {
        SCENE.with_borrow_mut(|scene| scene.doubles.http.push(double));
        self
    }

    fn add_model(self, reply: Result<crate::models::Completion, Error>) -> Self {
        let double = ModelDouble { model: None, reply };
        SCENE.with_borrow_mut(|scene| scene.doubles.models.push_back(double));
        self
    }

    fn add_search(self, double: SearchDouble) -> Self {
        SCENE.with_borrow_mut(|scene| scene.doubles.search.push_back(double));
        self
    }
}
