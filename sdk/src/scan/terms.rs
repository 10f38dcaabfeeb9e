//! Thousands of literal terms in one automaton after Aho and Corasick, over folded characters.
//!
//! It is not the crate `aho-corasick`, because that one does not say how much of the text behind
//! it may still become a term: which text may go on, and which must wait, hangs on it.

use super::fold::{fold, is_boundary, is_invisible};

/// A term, and what it stands for.
pub(super) struct Term {
    pub(super) meaning: Meaning,
    pub(super) text: String,
    pub(super) is_whole_word: bool,
    pub(super) any_case: bool,
}

/// What it means that a term has come.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// A match of this rule.
    Match(usize),
    /// The beginning of an expression, by its number among those that are built later.
    Beginning(usize),
}

/// The automaton.
pub(super) struct Terms {
    /// In order of depth; a node's children are neighbours, sorted by key. The first is the root.
    nodes: Vec<Node>,
    /// The root's children by ASCII character: the way that most text goes.
    starts: [usize; 128],
    /// Sorted by folded text: those that a node ends are neighbours.
    terms: Vec<Term>,
}

/// What has been read: the longest beginning of a term that the text ends with.
#[derive(Clone, Copy)]
struct Node {
    key: char,
    /// How many characters have been read.
    depth: usize,
    first_child: usize,
    children: usize,
    /// The next shorter beginning that the text ends with.
    fail: usize,
    /// The next shorter term that the text ends with; the root if there is none.
    shorter: usize,
    /// The terms that end here: from, to.
    ends: (usize, usize),
    /// Whether a longer term that may begin inside a word goes on from here.
    is_open: bool,
}

/// A node without terms and children.
const BARE: Node = Node {
    key: '\0',
    depth: 0,
    first_child: 0,
    children: 0,
    fail: ROOT,
    shorter: ROOT,
    ends: (0, 0),
    is_open: false,
};

/// The root's number.
pub(super) const ROOT: usize = 0;

/// How many bytes all terms may have together.
pub(super) const BYTES_MAX: usize = 400_000;

impl Terms {
    /// Builds the automaton. No term may be without a visible character.
    pub(super) fn new(terms: Vec<Term>) -> Self {
        let mut sorted: Vec<(Vec<char>, Term)> =
            terms.into_iter().map(|term| (folded(&term.text), term)).collect();
        sorted.sort_by(|left, right| left.0.cmp(&right.0));
        let (keys, terms): (Vec<_>, Vec<_>) = sorted.into_iter().unzip();
        let mut automaton = Self { nodes: Vec::new(), starts: [ROOT; 128], terms };
        automaton.grow(&keys);
        automaton
    }

    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Level by level, so that whatever a node falls back to is already there.
    fn grow(&mut self, keys: &[Vec<char>]) {
        let mut ranges = vec![(0, keys.len())];
        self.nodes.push(self.node('\0', 0, (0, keys.len()), keys));
        let mut at = 0;
        while let (Some(node), Some((_, to))) = (self.nodes.get(at).copied(), ranges.get(at)) {
            let (mut from, to) = (node.ends.1, *to);
            let first_child = self.nodes.len();
            while let Some(key) = keys.get(from).and_then(|key| key.get(node.depth)) {
                if from >= to {
                    break;
                }
                let same = keys.get(from..to).unwrap_or_default();
                let count = same.partition_point(|other| other.get(node.depth) <= Some(key));
                let range = (from, from + count);
                let mut child = self.node(*key, node.depth + 1, range, keys);
                if at != ROOT {
                    child.fail = self.next(node.fail, *key);
                    let shorter = self.get(child.fail);
                    let is_term = shorter.ends.0 < shorter.ends.1;
                    child.shorter = if is_term { child.fail } else { shorter.shorter };
                }
                self.nodes.push(child);
                ranges.push(range);
                from += count;
            }
            let children = self.nodes.len() - first_child;
            if let Some(node) = self.nodes.get_mut(at) {
                (node.first_child, node.children) = (first_child, children);
            }
            if at == ROOT {
                self.begin();
            }
            at += 1;
        }
    }

    fn node(&self, key: char, depth: usize, range: (usize, usize), keys: &[Vec<char>]) -> Node {
        let range_keys = keys.get(range.0..range.1).unwrap_or_default();
        let ends = range.0 + range_keys.partition_point(|key| key.len() <= depth);
        let longer = self.terms.get(ends..range.1).unwrap_or_default();
        let is_open = longer.iter().any(|term| !term.is_whole_word);
        Node { key, depth, ends: (range.0, ends), is_open, ..BARE }
    }

    fn begin(&mut self) {
        for (index, node) in self.nodes.iter().enumerate().skip(1) {
            let slot = usize::try_from(u32::from(node.key)).ok();
            if let Some(start) = slot.and_then(|slot| self.starts.get_mut(slot)) {
                *start = index;
            }
        }
    }

    /// The node after one more character, which is folded already.
    fn next(&self, mut at: usize, key: char) -> usize {
        loop {
            if at == ROOT {
                return self.start(key);
            }
            let node = self.get(at);
            if let Some(child) = self.child(node, key) {
                return child;
            }
            at = node.fail;
        }
    }

    fn start(&self, key: char) -> usize {
        if key.is_ascii() {
            let slot = usize::try_from(u32::from(key)).unwrap_or_default();
            return self.starts.get(slot).copied().unwrap_or(ROOT);
        }
        self.child(self.get(ROOT), key).unwrap_or(ROOT)
    }

    /// How many of the first bytes are ASCII characters that no term begins with.
    pub(super) fn count_idle(&self, text: &[u8]) -> usize {
        let is_idle = |byte: &&u8| {
            let key = usize::from(byte.to_ascii_lowercase());
            self.starts.get(key).is_some_and(|start| *start == ROOT)
        };
        text.iter().take_while(is_idle).count()
    }

    fn child(&self, node: &Node, key: char) -> Option<usize> {
        let children = self.nodes.get(node.first_child..node.first_child + node.children)?;
        let place = children.binary_search_by_key(&key, |child| child.key).ok()?;
        Some(node.first_child + place)
    }

    fn get(&self, at: usize) -> &Node {
        self.nodes.get(at).unwrap_or(&BARE)
    }

    /// The node after one more character of the text.
    pub(super) fn step(&self, at: usize, character: char) -> usize {
        if is_invisible(character) { at } else { self.next(at, fold(character)) }
    }

    /// Calls `found` with each term that ends `text`, and where it begins. `before` is the
    /// character before `text`.
    pub(super) fn ending(
        &self,
        mut at: usize,
        text: &str,
        before: Option<char>,
        mut found: impl FnMut(&Term, usize),
    ) {
        while at != ROOT {
            let node = self.get(at);
            let terms = self.terms.get(node.ends.0..node.ends.1).unwrap_or_default();
            if !terms.is_empty() {
                let start = back(text, node.depth);
                let (left, matched) = text.split_at_checked(start).unwrap_or(("", text));
                let neighbour = left.chars().next_back().or(before);
                for term in terms {
                    let begins = is_boundary(neighbour, matched.chars().next());
                    let is_beginning = matches!(term.meaning, Meaning::Beginning(_));
                    if (begins || is_beginning || !term.is_whole_word) && term.is(matched) {
                        found(term, start);
                    }
                }
            }
            at = node.shorter;
        }
    }

    /// Whether a beginning of a term that `text` ends with begins at `start` or before.
    pub(super) fn is_live(
        &self,
        at: usize,
        text: &str,
        before: Option<char>,
        start: usize,
    ) -> bool {
        let node = self.get(at);
        // A character has a byte at least: this answers nearly always.
        let is_surely = node.is_open && text.len().saturating_sub(node.depth) <= start;
        at != ROOT && (is_surely || self.live(at, text, before) <= start)
    }

    /// Where the longest beginning of a term begins that `text` ends with; its end if there is
    /// none.
    pub(super) fn live(&self, mut at: usize, text: &str, before: Option<char>) -> usize {
        while at != ROOT {
            let node = self.get(at);
            if node.children > 0 {
                let start = back(text, node.depth);
                let (left, rest) = text.split_at_checked(start).unwrap_or(("", text));
                let neighbour = left.chars().next_back().or(before);
                // Expressions mean ASCII by words: to them `é` is none.
                let is_edge = is_boundary(neighbour, rest.chars().next())
                    || neighbour.is_some_and(|it| !it.is_ascii());
                if node.is_open || is_edge {
                    return start;
                }
            }
            at = node.fail;
        }
        text.len()
    }
}

impl Term {
    /// Whether the text that its folded form matched is it.
    fn is(&self, matched: &str) -> bool {
        self.any_case || visible(matched).eq(visible(&self.text))
    }
}

/// Its visible characters without their case.
fn folded(text: &str) -> Vec<char> {
    visible(text).map(fold).collect()
}

fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| !is_invisible(*character))
}

/// Where the last `count` visible characters begin.
fn back(text: &str, count: usize) -> usize {
    let visible = text.char_indices().rev().filter(|(_, character)| !is_invisible(*character));
    count.checked_sub(1).and_then(|last| visible.into_iter().nth(last)).map_or(0, |(at, _)| at)
}
