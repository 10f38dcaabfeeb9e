//! Known counts: what the upstream says, what is counted here, and which of the two is billed.

use wire::{Message, Part, Role};

use super::*;

fn hello() -> Request {
    let parts = vec![Part::text("hello world")];
    let message = Message { role: Role::User, name: None, parts, extra: wire::Extra::default() };
    Request { messages: vec![message], ..Request::default() }
}

fn meter(model: &str) -> Meter {
    let mut meter = Meter::new(crate::clock::now(), 400);
    meter.keep(model, hello());
    meter
}

fn note(meter: &mut Meter, deltas: Vec<Delta>) {
    meter.note(&Chunk::of(deltas), crate::clock::now);
}

fn text(text: &str) -> Delta {
    Delta::Text { choice: 0, text: text.to_owned() }
}

fn finish() -> Delta {
    Delta::Finish { choice: 0, reason: FinishReason::Stop, native: None }
}

fn usage(prompt: Option<u64>, completion: Option<u64>) -> Delta {
    Delta::Usage(Usage { prompt, completion, ..Usage::default() })
}

/// Prompt, completion, and whether either was counted here.
async fn read(mut meter: Meter) -> (u64, u64, bool) {
    let metered = meter.read().await;
    let (prompt, completion) = (metered.usage.prompt, metered.usage.completion);
    (prompt.unwrap(), completion.unwrap(), metered.is_estimated)
}

#[tokio::test]
async fn what_the_upstream_reports_is_billed() {
    let mut meter = meter("openai/gpt-4o");
    note(&mut meter, vec![text("hello world")]);
    note(&mut meter, vec![finish(), usage(Some(70), Some(30))]);
    assert_eq!(read(meter).await, (70, 30, false));
}

#[tokio::test]
async fn what_it_does_not_report_is_counted_with_the_model_s_tokenizer() {
    // "hello world" is two tokens; seven more stand around a message.
    let mut silent = meter("openai/gpt-4o");
    note(&mut silent, vec![text("tiktoken"), text(" is great!"), finish()]);
    assert_eq!(read(silent).await, (9, 6, true));

    // The vocabulary is the model's: nine tokens in GPT-4's, eight in GPT-4o's.
    for (model, tokens) in [("openai/gpt-4", 9), ("openai/gpt-4o", 8)] {
        let mut meter = meter(model);
        note(&mut meter, vec![text("お誕生日"), text("おめでとう"), finish()]);
        assert_eq!(read(meter).await.1, tokens, "{model}");
    }

    let mut half = meter("openai/gpt-4o");
    note(&mut half, vec![usage(Some(70), None), text("hello world"), finish()]);
    assert_eq!(read(half).await, (70, 2, true));
}

#[tokio::test]
async fn thought_refusal_and_tool_calls_count_too() {
    let mut meter = meter("openai/gpt-4o");
    let call = Delta::ToolCall {
        choice: 0,
        index: 0,
        id: Some("call_1".to_owned()),
        name: Some("hello".to_owned()),
        arguments: " world".to_owned(),
    };
    let thought = Delta::Reasoning { choice: 0, text: "hello world".to_owned(), detail: None };
    let refusal = Delta::Refusal { choice: 0, text: " hello world".to_owned() };
    note(&mut meter, vec![thought, refusal, call]);
    // What follows on each other is one text.
    let all = tokens::count("openai/gpt-4o", "hello world hello worldhello world").tokens;
    assert_eq!(read(meter).await.1, all);
}

#[tokio::test]
async fn of_a_cut_stream_the_larger_count_is_billed() {
    let mut early = meter("openai/gpt-4o");
    note(&mut early, vec![usage(Some(70), Some(1)), text("tiktoken is great!")]);
    assert_eq!(read(early).await, (70, 6, true));

    let mut late = meter("openai/gpt-4o");
    note(&mut late, vec![text("tiktoken is great!"), usage(Some(70), Some(500))]);
    assert_eq!(read(late).await, (70, 500, false));

    let mut nothing = meter("openai/gpt-4o");
    note(&mut nothing, vec![]);
    assert_eq!(read(nothing).await, (9, 0, true));
}

#[tokio::test]
async fn a_long_text_is_folded_without_a_loss() {
    let mut meter = meter("openai/gpt-4o");
    let words = 100_000;
    for _ in 0..words {
        note(&mut meter, vec![text(" hello")]);
    }
    assert_eq!(meter.completion_bytes, words * 6, "nine folds' worth");
    assert_eq!(read(meter).await.1, tokens::at_most(words));
}

#[tokio::test]
async fn without_a_model_the_counts_are_about_right_and_nothing_is_kept() {
    let mut meter = Meter::new(crate::clock::now(), 400);
    note(&mut meter, vec![text("hello world"), finish()]);
    assert_eq!(read(meter).await, (100, 3, true));
}

#[tokio::test]
async fn the_count_on_the_way_is_about_right() {
    let mut meter = meter("openai/gpt-4o");
    note(&mut meter, vec![text("hello world")]);
    let so_far = meter.so_far();
    assert_eq!((so_far.usage.prompt, so_far.usage.completion), (Some(100), Some(3)));
    assert_eq!(read(meter).await, (9, 2, true));
}
