//! What is known of a model or an endpoint beside how it is asked: closed lists in OpenRouter's
//! words, so that a misspelt one fails to read. All of it is optional in the data.

use serde::{Deserialize, Serialize};

/// The family whose tokenizer a model has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Tokenizer {
    Router,
    Media,
    #[default]
    Other,
    #[serde(rename = "GPT")]
    Gpt,
    Claude,
    Gemini,
    Gemma,
    Grok,
    Cohere,
    Nova,
    Qwen,
    Yi,
    DeepSeek,
    Mistral,
    Llama2,
    Llama3,
    Llama4,
    #[serde(rename = "PaLM")]
    Palm,
    #[serde(rename = "RWKV")]
    Rwkv,
    Qwen3,
}

/// The template that turns messages into a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum InstructType {
    None,
    Airoboros,
    Alpaca,
    AlpacaModif,
    Chatml,
    Claude,
    CodeLlama,
    Gemma,
    Llama2,
    Llama3,
    Mistral,
    Nemotron,
    Neural,
    Openchat,
    Phi3,
    Rwkv,
    Vicuna,
    Zephyr,
    #[serde(rename = "deepseek-r1")]
    DeepseekR1,
    #[serde(rename = "deepseek-v3.1")]
    DeepseekV31,
    Qwq,
    Qwen3,
}

/// How many bits an endpoint keeps of each weight, and in which form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Quantization {
    Int4,
    Int8,
    Fp4,
    Mxfp4,
    Nvfp4,
    Fp6,
    Fp8,
    Mxfp8,
    Fp16,
    Bf16,
    Fp32,
    #[default]
    Unknown,
}

impl Quantization {
    /// Every one with its name on the wire.
    pub const ALL: [(Self, &'static str); 12] = [
        (Self::Int4, "int4"),
        (Self::Int8, "int8"),
        (Self::Fp4, "fp4"),
        (Self::Mxfp4, "mxfp4"),
        (Self::Nvfp4, "nvfp4"),
        (Self::Fp6, "fp6"),
        (Self::Fp8, "fp8"),
        (Self::Mxfp8, "mxfp8"),
        (Self::Fp16, "fp16"),
        (Self::Bf16, "bf16"),
        (Self::Fp32, "fp32"),
        (Self::Unknown, "unknown"),
    ];

    /// The one of that name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(one, _)| *one)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or("unknown", |(_, name)| name)
    }

    /// Whether a client that asks for this one means `other` too: the plain name of four or eight
    /// bits stands for its block formats.
    pub fn means(self, other: Self) -> bool {
        self == other
            || matches!(
                (self, other),
                (Self::Fp4, Self::Mxfp4 | Self::Nvfp4) | (Self::Fp8, Self::Mxfp8)
            )
    }
}

/// Where an endpoint promises to keep what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// The European Union.
    Eu,
    /// The United States.
    Us,
}

/// What a model's maker advises where a request says nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are those of the parameters")]
pub struct DefaultParameters {
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u32>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    pub repetition_penalty: Option<f64>,
}
