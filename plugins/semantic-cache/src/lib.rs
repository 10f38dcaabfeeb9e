//! Answers a question with the reply that a question of the same meaning got before: their vectors
//! are near each other, and all else about the two requests is the same. Whatever else differs (the
//! key, the system prompt, an earlier turn, a tool, a sampling parameter) is another scope.
//!
//! A hit is one text. A miss goes on as it came; the reply is read along, never held, and kept when
//! it ended by itself. Whatever fails here is a miss; only an embedding model that there is not is refused.

mod collect;
mod options;
mod reply;
mod scope;
mod store;
mod vector;

use collect::{Collector, Place};
use options::Options;
use patchbay_sdk::{
    Decision, Description, Error, Generation, Interest, Kind, Plugin, Request, Stream, Verdict,
    models, report, warn,
};
use scope::Asked;
use std::rc::Rc;
use store::{Entry, Store};
use vector::Vector;

/// The plugin, for one generation.
pub struct SemanticCache {
    options: Options,
    /// Where the reply is kept, if it is.
    place: Option<Rc<Place>>,
}

impl Plugin for SemanticCache {
    fn describe() -> Description {
        Description::new("semantic-cache", env!("CARGO_PKG_VERSION"), Kind::Transform)
            .summary("Answers from what was answered to a question of the same meaning.")
            .options(OPTIONS)
            .capability("models")
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()?, place: None })
    }

    fn on_request(&mut self, generation: &Generation, request: Request) -> Result<Decision, Error> {
        let Some(asked) = Asked::of(generation, &request, &self.options) else {
            return Ok(Decision::Pass);
        };
        let ttl_ms = self.options.ttl_seconds.saturating_mul(1000);
        let store = Store::new(asked.scope.clone(), ttl_ms, self.options.max_entries);
        // The very same question needs no vector.
        if let Some(decision) = store.entry(&asked.hash).and_then(|entry| answer(&entry, 1.0)) {
            return Ok(decision);
        }
        let vector = match self.embed(&asked.question) {
            Ok(Some(vector)) => vector,
            Ok(None) => return Ok(Decision::Pass),
            Err(error) => return Decision::refuse_options(ID, error),
        };
        let nearest = store.nearest(&vector);
        let similarity = nearest.as_ref().map(|(_, similarity)| *similarity);
        let hit = nearest.filter(|(_, similarity)| *similarity >= self.options.threshold);
        if let Some(decision) = hit.and_then(|(entry, similarity)| answer(&entry, similarity)) {
            return Ok(decision);
        }
        let stage = report::stage("plugin", ID).summary("miss").data("hit", false);
        stage.data("similarity", similarity.map(rounded)).send();
        let bytes_max = self.options.max_bytes;
        self.place = Some(Rc::new(Place { store, question: asked.hash, vector, bytes_max }));
        Ok(Decision::Pass)
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        Ok(match &self.place {
            Some(place) if choice == 0 => Box::new(Collector::new(Rc::clone(place))),
            _ => Box::new(Aside),
        })
    }
}

impl SemanticCache {
    /// The question's vector; none when the model fails, which must not fail the request.
    ///
    /// # Errors
    /// `Options` when there is no such model: it would never be a hit.
    fn embed(&self, question: &str) -> Result<Option<Vector>, Error> {
        let model = &self.options.model;
        let fault = match models::embed(model, [question]) {
            Ok(embeddings) => match embeddings.vectors.first().and_then(|it| Vector::new(it)) {
                Some(vector) => return Ok(Some(vector)),
                None => format!("`{model}` gave no vector"),
            },
            Err(error) => match models::unserved(model, "embeddings", &error, |_| 1) {
                Some(refusal) => return Err(refusal),
                None => error.reason().to_owned(),
            },
        };
        warn!("a miss, since the question can't be compared: {fault}");
        let stage = report::stage("plugin", ID).summary("miss: the question can't be compared");
        stage.data("hit", false).data("error", fault).send();
        Ok(None)
    }
}

/// The kept reply as the answer to this request.
fn answer(entry: &Entry, similarity: f32) -> Option<Decision> {
    let reply = entry.reply()?;
    let stage = report::stage("plugin", ID).summary("answered from the cache").data("hit", true);
    stage.data("similarity", rounded(similarity)).send();
    Some(Decision::Answer(reply.deltas()))
}

/// To four places: more would pretend.
fn rounded(similarity: f32) -> f64 {
    (f64::from(similarity) * 10_000.0).round() / 10_000.0
}

/// For replies that are not kept: nothing of them enters the sandbox.
struct Aside;

impl Stream for Aside {
    fn interest(&self) -> Interest {
        Interest::empty()
    }

    fn push(&mut self, _: Vec<patchbay_sdk::Delta>) -> Result<Verdict, Error> {
        Ok(Verdict::Pass)
    }
}

patchbay_sdk::export!(SemanticCache: request, stream);

const OPTIONS: &str = include_str!("options.json");
const ID: &str = "semantic-cache";

patchbay_sdk::cases![
    "cases/across_users.json",
    "cases/cut_off.json",
    "cases/expired.json",
    "cases/hit.json",
    "cases/hit_is_not_kept_again.json",
    "cases/hit_nearest.json",
    "cases/hit_same_words.json",
    "cases/idle_fields.json",
    "cases/media.json",
    "cases/miss.json",
    "cases/no_vector.json",
    "cases/oldest_leaves.json",
    "cases/other_format.json",
    "cases/other_model.json",
    "cases/other_sampling.json",
    "cases/other_system.json",
    "cases/other_tools.json",
    "cases/other_turns.json",
    "cases/other_user.json",
    "cases/provider_tool.json",
    "cases/several.json",
    "cases/signed.json",
    "cases/stored.json",
    "cases/threshold.json",
    "cases/too_hot.json",
    "cases/too_long.json",
    "cases/tool_call.json",
    "cases/tool_turn.json",
    "cases/unfinished.json",
];

#[cfg(test)]
mod tests {
    use super::{CASES, SemanticCache};
    use patchbay_sdk::catalog::Model;
    use patchbay_sdk::testing::{self, Facts, Failures, check};
    use patchbay_sdk::{Decision, Delta, Error, Field, FinishReason, Plugin, Request};

    #[test]
    fn every_case_holds_however_the_reply_is_cut() -> Result<(), Failures> {
        check::<SemanticCache>(env!("CARGO_MANIFEST_DIR"), CASES)
    }

    /// What is decided for a key's question; a miss is answered with "Paris.".
    fn ask(key: &str, question: &str) -> Decision {
        let options = r#"{"model": "acme/embed", "ttl_seconds": 10}"#.to_owned();
        let facts = Facts { key: key.into(), options, ..Facts::default() };
        let generation = testing::generation(facts);
        let mut plugin = SemanticCache::new(&generation).unwrap();
        let request = Request::new("test/model").user(question);
        let decision = plugin.on_request(&generation, request).unwrap();
        if matches!(decision, Decision::Pass) {
            let mut stream = plugin.stream(&generation, 0).unwrap();
            let finish = Delta::finish(0, FinishReason::Stop);
            stream.push(vec![Delta::text(0, "Paris."), finish]).unwrap();
            stream.finish().unwrap();
        }
        decision
    }

    #[test]
    fn no_key_sees_what_another_asked() {
        let vector = || vec![1.0, 2.0];
        testing::kit().embedding(vector()).embedding(vector()).embedding(vector());
        assert!(matches!(ask("ann", "France's capital?"), Decision::Pass));
        assert!(matches!(ask("bob", "France's capital?"), Decision::Pass));
        assert!(matches!(ask("ann", "The capital of France?"), Decision::Answer(_)));
        assert!(matches!(ask("bob", "France's capital?"), Decision::Answer(_)));
        assert!(testing::unmet().is_empty());
    }

    #[test]
    fn replies_end_in_time() {
        testing::kit().embedding(vec![1.0]).embedding(vec![1.0]);
        assert!(matches!(ask("ann", "France's capital?"), Decision::Pass));
        testing::advance_ms(9_999);
        assert!(matches!(ask("ann", "France's capital?"), Decision::Answer(_)));
        testing::advance_ms(1);
        assert!(matches!(ask("ann", "France's capital?"), Decision::Pass));
    }

    #[test]
    fn a_model_that_fails_is_a_miss_whose_stage_says_why() {
        testing::kit().embedding_fails(Error::Upstream("it took too long".into()));
        assert!(matches!(ask("ann", "France's capital?"), Decision::Pass));
        let stage = testing::stages().remove(0);
        assert_eq!(stage.summary.as_deref(), Some("miss: the question can't be compared"));
        assert!(stage.data.contains(&Field::new("error", "it took too long")), "{stage:?}");
    }

    #[test]
    fn a_model_that_is_none_for_embeddings_is_the_mistake_of_who_named_it() {
        let unknown = Error::Options("no such model".into());
        testing::kit().catalog(Model::new("acme/embed")).embedding_fails(unknown.clone());
        let Decision::Reject(refused) = ask("ann", "France's capital?") else {
            panic!("it was not refused")
        };
        assert_eq!(refused.status, 400);
        let expected = "options of `semantic-cache`: `acme/embed` is not served here for embeddings. \
                        Name another of GET /api/v1/embeddings/models";
        assert!(refused.message.contains(expected), "{}", refused.message);
        let served = Model { outputs: vec!["embeddings".into()], ..Model::new("acme/embed") };
        testing::kit().catalog(served).embedding_fails(unknown);
        assert!(matches!(ask("ann", "Why?"), Decision::Pass), "it failed for another reason");
    }
}
