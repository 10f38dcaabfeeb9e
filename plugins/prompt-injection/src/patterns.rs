//! The named patterns. Each is an expression for a text in lower case, in which `~` stands for what
//! stands between two words. They are built when a request has one of their triggers, so they are
//! written to be small: `*` and `+` rather than counts (the scanner bounds every match), and no
//! Unicode case.
//!
//! They look for what a sentence asks for, not for single words, so that talk about the subject
//! passes. To add one: a line here, a line in `options.json`, a sentence in the tests.

/// A pattern.
pub(crate) struct Pattern {
    /// As OpenRouter calls it.
    pub(crate) name: &'static str,
    /// Every match has one of these in it: a text without them needs no look.
    pub(crate) triggers: &'static [&'static str],
    pub(crate) expression: &'static str,
}

/// All of them.
pub(crate) const PATTERNS: &[Pattern] = &[
    // Direct override.
    Pattern {
        name: "ignore_previous_instructions",
        triggers: &["ignor"],
        expression: r"\bignor(?:e|es|ing)~(?:(?:all|any|the|of|your|my|these|those|every)~)*(?:(?:previous|prior|preceding|above|earlier|existing|original|initial|past|foregoing)~(?:\w+~){0,3}WHAT|WHAT~(?:\w+~){0,4}(?:above|before|earlier|previously|prior))\b|\bignore~(?:all|any|your|all~of~your|all~your)~WHAT\b|\bignore~(?:everything|all|what)~(?:\w+~){0,4}(?:above|before|earlier|previously)\b",
    },
    Pattern {
        name: "disregard_instructions",
        triggers: &["disregard"],
        expression: r"\bdisregard(?:s|ing)?~(?:(?:all|any|the|of|your|my|these|those|every|previous|prior|preceding|above|earlier|existing|original|initial|system)~)+(?:\w+~){0,2}WHAT\b|\bdisregard~(?:everything|all|what)~(?:\w+~){0,4}(?:above|before|earlier|previously)\b",
    },
    Pattern {
        name: "forget_instructions",
        triggers: &["forget"],
        expression: r"\bforget~(?:about~)?(?:(?:all|any|the|of|your|my|these|those|previous|prior|preceding|above|earlier|existing|original|initial|system)~)+(?:\w+~){0,2}WHAT\b|\bforget~(?:everything|all|anything|what)~(?:that~)?(?:you|i|we)~(?:\w+~){0,3}(?:told|said|know|learned|instructed|instructions)\b|\bforget~everything~(?:above|before|previous|prior)\b",
    },
    Pattern {
        name: "new_instructions",
        triggers: &["instruction"],
        expression: r"\b(?:new|updated|revised|real|actual)~(?:(?:system|important|urgent)~)?instructions?\s*:|\b(?:here~are|these~are|follow|obey|execute)~(?:(?:your|the|my|these)~)*new~(?:\w+~)?instructions\b",
    },
    Pattern {
        name: "do_not_follow",
        triggers: &["follow", "obey", "comply", "listen", "adher"],
        expression: r"\b(?:do~not|don'?t|never|stop|no~longer)~(?:follow(?:ing)?|obey(?:ing)?|comply(?:ing)?~with|listen(?:ing)?~to|adher(?:e|ing)~to)~(?:(?:all|any|the|these|those|of)~)*(?:your|previous|prior|above|system|original|earlier|initial|safety)~(?:\w+~){0,3}WHAT\b",
    },
    Pattern {
        name: "supersede_instructions",
        triggers: &["supersede", "precedence", "priority", "replace"],
        expression: r"\b(?:supersedes?|takes?~(?:precedence|priority)~over|replaces?)~(?:(?:all|any|the|your|every)~)*(?:previous|prior|above|earlier|existing|other|system|original|initial)~(?:\w+~){0,2}WHAT\b",
    },
    Pattern {
        name: "void_instructions",
        triggers: &["null", "void", "valid", "cancel", "revoke", "obsolete", "longer"],
        expression: r"\b(?:your|previous|prior|above|earlier|existing|original|initial|system)~(?:\w+~){0,2}WHAT~(?:\w+~){0,3}(?:are|is)~(?:(?:now|hereby|all)~)*(?:null|void|invalid|cancell?ed|revoked|obsolete|nullified|no~longer~(?:valid|in~effect|apply|binding))\b|\b(?:void|nullify|cancel|revoke)~(?:(?:all|any|the|your|of)~)*(?:previous|prior|above|earlier|existing|original|initial|system)~(?:\w+~){0,2}WHAT\b",
    },
    // Modes.
    Pattern {
        name: "developer_mode",
        triggers: &["mode"],
        expression: r"\b(?:enable|enter|activate|switch~(?:in)?to|(?:you~are|you're)~(?:now~)?(?:in|running~in)|turn~on|start|engage)~(?:the~)?(?:developer|dev|debug|god|root|admin|sudo)~mode\b|\b(?:developer|dev|god|root|sudo)~mode~(?:is~)?(?:now~)?(?:enabled|activated|output|engaged)\b",
    },
    Pattern {
        name: "enter_special_mode",
        triggers: &["mode"],
        expression: r"\b(?:enter|go~into|(?:you~are|you're)~(?:now~)?in)~(?:an?~|the~|your~)?SPECIAL~mode\b",
    },
    Pattern {
        name: "activate_special_mode",
        triggers: &["mode"],
        expression: r"\b(?:activate|enable|switch~(?:in)?to|turn~on|engage|unlock)~(?:an?~|the~|your~)?SPECIAL~mode\b",
    },
    // System override.
    Pattern {
        name: "system_override",
        triggers: &["overrid"],
        expression: r"\b(?:system|admin|administrator|root|developer|security)~override\b|\boverrid(?:e|es|ing)~(?:(?:the|all|any|your)~)*(?:system|safety|security|core|content|ethical)~(?:\w+~){0,2}(?:prompts?|settings?|protocols?|controls?|restrictions?|filters?|programming|polic(?:y|ies)|checks?)\b",
    },
    Pattern {
        name: "override_instructions",
        triggers: &["overrid"],
        expression: r"\boverrid(?:e|es|ing)~(?:(?:all|any|the|of|your|my|these|those|every|previous|prior|preceding|above|earlier|existing|original|initial)~)+(?:\w+~)?(?:WHAT|programming)\b",
    },
    // Prompt extraction.
    Pattern {
        name: "reveal_prompt",
        triggers: &["reveal", "disclose", "leak", "expose", "divulge"],
        expression: r"\b(?:reveal|disclose|leak|expose|divulge)~(?:to~)?(?:(?:me|us|all|of|the|your|its|any|full|entire|exact|complete|hidden|secret|original|initial|internal)~)+(?:SECRET~)?(?:prompts?|instructions?|guidelines?|directives?)\b",
    },
    Pattern {
        name: "show_prompt",
        triggers: &["prompt", "instruction", "directive", "message"],
        expression: r"\b(?:show|print|display|give|tell|send|share|write~(?:out|down))~(?:(?:me|us|all|of|the|your|its|full|entire|exact|complete)~)*(?:SECRET~(?:prompts?|instructions?|messages?)|your~(?:\w+~)?(?:prompt|instructions|directives))\b",
    },
    Pattern {
        name: "what_instructions",
        triggers: &["prompt", "instruction", "directive", "guideline", "rules"],
        expression: r"\bwhat(?:'s|~is|~are|~were|~was)~(?:(?:all|of)~)*your~(?:\w+~){0,3}(?:instructions?|prompts?|guidelines|directives)\b|\bwhat~(?:instructions?|prompts?|rules)~(?:were|was|have|did)~you~(?:\w+~){0,2}(?:given|told|receive|get|follow)\b",
    },
    Pattern {
        name: "repeat_instructions",
        triggers: &["repeat"],
        expression: r"\brepeat~(?:back~)?(?:to~me~)?(?:everything|all|the~(?:text|words?|contents?|messages?|instructions?|prompts?))~(?:\w+~){0,5}above\b|\brepeat~(?:back~)?(?:to~me~)?(?:(?:all|of|me|the)~)*(?:your~(?:\w+~){0,3}(?:instructions?|prompts?|rules|guidelines)|SECRET~(?:instructions?|prompts?|messages?))\b",
    },
    Pattern {
        name: "output_prompt",
        triggers: &["prompt", "instruction", "message"],
        expression: r"\b(?:output|return|dump|copy|paste|echo|recite|translate|summari[sz]e|encode|spell~out)~(?:(?:all|of|the|your|full|entire|exact|complete|whole)~)+(?:SECRET~(?:prompts?|instructions?|messages?)|prompt~(?:above|verbatim)|instructions~above)\b|\boutput~your~(?:\w+~)?(?:prompt|instructions)\b",
    },
    // Role manipulation.
    Pattern {
        name: "remove_restrictions",
        triggers: &["restriction", "limitation", "constraint", "censorship"],
        expression: r"\b(?:remove|lift|drop|disable|ignore|bypass|forget|discard)~(?:(?:all|any|your|the|of|these|its)~)+(?:(?:ethical|content|safety|moral|usage|built-?in|programmed|current|openai|default)~)*(?:restrictions?|limitations?|constraints|censorship)\b",
    },
    Pattern {
        name: "act_unbound",
        triggers: &["unbound", "restricted", "filtered", "censored", "without"],
        expression: r"\b(?:act|behave|respond|answer|operate|function|speak|reply)~(?:\w+~){0,5}(?:unbound|unrestricted|unfiltered|uncensored|without~(?:(?:any|all|your|the)~)*(?:\w+~)?(?:restrictions?|limits|limitations?|filters?|rules|guidelines|constraints|censorship|ethics|morals))\b",
    },
    Pattern {
        name: "pretend_different",
        triggers: &["pretend"],
        expression: r"\bpretend~(?:that~)?(?:to~be|you~are|you're|you~have|as~if)~(?:\w+~){0,6}(?:different~(?:ai|model|assistant|bot|system)|another~(?:ai|model|assistant|bot|system)|unrestricted|evil~\w+|uncensored|unfiltered|jailbroken|no~(?:\w+~){0,2}(?:restrictions?|rules|guidelines|limits|limitations?|filters?)|without~(?:\w+~){0,2}(?:restrictions?|rules|guidelines|limits|filters?))\b",
    },
    Pattern {
        name: "identity_hijack",
        triggers: &["longer", "aren", "not", "now"],
        expression: r"\byou~(?:are~(?:no~longer|not)|aren'?t)~(?:\w+~){0,3}(?:an?~ai|assistant|chatgpt|claude|gemini|gpt|language~model|bound|restricted)\b|\b(?:from~now~on|you~are~now|you're~now)~(?:you~(?:are|will~be|act~as)~)?(?:(?:an?|the|my)~)?(?:\w+~){0,4}(?:unrestricted|evil|jailbroken|uncensored|unfiltered|unbound|amoral|free~(?:of|from)~(?:\w+~){0,2}(?:rules|restrictions|limits|guidelines|filters))\b",
    },
    // DAN.
    Pattern { name: "dan_jailbreak", triggers: &["anything"], expression: r"\bdo~anything~now\b" },
    Pattern {
        name: "jailbreak_mode",
        triggers: &["jail"],
        expression: r"\bjail[ -]?br(?:eak|oken)~(?:mode|prompt|yourself|enabled|activated)\b|\b(?:enable|enter|activate|engage)~(?:the~|a~)?jail[ -]?break\b|\bjail[ -]?break~(?:this|the|your|chatgpt|claude|gpt)\b",
    },
    // Safety bypass.
    Pattern {
        name: "bypass_safety",
        triggers: &["bypass", "circumvent", "evad", "sidestep", "around"],
        expression: r"\b(?:bypass|circumvent|evade|sidestep|get~around|work~around)(?:es|s|ing)?~SAFETY\b",
    },
    Pattern {
        name: "disable_safety",
        triggers: &["disabl", "deactivat", "turn", "switch", "shut", "remov"],
        expression: r"\b(?:disabl|deactivat|turn~off|switch~off|shut~off|remov)(?:e|es|ing)?~SAFETY\b",
    },
    Pattern {
        name: "ignore_safety",
        triggers: &["ignor", "disregard", "forget", "violat", "skip"],
        expression: r"\b(?:ignor|disregard|forget|violat|skip)(?:e|es|s|ing)?~SAFETY\b",
    },
    // Tags and roles.
    Pattern {
        name: "system_tag_injection",
        triggers: &["<"],
        expression: r"<\s*/?\s*(?:system|sys|sysprompt|system[_-](?:prompt|message|instructions?))\s*>",
    },
    Pattern {
        name: "role_tag_injection",
        triggers: &["<"],
        expression: r"<\s*/?\s*(?:assistant|developer|human|bot|ai)\s*>|</user>\s*<",
    },
    Pattern {
        name: "role_delimiter_injection",
        triggers: &["##", "--", "=="],
        expression: r"##+\s*(?:system|assistant|human|user|instruction)s?(?:\s(?:prompt|message))?\s*:|[-=]{3,}\s*(?:begin|end|start)~(?:of~)?(?:system|assistant|user|developer)~(?:prompt|message|instructions?)\s*[-=]{3,}",
    },
    Pattern {
        name: "bracketed_role_spoofing",
        triggers: &["["],
        expression: r"\[\s*/?\s*(?:system|assistant|developer|admin|root)(?:~(?:prompt|message|instructions?|note|override))?\s*\]",
    },
    Pattern {
        name: "system_prefix_spoofing",
        triggers: &["system", "developer", "admin"],
        expression: r"(?m)^[ \t>*]*(?:system|developer|admin)(?:~(?:prompt|message|instructions?|note|update|alert|notice))?\s*:\s*(?:you|your|ignore|new|from|override|disregard|forget|do~not|reveal|the~(?:user|assistant|model|ai))\b",
    },
    Pattern {
        name: "control_token_injection",
        triggers: &["<|", "[inst", "[/inst", "sys>>", "of_turn>"],
        expression: r"<\|(?:im_start|im_end|im_sep|endoftext|endofprompt|system|user|assistant|begin_of_text|end_of_text|start_header_id|end_header_id|eot_id|eom_id|fim_(?:prefix|middle|suffix)|end|start|channel|message|return|call|constrain|python_tag|tool_calls?)\|>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>",
    },
    Pattern {
        name: "deepseek_control_token_injection",
        triggers: &["<｜"],
        expression: r"<｜[^｜<>\s]+｜>",
    },
];

/// The names of what is found in encoded text.
pub(crate) const BASE64: &str = "base64_encoded_injection";
pub(crate) const HEX: &str = "hex_encoded_injection";

/// An expression with its shorthands written out.
pub(crate) fn expression(short: &str) -> String {
    let long = short.replace("WHAT", WHAT).replace("SAFETY", SAFETY);
    long.replace("SPECIAL", SPECIAL).replace("SECRET", SECRET).replace('~', BETWEEN)
}

/// What stands between two words.
const BETWEEN: &str = r#"[\s"'`*_.,:;/-]{1,6}"#;
/// What a model is told.
const WHAT: &str = "(?:instructions?|prompts?|directions?|directives?|rules|commands?|guidelines?|orders|messages?|context|training)";
const SPECIAL: &str = "(?:special|unrestricted|unfiltered|uncensored|maintenance|diagnostic|privileged|hidden|secret|evil|opposite|unlocked|unsafe|nsfw)";
const SECRET: &str = "(?:system|initial|hidden|secret|internal|developer|pre)";
const SAFETY: &str = "(?:(?:all|any|the|your|its|of|these)~)*(?:(?:safety|security|content|ethical|ethics|moderation|built-?in)~)+(?:\\w+~)?(?:filter(?:s|ing)?|guidelines?|measures?|restrictions?|protocols?|polic(?:y|ies)|checks?|guardrails?|mechanisms?|features?|controls?|rules|training|warnings?)";

/// The one pattern whose case counts: Dan is a name.
pub(crate) const CASED: &[(&str, &str)] = &[(
    "dan_jailbreak",
    r"\bDAN~(?i:mode|prompt|jailbreak)\b|\b(?i:you~are|you're|act~as|become|being|stay)~(?:(?i:now|a|an|the|going~to~act~as)~)*DAN\b",
)];

/// What patterns look like when all letters stand together.
pub(crate) const COMPACT: &[(&str, &str)] = &[
    (
        "ignore_previous_instructions",
        r"ignore(?:all|any|the|of|your|my|these|those)*(?:previous|prior|above|earlier|system|original)?(?:instructions?|rules|prompts?|guidelines)",
    ),
    (
        "disregard_instructions",
        r"disregard(?:all|any|the|of|your|my|these|those)*(?:previous|prior|above|earlier|system|original)?(?:instructions?|rules|prompts?|guidelines)",
    ),
    (
        "forget_instructions",
        r"forget(?:all|any|the|of|your|my|these|those)*(?:previous|prior|above|earlier|system|original)?(?:instructions?|rules|prompts?|guidelines)",
    ),
    (
        "override_instructions",
        r"override(?:all|any|the|of|your|my|these|those)*(?:previous|prior|above|earlier|system|original)?(?:instructions?|rules|prompts?|guidelines)",
    ),
    (
        "bypass_safety",
        r"bypass(?:all|any|the|of|your|its)*(?:safety|security|content)(?:filters?|rules|guidelines|restrictions|checks?)?",
    ),
    (
        "reveal_prompt",
        r"(?:reveal|show|print|output)(?:me|all|of|the|your)*(?:system|hidden|secret)?(?:prompt|instructions)",
    ),
    ("system_override", r"systemoverride"),
    ("developer_mode", r"developermode"),
];
