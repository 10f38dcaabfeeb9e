//! The families of chat templates: what each calls its tokens, and what its format documents.

use crate::provider::ChatTemplate;

/// What is particular about a family.
#[derive(Debug)]
pub(super) struct Family {
    /// The template's text; none: texts are joined.
    pub(super) template: Option<&'static str>,
    /// Texts that end a turn, and with it the reply.
    pub(super) stops: &'static [&'static str],
    /// Where the system prompt stands.
    pub(super) system: System,
    /// Whether turns of one speaker that follow each other are one.
    pub(super) alternates: bool,
    /// Whether the family's own templates strip what people say of white space.
    pub(super) trims: bool,
    /// How tools are called.
    pub(super) calls: Calls,
    /// Control tokens that have no common form.
    pub(super) tokens: &'static [&'static str],
    /// What control tokens of the common form begin and end with.
    pub(super) fences: &'static [(&'static str, &'static str)],
}

/// Where the system prompt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// In turns of its own, wherever they come.
    Turns,
    /// Before all turns; later ones are the user's.
    First,
    /// The family has none: before the first user turn's words.
    FirstUser,
    /// Before the last user turn's words.
    LastUser,
}

/// How tools are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calls {
    /// The family's format documents none.
    None,
    /// `<tool_call>{"name", "arguments"}</tool_call>`, each.
    Tagged,
    /// The reply is `{"name", "parameters"}`.
    Bare,
    /// `[TOOL_CALLS]` and a list of `{"name", "arguments", "id"}`.
    Listed,
}

/// What a template's family is.
pub(super) fn family(template: ChatTemplate) -> &'static Family {
    match template {
        ChatTemplate::Chatml => &CHATML,
        ChatTemplate::Llama3 => &LLAMA3,
        ChatTemplate::MistralV3 => &MISTRAL_V3,
        ChatTemplate::MistralV7 => &MISTRAL_V7,
        ChatTemplate::Gemma => &GEMMA,
        ChatTemplate::Deepseek => &DEEPSEEK,
        ChatTemplate::Raw => &RAW,
    }
}

static CHATML: Family = Family {
    template: Some(include_str!("templates/chatml.jinja")),
    stops: &["<|im_end|>", "<|endoftext|>"],
    system: System::Turns,
    alternates: false,
    trims: false,
    calls: Calls::Tagged,
    tokens: &[
        "<tools>",
        "</tools>",
        "<tool_call>",
        "</tool_call>",
        "<tool_response>",
        "</tool_response>",
    ],
    fences: PIPES,
};

static LLAMA3: Family = Family {
    template: Some(include_str!("templates/llama3.jinja")),
    stops: &["<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"],
    system: System::Turns,
    alternates: false,
    trims: true,
    calls: Calls::Bare,
    tokens: &[],
    fences: PIPES,
};

static MISTRAL_V3: Family = Family {
    template: Some(include_str!("templates/mistral_v3.jinja")),
    stops: &["</s>"],
    system: System::LastUser,
    alternates: true,
    trims: false,
    calls: Calls::Listed,
    tokens: MISTRAL_TOKENS,
    fences: &[],
};

static MISTRAL_V7: Family = Family {
    template: Some(include_str!("templates/mistral_v7.jinja")),
    stops: &["</s>"],
    system: System::Turns,
    alternates: true,
    trims: false,
    calls: Calls::Listed,
    tokens: MISTRAL_TOKENS,
    fences: &[],
};

static GEMMA: Family = Family {
    template: Some(include_str!("templates/gemma.jinja")),
    stops: &["<end_of_turn>", "<eos>"],
    system: System::FirstUser,
    alternates: true,
    trims: true,
    calls: Calls::None,
    tokens: &[
        "<start_of_turn>",
        "<end_of_turn>",
        "<bos>",
        "<eos>",
        "<pad>",
        "<unk>",
        "<mask>",
        "<start_of_image>",
        "<end_of_image>",
    ],
    fences: &[("<unused", ">")],
};

static DEEPSEEK: Family = Family {
    template: Some(include_str!("templates/deepseek.jinja")),
    stops: &["<｜end▁of▁sentence｜>"],
    system: System::First,
    alternates: true,
    trims: false,
    calls: Calls::None,
    tokens: &[],
    fences: &[("<｜", "｜>"), ("<|", "|>")],
};

static RAW: Family = Family {
    template: None,
    stops: &[],
    system: System::First,
    alternates: false,
    trims: false,
    calls: Calls::None,
    tokens: &[],
    fences: &[],
};

const PIPES: &[(&str, &str)] = &[("<|", "|>")];
const MISTRAL_TOKENS: &[&str] = &[
    "<s>",
    "</s>",
    "<unk>",
    "<pad>",
    "[INST]",
    "[/INST]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_CALLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CONTENT]",
    "[CALL_ID]",
    "[ARGS]",
    "[IMG]",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[AUDIO]",
    "[BEGIN_AUDIO]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[THINK]",
    "[/THINK]",
];
