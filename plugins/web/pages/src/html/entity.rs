//! Character references: all that are numbers, and the names of HTML 4, which are nearly all that
//! pages use. Others stay as they are written.

use std::borrow::Cow;

/// A text with its references resolved.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        match reference(behind) {
            Some((char, length)) => {
                out.push(char);
                rest = behind.get(length..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What stands behind a `&`: the character, and how many bytes its reference has.
fn reference(behind: &str) -> Option<(char, usize)> {
    let (name, is_number) = match behind.strip_prefix('#') {
        Some(number) => (number, true),
        None => (behind, false),
    };
    let end = name.bytes().take(NAME_BYTES_MAX).position(|it| !it.is_ascii_alphanumeric());
    let end = end.unwrap_or(name.len().min(NAME_BYTES_MAX));
    let (name, behind_name) = name.split_at_checked(end)?;
    let is_ended = behind_name.starts_with(';');
    let char = if is_number { numbered(name) } else { named(name, is_ended) }?;
    let length = end.saturating_add(usize::from(is_number)).saturating_add(usize::from(is_ended));
    Some((char, length))
}

fn numbered(digits: &str) -> Option<char> {
    let hex = digits.strip_prefix(['x', 'X']);
    let code = match hex {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    let code = code.ok()?;
    // Pages mean Windows' characters by these numbers.
    let windows = code.checked_sub(0x80).and_then(|at| usize::try_from(at).ok());
    let windows = windows.and_then(|at| WINDOWS.get(at).copied()).filter(|it| *it != '\0');
    Some(windows.or(char::from_u32(code).filter(|it| *it != '\0')).unwrap_or('\u{fffd}'))
}

fn named(name: &str, is_ended: bool) -> Option<char> {
    // Only the oldest names may stand without their end.
    let old = BASIC.iter().find(|(own, _)| *own == name).map(|(_, char)| *char).or_else(|| {
        let at = LATIN.iter().position(|own| *own == name)?;
        char::from_u32(u32::try_from(at).ok()?.checked_add(0xa0)?)
    });
    let later = || MORE.iter().find(|(own, _)| *own == name).map(|(_, char)| *char);
    old.or_else(|| if is_ended { later() } else { None })
}

/// The longest name here is shorter, and so is the longest number.
const NAME_BYTES_MAX: usize = 12;

const BASIC: [(&str, char); 4] = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"')];

/// From U+00A0 on.
#[rustfmt::skip]
const LATIN: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo",
    "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot",
    "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",
    "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute",
    "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
    "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde",
    "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc",
    "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave",
    "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

#[rustfmt::skip]
const MORE: [(&str, char); 127] = [
    ("apos", '\''), ("OElig", 'Œ'), ("oelig", 'œ'), ("Scaron", 'Š'), ("scaron", 'š'), ("Yuml", 'Ÿ'),
    ("fnof", 'ƒ'), ("circ", 'ˆ'), ("tilde", '˜'), ("ensp", '\u{2002}'), ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'), ("zwnj", '\u{200c}'), ("zwj", '\u{200d}'), ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'), ("ndash", '–'), ("mdash", '—'), ("lsquo", '‘'), ("rsquo", '’'), ("sbquo", '‚'),
    ("ldquo", '“'), ("rdquo", '”'), ("bdquo", '„'), ("dagger", '†'), ("Dagger", '‡'), ("bull", '•'),
    ("hellip", '…'), ("permil", '‰'), ("prime", '′'), ("Prime", '″'), ("lsaquo", '‹'), ("rsaquo", '›'),
    ("oline", '‾'), ("frasl", '⁄'), ("euro", '€'), ("image", 'ℑ'), ("weierp", '℘'), ("real", 'ℜ'),
    ("trade", '™'), ("alefsym", 'ℵ'), ("larr", '←'), ("uarr", '↑'), ("rarr", '→'), ("darr", '↓'),
    ("harr", '↔'), ("crarr", '↵'), ("lArr", '⇐'), ("uArr", '⇑'), ("rArr", '⇒'), ("dArr", '⇓'),
    ("hArr", '⇔'), ("forall", '∀'), ("part", '∂'), ("exist", '∃'), ("empty", '∅'), ("nabla", '∇'),
    ("isin", '∈'), ("notin", '∉'), ("ni", '∋'), ("prod", '∏'), ("sum", '∑'), ("minus", '−'),
    ("lowast", '∗'), ("radic", '√'), ("prop", '∝'), ("infin", '∞'), ("ang", '∠'), ("and", '∧'),
    ("or", '∨'), ("cap", '∩'), ("cup", '∪'), ("int", '∫'), ("there4", '∴'), ("sim", '∼'), ("cong", '≅'),
    ("asymp", '≈'), ("ne", '≠'), ("equiv", '≡'), ("le", '≤'), ("ge", '≥'), ("sub", '⊂'), ("sup", '⊃'),
    ("nsub", '⊄'), ("sube", '⊆'), ("supe", '⊇'), ("oplus", '⊕'), ("otimes", '⊗'), ("perp", '⊥'),
    ("sdot", '⋅'), ("loz", '◊'), ("Alpha", 'Α'), ("Beta", 'Β'), ("Gamma", 'Γ'), ("Delta", 'Δ'),
    ("Theta", 'Θ'), ("Lambda", 'Λ'), ("Pi", 'Π'), ("Sigma", 'Σ'), ("Phi", 'Φ'), ("Psi", 'Ψ'),
    ("Omega", 'Ω'), ("alpha", 'α'), ("beta", 'β'), ("gamma", 'γ'), ("delta", 'δ'), ("epsilon", 'ε'),
    ("zeta", 'ζ'), ("eta", 'η'), ("theta", 'θ'), ("iota", 'ι'), ("kappa", 'κ'), ("lambda", 'λ'),
    ("mu", 'μ'), ("nu", 'ν'), ("xi", 'ξ'), ("omicron", 'ο'), ("pi", 'π'), ("rho", 'ρ'), ("sigmaf", 'ς'),
    ("sigma", 'σ'), ("tau", 'τ'), ("upsilon", 'υ'), ("phi", 'φ'), ("chi", 'χ'), ("psi", 'ψ'),
    ("omega", 'ω'),
];

/// From 0x80 on, in windows-1252; nothing is where it has nothing.
#[rustfmt::skip]
const WINDOWS: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0',
    '\0', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn references_are_the_characters_that_they_name() {
        assert_eq!(
            decoded("a &amp; b &lt;c&gt; &Auml;&yuml;&times;&mdash;&omega;"),
            "a & b <c> Äÿ×—ω"
        );
        assert_eq!(
            decoded("&#65;&#x42;&#X1F600;&#146;&#0;&#xD800;&#1114112;"),
            "AB😀’\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(decoded("&copy2023 &ampx &nbsp"), "&copy2023 &ampx \u{a0}");
    }

    #[test]
    fn what_is_no_reference_stays() {
        for text in [
            "&",
            "a && b",
            "&;",
            "&#;",
            "&#x;",
            "&nosuch;",
            "&alpha",
            "?a=1&b=2",
            "&99999999999999;",
        ] {
            assert_eq!(decoded(text), text);
        }
    }
}
