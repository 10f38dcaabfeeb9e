//! What makes digits a telephone number: an international prefix, the shape of a national number,
//! or a word before them.

use super::Candidate;

/// Whether it is plausibly a telephone number.
pub(super) fn is_phone(candidate: &Candidate<'_>) -> bool {
    if is_dated(candidate) || is_dotted_four(candidate) || !has_edges(candidate) {
        return false;
    }
    let digits = candidate.digits.as_str();
    if candidate.has_plus {
        return (8..=15).contains(&digits.len()) && !digits.starts_with('0');
    }
    is_north_american(candidate)
        || !follows_digits(candidate) && (is_prefixed(candidate) || is_trunk(candidate))
        || candidate.gaps != b"." && (7..=15).contains(&digits.len()) && candidate.follows(WORDS)
}

/// `+` and `(` begin a number anywhere; digits alone do not after a currency or inside a word.
fn has_edges(candidate: &Candidate<'_>) -> bool {
    let before = candidate.look.back(4);
    let is_marked = candidate.has_plus || candidate.look.byte(candidate.look.at) == Some(b'(');
    let is_amount = before.ends_with(['#', '$', '€', '£', '¥', '%']);
    is_marked || !is_amount && !candidate.continues(&['.', '-', '/', ',', ':', '_'])
}

/// The last groups of a longer number are none.
fn follows_digits(candidate: &Candidate<'_>) -> bool {
    let mut before = candidate.look.back(2).chars().rev();
    before.next() == Some(' ') && before.next().is_some_and(|digit| digit.is_ascii_digit())
}

/// `(415) 555-0123`, `1-800-555-0199`: area and exchange do not begin with 0 or 1.
fn is_north_american(candidate: &Candidate<'_>) -> bool {
    let parts = match candidate.lengths().as_slice() {
        [3, 3, 4] => candidate.parts.as_slice(),
        [1, 3, 3, 4] if candidate.parts.first() == Some(&"1") => {
            candidate.parts.get(1..).unwrap_or_default()
        }
        _ => return false,
    };
    parts.iter().take(2).all(|part| part.starts_with(|digit| ('2'..='9').contains(&digit)))
}

/// `0049 30 901820`: dialled from abroad.
fn is_prefixed(candidate: &Candidate<'_>) -> bool {
    let rest = candidate.digits.strip_prefix("00");
    let starts = candidate.parts.first().is_some_and(|first| first.starts_with("00"));
    starts
        && rest.is_some_and(|rest| (8..=15).contains(&rest.len()) && !rest.starts_with('0'))
        && candidate.parts.len() > 1
}

/// `030 901820`, `01 23 45 67 89`, `06-12345678`: with the trunk prefix, in groups.
fn is_trunk(candidate: &Candidate<'_>) -> bool {
    let mut parts = candidate.parts.iter();
    let starts = parts.next().is_some_and(|first| {
        first.starts_with('0') && !first.starts_with("00") && (2..=6).contains(&first.len())
    });
    let rest: Vec<_> = parts.collect();
    let has_groups = !rest.is_empty() && rest.iter().all(|part| (2..=8).contains(&part.len()));
    starts && has_groups && (9..=12).contains(&candidate.digits.len())
}

/// `2024-11-21`, `21.11.2024`, `11/21/24`, alone or with more behind.
fn is_dated(candidate: &Candidate<'_>) -> bool {
    let lengths = candidate.lengths();
    let (Some(lengths), [first, second, ..]) = (lengths.get(..3), candidate.gaps) else {
        return false;
    };
    if first != second || !b"-./".contains(first) || candidate.has_plus || candidate.opens {
        return false;
    }
    let (a, b, c) = (candidate.number(0), candidate.number(1), candidate.number(2));
    let is_day = |number: u32| (1..=31).contains(&number);
    match lengths {
        [4, 1..=2, 1..=2] => (1900..2200).contains(&a) && is_day(b) && is_day(c),
        [1..=2, 1..=2, 4] => (1900..2200).contains(&c) && is_day(a) && is_day(b),
        [2, 2, 2] => candidate.parts.len() == 3 && is_day(a) && is_day(b),
        _ => false,
    }
}

/// `010.020.030.040`: an address or a version.
fn is_dotted_four(candidate: &Candidate<'_>) -> bool {
    candidate.parts.len() == 4
        && candidate.gaps.iter().all(|gap| *gap == b'.')
        && candidate.parts.iter().all(|part| part.len() <= 3)
}

/// Words for the telephone, before which seven digits are enough. In scripts without spaces they
/// count as parts of words too.
const WORDS: &[&str] = &[
    "phone",
    "phonenumber",
    "phoneno",
    "mobilephone",
    "mobilenumber",
    "homephone",
    "workphone",
    "telephone",
    "tel",
    "cell",
    "cellphone",
    "mobile",
    "fax",
    "whatsapp",
    "call",
    "dial",
    "text",
    "sms",
    "signal",
    "telefon",
    "handy",
    "mobil",
    "mobilnummer",
    "rufnummer",
    "telefonnummer",
    "telefono",
    "teléfono",
    "móvil",
    "movil",
    "celular",
    "téléphone",
    "portable",
    "cellulare",
    "telefone",
    "telemóvel",
    "telefoon",
    "mobiel",
    "telefonu",
    "numer",
    "telefonie",
    "puhelin",
    "tlf",
    "cep",
    "gsm",
    "电话",
    "電話",
    "手机",
    "手機",
    "携帯",
    "전화",
    "휴대폰",
    "телефон",
    "тел",
    "мобильный",
    "звоните",
    "هاتف",
    "جوال",
    "फोन",
    "मोबाइल",
    "τηλέφωνο",
    "טלפון",
];
