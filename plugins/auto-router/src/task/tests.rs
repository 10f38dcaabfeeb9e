//! What requests are taken for.

use super::{Clues, Task, classify};
use crate::needs::{Format, Needs};

fn task(text: &str) -> Task {
    let needs = Needs::default();
    classify(&Clues { text, system: "", needs: &needs, has_results: false }).task
}

#[test]
fn what_people_write_is_taken_for_what_it_is() {
    use Task::{
        Chat, Coding, Extraction, Math, Question, Reasoning, Roleplay, Summarization, Translation,
        Writing,
    };
    let wrong = |(task_wanted, text): &&(Task, &str)| task(text) != *task_wanted;
    let table = [
        (Coding, "Write a Python function that reverses a linked list."),
        (Coding, "Why does this not compile?\n```rust\nlet x: u32 = -1;\n```"),
        (Coding, "Schreibe eine Funktion in JavaScript, die ein Datum formatiert."),
        (Coding, "Refactor this class so that the database queries run in one transaction."),
        (Coding, "用Python写一个快速排序函数"),
        (Coding, "Напиши функцию на Python для сортировки списка"),
        (Coding, "fn main() {\n    let x = 5;\n    println!(\"{x}\");\n}\nwhat's the output"),
        (Coding, "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'"),
        (Coding, "How do I write a SQL query that joins three tables?"),
        (Math, "Solve the equation x^2 - 5x + 6 = 0."),
        (Math, "What is 17*23?"),
        (Math, "Berechne die Ableitung von sin(x)."),
        (Math, "Evaluate \\int_0^1 x^2 dx"),
        (Math, "Prove that there are infinitely many prime numbers."),
        (Math, "计算积分"),
        (Reasoning, "Think step by step: three people cross a bridge at night, who goes first?"),
        (Reasoning, "Compare the pros and cons of renting and buying a house."),
        (Reasoning, "Analysiere die Vor- und Nachteile der Strategie."),
        (Translation, "Translate to German: The weather is nice today."),
        (Translation, "Übersetze ins Englische: Guten Morgen!"),
        (Translation, "Traduis cette phrase en anglais : Je suis fatigué."),
        (Translation, "把这句话翻译成英文:你好"),
        (Translation, "次の文を英語に翻訳してください"),
        (Translation, "Переведи на английский: доброе утро"),
        (Summarization, "Summarize the following article in three bullet points."),
        (Summarization, "Fasse den Text in drei Sätzen zusammen."),
        (Summarization, "Résume ce texte en deux phrases."),
        (Summarization, "请总结以下内容"),
        (Extraction, "Extract all names and dates from this letter."),
        (Extraction, "Classify each review by sentiment."),
        (Writing, "Write a short poem about autumn."),
        (Writing, "Schreibe ein Gedicht über den Herbst."),
        (Writing, "Escribe un cuento para niños."),
        (Writing, "Write a polite email to my landlord."),
        (Writing, "写一首关于春天的诗"),
        (Roleplay, "You are a character in a fantasy novel. Stay in character."),
        (Question, "What is the capital of Australia?"),
        (Question, "Was ist die Hauptstadt von Peru?"),
        (Question, "Qui est le président du Sénat ?"),
        (Chat, "Hello!"),
        (Chat, "Hi, I had a long day."),
        (Chat, "ok thanks"),
        (Chat, ""),
    ];
    let wrong: Vec<_> =
        table.iter().filter(wrong).map(|(wanted, text)| (*wanted, *text, task(text))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_asked_at_the_end_counts_more_than_what_is_pasted() {
    let article = "The committee met on Monday to discuss the budget. ".repeat(100);
    assert_eq!(task(&format!("{article}\n\nSummarize this.")), Task::Summarization);
    assert_eq!(task(&format!("Translate into French:\n\n{article}")), Task::Translation);
}

#[test]
fn the_rest_of_the_request_counts_too() {
    let classified = |needs: Needs, text: &str, has_results: bool| {
        classify(&Clues { text, system: "", needs: &needs, has_results }).task
    };
    let image = || Needs { inputs: vec!["image"], ..Needs::default() };
    assert_eq!(classified(image(), "What is this?", false), Task::Vision);
    let tools = || Needs { tools: true, ..Needs::default() };
    assert_eq!(classified(tools(), "Book a table for two.", false), Task::ToolUse);
    assert_eq!(
        classified(tools(), "Write a function in Rust that parses JSON.", true),
        Task::Coding
    );
    let schema = Needs { format: Format::Schema, ..Needs::default() };
    assert_eq!(classified(schema, "John, 34, lives in Rome.", false), Task::Extraction);
    let long = Needs { prompt: 200_000, ..Needs::default() };
    assert_eq!(classified(long, "Hello", false), Task::LongContext);
}

#[test]
fn the_system_prompt_speaks_where_the_user_says_little() {
    let needs = Needs::default();
    let system = "You are a coding assistant. Answer with code in TypeScript.";
    let clues = Clues { text: "Make it faster.", system, needs: &needs, has_results: false };
    let verdict = classify(&clues);
    assert_eq!(verdict.task, Task::Coding);
    assert!(verdict.signals.contains(&"word: typescript".to_owned()), "{:?}", verdict.signals);
}

#[test]
fn long_and_odd_texts_end() {
    for text in ["a ".repeat(2_000_000), "漢".repeat(1_000_000), "\u{0}".repeat(1_000_000)] {
        assert_eq!(task(&text), Task::Chat);
    }
    assert_eq!(task(&"```".repeat(500_000)), Task::Coding);
}

#[test]
fn names_are_those_of_the_options() {
    for task in Task::ALL {
        assert_eq!(serde_json::to_value(task).unwrap(), task.name());
    }
}
