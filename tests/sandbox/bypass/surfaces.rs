//! A guard stands before every surface: whatever is spoken there, streamed or not, wherever the
//! upstream cuts the word.

use futures_util::StreamExt;
use serde_json::json;

use super::begin;
use super::script::{self, FIELDS, Field, MASK, TEXT, WORD};
use crate::harness::Gateway;
use crate::spoken::{Surface, Told, saying, surfaces};

/// One way to ask.
#[derive(Clone, Copy)]
struct Way {
    surface: Surface,
    field: Field,
    /// None: not streamed.
    cut: Option<usize>,
}

impl Way {
    fn all() -> Vec<Self> {
        let cuts = || std::iter::once(None).chain((0..=TEXT.len()).map(Some));
        let places =
            surfaces().into_iter().flat_map(|surface| FIELDS.map(|field| (surface, field)));
        places
            .flat_map(|(surface, field)| cuts().map(move |cut| Self { surface, field, cut }))
            .collect()
    }

    fn name(self) -> String {
        format!("{} {:?} {:?}", self.surface.dialect.name(), self.field, self.cut)
    }

    async fn ask(self, gateway: &Gateway) -> Told {
        let cut = self.cut.unwrap_or_default();
        let model = format!("test/{}", self.field.name());
        let request = saying(&model, &script::when((cut, cut)), self.cut.is_some());
        let off = json!({"plugins": [{"id": "censor", "enabled": false}]});
        self.surface.ask(gateway, &request, &off).await
    }
}

/// Everything that the client joins.
fn said(told: &Told) -> Vec<String> {
    let choice = told.reply.choices.first().cloned().unwrap_or_default();
    let thoughts: String = choice.reasoning.iter().map(|(text, _)| text.as_str()).collect();
    let calls = choice.tool_calls.iter().map(|call| call.arguments.clone());
    [choice.text, choice.refusal, thoughts].into_iter().chain(calls).collect()
}

#[tokio::test]
async fn no_surface_shows_a_word_that_a_guard_stops() {
    let (_double, gateway) = begin("stop").await;
    let gateway = &gateway;
    let asked = Way::all().into_iter().map(|way| async move {
        let told = way.ask(gateway).await;
        let case = format!("{}: {told:?}", way.name());
        assert_eq!(told.status, if way.cut.is_some() { 200 } else { 403 }, "{case}");
        assert!(!told.body.contains(WORD), "{case}");
        assert!(!said(&told).iter().any(|text| text.contains(WORD)), "{case}");
        assert!(told.failure.is_some(), "{case}");
    });
    futures_util::stream::iter(asked).buffer_unordered(8).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn every_surface_shows_the_rest_of_what_a_guard_masks() {
    let (_double, gateway) = begin("mask").await;
    let gateway = &gateway;
    let asked = Way::all().into_iter().map(|way| async move {
        let told = way.ask(gateway).await;
        let case = format!("{}: {told:?}", way.name());
        assert_eq!((told.status, &told.failure), (200, &None), "{case}");
        assert!(!told.body.contains(WORD), "{case}");
        assert!(!said(&told).iter().any(|text| text.contains(WORD)), "{case}");
        if way.field == Field::Text {
            assert_eq!(said(&told).first(), Some(&TEXT.replace(WORD, MASK)), "{case}");
        }
    });
    futures_util::stream::iter(asked).buffer_unordered(8).collect::<Vec<()>>().await;
}
