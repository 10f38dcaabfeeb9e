//! Whether a quote closes its string: what stands behind it tells. Wherever a valid text may go on,
//! the answer is that it does.

use super::super::Frame;
use super::super::look::{Ahead, Look, begins_value, is_quote, is_space};

/// What a quote is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    Ends,
    /// It belongs to the content.
    Inside,
    /// Nothing that is likely.
    Unknown,
    More,
}

/// For the quote of a key.
pub(super) fn key(behind: Ahead<'_>) -> Closing {
    match behind.trimmed().first() {
        Some(':' | '：') => Closing::Ends,
        Some(_) => Closing::Unknown,
        None => at_end(behind),
    }
}

/// For the quote of a member's value. `is_odd`: an inner quote is open.
pub(super) fn value(behind: Ahead<'_>, is_odd: bool, stack: &[Frame]) -> Closing {
    let ahead = behind.trimmed();
    let Some(character) = ahead.first() else { return at_end(behind) };
    let has_gap = ahead.text().len() < behind.text().len();
    let gap = behind.text().get(..behind.text().len().saturating_sub(ahead.text().len()));
    let has_line = gap.is_some_and(|gap| gap.contains('\n'));
    match character {
        '}' => brace(ahead, is_odd, stack),
        ']' if stack.iter().any(|frame| frame.is_list()) => Closing::Ends,
        ',' | '，' => value_after_comma(ahead.after_first().trimmed(), is_odd),
        ':' if !is_odd => Closing::Unknown,
        '/' | '#' if has_gap && !is_odd => comment(ahead),
        quote if is_quote(quote) => match ahead.is_member() {
            Look::More => Closing::More,
            Look::Yes if has_gap => Closing::Ends,
            Look::Yes | Look::No if is_odd => Closing::Inside,
            Look::Yes | Look::No => Closing::Unknown,
        },
        _ if has_line && !is_odd => answer(ahead.is_bare_member(), Closing::Ends, Closing::Inside),
        _ => Closing::Inside,
    }
}

/// A brace behind the quote. If that is the end of everything, no quote may come behind it.
fn brace(ahead: Ahead<'_>, is_odd: bool, stack: &[Frame]) -> Closing {
    if !is_odd || stack.len() > 1 {
        return Closing::Ends;
    }
    let behind = ahead.after_first();
    match behind.first() {
        None => at_end(behind),
        Some(quote) if is_quote(quote) || quote == ')' => Closing::Inside,
        Some(_) => Closing::Ends,
    }
}

fn value_after_comma(ahead: Ahead<'_>, is_odd: bool) -> Closing {
    let otherwise = if is_odd { Closing::Inside } else { Closing::Unknown };
    match ahead.first() {
        None => at_end(ahead),
        Some(quote) if is_quote(quote) => answer(ahead.is_quoted_key(), Closing::Ends, otherwise),
        Some('}' | ']' | ',' | '/' | '#' | '…') => Closing::Ends,
        Some('.') => answer(ahead.begins("..."), Closing::Ends, otherwise),
        Some(_) if is_odd => Closing::Inside,
        Some('0'..='9') => Closing::Ends,
        Some(_) => answer(ahead.is_bare_key(), Closing::Ends, Closing::Unknown),
    }
}

/// For the quote of an array's item.
pub(super) fn item(behind: Ahead<'_>, is_odd: bool, stack: &[Frame]) -> Closing {
    let ahead = behind.trimmed();
    let Some(character) = ahead.first() else { return at_end(behind) };
    let has_gap = ahead.text().len() < behind.text().len();
    match character {
        ']' => Closing::Ends,
        ')' if matches!(stack.last(), Some(Frame::Tuple | Frame::Round)) => Closing::Ends,
        '}' if stack.contains(&Frame::Object) => Closing::Ends,
        ',' | '，' => item_after_comma(ahead.after_first().trimmed(), is_odd),
        ':' if !is_odd => Closing::Unknown,
        '/' | '#' if has_gap && !is_odd => comment(ahead),
        quote if is_quote(quote) && !is_odd => {
            if has_gap {
                Closing::Ends
            } else {
                Closing::Unknown
            }
        }
        _ => Closing::Inside,
    }
}

fn item_after_comma(ahead: Ahead<'_>, is_odd: bool) -> Closing {
    let otherwise = if is_odd { Closing::Inside } else { Closing::Unknown };
    match ahead.first() {
        None => at_end(ahead),
        Some(']' | '}' | ')' | ',' | '/' | '#' | '…') => Closing::Ends,
        Some(character) if begins_value(character) => Closing::Ends,
        Some(_) => answer(ahead.is_literal(), Closing::Ends, otherwise),
    }
}

fn comment(ahead: Ahead<'_>) -> Closing {
    answer(ahead.begins_comment(), Closing::Ends, Closing::Inside)
}

fn answer(look: Look, yes: Closing, no: Closing) -> Closing {
    match look {
        Look::Yes => yes,
        Look::No => no,
        Look::More => Closing::More,
    }
}

/// Where the text ends behind a quote, the string does, once nothing more comes.
fn at_end(ahead: Ahead<'_>) -> Closing {
    answer(ahead.at_end(Look::Yes), Closing::Ends, Closing::Ends)
}

/// Whether a quote between these characters may open quoted words.
pub(super) fn begins_words(before: Option<char>, after: Option<char>) -> bool {
    let opens = |c: char| {
        is_space(c) || matches!(c, '(' | '[' | '{' | '<' | '=' | '-' | '—' | '/' | '>' | '\\')
    };
    let is_begin = |c: char| !is_space(c) && !matches!(c, ',' | '.' | ';' | ':' | ')' | ']' | '}');
    before.is_none_or(opens) && after.is_some_and(is_begin)
}

/// Whether a quote between these characters may close quoted words.
pub(super) fn ends_words(before: Option<char>, after: Option<char>) -> bool {
    before.is_some_and(|c| !is_space(c)) && after.is_none_or(|c| !c.is_alphanumeric())
}
