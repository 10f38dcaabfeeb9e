//! What is found, wherever the text is cut, and what is held.

use super::{Match, Piece, Rule, Scan, Scanner};

fn scanner(rules: &[Rule]) -> Scanner {
    Scanner::new(rules.to_vec()).unwrap()
}

fn term(text: &str) -> Rule {
    Rule::term(text)
}

fn expression(text: &str) -> Rule {
    Rule::expression(text)
}

fn drain(scan: &mut Scan, out: &mut String) {
    while let Some(piece) = scan.take() {
        match piece {
            Piece::Text(text) => out.push_str(&text),
            Piece::Match { rule, text } => out.push_str(&format!("[{rule}:{text}]")),
        }
    }
}

/// Puts each match into brackets, with the text cut after every `size` characters, and the states
/// thrown away before every piece if `crowded`.
fn marked(scanner: &Scanner, text: &str, size: usize, crowded: bool) -> String {
    let (mut scan, mut out) = (scanner.scan(), String::new());
    let characters: Vec<char> = text.chars().collect();
    for piece in characters.chunks(size) {
        let piece: String = piece.iter().collect();
        if crowded {
            let compiled = &scanner.compiled;
            let later = compiled.later.iter().filter_map(|later| later.built());
            later.chain(&compiled.expressions).for_each(|expressions| expressions.crowd());
        }
        if scan.passes(&piece) {
            out.push_str(&piece);
        } else {
            scan.push(&piece);
            drain(&mut scan, &mut out);
        }
    }
    scan.end();
    drain(&mut scan, &mut out);
    assert!(scan.is_empty());
    out
}

fn whole(scanner: &Scanner, text: &str) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for Match { rule, range } in scanner.find_all(text) {
        out.push_str(&format!("{}[{rule}:{}]", &text[at..range.start], &text[range.clone()]));
        at = range.end;
    }
    out + &text[at..]
}

#[test]
fn matches_are_found_wherever_the_text_is_cut() {
    let table: &[(&[Rule], &str, &str)] = &[
        (&[term("cat")], "a cat sat", "a [0:cat] sat"),
        (&[term("cat"), term("category")], "category cat", "[1:category] [0:cat]"),
        (&[term("cat"), term("category")], "categor", "[0:cat]egor"),
        (&[term("cat"), term("at s")], "a cat sat", "a [0:cat] sat"),
        (&[term("abcd"), term("bc")], "abce abcd", "a[1:bc]e [0:abcd]"),
        (&[term("ab"), term("abcabd")], "abcabc", "[0:ab]c[0:ab]c"),
        (&[term("a"), term("aaab")], "aaaaab", "[0:a][0:a][1:aaab]"),
        (&[term("Cat")], "cat Cat", "cat [0:Cat]"),
        (&[term("Grüße").any_case()], "GRÜßE grüße", "[0:GRÜßE] [0:grüße]"),
        (&[term("σος").any_case()], "ΣΟΣ", "[0:ΣΟΣ]"),
        (&[term("bad").any_case()], "ＢＡＤ b\u{200b}a\u{ad}d", "[0:ＢＡＤ] [0:b\u{200b}a\u{ad}d]"),
        (&[term("Bad")], "b\u{200b}ad B\u{200b}ad", "b\u{200b}ad [0:B\u{200b}ad]"),
        (&[term("cat").whole_word()], "cat, scat cats cat", "[0:cat], scat cats [0:cat]"),
        (&[term("cat").whole_word()], "écat caté 猫cat cat。", "écat caté 猫cat [0:cat]。"),
        (&[term("c++").whole_word()], "c++ c++x c++11", "[0:c++] [0:c++]x [0:c++]11"),
        (&[term("日本"), term("本語")], "日本語本語", "[0:日本]語[1:本語]"),
        (&[expression("a+")], "baaac", "b[0:aaa]c"),
        (&[expression("a+?")], "baaac", "b[0:aaa]c"),
        (&[expression("ab|abcd")], "abcabcd", "[0:ab]c[0:abcd]"),
        (&[expression(r"\bcat\b")], "cat scat cats cat", "[0:cat] scat cats [0:cat]"),
        (&[expression("^a"), expression("a$")], "aaa", "[0:a]a[1:a]"),
        (&[expression("(?m)^a")], "aa\na", "[0:a]a\n[0:a]"),
        (&[expression(r"\d{3}-\d{4}")], "12345-67890", "12[0:345-6789]0"),
        (&[expression(r"\w+@\w+")], "to me@home.", "to [0:me@home]."),
        (&[expression("h.t")], "hüt h\nt", "[0:hüt] h\nt"),
        (&[expression("[^a-z]x")], "éx ax", "[0:éx] ax"),
        (&[expression("straße").any_case()], "STRAßE", "[0:STRAßE]"),
        (&[expression("[0-9]{4}").whole_word()], "a1234 1234 12345", "a1234 [0:1234] 12345"),
        (&[term("cat"), expression("cat+")], "cattt", "[1:cattt]"),
        (&[expression("cat"), term("cat")], "cat", "[0:cat]"),
        (&[expression("x[a-z]+9"), term("abc")], "xabcd", "x[1:abc]d"),
        (&[expression("a[bc]*d"), expression("b")], "abcbx abcbd", "a[1:b]c[1:b]x [0:abcbd]"),
    ];
    for (rules, text, expected) in table {
        let scanner = scanner(rules);
        assert_eq!(whole(&scanner, text), *expected, "{text:?}");
        for size in 1..=text.len() {
            assert_eq!(marked(&scanner, text, size, false), *expected, "{text:?} cut by {size}");
            assert_eq!(marked(&scanner, text, size, true), *expected, "{text:?}, states lost");
        }
    }
}

/// Leftmost, longest, first: place by place, rule by rule.
fn naive(terms: &[String], text: &str) -> String {
    let (mut out, mut at) = (String::new(), 0);
    while at < text.len() {
        let here = terms.iter().enumerate().filter(|(_, term)| text[at..].starts_with(*term));
        match here.max_by_key(|(rule, term)| (term.len(), usize::MAX - rule)) {
            Some((rule, term)) => {
                out.push_str(&format!("[{rule}:{term}]"));
                at += term.len();
            }
            None => {
                out.push_str(&text[at..=at]);
                at += 1;
            }
        }
    }
    out
}

/// Words of `abc` by a generator of Lehmer's.
fn random_words(seed: u64) -> impl Iterator<Item = String> {
    let mut state = seed * 2 + 1;
    std::iter::repeat_with(move || {
        let mut next = |below: u64| {
            state = state.wrapping_mul(0xda94_2042_e4dd_58b5);
            (state >> 33) % below
        };
        let length = 1 + next(6);
        (0..length).map(|_| char::from(b'a' + u8::try_from(next(3)).unwrap())).collect()
    })
}

#[test]
fn terms_and_expressions_agree_with_looking_at_every_place() {
    for seed in 0..200 {
        let words: Vec<String> = random_words(seed).take(40).collect();
        let (terms, rest) = words.split_at(5);
        let text = rest.concat();
        let as_terms = scanner(&terms.iter().map(Rule::term).collect::<Vec<_>>());
        let as_expressions = scanner(&terms.iter().map(Rule::expression).collect::<Vec<_>>());
        let mut mixed = as_terms.compiled.rules.clone();
        mixed.iter_mut().step_by(2).for_each(|rule| rule.is_expression = true);
        for scanner in [as_terms, as_expressions, scanner(&mixed)] {
            let expected = naive(terms, &text);
            assert_eq!(whole(&scanner, &text), expected, "{terms:?} in {text}");
            for size in [1, 2, 3, 7] {
                assert_eq!(marked(&scanner, &text, size, false), expected, "{terms:?} in {text}");
            }
        }
    }
}

#[test]
fn an_expression_that_is_built_later_finds_what_it_would_find_at_once() {
    const TAILS: [&str; 6] = ["", "a?b", "[bc]+", "c{1,3}a", r"\b", r"\s*a"];
    for seed in 0..150 {
        let words: Vec<String> = random_words(seed).take(60).collect();
        let (heads, rest) = words.split_at(4);
        let heads = heads.iter().zip(TAILS.iter().cycle().skip(usize::try_from(seed).unwrap()));
        let later: Vec<String> = heads
            .enumerate()
            .map(|(index, (head, tail))| format!("{}a{head}{tail}", [r"\b", ""][index % 2]))
            .collect();
        let rules = |wrap: &dyn Fn(&String) -> String| {
            later.iter().map(|it| expression(&wrap(it)).any_case()).collect::<Vec<_>>()
        };
        let at_once = scanner(&rules(&|it| format!("(?:{it})")));
        let later = scanner(&rules(&String::clone));
        assert!(at_once.compiled.later.is_empty() && later.compiled.expressions.is_none());
        let text = rest.chunks(3).map(|words| words.concat()).collect::<Vec<_>>().join(" ");
        let text = text.replace("ba", "BA");
        let expected = whole(&at_once, &text);
        assert_eq!(whole(&later, &text), expected, "{rest:?}");
        for size in [1, 2, 5] {
            assert_eq!(marked(&later, &text, size, false), expected, "cut by {size}");
            assert_eq!(marked(&later, &text, size, true), expected, "states lost");
        }
    }
}

/// What goes on at once of a text that comes in one piece.
fn at_once(rules: &[Rule], text: &str) -> String {
    let (mut scan, mut out) = (scanner(rules).scan(), String::new());
    scan.push(text);
    drain(&mut scan, &mut out);
    out
}

#[test]
fn only_what_may_become_a_match_is_held() {
    let table: &[(&[Rule], &str, &str)] = &[
        (&[term("cat")], "a ca", "a "),
        (&[term("cat")], "a cat", "a [0:cat]"),
        (&[term("cat"), term("cats")], "a cat", "a "),
        (&[term("cat"), term("ace")], "a cac", "a c"),
        (&[term("cat").whole_word()], "vocal", "vocal"),
        (&[term("cat").whole_word()], "vo ca", "vo "),
        (&[term("cat").whole_word()], "a cat", "a "),
        (&[term("cat").whole_word(), term("ave")], "a ca", "a "),
        (&[term("cat").whole_word(), term("ave")], "voca", "voc"),
        (&[expression("[a-z]+@x")], "to me", "to "),
        (&[expression(r"\bsk-[a-z]{4}")], "ask-a sk-a", "ask-a "),
        (&[expression(r"\d{3}")], "a 12", "a "),
        (&[expression(r"\d{3}")], "a 123", "a "),
        (&[expression(r"\d{3}")], "a 123 b", "a [0:123] b"),
    ];
    for (rules, text, expected) in table {
        assert_eq!(at_once(rules, text), *expected, "{text:?}");
    }
}

#[test]
fn text_that_cannot_match_passes_and_is_remembered_for_its_last_character() {
    let mut scan = scanner(&[Rule::term("cat").whole_word(), Rule::expression("^x")]).scan();
    assert!(scan.passes("a b"));
    assert!(scan.passes("cats"), "the word began before it");
    assert!(scan.passes(" x"), "it is not the beginning of the text");
    assert!(!scan.passes(" ca"));
    assert!(scan.is_empty(), "what does not pass is not read either");
    scan.end();
    assert!(!scan.passes("x"), "a new text has begun");
}

#[test]
fn at_a_pause_all_is_given_out_and_can_still_become_a_match() {
    let rules = [term("secret"), term("cat").whole_word(), expression("x+")];
    let mut scan = scanner(&rules).scan();
    let mut out = String::new();
    for piece in ["a sec", "re", "t, secr", "ecy", " cat", "s xx", "x"] {
        scan.push(piece);
        drain(&mut scan, &mut out);
        scan.pause();
        drain(&mut scan, &mut out);
        assert!(scan.is_empty());
        out.push('|');
    }
    assert_eq!(out, "a sec|re|[0:t], secr|ecy| [1:cat]|s [2:xx]|[2:x]|");
    scan.end();
    assert_eq!(scan.take(), None);
}

#[test]
fn an_expression_is_found_up_to_its_bound_and_never_holds_more() {
    let scanner = Scanner::with_bound(vec![Rule::expression("a+b?")], 8).unwrap();
    let (mut scan, mut out, mut held) = (scanner.scan(), String::new(), 0);
    for _ in 0..100 {
        scan.push("a");
        drain(&mut scan, &mut out);
        held = held.max(scan.text.len() - scan.start);
    }
    assert_eq!(held, 8);
    assert!(out.starts_with("[0:aaaaaaaa][0:aaaaaaaa]"), "{out}");
    assert!(scan.text.capacity() < 64, "what was taken is gone");
}

#[test]
fn runs_that_go_on_alike_are_one() {
    let scanner = scanner(&[Rule::expression("[a-z]+@x")]);
    let mut scan = scanner.scan();
    scan.push(&"word".repeat(60));
    assert_eq!(scan.take(), None);
    assert_eq!(scan.walk.runs().len(), 1);
}

#[test]
fn a_check_decides_what_is_a_match() {
    let is_even = |text: &str| text.chars().filter_map(|c| c.to_digit(10)).sum::<u32>() % 2 == 0;
    let scanner = scanner(&[Rule::expression("[0-9]{2,4}").check(is_even)]);
    assert_eq!(whole(&scanner, "12 123 1122 10"), "12 [0:123] [0:1122] 10");
    assert_eq!(whole(&scanner, "112 122"), "[0:112] 1[0:22]");
}

#[test]
fn an_expression_may_need_as_much_as_its_bound() {
    let text = "abc".to_owned() + &"d".repeat(253);
    for expression in ["abc[a-z]{253}", "(?:abc|x)?[a-z]{253}", "abc(?:d{253}|e{900})"] {
        let scanner = scanner(&[Rule::expression(expression)]);
        assert_eq!(scanner.find_all(&text).len(), 1, "{expression}");
    }
}

#[test]
fn bad_rules_are_told() {
    let table = [
        (Rule::term("\u{200b}"), "has no visible character"),
        (Rule::expression("a*"), "matches the empty text"),
        (Rule::expression(r"\b"), "matches the empty text"),
        (Rule::expression("a("), "is not valid at byte 1: unclosed group"),
        (Rule::expression("(?=a)"), "is not valid at byte 0: look-around"),
        (Rule::expression("[a&&b]"), "can never match"),
        (Rule::expression("x(?:[^x]{0,200}){200}"), "too large"),
        (Rule::expression("abc[a-z]{254}"), "it needs 257 bytes, and a match has at most 256"),
        (Rule::expression("(?:é{9}|x.{200,300}y+){40}"), "it needs 720 bytes"),
        (Rule::expression("(".repeat(100)), "is not valid"),
    ];
    for (rule, expected) in table {
        let error = Scanner::new(vec![Rule::term("fine"), rule.clone()]).err().unwrap();
        assert_eq!(error.rule, 1);
        assert!(error.reason.contains(expected), "{}: {}", rule.text, error.reason);
    }
}
