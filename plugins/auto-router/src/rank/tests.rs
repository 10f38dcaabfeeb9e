//! Who comes first.

use super::{Band, Preference, Tier, rank};
use crate::pattern::Pattern;
use crate::task::Task;
use patchbay_sdk::catalog::Model;

/// Ten models, `a/0` for nothing to `a/9` for the most.
fn ten() -> Vec<Model> {
    let model = |index: u64| Model {
        prompt_nanos: Some(index * 1000),
        completion_nanos: Some(index * 4000),
        created: index,
        ..Model::new(&format!("a/{index}"))
    };
    (0..10).map(model).collect()
}

fn ranked(
    models: &[Model],
    task: Task,
    preferred: &[(&str, f64)],
    band: Option<Band>,
) -> Vec<String> {
    let candidates: Vec<&Model> = models.iter().collect();
    let preferences: Vec<Preference> = preferred
        .iter()
        .map(|(pattern, weight)| Preference { pattern: Pattern::new(pattern), weight: *weight })
        .collect();
    let ranked = rank(&candidates, task, &preferences, band);
    ranked.iter().map(|ranked| ranked.model.id.clone()).collect()
}

fn first(models: &[Model], band: Option<Band>) -> String {
    ranked(models, Task::Chat, &[], band).remove(0)
}

#[test]
fn a_tier_is_a_fifth_of_the_models_by_cost() {
    let models = ten();
    let tiers = [Tier::Low, Tier::Medium, Tier::High, Tier::Xhigh, Tier::Max];
    let chosen = tiers.map(|tier| first(&models, Some(tier.band())));
    assert_eq!(chosen, ["a/1", "a/3", "a/5", "a/7", "a/9"]);
    assert_eq!(first(&models, None), "a/1");
}

#[test]
fn the_older_notation_is_a_ceiling() {
    let models = ten();
    let chosen = [0.0, 5.0, 9.0, 10.0].map(|it| first(&models, Some(Band::of_tradeoff(it))));
    assert_eq!(chosen, ["a/8", "a/4", "a/1", "a/0"]);
}

#[test]
fn an_empty_band_gives_way_to_the_nearest() {
    let models = ten();
    assert_eq!(first(&models[..1], Some(Tier::Max.band())), "a/0");
    assert_eq!(first(&models[..2], Some(Tier::Max.band())), "a/1");
    assert_eq!(first(&models[..2], Some(Tier::Medium.band())), "a/1");
}

#[test]
fn runner_ups_come_from_the_band_and_then_from_beside_it() {
    let chosen = ranked(&ten(), Task::Chat, &[], Some(Tier::Medium.band()));
    assert_eq!(chosen[..4], ["a/3", "a/2", "a/4", "a/1"]);
}

#[test]
fn a_preference_beats_the_default_band_but_not_one_that_was_asked_for() {
    let (models, wishes) = (ten(), [("a/8", 1.0), ("a/2", 1.0)]);
    assert_eq!(ranked(&models, Task::Chat, &wishes, None)[..3], ["a/8", "a/2", "a/1"]);
    let low = ranked(&models, Task::Chat, &wishes, Some(Tier::Low.band()));
    assert_eq!(low[0], "a/1");
    let medium = ranked(&models, Task::Chat, &wishes, Some(Tier::Medium.band()));
    assert_eq!(medium[..2], ["a/2", "a/3"]);
}

#[test]
fn the_greatest_weight_goes_first() {
    let wishes = [("a/8", 1.0), ("a/2", 5.0)];
    assert_eq!(ranked(&ten(), Task::Chat, &wishes, None)[..2], ["a/2", "a/8"]);
}

#[test]
fn what_a_request_costs_depends_on_its_task() {
    let reads = Model {
        prompt_nanos: Some(1),
        completion_nanos: Some(100),
        ..Model::new("a/reads-cheaply")
    };
    let writes = Model {
        prompt_nanos: Some(20),
        completion_nanos: Some(20),
        ..Model::new("a/writes-cheaply")
    };
    let models = [reads, writes];
    let cheapest = |task: Task| ranked(&models, task, &[], Some(Tier::Low.band())).remove(0);
    assert_eq!(cheapest(Task::Summarization), "a/reads-cheaply");
    assert_eq!(cheapest(Task::Writing), "a/writes-cheaply");
}

#[test]
fn a_model_made_for_the_task_comes_before_a_newer_one() {
    let newer = Model { created: 9, ..Model::new("a/new") };
    let coder = Model { created: 1, ..Model::new("a/some-coder") };
    let thinker = Model { created: 2, ..Model::new("a/other").parameter("reasoning") };
    let models = [newer, coder, thinker];
    assert_eq!(ranked(&models, Task::Coding, &[], None), ["a/some-coder", "a/other", "a/new"]);
    assert_eq!(ranked(&models, Task::Chat, &[], None), ["a/new", "a/other", "a/some-coder"]);
}

#[test]
fn unknown_prices_are_the_highest() {
    let mut models = ten();
    models.push(Model::new("a/unknown"));
    assert_eq!(ranked(&models, Task::Chat, &[], None)[10], "a/unknown");
}
