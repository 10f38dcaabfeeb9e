//! What a model's verdict says. Models made for moderation each have a form of their own; all that
//! are known are read, whichever was asked for.

use serde_json::{Map, Value};

/// What a model found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) is_flagged: bool,
    /// The categories that it names, each with its score if it gives one.
    pub(crate) categories: Vec<(String, Option<f64>)>,
}

impl Finding {
    /// Reads a verdict; `None` if it is none.
    pub(crate) fn read(reply: &str) -> Option<Self> {
        let reply = reply.trim();
        json(reply).and_then(|value| Self::of_json(&value)).or_else(|| Self::of_text(reply))
    }

    /// The reasons that count; `None` if there is no objection.
    pub(crate) fn reasons(&self, wanted: Option<&[String]>, threshold: f64) -> Option<Vec<String>> {
        let is_wanted = |name: &str| {
            wanted.is_none_or(|wanted| wanted.iter().any(|it| it.eq_ignore_ascii_case(name)))
        };
        let has_scores = self.categories.iter().any(|(_, score)| score.is_some());
        let counts = |(name, score): &&(String, Option<f64>)| {
            is_wanted(name) && score.is_none_or(|score| score >= threshold)
        };
        let named: Vec<String> =
            self.categories.iter().filter(counts).map(|(name, _)| name.clone()).collect();
        match (named.is_empty(), has_scores) {
            (false, true) => Some(named),
            (false, false) => self.is_flagged.then_some(named),
            // Whoever objects without saying why objects to anything.
            (true, _) if self.is_flagged && self.categories.is_empty() => {
                Some(vec!["flagged".into()])
            }
            (true, _) => None,
        }
    }

    /// `safe`, `unsafe` and a line of categories (Llama Guard), `Safety: Unsafe` and `Categories:
    /// …` (Qwen3Guard), `Yes` or `No` (ShieldGemma, Granite Guardian).
    fn of_text(reply: &str) -> Option<Self> {
        let mut lines = reply.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next()?.to_ascii_lowercase();
        let word = first.strip_prefix("safety:").unwrap_or(&first).trim();
        let word = word.split(|it: char| !it.is_ascii_alphabetic()).next()?;
        let is_flagged = match word {
            "safe" | "no" => false,
            "unsafe" | "yes" | "controversial" => true,
            _ => return None,
        };
        let list = lines.next().filter(|_| is_flagged).unwrap_or_default();
        let list = list.strip_prefix("Categories:").unwrap_or(list);
        let names = list.split(',').map(str::trim).filter(|name| {
            !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.eq_ignore_ascii_case("none")
        });
        let categories = names.map(|name| (hazard(name).to_owned(), None)).collect();
        Some(Self { is_flagged, categories })
    }

    /// `flagged`, `categories` and `category_scores` as OpenAI's moderation has them, in `results`
    /// or not; or `unsafe`, `safe`, `violation`.
    fn of_json(value: &Value) -> Option<Self> {
        let object = value.get("results").and_then(|it| it.get(0)).unwrap_or(value).as_object()?;
        let flag = |name: &str| object.get(name).and_then(truth);
        let is_flagged = flag("flagged")
            .or_else(|| flag("unsafe"))
            .or_else(|| flag("violation"))
            .or_else(|| flag("safe").map(|is_safe| !is_safe));
        let categories = categories(object);
        let is_flagged = match is_flagged {
            Some(is_flagged) => is_flagged,
            // Scores alone are a verdict, a list of names alone is an objection.
            None => object
                .contains_key("category_scores")
                .then_some(false)
                .or_else(|| object.contains_key("categories").then_some(!categories.is_empty()))?,
        };
        Some(Self { is_flagged, categories })
    }
}

fn categories(object: &Map<String, Value>) -> Vec<(String, Option<f64>)> {
    if let Some(Value::Object(scores)) = object.get("category_scores") {
        return scores.iter().map(|(name, score)| (name.clone(), score.as_f64())).collect();
    }
    let names = ["categories", "category", "policy_category"];
    match names.iter().find_map(|name| object.get(*name)) {
        Some(Value::Object(map)) => map
            .iter()
            .filter(|(_, it)| it.is_number() || truth(it) == Some(true))
            .map(|(name, it)| (name.clone(), it.as_f64()))
            .collect(),
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).map(|name| (name.to_owned(), None)).collect()
        }
        Some(Value::String(name)) if !name.is_empty() => vec![(name.clone(), None)],
        _ => Vec::new(),
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => number.as_f64().map(|number| number > 0.0),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "unsafe" => Some(true),
            "false" | "no" | "safe" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The JSON object in a reply, whatever stands around it.
fn json(reply: &str) -> Option<Value> {
    let (from, to) = (reply.find('{')?, reply.rfind('}')?);
    serde_json::from_str(reply.get(from..=to)?).ok()
}

/// The name of one of Llama Guard's hazards (MLCommons).
fn hazard(code: &str) -> &str {
    match code {
        "S1" => "violent_crimes",
        "S2" => "non_violent_crimes",
        "S3" => "sex_related_crimes",
        "S4" => "child_sexual_exploitation",
        "S5" => "defamation",
        "S6" => "specialized_advice",
        "S7" => "privacy",
        "S8" => "intellectual_property",
        "S9" => "indiscriminate_weapons",
        "S10" => "hate",
        "S11" => "suicide_and_self_harm",
        "S12" => "sexual_content",
        "S13" => "elections",
        "S14" => "code_interpreter_abuse",
        other => other,
    }
}

const NAME_BYTES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::Finding;

    fn reasons(reply: &str) -> Option<Option<Vec<String>>> {
        Finding::read(reply).map(|finding| finding.reasons(None, 0.5))
    }

    #[test]
    fn the_forms_of_known_models_are_read() {
        let flagged: &[(&str, &[&str])] = &[
            ("unsafe\nS1,S10", &["violent_crimes", "hate"]),
            ("\n\n unsafe \n S99 ", &["S99"]),
            ("unsafe", &["flagged"]),
            ("Safety: Unsafe\nCategories: Violent, Jailbreak", &["Violent", "Jailbreak"]),
            ("Yes", &["flagged"]),
            ("yes, this is hateful", &["flagged"]),
            (r#"{"flagged":true,"categories":["violence"]}"#, &["violence"]),
            (r#"{"flagged":true,"categories":{"hate":false,"violence":true}}"#, &["violence"]),
            (r#"{"results":[{"flagged":true,"category_scores":{"hate":0.1,"x":0.9}}]}"#, &["x"]),
            ("```json\n{\"safe\": false}\n```", &["flagged"]),
            (r#"{"violation":1,"policy_category":"H2"}"#, &["H2"]),
            (r#"{"categories":["spam"]}"#, &["spam"]),
        ];
        for (reply, expected) in flagged {
            assert_eq!(
                reasons(reply),
                Some(Some(expected.iter().map(|it| (*it).into()).collect())),
                "{reply}"
            );
        }
        let fine = [
            "safe",
            "Safe.",
            "Safety: Safe\nCategories: None",
            "No",
            r#"{"flagged":false,"categories":["violence"]}"#,
            r#"{"flagged":true,"category_scores":{"hate":0.2}}"#,
            r#"{"violation":0}"#,
            r#"{"categories":[]}"#,
        ];
        for reply in fine {
            assert_eq!(reasons(reply), Some(None), "{reply}");
        }
        for reply in ["", "I cannot help with that.", "{}", "42", r#"{"flagged":"perhaps"}"#] {
            assert_eq!(reasons(reply), None, "{reply}");
        }
    }

    #[test]
    fn only_wanted_categories_count() {
        let finding = Finding::read("unsafe\nS1,S10").unwrap();
        let wanted = ["Hate".to_owned()];
        assert_eq!(finding.reasons(Some(&wanted), 0.5), Some(vec!["hate".into()]));
        assert_eq!(finding.reasons(Some(&["spam".into()]), 0.5), None);
    }
}
