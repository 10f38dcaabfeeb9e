//! What is known of models: how a family marks its thoughts in the text, and by which words it is
//! asked to think more or less. Facts from the models' own chat templates and cards.
//!
//! To add a family: one entry in [`FAMILIES`]. Marks that mean nothing else go to [`COMMON`], which
//! count for every model, since a gateway often knows a model only by the name its operator gave it.

/// A family of models.
#[derive(Debug)]
pub(crate) struct Family {
    /// What the option `family` calls it.
    pub(crate) name: &'static str,
    /// Parts of model ids in lower case; `*` stands for anything.
    models: &'static [&'static str],
    /// Marks that only this family has, beside [`COMMON`].
    pub(crate) tags: &'static [Tag],
    /// What stands around its answer.
    pub(crate) wrappers: &'static [(&'static str, &'static str)],
    /// How it is asked to think.
    pub(crate) hint: Hint,
}

/// What begins a thought, and the marks any of which ends it.
pub(crate) type Tag = (&'static str, &'static [&'static str]);

/// How a model is told in words to think, or not to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hint {
    /// It can't be told: it always thinks, or only its template can switch it.
    None,
    /// By a line of the system prompt for on and for off.
    System(&'static str, &'static str),
    /// By a line of the system prompt that names the effort.
    Level,
    /// By a word at the end of the user's last message. An empty word is the model's default.
    UserEnd(&'static str, &'static str),
    /// By a word before the user's last message.
    UserStart(&'static str, &'static str),
    /// By being asked to write its thoughts between tags.
    Ask,
}

/// The family of that name, or none.
pub(crate) fn by_name(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}

/// The family of a model; the first that fits. Case does not count.
pub(crate) fn by_model(model: &str) -> Option<&'static Family> {
    let model = model.to_lowercase();
    FAMILIES.iter().find(|family| family.models.iter().any(|pattern| fits(pattern, &model)))
}

fn fits(pattern: &str, model: &str) -> bool {
    let found = pattern
        .split('*')
        .try_fold(model, |rest, part| rest.split_once(part).map(|(_, behind)| behind));
    found.is_some()
}

/// Marks that count for every model.
pub(crate) const COMMON: &[Tag] = &[
    ("<think>", &["</think>"]),
    ("<thinking>", &["</thinking>"]),
    ("<reasoning>", &["</reasoning>"]),
    ("◁think▷", &["◁/think▷"]),
    ("[THINK]", &["[/THINK]"]),
    ("<seed:think>", &["</seed:think>"]),
    ("<mm:think>", &["</mm:think>"]),
    ("<|START_THINKING|>", &["<|END_THINKING|>"]),
    ("<|inner_prefix|>", &["<|inner_suffix|>"]),
    ("<|channel>thought\n", &["<channel|>"]),
];

/// All families, the narrower first.
pub(crate) const FAMILIES: &[Family] = &[
    Family { hint: Hint::Level, ..Family::new("gpt-oss", &["gpt-oss"]) },
    // These Qwens think always or never, or their template alone switches them.
    Family::new(
        "qwen-fixed",
        &["qwen3-*-2507", "qwen3-next", "qwen3-coder", "qwen3-vl", "qwen3.", "qwen3-*-thinking"],
    ),
    Family { hint: Hint::UserEnd("/think", "/no_think"), ..Family::new("qwen3", &["qwen3"]) },
    Family::new("deepseek", &["deepseek-r1", "r1-distill", "deepseek-v3.", "deepseek-v4", "qwq"]),
    Family {
        tags: &[("<|open|>think<|sep|>", &["<|close|>think<|sep|>"])],
        wrappers: &[("<|open|>response<|sep|>", "<|close|>response<|sep|>")],
        ..Family::new("kimi-k3", &["kimi-k3"])
    },
    Family::new("kimi", &["kimi-*-thinking", "kimi-thinking", "kimi-k2.5"]),
    Family {
        tags: &[("Here is my thought process:", GRANITE), ("Here's my thought process:", GRANITE)],
        wrappers: &[("<response>", "</response>")],
        hint: Hint::Ask,
        ..Family::new("granite", &["granite"])
    },
    Family::new("mistral", &["magistral", "ministral*reasoning", "mistral-small-4"]),
    Family::new("seed", &["seed-oss"]),
    Family {
        wrappers: &[("<response>", "</response>")],
        ..Family::new("ernie", &["ernie-4.5*thinking", "ernie-4.5-vl"])
    },
    Family {
        wrappers: &[("<answer>", "</answer>")],
        hint: Hint::UserStart("/think", "/no_think"),
        ..Family::new("hunyuan", &["hunyuan"])
    },
    Family {
        wrappers: &[("<|START_RESPONSE|>", "<|END_RESPONSE|>")],
        ..Family::new("command-a", &["command-a"])
    },
    Family {
        hint: Hint::System("/think", "/no_think"),
        ..Family::new(
            "nemotron-v2",
            &["nemotron*-49b-v1.5", "nemotron-nano-9b-v2", "nemotron-nano-12b-v2"],
        )
    },
    Family {
        hint: Hint::System("detailed thinking on", "detailed thinking off"),
        ..Family::new(
            "nemotron",
            &["nemotron*-49b-v1", "nemotron*-253b-v1", "nemotron*-8b-v1", "nemotron*-4b-v1"],
        )
    },
    Family::new("nemotron-3", &["nemotron-3"]),
    Family {
        tags: &[("<thought>", &["</thought>"])],
        ..Family::new("exaone", &["exaone-deep", "exaone-4"])
    },
    Family { hint: Hint::UserEnd("", "/nothink"), ..Family::new("glm", &["glm-4.5", "glm-4.6"]) },
    Family { hint: Hint::System("/think", "/no_think"), ..Family::new("smollm", &["smollm3"]) },
    Family::new("apertus", &["apertus"]),
    Family::new("minimax", &["minimax-m"]),
    Family::new("gemma", &["gemma-4"]),
    Family::new(
        "other",
        &["phi-4*reasoning", "olmo-3*think", "-thinking", ":thinking", "-reasoning"],
    ),
];

/// Granite 3.2 marks the end of its thoughts by a sentence.
const GRANITE: &[&str] = &["Here is my response:", "Here's my response:"];

impl Family {
    /// One with the common marks, that can't be told to think.
    const fn new(name: &'static str, models: &'static [&'static str]) -> Self {
        Self { name, models, tags: &[], wrappers: &[], hint: Hint::None }
    }
}

#[cfg(test)]
mod tests {
    use super::{FAMILIES, by_model, by_name};

    #[test]
    fn models_are_found_by_their_ids() {
        let cases = [
            ("openai/gpt-oss-20b", "gpt-oss"),
            ("Qwen/Qwen3-8B", "qwen3"),
            ("qwen/qwen3-235b-a22b-thinking-2507", "qwen-fixed"),
            ("qwen/qwen3.5-397b-a17b", "qwen-fixed"),
            ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "deepseek"),
            ("qwen/qwq-32b", "deepseek"),
            ("moonshotai/kimi-vl-a3b-thinking", "kimi"),
            ("ibm-granite/granite-3.2-8b-instruct", "granite"),
            ("mistralai/magistral-small-2506", "mistral"),
            ("tencent/hunyuan-a13b-instruct", "hunyuan"),
            ("nvidia/llama-3.3-nemotron-super-49b-v1.5", "nemotron-v2"),
            ("nvidia/llama-3.3-nemotron-super-49b-v1", "nemotron"),
            ("z-ai/glm-4.5-air", "glm"),
        ];
        for (model, name) in cases {
            assert_eq!(by_model(model).map(|family| family.name), Some(name), "{model}");
        }
        assert!(by_model("nvidia/llama-3.1-nemotron-70b-instruct").is_none());
        assert!(by_model("acme/small").is_none());
    }

    #[test]
    fn the_schema_names_every_family() {
        let schema: serde_json::Value = serde_json::from_str(crate::OPTIONS).unwrap();
        let named: Vec<_> = schema["properties"]["family"]["enum"].as_array().unwrap().clone();
        let known: Vec<_> = FAMILIES.iter().map(|family| serde_json::json!(family.name)).collect();
        assert_eq!(named, known);
        assert!(by_name("granite").is_some());
    }
}
