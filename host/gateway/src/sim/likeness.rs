//! The simulated vectors and rankings: the same words make the same numbers, and texts that share
//! words are near each other. They know no meaning.

use serde_json::{Value, json};

/// Answers a request for vectors in OpenAI's form.
pub(super) fn embeddings(asked: &Value) -> Value {
    let inputs = match asked.get("input") {
        Some(Value::Array(inputs)) => inputs.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let dimensions = asked.get("dimensions").and_then(Value::as_u64);
    let dimensions = dimensions.and_then(|it| usize::try_from(it).ok()).unwrap_or(DIMENSIONS);
    let dimensions = dimensions.clamp(1, DIMENSIONS_MAX);
    let texts: Vec<String> = inputs.iter().map(text_of).collect();
    let row = |(index, text): (usize, &String)| json!({"object": "embedding", "index": index, "embedding": vector(text, dimensions)});
    let rows: Vec<Value> = texts.iter().enumerate().map(row).collect();
    let tokens: usize = texts.iter().map(|text| words(text).count()).sum();
    json!({"object": "list", "model": "sim-embed", "data": rows,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})
}

/// Answers a request for a ranking in Cohere's form.
pub(super) fn ranking(asked: &Value) -> Value {
    let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let query = vector(text("query"), DIMENSIONS);
    let documents = asked.get("documents").and_then(Value::as_array);
    let score = |document: &Value| {
        let other = vector(&text_of(document), DIMENSIONS);
        query.iter().zip(&other).map(|(left, right)| left * right).sum::<f32>()
    };
    let rows = documents.into_iter().flatten().enumerate();
    let rows = rows.map(|(index, document)| {
        json!({"index": index, "relevance_score": (score(document) + 1.0) / 2.0})
    });
    json!({"results": rows.collect::<Vec<_>>(), "meta": {"billed_units": {"search_units": 1}}})
}

fn text_of(input: &Value) -> String {
    match input {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            fields.get("text").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        other => other.to_string(),
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Each word adds to one place of the vector, up or down; the whole has length one.
fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimensions];
    for word in words(text) {
        let hash = hash(&word);
        let place = usize::try_from(hash >> 1).unwrap_or_default() % dimensions;
        if let Some(number) = vector.get_mut(place) {
            *number += if hash & 1 == 0 { 1.0 } else { -1.0 };
        }
    }
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    } else if let Some(first) = vector.first_mut() {
        *first = 1.0;
    }
    vector
}

/// FNV-1a, stirred, for it leaves the high bits of short words alike: the same on every machine,
/// cut to what any `usize` holds.
fn hash(word: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    let stirred = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (stirred ^ (stirred >> 33)) >> 33
}

/// The length of a vector, where none is asked for.
const DIMENSIONS: usize = 256;

/// Longer ones are not made.
const DIMENSIONS_MAX: usize = 4096;
