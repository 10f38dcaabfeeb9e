//! Finds links in text that comes in pieces: `[label](address "title")`, `<https://…>` and bare
//! addresses. It keeps no text but the address at hand, and looks at each character once.

/// A link that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Where it begins, in characters from the text's beginning.
    pub(crate) start: u64,
    /// Where the first character behind it stands.
    pub(crate) end: u64,
    /// As it is written.
    pub(crate) url: String,
}

/// The finder.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Characters so far.
    at: u64,
    state: State,
    /// Where labels begin that are still open.
    open: Vec<u64>,
    /// Where the label began that the last character ended.
    closed: Option<u64>,
    is_escaped: bool,
    /// The last few characters, in lower case: an address begins with its scheme.
    recent: String,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Text,
    /// Behind `](`.
    Address {
        start: u64,
        url: String,
        depth: u32,
        is_angled: bool,
    },
    /// Behind the address, before a title or the end.
    Behind {
        start: u64,
        url: String,
    },
    Title {
        start: u64,
        url: String,
        quote: char,
        length: usize,
    },
    /// Behind `<https://`.
    Angled {
        start: u64,
        url: String,
    },
    /// Behind `https://`.
    Bare {
        start: u64,
        url: String,
        depth: u32,
    },
}

impl Links {
    /// More text. `found` gets each link that it completes, and where in this text, in bytes, the
    /// link was complete: what stands before is all that is needed to see it.
    pub(crate) fn push(&mut self, text: &str, mut found: impl FnMut(usize, Link)) {
        for (byte, char) in text.char_indices() {
            // A bare address ends before the character that is none of its own.
            if let Some(link) = self.end_bare(char) {
                found(byte, link);
            }
            let link = self.take(char);
            self.at = self.at.saturating_add(1);
            if let Some(link) = link {
                found(byte.saturating_add(char.len_utf8()), link);
            }
        }
    }

    /// The text ends here: an address may have been the last of it.
    pub(crate) fn end(&mut self) -> Option<Link> {
        self.end_bare('\n')
    }

    fn end_bare(&mut self, next: char) -> Option<Link> {
        let State::Bare { start, url, depth } = &mut self.state else { return None };
        let ends = next.is_whitespace()
            || matches!(next, '<' | '>' | '"' | '`' | '[' | ']' | '|' | '\\')
            || (next == ')' && *depth == 0)
            || is_wide_mark(next);
        if !ends {
            return None;
        }
        let trimmed = url.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '\'', '~']);
        let length = u64::try_from(trimmed.chars().count()).unwrap_or(u64::MAX);
        let link = Link { start: *start, end: start.saturating_add(length), url: trimmed.into() };
        self.state = State::Text;
        Some(link)
    }

    fn take(&mut self, char: char) -> Option<Link> {
        let end = self.at.saturating_add(1);
        match &mut self.state {
            State::Text => self.text(char),
            State::Address { .. } => self.address(char),
            State::Behind { start, url } => match char {
                ')' => {
                    let link = Link { start: *start, end, url: std::mem::take(url) };
                    self.state = State::Text;
                    Some(link)
                }
                '"' | '\'' | '(' => {
                    let quote = if char == '(' { ')' } else { char };
                    let (start, url) = (*start, std::mem::take(url));
                    self.state = State::Title { start, url, quote, length: 0 };
                    None
                }
                ' ' | '\t' => None,
                _ => self.give_up(char),
            },
            State::Title { start, url, quote, length } => {
                *length = length.saturating_add(1);
                if char == *quote {
                    let (start, url) = (*start, std::mem::take(url));
                    self.state = State::Behind { start, url };
                } else if char == '\n' || *length > TITLE_CHARS_MAX {
                    return self.give_up(char);
                }
                None
            }
            State::Angled { start, url } => match char {
                '>' => {
                    let link = Link { start: *start, end, url: std::mem::take(url) };
                    self.state = State::Text;
                    Some(link)
                }
                _ if char.is_whitespace() || char == '<' || url.len() > URL_BYTES_MAX => {
                    self.give_up(char)
                }
                _ => {
                    url.push(char);
                    None
                }
            },
            State::Bare { url, depth, .. } => {
                count_bracket(char, depth);
                url.push(char);
                if url.len() > URL_BYTES_MAX { self.give_up(char) } else { None }
            }
        }
    }

    /// A character behind `](`.
    fn address(&mut self, char: char) -> Option<Link> {
        let end = self.at.saturating_add(1);
        let State::Address { start, url, depth, is_angled } = &mut self.state else { return None };
        let start = *start;
        match char {
            ')' if *depth == 0 && !*is_angled => {
                let url = std::mem::take(url);
                self.state = State::Text;
                return Some(Link { start, end, url });
            }
            '<' if url.is_empty() && !*is_angled => *is_angled = true,
            ' ' | '\t' if url.is_empty() => {}
            '\n' => return self.give_up(char),
            '[' if url.is_empty() => return self.give_up(char),
            _ if (char == '>' && *is_angled) || (matches!(char, ' ' | '\t') && !*is_angled) => {
                let url = std::mem::take(url);
                self.state = State::Behind { start, url };
            }
            _ => {
                count_bracket(char, depth);
                url.push(char);
                if url.len() > URL_BYTES_MAX {
                    return self.give_up(char);
                }
            }
        }
        None
    }

    /// It was no link; the character is text.
    fn give_up(&mut self, char: char) -> Option<Link> {
        self.state = State::Text;
        self.recent.clear();
        self.text(char)
    }

    fn text(&mut self, char: char) -> Option<Link> {
        let closed = self.closed.take();
        if std::mem::take(&mut self.is_escaped) {
            self.recent.clear();
            return None;
        }
        match char {
            '\\' => self.is_escaped = true,
            '\n' => self.open.clear(),
            '[' => {
                if self.open.len() >= OPEN_MAX {
                    self.open.remove(0);
                }
                self.open.push(self.at);
            }
            ']' => self.closed = self.open.pop(),
            '(' if let Some(start) = closed => {
                let url = String::new();
                self.state = State::Address { start, url, depth: 0, is_angled: false };
            }
            '/' if self.begins_address() => self.begin_address(),
            _ => {}
        }
        if self.recent.len() >= RECENT_BYTES {
            let from = self.recent.ceil_char_boundary(RECENT_BYTES / 2);
            self.recent.drain(..from);
        }
        self.recent.push(char.to_ascii_lowercase());
        None
    }

    /// Whether the next `/` ends a scheme that stands for itself.
    fn begins_address(&self) -> bool {
        let before = ["https:/", "http:/"].iter().find_map(|it| self.recent.strip_suffix(it));
        before.is_some_and(|before| !before.ends_with(|it: char| it.is_ascii_alphanumeric()))
    }

    fn begin_address(&mut self) {
        let scheme = if self.recent.ends_with("https:/") { "https://" } else { "http://" };
        let length = u64::try_from(scheme.len()).unwrap_or_default();
        let start = self.at.saturating_add(1).saturating_sub(length);
        let url = scheme.to_owned();
        let before = self.recent.len().saturating_add(1).saturating_sub(scheme.len());
        let is_angled = self.recent.get(..before).is_some_and(|before| before.ends_with('<'));
        if is_angled {
            self.state = State::Angled { start: start.saturating_sub(1), url };
        } else if self.open.is_empty() {
            // In a label it is the link's own text.
            self.state = State::Bare { start, url, depth: 0 };
        }
    }
}

fn count_bracket(char: char, depth: &mut u32) {
    match char {
        '(' => *depth = depth.saturating_add(1),
        ')' => *depth = depth.saturating_sub(1),
        _ => {}
    }
}

/// Marks of Chinese and Japanese, before which no space stands.
fn is_wide_mark(char: char) -> bool {
    matches!(
        char,
        '，' | '。'
            | '、'
            | '；'
            | '：'
            | '！'
            | '？'
            | '（'
            | '）'
            | '」'
            | '』'
            | '】'
            | '”'
            | '“'
    )
}

const URL_BYTES_MAX: usize = 2048;
const TITLE_CHARS_MAX: usize = 500;
const OPEN_MAX: usize = 16;
const RECENT_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// The links of a text, cut in two at every place: start, end and address, the same each time.
    fn links(text: &str) -> Vec<(u64, u64, String)> {
        let mut ways = Vec::new();
        for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let mut links = Links::default();
            let mut found = Vec::new();
            for piece in [&text[..cut], &text[cut..]] {
                links.push(piece, |_, link| found.push(link));
            }
            found.extend(links.end());
            let found: Vec<_> = found.into_iter().map(|it| (it.start, it.end, it.url)).collect();
            ways.push(found);
        }
        ways.dedup();
        assert_eq!(ways.len(), 1, "{text}: {ways:?}");
        ways.remove(0)
    }

    fn one(text: &str, shown: &str, url: &str) {
        let found = links(text);
        let [(start, end, found)] = found.as_slice() else { panic!("{text}: {found:?}") };
        let chars: Vec<char> = text.chars().collect();
        let (start, end) = (usize::try_from(*start).unwrap(), usize::try_from(*end).unwrap());
        assert_eq!(
            (chars[start..end].iter().collect::<String>().as_str(), found.as_str()),
            (shown, url)
        );
    }

    #[test]
    fn links_are_found_in_all_their_forms() {
        one("Zoë says ([a.com](https://a.com/x)).", "[a.com](https://a.com/x)", "https://a.com/x");
        one(
            "[a](https://a.com 'the (title)') b",
            "[a](https://a.com 'the (title)')",
            "https://a.com",
        );
        one("[[1]](https://a.com)", "[[1]](https://a.com)", "https://a.com");
        one("[a](<docs/a b.md>)", "[a](<docs/a b.md>)", "docs/a b.md");
        one("[w](https://w.org/A_(b)_c)", "[w](https://w.org/A_(b)_c)", "https://w.org/A_(b)_c");
        one(
            "[https://a.com/y](https://a.com/x)",
            "[https://a.com/y](https://a.com/x)",
            "https://a.com/x",
        );
        one("see <https://a.com/x>.", "<https://a.com/x>", "https://a.com/x");
        one("see HTTPS://a.com/x.", "HTTPS://a.com/x", "https://a.com/x");
        one("(see https://a.com/x)", "https://a.com/x", "https://a.com/x");
        one("それはhttps://a.com/x。です", "https://a.com/x", "https://a.com/x");
        one("😀 \\[no](x) [yes](u)", "[yes](u)", "u");
        one("[no](a b [yes](u)", "[yes](u)", "u");
        one("[no]([yes](u)", "[yes](u)", "u");
        one("[never\n closed](u) [yes](u)", "[yes](u)", "u");
    }

    #[test]
    fn what_is_no_link_is_none() {
        for text in
            ["[a] (u)", "[a](u", "xhttps:/a", "[a](u\n)", "a](u)", "<https://a b", "\\[a](u)"]
        {
            let found = links(text);
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }

    #[test]
    fn endless_beginnings_are_passed_over_in_bounded_space() {
        for (text, count) in
            [("[".repeat(100_000), 0), ("[a](x".repeat(20_000), 0), ("https://".repeat(20_000), 0)]
        {
            let mut links = Links::default();
            let mut found = 0;
            links.push(&text, |_, _| found += 1);
            assert_eq!(found, count);
            assert!(links.open.len() <= OPEN_MAX && links.recent.len() <= RECENT_BYTES + 4);
        }
    }
}
