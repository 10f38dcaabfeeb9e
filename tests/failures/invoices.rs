//! Failure: tokens that were cached, thought or heard are billed twice or at another kind's price,
//! and a streamed reply costs something else than the same reply in one piece.
//!
//! The counts are the ones that each provider's documents show, with numbers of ours; the sums are
//! made by hand from [`PRICE`].

use serde_json::{Value, json};

use crate::answers::{ask, record, settled};
use crate::harness::{Double, Gateway};
use crate::transcript::Transcript;

/// USD per million tokens.
const PRICE: &str = "price = { prompt = \"3\", completion = \"15\", cache_read = \"0.028\", \
                     cache_write = \"3.75\", cache_write_1h = \"6\", audio_prompt = \"7\", \
                     audio_completion = \"20\" }";

/// A reply's counts and what it costs.
struct Invoice {
    name: &'static str,
    dialect: &'static str,
    /// What a whole reply says, and a stream at its end.
    counts: Value,
    /// What a stream says before.
    before: Option<Value>,
    nanos: i64,
}

fn invoices() -> Vec<Invoice> {
    openai().into_iter().chain(others()).chain(anthropic()).collect()
}

/// One that counts the same at every place.
fn invoice(name: &'static str, dialect: &'static str, counts: Value, nanos: i64) -> Invoice {
    Invoice { name, dialect, counts, before: None, nanos }
}

/// Hosts of OpenAI's dialects.
fn openai() -> Vec<Invoice> {
    vec![
        // 760 x 3 + 200 x 0.028 + 40 x 7, and 270 x 15 + 30 x 20.
        invoice(
            "openai-audio",
            "openai-chat",
            json!({"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
                "prompt_tokens_details": {"cached_tokens": 200, "audio_tokens": 40},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 30,
                    "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}),
            7_215_600,
        ),
        // 800 x 3 + 200 x 0.028 + 300 x 15; the thought is part of the 300.
        invoice(
            "openai-reasoning",
            "openai-chat",
            json!({"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
                "prompt_tokens_details": {"cached_tokens": 200, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 120, "audio_tokens": 0}}),
            6_905_600,
        ),
        invoice(
            "deepseek",
            "openai-chat",
            json!({"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
                "prompt_cache_hit_tokens": 200, "prompt_cache_miss_tokens": 800,
                "completion_tokens_details": {"reasoning_tokens": 120}}),
            6_905_600,
        ),
        // xAI counts the thought beside the completion.
        invoice(
            "xai",
            "openai-chat",
            json!({"prompt_tokens": 1000, "completion_tokens": 180, "total_tokens": 1300,
                "prompt_tokens_details": {"text_tokens": 1000, "audio_tokens": 0,
                    "image_tokens": 0, "cached_tokens": 200},
                "completion_tokens_details": {"reasoning_tokens": 120, "audio_tokens": 0}}),
            6_905_600,
        ),
        // 700 x 3 + 200 x 0.028 + 100 x 3.75 + 300 x 15.
        invoice(
            "openrouter",
            "openai-chat",
            json!({"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
                "prompt_tokens_details": {"cached_tokens": 200, "cache_write_tokens": 100}}),
            6_980_600,
        ),
        invoice(
            "responses",
            "openai-responses",
            json!({"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 200},
                "output_tokens": 300, "output_tokens_details": {"reasoning_tokens": 120},
                "total_tokens": 1300}),
            6_905_600,
        ),
        invoice(
            "completions",
            "openai-completions",
            json!({"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
                "prompt_tokens_details": {"cached_tokens": 200}}),
            6_905_600,
        ),
    ]
}

fn others() -> Vec<Invoice> {
    let bedrock = json!({"inputTokens": 650, "outputTokens": 300, "totalTokens": 1300,
        "cacheReadInputTokens": 200, "cacheWriteInputTokens": 150,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 100}, {"ttl": "1h", "inputTokens": 50}]});
    vec![
        // 650 x 3 + 200 x 0.028 + 100 x 3.75 + 50 x 6 + 300 x 15.
        invoice("bedrock", "bedrock-converse", bedrock, 7_130_600),
        // 770 x 3 + 200 x 0.028 + 40 x 7, and 270 x 15 + 30 x 20: thoughts and what tools read are
        // counted beside.
        invoice(
            "gemini",
            "gemini-generate",
            json!({"promptTokenCount": 1000, "cachedContentTokenCount": 200,
                "candidatesTokenCount": 180, "thoughtsTokenCount": 120,
                "toolUsePromptTokenCount": 10, "totalTokenCount": 1310,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 960},
                    {"modality": "AUDIO", "tokenCount": 40}],
                "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 150},
                    {"modality": "AUDIO", "tokenCount": 30}]}),
            7_245_600,
        ),
        // 990 x 3 + 250 x 15: Cohere's own prompt is not charged for, nor what is cached of it.
        invoice(
            "cohere",
            "cohere-chat",
            json!({"billed_units": {"input_tokens": 990, "output_tokens": 250},
                "tokens": {"input_tokens": 1500, "output_tokens": 300}, "cached_tokens": 1200}),
            6_720_000,
        ),
        // 1000 x 3 + 300 x 15.
        invoice(
            "ollama",
            "ollama-chat",
            json!({"prompt_eval_count": 1000, "eval_count": 300}),
            7_500_000,
        ),
    ]
}

/// Anthropic's streams count twice: older models say only what was written at the end.
fn anthropic() -> [Invoice; 3] {
    let split = json!({"input_tokens": 650, "cache_creation_input_tokens": 150,
        "cache_read_input_tokens": 200, "output_tokens": 300, "service_tier": "standard",
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 50}});
    let at_start = |counts: &Value| {
        let mut counts = counts.clone();
        counts["output_tokens"] = json!(1);
        counts
    };
    let mut joined = split.clone();
    joined.as_object_mut().unwrap().remove("cache_creation");
    let dialect = "anthropic-messages";
    let invoice = |name, counts: &Value, before, nanos| Invoice {
        name,
        dialect,
        counts: counts.clone(),
        before,
        nanos,
    };
    [
        invoice("anthropic", &split, Some(at_start(&split)), 7_130_600),
        invoice("anthropic-repeated", &split, None, 7_130_600),
        // Without the split all 150 are of five minutes: 650 x 3 + 200 x 0.028 + 150 x 3.75 + 4500.
        invoice("anthropic-joined", &joined, Some(at_start(&joined)), 7_018_100),
    ]
}

impl Invoice {
    fn script(&self) -> Value {
        let transcript = Transcript::chat(self.dialect);
        let mut body: Value = serde_json::from_str(&transcript.body).unwrap();
        put(&mut body, &self.counts);
        let last = transcript.events.iter().rposition(|it| counts(it)).unwrap();
        let events = transcript.events.iter().enumerate().map(|(at, event)| {
            let Some(start) = event.find('{').filter(|_| counts(event)) else {
                return event.clone();
            };
            let (head, json) = event.split_at(start);
            let mut value: Value = serde_json::from_str(json).unwrap();
            let is_over = at == last;
            let of_end;
            let counts = match &self.before {
                Some(before) if !is_over => before,
                // What was told at the start is not repeated.
                Some(_) => {
                    of_end = json!({"output_tokens": self.counts["output_tokens"]});
                    &of_end
                }
                None => &self.counts,
            };
            put(&mut value, counts);
            format!("{head}{value}{}", &json[json.trim_end().len()..])
        });
        let events: Vec<String> = events.collect();
        json!({"whole": {"body": body}, "stream": transcript.stream_of(&events, &json!({}))})
    }
}

/// Whether an event counts something.
fn counts(event: &str) -> bool {
    ["\"usage\":{", "\"usageMetadata\":{", "\"eval_count\":"].iter().any(|it| event.contains(it))
}

/// Replaces the counts wherever they stand.
fn put(value: &mut Value, counts: &Value) {
    match value {
        Value::Object(fields) if fields.contains_key("eval_count") => {
            fields.extend(counts.as_object().unwrap().clone());
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "usage" | "usageMetadata" if value.is_object() => *value = counts.clone(),
                    _ => put(value, counts),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| put(value, counts)),
        _ => {}
    }
}

#[tokio::test]
async fn every_kind_of_token_is_billed_once_at_its_own_price_streamed_or_not() {
    let double = Double::start();
    let mut config = String::new();
    for invoice in invoices() {
        double.script(invoice.name, &invoice.script()).await;
        let model = double.model(invoice.name, invoice.dialect, true);
        config.push_str(&model.replace("price = { prompt = \"1\", completion = \"2\" }", PRICE));
    }
    let gateway = Gateway::start(&config).await;
    let (mut wrong, mut sum) = (Vec::new(), 0);
    for invoice in invoices() {
        let name = invoice.name;
        let (status, whole) = gateway.chat(&ask(name)).await;
        assert_eq!(status, 200, "{name}: {whole}");
        let streamed = gateway.stream(&ask(name)).await;
        assert_eq!(*streamed.usage(), whole["usage"], "{name}: streamed and not");
        for id in [&whole["id"], &streamed.chunks[0]["id"]] {
            let record = record(&gateway, id.as_str().unwrap()).await;
            for (place, cost) in
                [("told", &whole["usage"]["cost"]), ("recorded", &record["total_cost"])]
            {
                if nanos(cost) != invoice.nanos {
                    wrong.push(format!("{name}: {} {place}, {}", nanos(cost), invoice.nanos));
                }
            }
            assert_eq!(record["is_estimated"], false, "{name}: {record}");
            sum += invoice.nanos;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(nanos(&settled(&gateway).await["total_usage"]), sum);
}

/// As an integer, which floats of this size are exact to.
fn nanos(usd: &Value) -> i64 {
    format!("{:.0}", usd.as_f64().unwrap() * 1e9).parse().unwrap()
}
