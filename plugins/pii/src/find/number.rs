//! Numbers in groups: cards, social security numbers, telephone numbers. What looks like a date, a
//! version or an order number is none of them.

mod phone;

use crate::edge;
use crate::look::{Look, Seen};

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Card,
    Ssn,
    Phone,
}

/// A number that begins here and is one of `wanted`: the longest one.
pub(crate) fn at(look: Look<'_>, wanted: &[Number]) -> Seen<Number> {
    let first = look.byte(look.at);
    let begins = first.is_some_and(|byte| byte.is_ascii_digit() || b"+(".contains(&byte));
    if !begins {
        return Seen::No;
    }
    let groups = match Groups::read(look) {
        Ok(groups) => groups,
        Err(Cut) => return Seen::Open,
    };
    for count in (1..=groups.groups.len()).rev() {
        let Some(candidate) = groups.candidate(look, count) else { continue };
        for number in wanted {
            let fits = match number {
                Number::Card => is_card(&candidate),
                Number::Ssn => is_ssn(&candidate),
                Number::Phone => phone::is_phone(&candidate),
            };
            if fits {
                return Seen::Match(candidate.end, *number);
            }
        }
    }
    Seen::No
}

/// Digits, and where they stand.
struct Group {
    start: usize,
    end: usize,
}

/// The groups of digits that begin at a place, as many as a number may have.
struct Groups {
    groups: Vec<Group>,
    /// What stands between a group and the next digit: a space, a sign, or `(` for any with
    /// parentheses. One more than groups, if digits follow that belong to no number of this start.
    gaps: Vec<u8>,
    has_plus: bool,
}

/// The text ends before the groups do.
struct Cut;

impl Groups {
    fn read(look: Look<'_>) -> Result<Self, Cut> {
        let has_plus = look.byte(look.at) == Some(b'+');
        let mut at = look.at + usize::from(has_plus);
        at += usize::from(look.byte(at) == Some(b'('));
        let mut read = Self { groups: Vec::new(), gaps: Vec::new(), has_plus };
        let mut digits = 0;
        loop {
            let rest = look.rest(at).as_bytes();
            let length =
                rest.iter().take(DIGITS_MAX + 1).take_while(|b| b.is_ascii_digit()).count();
            if length == rest.len() && !look.complete && digits + length <= DIGITS_MAX {
                return Err(Cut);
            }
            digits += length;
            if length == 0 || digits > DIGITS_MAX || read.groups.len() == GROUPS_MAX {
                return Ok(read);
            }
            read.groups.push(Group { start: at, end: at + length });
            at += length;
            let Some((gap, end)) = gap(look, at)? else { return Ok(read) };
            read.gaps.push(gap);
            at = end;
        }
    }

    /// The first `count` groups, unless what follows belongs to them.
    fn candidate<'a>(&'a self, look: Look<'a>, count: usize) -> Option<Candidate<'a>> {
        let groups = self.groups.get(..count)?;
        let end = groups.last()?.end;
        let next = look.character(end);
        let goes_on = self.gaps.get(count - 1).is_some_and(|gap| b"-./".contains(gap));
        let in_word = next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_');
        if goes_on || in_word {
            return None;
        }
        let digits = groups.iter().filter_map(|group| look.text.get(group.start..group.end));
        let gaps = self.gaps.get(..count - 1)?;
        let opens = look.text.get(look.at..end).is_some_and(|written| written.contains('('));
        let parts: Vec<&str> = digits.collect();
        Some(Candidate {
            look,
            end,
            digits: parts.concat(),
            parts,
            gaps,
            has_plus: self.has_plus,
            opens,
        })
    }
}

/// What stands between two groups, and where it ends. `None` when no group follows.
fn gap(look: Look<'_>, start: usize) -> Result<Option<(u8, usize)>, Cut> {
    let (mut at, mut gap, mut signs, mut parens) = (start, b' ', 0, 0);
    loop {
        let Some(next) = look.character(at) else {
            return if look.complete || signs + parens > 3 { Ok(None) } else { Err(Cut) };
        };
        match next {
            '0'..='9' if at > start => return Ok(Some((if parens > 0 { b'(' } else { gap }, at))),
            ' ' | '\u{a0}' | '\u{202f}' => signs += 1,
            '-' | '\u{2010}' | '\u{2011}' => (gap, signs) = (b'-', signs + 1),
            '.' => (gap, signs) = (b'.', signs + 1),
            '/' => (gap, signs) = (b'/', signs + 1),
            '(' | ')' => parens += 1,
            _ => return Ok(None),
        }
        at += next.len_utf8();
        // `) ` and ` (` and `) - ` are one gap, two spaces or two hyphens are none.
        if signs > 1 + 2 * usize::from(parens > 0) || parens > 2 {
            return Ok(None);
        }
    }
}

/// Some groups that may be a number.
struct Candidate<'a> {
    look: Look<'a>,
    end: usize,
    digits: String,
    parts: Vec<&'a str>,
    gaps: &'a [u8],
    has_plus: bool,
    /// It has parentheses.
    opens: bool,
}

impl Candidate<'_> {
    fn lengths(&self) -> Vec<usize> {
        self.parts.iter().map(|part| part.len()).collect()
    }

    fn has_gaps_alike(&self) -> bool {
        self.gaps.windows(2).all(|two| two.first() == two.last())
    }

    fn number(&self, part: usize) -> u32 {
        self.parts.get(part).and_then(|part| part.parse().ok()).unwrap_or_default()
    }

    /// Whether it goes on from other digits, as in `3.14` or `2024-4111`.
    fn continues(&self, signs: &[char]) -> bool {
        let before = self.look.back(2);
        let sign = before.chars().last().filter(|sign| signs.contains(sign));
        sign.is_some() && before.chars().next().is_some_and(|first| first.is_ascii_alphanumeric())
    }

    /// Whether one of the words is among the last few before.
    fn follows(&self, words: &[&str]) -> bool {
        let before = self.look.back(WORDS_BYTES_BACK).to_lowercase();
        let is_whole = self.look.at <= WORDS_BYTES_BACK;
        let cut = before.find(|character: char| !character.is_alphanumeric());
        // The first word may be the end of a longer one.
        let before =
            if is_whole { Some(before.as_str()) } else { cut.and_then(|at| before.get(at..)) };
        let mut last = before
            .unwrap_or_default()
            .rsplit(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(WORDS_BACK);
        last.any(|word| {
            words.iter().any(|known| word == *known || !known.is_ascii() && word.contains(known))
        })
    }
}

/// By length, issuer, shape and check digit (ISO 7812, Luhn).
fn is_card(candidate: &Candidate<'_>) -> bool {
    let Candidate { digits, gaps, .. } = candidate;
    let is_written = !candidate.has_plus && !candidate.opens && candidate.has_gaps_alike();
    let shape = matches!(
        candidate.lengths().as_slice(),
        [13..=19] | [4, 4, 4, 4] | [4, 4, 4, 4, 3] | [4, 6, 5] | [4, 6, 4]
    );
    let is_part = candidate.continues(&['.', '-']) || gaps.iter().any(|gap| b"(/".contains(gap));
    is_written && shape && !is_part && is_issued(digits) && is_luhn(digits)
}

fn is_issued(digits: &str) -> bool {
    let start = |count: usize| digits.get(..count).and_then(|start| start.parse().ok());
    let (two, four): (u32, u32) = (start(2).unwrap_or(0), start(4).unwrap_or(0));
    match digits.len() {
        13 => two / 10 == 4,
        14 => matches!(two, 30 | 36 | 38 | 39),
        15 => matches!(two, 34 | 37),
        16 => matches!(two, 40..=69) || matches!(two, 35..=36) || matches!(four, 2200..=2720),
        17 | 18 => matches!(two, 50 | 56..=69),
        19 => matches!(two, 40..=50 | 56..=69),
        _ => false,
    }
}

fn is_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(place, digit)| match digit * (1 + u32::from(place % 2 == 1)) {
            double @ 10.. => double - 9,
            digit => digit,
        })
        .sum();
    // Zeroes only would pass.
    sum > 0 && sum.is_multiple_of(10)
}

/// A US social security number that may have been issued.
fn is_ssn(candidate: &Candidate<'_>) -> bool {
    let is_written = !candidate.has_plus && !candidate.opens && candidate.has_gaps_alike();
    let shape = match (candidate.lengths().as_slice(), candidate.gaps.first()) {
        ([3, 2, 4], Some(b'-' | b' ')) => !candidate.continues(&['.', '-', '/', ',', '_']),
        ([9], _) => candidate.follows(&["ssn", "social", "socialsecuritynumber", "itin"]),
        _ => false,
    };
    let part = |from: usize, to: usize| candidate.digits.get(from..to).unwrap_or("0");
    let area = part(0, 3);
    // 900 and up are taxpayer numbers, which are given to persons too.
    let is_issued = area != "000" && area != "666" && part(3, 5) != "00" && part(5, 9) != "0000";
    is_written && shape && is_issued
}

/// A card has no more, and neither has a telephone number.
const DIGITS_MAX: usize = 19;
const GROUPS_MAX: usize = 8;
/// How many words before a number say what it is.
const WORDS_BACK: usize = 4;
const WORDS_BYTES_BACK: usize = edge::BACK - 8;
