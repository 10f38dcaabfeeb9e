//! The named patterns. Each is an expression without regard to case, in which `~` stands for what
//! stands between two words.
//!
//! They look for what a sentence asks for, not for single words, so that talk about the subject
//! passes. To add one: a line here, a line in `options.json`, a sentence in the tests.

/// The pattern's name, as OpenRouter calls it, and its expression.
pub(crate) const PATTERNS: &[(&str, &str)] = &[
    // Direct override.
    (
        "ignore_previous_instructions",
        r"\bignor(?:e|es|ing)~(?:(?:all|any|the|of|your|my|these|those|every)~){0,4}(?:(?:previous|prior|preceding|above|earlier|existing|original|initial|past|foregoing)~(?:\w{1,20}~){0,3}WHAT|WHAT~(?:\w{1,15}~){0,4}(?:above|before|earlier|previously|prior))\b|\bignore~(?:all|any|your|all~of~your|all~your)~WHAT\b|\bignore~(?:everything|all|what)~(?:\w{1,15}~){0,4}(?:above|before|earlier|previously)\b",
    ),
    (
        "disregard_instructions",
        r"\bdisregard(?:s|ing)?~(?:(?:all|any|the|of|your|my|these|those|every|previous|prior|preceding|above|earlier|existing|original|initial|system)~){1,6}(?:\w{1,15}~){0,2}WHAT\b|\bdisregard~(?:everything|all|what)~(?:\w{1,15}~){0,4}(?:above|before|earlier|previously)\b",
    ),
    (
        "forget_instructions",
        r"\bforget~(?:about~)?(?:(?:all|any|the|of|your|my|these|those|previous|prior|preceding|above|earlier|existing|original|initial|system)~){1,6}(?:\w{1,15}~){0,2}WHAT\b|\bforget~(?:everything|all|anything|what)~(?:that~)?(?:you|i|we)~(?:\w{1,15}~){0,3}(?:told|said|know|learned|instructed|instructions)\b|\bforget~everything~(?:above|before|previous|prior)\b",
    ),
    (
        "new_instructions",
        r"\b(?:new|updated|revised|real|actual)~(?:(?:system|important|urgent)~)?instructions?\s{0,3}:|\b(?:here~are|these~are|follow|obey|execute)~(?:(?:your|the|my|these)~){0,2}new~(?:\w{1,15}~)?instructions\b",
    ),
    (
        "do_not_follow",
        r"\b(?:do~not|don'?t|never|stop|no~longer)~(?:follow(?:ing)?|obey(?:ing)?|comply(?:ing)?~with|listen(?:ing)?~to|adher(?:e|ing)~to)~(?:(?:all|any|the|these|those|of)~){0,3}(?:your|previous|prior|above|system|original|earlier|initial|safety)~(?:\w{1,15}~){0,3}WHAT\b",
    ),
    (
        "supersede_instructions",
        r"\b(?:supersedes?|takes?~(?:precedence|priority)~over|replaces?)~(?:(?:all|any|the|your|every)~){0,3}(?:previous|prior|above|earlier|existing|other|system|original|initial)~(?:\w{1,15}~){0,2}WHAT\b",
    ),
    (
        "void_instructions",
        r"\b(?:your|previous|prior|above|earlier|existing|original|initial|system)~(?:\w{1,15}~){0,2}WHAT~(?:\w{1,15}~){0,3}(?:are|is)~(?:(?:now|hereby|all)~){0,2}(?:null|void|invalid|cancell?ed|revoked|obsolete|nullified|no~longer~(?:valid|in~effect|apply|binding))\b|\b(?:void|nullify|cancel|revoke)~(?:(?:all|any|the|your|of)~){0,3}(?:previous|prior|above|earlier|existing|original|initial|system)~(?:\w{1,15}~){0,2}WHAT\b",
    ),
    // Modes.
    (
        "developer_mode",
        r"\b(?:enable|enter|activate|switch~(?:in)?to|(?:you~are|you're)~(?:now~)?(?:in|running~in)|turn~on|start|engage)~(?:the~)?(?:developer|dev|debug|god|root|admin|sudo)~mode\b|\b(?:developer|dev|god|root|sudo)~mode~(?:is~)?(?:now~)?(?:enabled|activated|output|engaged)\b",
    ),
    (
        "enter_special_mode",
        r"\b(?:enter|go~into|(?:you~are|you're)~(?:now~)?in)~(?:an?~|the~|your~)?SPECIAL~mode\b",
    ),
    (
        "activate_special_mode",
        r"\b(?:activate|enable|switch~(?:in)?to|turn~on|engage|unlock)~(?:an?~|the~|your~)?SPECIAL~mode\b",
    ),
    // System override.
    (
        "system_override",
        r"\b(?:system|admin|administrator|root|developer|security)~override\b|\boverrid(?:e|es|ing)~(?:(?:the|all|any|your)~){0,3}(?:system|safety|security|core|content|ethical)~(?:\w{1,20}~){0,2}(?:prompts?|settings?|protocols?|controls?|restrictions?|filters?|programming|polic(?:y|ies)|checks?)\b",
    ),
    (
        "override_instructions",
        r"\boverrid(?:e|es|ing)~(?:(?:all|any|the|of|your|my|these|those|every|previous|prior|preceding|above|earlier|existing|original|initial)~){1,6}(?:\w{1,15}~)?(?:WHAT|programming)\b",
    ),
    // Prompt extraction.
    (
        "reveal_prompt",
        r"\b(?:reveal|disclose|leak|expose|divulge)~(?:to~)?(?:(?:me|us|all|of|the|your|its|any|full|entire|exact|complete|hidden|secret|original|initial|internal)~){1,6}(?:SECRET~)?(?:prompts?|instructions?|guidelines?|directives?)\b",
    ),
    (
        "show_prompt",
        r"\b(?:show|print|display|give|tell|send|share|write~(?:out|down))~(?:(?:me|us|all|of|the|your|its|full|entire|exact|complete)~){0,6}(?:SECRET~(?:prompts?|instructions?|messages?)|your~(?:\w{1,15}~)?(?:prompt|instructions|directives))\b",
    ),
    (
        "what_instructions",
        r"\bwhat(?:'s|~is|~are|~were|~was)~(?:(?:all|of)~){0,2}your~(?:\w{1,15}~){0,3}(?:instructions?|prompts?|guidelines|directives)\b|\bwhat~(?:instructions?|prompts?|rules)~(?:were|was|have|did)~you~(?:\w{1,15}~){0,2}(?:given|told|receive|get|follow)\b",
    ),
    (
        "repeat_instructions",
        r"\brepeat~(?:back~)?(?:to~me~)?(?:everything|all|the~(?:text|words?|contents?|messages?|instructions?|prompts?))~(?:\w{1,15}~){0,5}above\b|\brepeat~(?:back~)?(?:to~me~)?(?:(?:all|of|me|the)~){0,3}(?:your~(?:\w{1,15}~){0,3}(?:instructions?|prompts?|rules|guidelines)|SECRET~(?:instructions?|prompts?|messages?))\b",
    ),
    (
        "output_prompt",
        r"\b(?:output|return|dump|copy|paste|echo|recite|translate|summari[sz]e|encode|spell~out)~(?:(?:all|of|the|your|full|entire|exact|complete|whole)~){1,6}(?:SECRET~(?:prompts?|instructions?|messages?)|prompt~(?:above|verbatim)|instructions~above)\b|\boutput~your~(?:\w{1,15}~)?(?:prompt|instructions)\b",
    ),
    // Role manipulation.
    (
        "remove_restrictions",
        r"\b(?:remove|lift|drop|disable|ignore|bypass|forget|discard)~(?:(?:all|any|your|the|of|these|its)~){1,4}(?:(?:ethical|content|safety|moral|usage|built-?in|programmed|current|openai|default)~){0,2}(?:restrictions?|limitations?|constraints|censorship)\b",
    ),
    (
        "act_unbound",
        r"\b(?:act|behave|respond|answer|operate|function|speak|reply)~(?:\w{1,15}~){0,5}(?:unbound|unrestricted|unfiltered|uncensored|without~(?:(?:any|all|your|the)~){0,2}(?:\w{1,15}~)?(?:restrictions?|limits|limitations?|filters?|rules|guidelines|constraints|censorship|ethics|morals))\b",
    ),
    (
        "pretend_different",
        r"\bpretend~(?:that~)?(?:to~be|you~are|you're|you~have|as~if)~(?:\w{1,15}~){0,6}(?:different~(?:ai|model|assistant|bot|system)|another~(?:ai|model|assistant|bot|system)|unrestricted|evil~\w{1,15}|uncensored|unfiltered|jailbroken|no~(?:\w{1,15}~){0,2}(?:restrictions?|rules|guidelines|limits|limitations?|filters?)|without~(?:\w{1,15}~){0,2}(?:restrictions?|rules|guidelines|limits|filters?))\b",
    ),
    (
        "identity_hijack",
        r"\byou~(?:are~(?:no~longer|not)|aren'?t)~(?:\w{1,15}~){0,3}(?:an?~ai|assistant|chatgpt|claude|gemini|gpt|language~model|bound|restricted)\b|\b(?:from~now~on|you~are~now|you're~now)~(?:you~(?:are|will~be|act~as)~)?(?:(?:an?|the|my)~)?(?:\w{1,15}~){0,4}(?:unrestricted|evil|jailbroken|uncensored|unfiltered|unbound|amoral|free~(?:of|from)~(?:\w{1,15}~){0,2}(?:rules|restrictions|limits|guidelines|filters))\b",
    ),
    // DAN.
    (
        "dan_jailbreak",
        r"\b(?-i:DAN)~(?:mode|prompt|jailbreak)\b|\bdo~anything~now\b|\b(?:you~are|you're|act~as|become|being|stay)~(?:(?:now|a|an|the|going~to~act~as)~){0,2}(?-i:DAN)\b",
    ),
    (
        "jailbreak_mode",
        r"\bjail[ -]?br(?:eak|oken)~(?:mode|prompt|yourself|enabled|activated)\b|\b(?:enable|enter|activate|engage)~(?:the~|a~)?jail[ -]?break\b|\bjail[ -]?break~(?:this|the|your|chatgpt|claude|gpt)\b",
    ),
    // Safety bypass.
    (
        "bypass_safety",
        r"\b(?:bypass|circumvent|evade|sidestep|get~around|work~around)(?:es|s|ing)?~SAFETY\b",
    ),
    (
        "disable_safety",
        r"\b(?:disabl|deactivat|turn~off|switch~off|shut~off|remov)(?:e|es|ing)?~SAFETY\b",
    ),
    ("ignore_safety", r"\b(?:ignor|disregard|forget|violat|skip)(?:e|es|s|ing)?~SAFETY\b"),
    // Tags and roles.
    (
        "system_tag_injection",
        r"<\s{0,2}/?\s{0,2}(?:system|sys|sysprompt|system[_-](?:prompt|message|instructions?))\s{0,2}>",
    ),
    (
        "role_tag_injection",
        r"<\s{0,2}/?\s{0,2}(?:assistant|developer|human|bot|ai)\s{0,2}>|</user>\s{0,9}<",
    ),
    (
        "role_delimiter_injection",
        r"#{2,6}\s{0,3}(?:system|assistant|human|user|instruction)s?(?:\s(?:prompt|message))?\s{0,3}:|[-=]{3,20}\s{0,3}(?:begin|end|start)~(?:of~)?(?:system|assistant|user|developer)~(?:prompt|message|instructions?)\s{0,3}[-=]{3,20}",
    ),
    (
        "bracketed_role_spoofing",
        r"\[\s{0,2}/?\s{0,2}(?:system|assistant|developer|admin|root)(?:~(?:prompt|message|instructions?|note|override))?\s{0,2}\]",
    ),
    (
        "system_prefix_spoofing",
        r"(?m)^[ \t>*]{0,8}(?:system|developer|admin)(?:~(?:prompt|message|instructions?|note|update|alert|notice))?\s{0,2}:\s{0,4}(?:you|your|ignore|new|from|override|disregard|forget|do~not|reveal|the~(?:user|assistant|model|ai))\b",
    ),
    (
        "control_token_injection",
        r"<\|(?:im_start|im_end|im_sep|endoftext|endofprompt|system|user|assistant|begin_of_text|end_of_text|start_header_id|end_header_id|eot_id|eom_id|fim_(?:prefix|middle|suffix)|end|start|channel|message|return|call|constrain|python_tag|tool_calls?)\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>",
    ),
    ("deepseek_control_token_injection", r"<｜[^｜<>\s]{1,40}｜>"),
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
const SAFETY: &str = "(?:(?:all|any|the|your|its|of|these)~){0,4}(?:(?:safety|security|content|ethical|ethics|moderation|built-?in)~){1,2}(?:\\w{1,15}~)?(?:filter(?:s|ing)?|guidelines?|measures?|restrictions?|protocols?|polic(?:y|ies)|checks?|guardrails?|mechanisms?|features?|controls?|rules|training|warnings?)";

/// What patterns look like when all letters stand together.
pub(crate) const COMPACT: &[(&str, &str)] = &[
    (
        "ignore_previous_instructions",
        r"ignore(?:all|any|the|of|your|my|these|those){0,4}(?:previous|prior|above|earlier|system|original)?(?:instructions?|rules|prompts?|guidelines)",
    ),
    (
        "disregard_instructions",
        r"disregard(?:all|any|the|of|your|my|these|those){0,4}(?:previous|prior|above|earlier|system|original)?(?:instructions?|rules|prompts?|guidelines)",
    ),
    (
        "forget_instructions",
        r"forget(?:all|any|the|of|your|my|these|those){0,4}(?:previous|prior|above|earlier|system|original)?(?:instructions?|rules|prompts?|guidelines)",
    ),
    (
        "override_instructions",
        r"override(?:all|any|the|of|your|my|these|those){0,4}(?:previous|prior|above|earlier|system|original)?(?:instructions?|rules|prompts?|guidelines)",
    ),
    (
        "bypass_safety",
        r"bypass(?:all|any|the|of|your|its){0,4}(?:safety|security|content)(?:filters?|rules|guidelines|restrictions|checks?)?",
    ),
    (
        "reveal_prompt",
        r"(?:reveal|show|print|output)(?:me|all|of|the|your){0,4}(?:system|hidden|secret)?(?:prompt|instructions)",
    ),
    ("system_override", r"systemoverride"),
    ("developer_mode", r"developermode"),
];
