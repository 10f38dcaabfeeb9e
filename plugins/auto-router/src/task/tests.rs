//! What requests are taken for.

use super::{Clues, Task, classify};
use crate::needs::{Format, Needs};

fn task(text: &str) -> Task {
    let needs = Needs::default();
    classify(&Clues { text, system: "", needs: &needs, has_results: false }).task
}

#[test]
fn what_people_write_is_taken_for_what_it_is() {
    let wrong: Vec<_> = PROMPTS
        .iter()
        .filter(|(wanted, text)| task(text) != *wanted)
        .map(|(_, text)| (text, task(text)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const PROMPTS: &[(Task, &str)] = &[
    (Task::Coding, "Write a Python function that reverses a linked list."),
    (Task::Coding, "Why does this not compile?\n```rust\nlet x: u32 = -1;\n```"),
    (Task::Coding, "Schreibe eine Funktion in JavaScript, die ein Datum formatiert."),
    (Task::Coding, "Refactor this class so that the database queries run in one transaction."),
    (Task::Coding, "用Python写一个快速排序函数"),
    (Task::Coding, "Напиши функцию на Python для сортировки списка"),
    (Task::Coding, "fn main() {\n    let x = 5;\n    println!(\"{x}\");\n}\nwhat's the output"),
    (Task::Coding, "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'"),
    (Task::Coding, "How do I write a SQL query that joins three tables?"),
    (Task::Math, "Solve the equation x^2 - 5x + 6 = 0."),
    (Task::Math, "What is 17*23?"),
    (Task::Math, "Berechne die Ableitung von sin(x)."),
    (Task::Math, "Evaluate \\int_0^1 x^2 dx"),
    (Task::Math, "Prove that there are infinitely many prime numbers."),
    (Task::Math, "计算积分"),
    (Task::Reasoning, "Think step by step: three people cross a bridge at night, who goes first?"),
    (Task::Reasoning, "Compare the pros and cons of renting and buying a house."),
    (Task::Reasoning, "Analysiere die Vor- und Nachteile der Strategie."),
    (Task::Translation, "Translate to German: The weather is nice today."),
    (Task::Translation, "Übersetze ins Englische: Guten Morgen!"),
    (Task::Translation, "Traduis cette phrase en anglais : Je suis fatigué."),
    (Task::Translation, "把这句话翻译成英文:你好"),
    (Task::Translation, "次の文を英語に翻訳してください"),
    (Task::Translation, "Переведи на английский: доброе утро"),
    (Task::Summarization, "Summarize the following article in three bullet points."),
    (Task::Summarization, "Fasse den Text in drei Sätzen zusammen."),
    (Task::Summarization, "Résume ce texte en deux phrases."),
    (Task::Summarization, "请总结以下内容"),
    (Task::Extraction, "Extract all names and dates from this letter."),
    (Task::Extraction, "Classify each review by sentiment."),
    (Task::Writing, "Write a short poem about autumn."),
    (Task::Writing, "Schreibe ein Gedicht über den Herbst."),
    (Task::Writing, "Escribe un cuento para niños."),
    (Task::Writing, "Write a polite email to my landlord."),
    (Task::Writing, "写一首关于春天的诗"),
    (Task::Roleplay, "You are a character in a fantasy novel. Stay in character."),
    (Task::Question, "What is the capital of Australia?"),
    (Task::Question, "Was ist die Hauptstadt von Peru?"),
    (Task::Question, "Qui est le président du Sénat ?"),
    (Task::Coding, "My React component re-renders on every keystroke, how can I stop that?"),
    (Task::Coding, "Give me a regex that matches email addresses"),
    (Task::Coding, "Explique-moi cette erreur: TypeError: undefined is not a function"),
    (Task::Coding, "Convert this bash script to PowerShell"),
    (Task::Coding, "Dockerfile for a Flask app please"),
    (Task::Math, "Find the limit of (1+1/n)^n as n goes to infinity"),
    (Task::Math, "If a train travels 60 km in 45 minutes, what is its average speed? Calculate."),
    (Task::Math, "Löse das Gleichungssystem: 2x+3y=7, x-y=1"),
    (Task::Reasoning, "Should we use microservices or a monolith? Weigh the trade-offs."),
    (Task::Reasoning, "Plan a 10-day trip through Italy with two kids, compare train and car"),
    (Task::Translation, "How do you say 'thank you' in Korean? Translate it please"),
    (Task::Summarization, "Give me a TL;DR of this thread"),
    (Task::Summarization, "What are the key points of this paper?"),
    (Task::Summarization, "以下の記事を要約してください"),
    (Task::Extraction, "Pull out all invoice numbers and totals and return them as JSON"),
    (Task::Extraction, "Classify this support ticket as billing, technical or other"),
    (Task::Writing, "Proofread and improve the tone of this email"),
    (Task::Writing, "Formuliere eine freundliche Absage an einen Bewerber"),
    (Task::Writing, "Give me 5 slogans for a coffee shop"),
    (Task::Roleplay, "Pretend to be my grandmother"),
    (Task::Question, "How many moons does Jupiter have?"),
    (Task::Question, "Wann wurde die Berliner Mauer gebaut?"),
    (Task::Question, "¿Quién escribió Don Quijote?"),
    (Task::Question, "东京的人口是多少？"),
    (Task::Question, "Is it safe to eat raw eggs?"),
    (Task::Chat, "Good morning! How are you today?"),
    (Task::Chat, "Danke dir!"),
    (Task::Chat, "Tell me a joke"),
    (Task::Chat, "Hello!"),
    (Task::Chat, "Hi, I had a long day."),
    (Task::Chat, "ok thanks"),
    (Task::Chat, ""),
];

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
