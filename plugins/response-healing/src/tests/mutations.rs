//! Mistakes made by rule: every bracket, comma, colon and quote of sound texts is left out, doubled
//! or exchanged. With a schema that fits closely, nothing may heal to another value.

use crate::reply::{Reply, Wanted, whole};
use crate::schema::Schema;
use serde_json::{Value, json};

fn documents() -> Vec<Value> {
    vec![
        json!({"name": "Ada Lovelace", "age": 36, "languages": ["English", "French"],
               "address": {"city": "London", "zip": "W1", "geo": [51.5, -0.12]}, "active": true}),
        json!({"sentiment": "positive", "reasons": ["The tone is warm, and friendly.",
               "It says \"great\" twice."], "score": 0.93}),
        json!({"rows": [{"text": "Paris", "start": 0}, {"text": "UNESCO", "start": 20}]}),
        json!({"matrix": [[1, 2, 3], [4, 5, 6]], "note": "", "none": null}),
        json!({"code": "f(x) {\n  return x[0] + \", \" + x[1];\n}", "params": {}, "limit": 10}),
    ]
}

/// A schema that fits values like this one only.
fn closely(value: &Value) -> Value {
    match value {
        Value::Null => json!({"type": "null"}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(_) => json!({"type": "number"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => match items.first() {
            Some(first) => json!({"type": "array", "items": closely(first)}),
            None => json!({"type": "array"}),
        },
        Value::Object(fields) => {
            let keys: Vec<&String> = fields.keys().collect();
            let properties: serde_json::Map<String, Value> =
                fields.iter().map(|(key, value)| (key.clone(), closely(value))).collect();
            json!({"type": "object", "properties": properties, "required": keys,
                   "additionalProperties": false})
        }
    }
}

/// Where brackets, commas, colons and quotes stand that mean something.
fn marks(text: &str) -> Vec<(usize, char)> {
    let (mut is_text, mut is_escaped) = (false, false);
    let is_mark = |&(_, character): &(usize, char)| {
        if std::mem::take(&mut is_escaped) {
            return false;
        }
        is_escaped = is_text && character == '\\';
        is_text ^= character == '"';
        character == '"' || (!is_text && "{}[],:".contains(character))
    };
    text.char_indices().filter(is_mark).collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "the share that heals is what this is run for")]
fn one_mistake_in_a_sound_text_heals_to_that_text_or_not_at_all() {
    let (mut count, mut healed) = (0, 0);
    for document in documents() {
        let wanted = Wanted::new(Some(Schema::read(&closely(&document).to_string()).unwrap()));
        for text in [document.to_string(), format!("{document:#}")] {
            for (at, mark) in marks(&text) {
                let (before, after) = (&text[..at], &text[at + mark.len_utf8()..]);
                let twice = format!("{mark}{mark}");
                let others = if mark == '"' {
                    // Anything else in a quote's place is a character of the text.
                    vec!["", "'", "“", &twice]
                } else {
                    vec!["", ";", "}", "]", ",", "{", "[", ")", &twice]
                };
                for other in others {
                    let broken = format!("{before}{other}{after}");
                    if serde_json::from_str::<Value>(&broken).is_ok() {
                        continue;
                    }
                    count += 1;
                    let (held, outcome) = whole(&broken, false, &wanted);
                    let mut reply = Reply::new(wanted.clone());
                    let mut live = reply.push(&broken);
                    live.push_str(&reply.end(false).0);
                    healed += usize::from(outcome.is_good());
                    for out in [held, live] {
                        let Ok(value) = serde_json::from_str::<Value>(&out) else { continue };
                        let fits = wanted.schema.as_ref().unwrap().check(&value);
                        let is_wrong = value != document && fits == crate::schema::Fit::Fits;
                        assert!(!is_wrong, "{broken}\nbecame\n{out}");
                    }
                }
            }
        }
    }
    println!("{healed} of {count} single mistakes healed, none to another value");
}
