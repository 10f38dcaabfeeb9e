//! Chooses a model for each request: `openrouter/auto` by its task, what it needs and what it costs,
//! `openrouter/free` any free one that can serve it. Everything is judged here, from the catalog and
//! the request: no model is asked, nothing is learnt, and the same request gets the same answer (but
//! for `openrouter/free`, which draws lots).

mod needs;
mod options;
mod pattern;
mod rank;
mod session;
mod task;

use needs::Needs;
use options::Options;
use patchbay_sdk::catalog::{self, Model};
use patchbay_sdk::report::{self, Stage};
use patchbay_sdk::{
    Content, Decision, Description, Error, Generation, Kind, Message, Plugin, Rejection, Request,
    Role, system,
};
use session::Session;
use task::{Clues, Verdict};

/// The plugin, for one generation.
pub struct AutoRouter {
    options: Options,
}

/// What the request asks for instead of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Router {
    Auto,
    Free,
}

/// What was chosen.
struct Choice {
    model: String,
    /// Tried in this order when it fails.
    fallbacks: Vec<String>,
    stage: Stage,
}

impl Plugin for AutoRouter {
    fn describe() -> Description {
        Description::new("auto-router", env!("CARGO_PKG_VERSION"), Kind::Transform)
            .summary("Chooses a model for openrouter/auto by task, needs and price.")
            .options(OPTIONS)
            .trigger("model=openrouter/auto")
            .trigger("model=openrouter/auto-beta")
            .trigger("model=openrouter/free")
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()? })
    }

    fn on_request(
        &mut self,
        generation: &Generation,
        mut request: Request,
    ) -> Result<Decision, Error> {
        let (name, variant) = match request.model.split_once(':') {
            Some((name, variant)) => (name, format!(":{variant}")),
            None => (request.model.as_str(), String::new()),
        };
        let router = match name {
            "openrouter/auto" | "openrouter/auto-beta" => Router::Auto,
            "openrouter/free" => Router::Free,
            _ => return Ok(Decision::Pass),
        };
        if let Err(problem) = self.options.check() {
            return Ok(Decision::Reject(Rejection::new(400, problem)));
        }
        let needs = Needs::of(&request);
        let models = catalog::models();
        let candidates = match self.candidates(&models, &needs, router) {
            Ok(candidates) => candidates,
            Err(rejection) => return Ok(Decision::Reject(rejection)),
        };
        let session_ttl_ms = self.options.session_ttl_s.saturating_mul(1000);
        let asked = (name, &self.options);
        let session = Session::of(generation, &request, &asked, session_ttl_ms);
        let choice = match router {
            Router::Auto => self.by_task(&request, &needs, &candidates, &session),
            Router::Free => self.by_lot(&candidates, &session),
        };
        let Some(Choice { model, fallbacks, stage }) = choice else {
            return Ok(Decision::Reject(nothing_fits(&needs, "none could be chosen")));
        };
        if self.options.pin_model {
            session.keep(&model);
        }
        let mut others: Vec<String> = request.extra_get("models")?.unwrap_or_default();
        others.retain(|other| !is_router(other));
        let fallbacks: Vec<String> = fallbacks.iter().map(|it| format!("{it}{variant}")).collect();
        stage.data("fallbacks", &fallbacks).send();
        request.model = format!("{model}{variant}");
        let others: Vec<String> = fallbacks.into_iter().chain(others).collect();
        if !others.is_empty() {
            request.extra_set("models", others);
        }
        Ok(Decision::Replace(request))
    }
}

impl AutoRouter {
    /// The models that may and can serve the request.
    ///
    /// # Errors
    /// There is none.
    fn candidates<'a>(
        &self,
        models: &'a [Model],
        needs: &Needs,
        router: Router,
    ) -> Result<Vec<&'a Model>, Rejection> {
        let may = self.options.restrictions();
        let is_free =
            |model: &Model| model.prompt_nanos == Some(0) && model.completion_nanos == Some(0);
        let served: Vec<&Model> = models.iter().filter(|model| !is_router(&model.id)).collect();
        let mut allowed = served.clone();
        allowed.retain(|model| may(&model.id));
        let mut found = allowed.clone();
        found.retain(|model| router == Router::Auto || is_free(model));
        let mut fit = found.clone();
        fit.retain(|model| needs.fit(model));
        if fit.is_empty() {
            let why = match (allowed.len(), found.len()) {
                (0, _) => none_is_allowed(&served),
                (count, 0) => format!(
                    "none of the {} is free. Ask for `openrouter/auto`",
                    self.counted(count)
                ),
                (_, count) => format!(
                    "it needs {}, which none of the {} has. Change the request{}",
                    needs.words().join(", "),
                    self.counted(count),
                    if self.options.restricts() {
                        ", or `allowed_models` and `excluded_models`"
                    } else {
                        ""
                    }
                ),
            };
            return Err(nothing_fits(needs, &why));
        }
        // A simulated model answers only where nothing else can.
        if fit.iter().any(|model| !is_simulated(model)) {
            fit.retain(|model| !is_simulated(model));
        }
        Ok(fit)
    }

    /// Models, as an error speaks of them.
    fn counted(&self, count: usize) -> String {
        let plural = if count == 1 { "" } else { "s" };
        let by =
            if self.options.restricts() { " that your patterns leave" } else { " served here" };
        format!("{count} model{plural}{by}")
    }

    /// The model that the conversation had, if it is still a candidate.
    fn pinned<'a>(
        &self,
        candidates: &[&'a Model],
        messages: &[Message],
        session: &Session,
    ) -> Option<&'a Model> {
        if !self.options.pin_model {
            return None;
        }
        let find = |name: &String| candidates.iter().copied().find(|model| model.id == *name);
        let named = session::last_model(messages);
        named.as_ref().and_then(find).or_else(|| session.model().as_ref().and_then(find))
    }

    fn by_task(
        &self,
        request: &Request,
        needs: &Needs,
        candidates: &[&Model],
        session: &Session,
    ) -> Option<Choice> {
        let Verdict { task, signals } = task_of(request, needs);
        let preferences = self.options.preferences(task);
        let ranked = rank::rank(candidates, task, &preferences, self.options.band());
        let pinned = self.pinned(candidates, &request.messages, session);
        let best = pinned.or_else(|| ranked.first().map(|ranked| ranked.model))?;
        let others = ranked.iter().map(|it| &it.model.id).filter(|id| **id != best.id);
        let kept = if pinned.is_some() { ", as before in this conversation" } else { "" };
        let (name, count) = (task.name(), candidates.len());
        let stage = report::stage("plugin", "auto-router")
            .summary(&format!("{name}: {} of {count} models{kept}", best.id))
            .data("task_type", name)
            .data("model", &best.id)
            .data("signals", signals)
            .data("candidates", count)
            .data("is_pinned", pinned.is_some())
            .data("cost_tier", self.options.cost_tier);
        let fallbacks = others.take(self.options.fallbacks).cloned().collect();
        Some(Choice { model: best.id.clone(), fallbacks, stage })
    }

    /// One of them, and others behind it, in an order that nobody can foresee.
    fn by_lot(&self, candidates: &[&Model], session: &Session) -> Option<Choice> {
        let mut lots: Vec<(Vec<u8>, &Model)> =
            candidates.iter().map(|model| (system::random_bytes(8), *model)).collect();
        lots.sort_by(|a, b| a.0.cmp(&b.0));
        let pinned = self.pinned(candidates, &[], session);
        let best = pinned.or_else(|| lots.first().map(|(_, model)| *model))?;
        let others = lots.iter().map(|(_, model)| &model.id).filter(|id| **id != best.id);
        let stage = report::stage("plugin", "auto-router")
            .summary(&format!("free: {} of {} models", best.id, candidates.len()))
            .data("model", &best.id)
            .data("candidates", candidates.len())
            .data("is_pinned", pinned.is_some());
        let fallbacks = others.take(self.options.fallbacks).cloned().collect();
        Some(Choice { model: best.id.clone(), fallbacks, stage })
    }
}

fn task_of(request: &Request, needs: &Needs) -> Verdict {
    let text = request.last_user_text().unwrap_or_default();
    let is_system = |message: &&Message| matches!(message.role, Role::System | Role::Developer);
    let system = request.messages.iter().find(is_system).map(Message::text).unwrap_or_default();
    let mut parts = request.messages.iter().flat_map(|message| &message.parts);
    let has_results = parts.any(|part| matches!(part.content, Content::ToolResult(_)));
    task::classify(&Clues { text: &text, system: &system, needs, has_results })
}

/// Why no model may be asked, of those that are served, and what to do.
fn none_is_allowed(served: &[&Model]) -> String {
    let mut known = served.to_vec();
    known.sort_by_key(|model| is_simulated(model));
    let names = known.iter().take(NAMED_MAX).map(|model| format!("`{}`", model.id));
    let names: Vec<String> = names.collect();
    match served.len() {
        0 => "this gateway serves none that you may ask".to_owned(),
        count => format!(
            "`allowed_models` and `excluded_models` of the plugin `auto-router` leave none of the \
             {count} that are served here. Use patterns that match some of them: {}",
            names.join(", ")
        ),
    }
}

fn nothing_fits(needs: &Needs, why: &str) -> Rejection {
    let message = format!("No models match your request and model restrictions: {why}.");
    Rejection::new(404, message).metadata("needs", needs.words())
}

fn is_router(id: &str) -> bool {
    id.starts_with("openrouter/")
}

fn is_simulated(model: &Model) -> bool {
    model.id.starts_with("patchbay/")
}

patchbay_sdk::export!(AutoRouter: request);

const OPTIONS: &str = include_str!("options.json");

/// Models that an error names.
const NAMED_MAX: usize = 5;

patchbay_sdk::cases![
    "cases/cheap.json",
    "cases/concrete.json",
    "cases/fallbacks.json",
    "cases/free.json",
    "cases/image.json",
    "cases/long.json",
    "cases/max_price.json",
    "cases/not_free.json",
    "cases/not_pinned.json",
    "cases/nothing.json",
    "cases/nothing_sees.json",
    "cases/only_simulated.json",
    "cases/outgrown.json",
    "cases/patterns.json",
    "cases/pinned.json",
    "cases/preference.json",
    "cases/preference_in_band.json",
    "cases/session_id.json",
    "cases/simulated.json",
    "cases/tier.json",
    "cases/tools.json",
    "cases/tradeoff.json",
];

#[cfg(test)]
mod tests {
    use super::{AutoRouter, CASES, OPTIONS};
    use crate::options::Options;
    use crate::task::Task;
    use patchbay_sdk::testing::{Facts, Failures, check, generation, kit};
    use patchbay_sdk::{Decision, Message, Part, Plugin, Request, catalog::Model};
    use serde_json::json;

    #[test]
    fn every_case_holds() -> Result<(), Failures> {
        check::<AutoRouter>(env!("CARGO_MANIFEST_DIR"), CASES)
    }

    #[test]
    fn the_schema_names_the_defaults_and_all_tasks() {
        let schema: serde_json::Value = serde_json::from_str(OPTIONS).unwrap();
        let default = |name: &str| schema["properties"][name]["default"].clone();
        let options = Options::default();
        assert_eq!(default("pin_model"), options.pin_model);
        assert_eq!(default("session_ttl_s"), options.session_ttl_s);
        assert_eq!(default("fallbacks"), options.fallbacks);
        let tasks = &schema["properties"]["preferences"]["propertyNames"]["enum"];
        assert_eq!(*tasks, json!(Task::ALL.map(Task::name)));
    }

    fn chosen(facts: Facts, request: Request) -> String {
        let generation = generation(facts);
        let mut plugin = AutoRouter::new(&generation).unwrap();
        match plugin.on_request(&generation, request).unwrap() {
            Decision::Replace(request) => request.model,
            decision => format!("{decision:?}"),
        }
    }

    fn priced(id: &str, nanos: u64) -> Model {
        Model { prompt_nanos: Some(nanos), completion_nanos: Some(nanos), ..Model::new(id) }
    }

    #[test]
    fn a_session_keeps_its_model_by_header_for_its_time_and_for_its_key_alone() {
        kit().catalog(priced("a/cheap", 1)).catalog(priced("a/dear", 9));
        let facts = |options: &str, key: &str| Facts {
            options: options.into(),
            key: key.into(),
            headers: vec![("x-session-id".into(), "s1".into())],
            ..Facts::default()
        };
        let ask = |text: &str| Request::new("openrouter/auto").user(text);
        let first = r#"{"allowed_models": ["a/dear"]}"#;
        assert_eq!(chosen(facts(first, "k1"), ask("Hello")), "a/dear");
        assert_eq!(chosen(facts("{}", "k1"), ask("Something else")), "a/dear");
        assert_eq!(chosen(facts("{}", "k2"), ask("Something else")), "a/cheap");
        assert_eq!(chosen(facts(r#"{"pin_model": false}"#, "k1"), ask("?")), "a/cheap");
        patchbay_sdk::testing::advance_ms(600_001);
        assert_eq!(chosen(facts("{}", "k1"), ask("Later")), "a/cheap");
    }

    #[test]
    fn a_conversation_without_a_name_is_known_by_its_beginning() {
        kit().catalog(priced("a/cheap", 1)).catalog(priced("a/dear", 9));
        let facts = |options: &str| Facts { options: options.into(), ..Facts::default() };
        let begin = || Request::new("openrouter/auto").system("Be kind.").user("Hello");
        assert_eq!(chosen(facts(r#"{"excluded_models": ["a/cheap"]}"#), begin()), "a/dear");
        let later = begin().message(Message::assistant("Hi.")).user("And now?");
        assert_eq!(chosen(facts("{}"), later), "a/dear");
        let other = Request::new("openrouter/auto").system("Be kind.").user("Good day");
        assert_eq!(chosen(facts("{}"), other), "a/cheap");
    }

    #[test]
    fn free_models_are_drawn_by_lot() {
        kit().catalog(priced("a/one", 0)).catalog(priced("a/two", 0)).catalog(priced("a/paid", 5));
        let options = r#"{"pin_model": false}"#;
        let draw = |_| {
            let facts = Facts { options: options.into(), ..Facts::default() };
            chosen(facts, Request::new("openrouter/free").user("Hello"))
        };
        let drawn: std::collections::BTreeSet<String> = (0..50).map(draw).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), ["a/one", "a/two"]);
    }

    #[test]
    fn what_finds_no_model_says_why_and_what_to_do() {
        let refused = |model: &str, options: &str, image: bool| {
            let facts = Facts { options: options.into(), ..Facts::default() };
            let mut message = Message::user("Hello");
            if image {
                message.parts.push(Part::image_url("https://example.com/a.png"));
            }
            chosen(facts, Request::new(model).message(message))
        };
        let served = || kit().catalog(priced("a/one", 1)).catalog(priced("a/two", 1));
        served();
        let told = refused("openrouter/auto", r#"{"allowed_models": ["gpt*"]}"#, false);
        assert!(told.contains("leave none of the 2 that are served here"), "{told}");
        assert!(told.contains("match some of them: `a/one`, `a/two`."), "{told}");
        served();
        let told = refused("openrouter/free", "{}", false);
        assert!(told.contains("none of the 2 models served here is free"), "{told}");
        served();
        let told = refused("openrouter/auto", r#"{"allowed_models": ["a/one"]}"#, true);
        assert!(told.contains("it needs image input"), "{told}");
        assert!(told.contains("none of the 1 model that your patterns leave has"), "{told}");
        assert!(told.contains("Change the request, or `allowed_models`"), "{told}");
        kit().catalog(priced("patchbay/sim", 0)).catalog(priced("a/one", 1));
        let told = refused("openrouter/auto", r#"{"excluded_models": ["*"]}"#, false);
        assert!(told.contains("match some of them: `a/one`, `patchbay/sim`."), "{told}");
        kit();
        let told = refused("openrouter/auto", "{}", false);
        assert!(told.contains("this gateway serves none that you may ask"), "{told}");
    }

    #[test]
    fn too_many_patterns_are_refused() {
        let options = json!({"allowed_models": vec!["x".repeat(1000); 66]}).to_string();
        kit().catalog(priced("a/one", 0));
        let facts = Facts { options, ..Facts::default() };
        let refused = chosen(facts, Request::new("openrouter/auto").user("Hello"));
        assert!(refused.contains("at most 65536"), "{refused}");
    }
}
