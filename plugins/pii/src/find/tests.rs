//! What is found, what is not, and that neither depends on the cuts.

use super::Finder;
use crate::kind::Kind;
use crate::tape::{Piece, Tape};

/// The pieces' texts put together, what was found in `⟦KIND:…⟧`.
fn marked(pieces: &[&str]) -> String {
    let finder = Finder::new(&Kind::ALL);
    let (mut tape, mut out) = (Tape::default(), String::new());
    let mut settle = |tape: &mut Tape| {
        while let Some(piece) = tape.take(|look| finder.at(look)) {
            match piece {
                Piece::Text(text) => out.push_str(&text),
                Piece::Match(text, kind) => out.push_str(&format!("⟦{}:{text}⟧", kind.label())),
            }
        }
    };
    for piece in pieces {
        tape.push(piece);
        settle(&mut tape);
    }
    tape.end();
    settle(&mut tape);
    assert!(tape.is_empty());
    out
}

/// Texts in which the values between `⟦` and `⟧` are found, and nothing else.
const FOUND: &[&str] = &[
    "Write to ⟦EMAIL:john.doe+news@mail.example.co.uk⟧.",
    "mailto:⟦EMAIL:a@b.io⟧?subject=x, <⟦EMAIL:O'Brien_9@x-y.org⟧>",
    "Schreib an ⟦EMAIL:jörg@müller.de⟧, bitte; ⟦EMAIL:info@xn--mller-kva.de⟧",
    "Пиши на ⟦EMAIL:почта@пример.рф⟧!",
    "请发邮件到⟦EMAIL:zhang@example.com⟧谢谢",
    "\"Hi\\n⟦EMAIL:john@x.com⟧\\u003c⟦EMAIL:ann@x.com⟧\\u003e\"",
    "link?to=%20⟦EMAIL:bob%40x.com⟧&x=1",
    "⟦EMAIL:a@b.com⟧-based, ⟦EMAIL:c@d.com⟧.2024",
    "________________________________________⟦EMAIL:rule@x.com⟧",
    "Call ⟦PHONE:+49 (0)30 901820⟧ or ⟦PHONE:+1 415-555-0123⟧.",
    "Tel.: ⟦PHONE:+4915112345678⟧; ⟦PHONE:(415) 555-0123⟧, ⟦PHONE:1-800-555-0199⟧",
    "⟦PHONE:415.555.0123⟧ and ⟦PHONE:0171 1234567⟧",
    "Appelez le ⟦PHONE:01 23 45 67 89⟧ ou ⟦PHONE:+33\u{a0}1\u{a0}23\u{a0}45\u{a0}67\u{a0}89⟧",
    "我的电话是⟦PHONE:13812345678⟧。Mi móvil: ⟦PHONE:612 34 56 78⟧",
    "携帯 ⟦PHONE:090-1234-5678⟧, dialled ⟦PHONE:0049 30 901820⟧",
    "Pay with ⟦CREDIT_CARD:4111 1111 1111 1111⟧, exp 12/29",
    "id,card\n17,⟦CREDIT_CARD:4111111111111111⟧,2029",
    "amex ⟦CREDIT_CARD:3782-822463-10005⟧ or ⟦CREDIT_CARD:378282246310005⟧",
    "mc ⟦CREDIT_CARD:5555-5555-5555-4444⟧; old visa ⟦CREDIT_CARD:4222222222222⟧",
    "IBAN ⟦IBAN:DE89 3704 0044 0532 0130 00⟧, ⟦IBAN:GB29NWBK60161331926819⟧",
    "⟦IBAN:fr1420041010050500013m02606⟧ ⟦IBAN:NO93 8601 1117 947⟧.",
    "from ⟦IP_ADDRESS:192.168.7.4⟧:8080 to ⟦IP_ADDRESS:2001:db8:85a3::8a2e:370:7334⟧/64.",
    "[⟦IP_ADDRESS:fe80::1⟧]: ⟦IP_ADDRESS:8.8.8.8⟧. End",
    "SSN ⟦SSN:078-05-1120⟧, ssn: ⟦SSN:219099999⟧",
    "key=⟦SECRET:sk-ant-api03-AbCdEf0123456789_AbCdEf0123456789⟧.",
    "⟦SECRET:sk-proj-AAAAAAAAAAAAAAAAAAAA1111⟧ ⟦SECRET:AKIAIOSFODNN7EXAMPLE⟧",
    "⟦SECRET:ghp_0123456789abcdefghijABCDEFGHIJ012345⟧,⟦SECRET:github_pat_11ABCDEFG0123456789_abcdef⟧",
    "⟦SECRET:xoxb-123456789012-abcdefGHIJKL⟧ ⟦SECRET:AIzaSyA0123456789abcdefghijklmnopqrstuv⟧",
    "⟦SECRET:sk_live_0123456789abcdefABCDEF⟧",
    "Bearer ⟦SECRET:eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0⟧",
    "⟦SECRET:-----BEGIN RSA PRIVATE KEY-----\nMIIEabc+/=\n-----END RSA PRIVATE KEY-----⟧\nok",
];

/// Texts in which nothing is found.
const NOT_FOUND: &[&str] = &[
    "",
    "user@localhost, @handle, a@b, foo@@bar.com, name@.com, x@1.2",
    "In 2024-11-21 14:30:05 and 21.11.2024 12:00 and 11/21/24 we met.",
    "Order 1234567890123456, order #4155550123, invoice 2024-000123",
    "4111 1111 1111 1112 fails the check; 12345678901234567890123 is too long",
    "3.14159265358979, 1,234,567.89, $415 555 0123, 52.520008, 13.404954",
    "text: 0.015797347, each call 0.0000125, call 12 times, tel 42",
    "ISBN 978-3-16-148410-0, 0-306-40615-2; part ABC-0171-1234567",
    "Version 10.0.1.2, v1.2.3.4, 1.2.3.4.5, 256.1.1.1, 127.0.0.1, 255.255.255.0, ::1",
    "12:30:45, std::vec, a::b, aa:bb:cc:dd:ee:ff, face::cafe",
    "550e8400-e29b-41d4-a716-446655440000",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "DE89 3704 0044 0532 0130 01 is no account; DE, GB29",
    "000-12-3456, 666-12-3456, 123-00-4567, 123-45-0000",
    "sk-learn, sk-short, AKIA, AKIAshort, ghp_x, xoxb-1, eyJ.eyJ.x, AIza",
    "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
    "email_k7f3a9q2@pii.invalid stays, Email\\_k7f3a9q2@PII.invalid too",
    "π = 3.1415926535897932384626433832795028841971693993751",
];

#[test]
fn values_are_found_whole_in_many_languages_and_contexts() {
    for expected in FOUND {
        let mut plain = (*expected).to_owned();
        for kind in Kind::ALL {
            plain = plain.replace(&format!("⟦{}:", kind.label()), "");
        }
        let plain = plain.replace('⟧', "");
        assert_eq!(marked(&[&plain]), *expected);
    }
}

#[test]
fn what_only_looks_like_a_value_is_left_alone() {
    for text in NOT_FOUND {
        assert_eq!(marked(&[text]), *text);
    }
}

#[test]
fn what_is_found_does_not_depend_on_the_cuts() {
    for text in FOUND.iter().chain(NOT_FOUND) {
        let text = text.replace(['⟦', '⟧'], "");
        let whole = marked(&[&text]);
        let letters: Vec<&str> = text.split_inclusive(|_| true).collect();
        assert_eq!(marked(&letters), whole, "cut at every character");
        for (at, _) in text.char_indices() {
            assert_eq!(marked(&[&text[..at], &text[at..]]), whole, "cut at {at}");
        }
    }
}

#[test]
fn what_is_found_does_not_depend_on_the_cuts_in_texts_of_any_kind() {
    let words = [
        "john",
        "@",
        "x.com",
        ".",
        "%40",
        "%",
        "20",
        "\\n",
        "\\u003c",
        " ",
        "-",
        "+",
        "(",
        ")",
        "0171",
        "415",
        "555",
        "0123",
        "4111",
        "1111",
        "DE89",
        "370400440532013000",
        "1.2",
        ":",
        "fe80",
        "sk-",
        "AKIA",
        "eyJ",
        "abcdefghijklmnopqrstuvwxyz",
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "-----END ",
        "ü",
        "谢",
        "tel ",
        "/",
        ",",
        "2024",
    ];
    let mut random = 11_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(random >> 33).unwrap() % below
    };
    for _ in 0..4000 {
        let text: String = (0..next(16)).map(|_| words[next(words.len())]).collect();
        let whole = marked(&[&text]);
        let letters: Vec<&str> = text.split_inclusive(|_| true).collect();
        assert_eq!(marked(&letters), whole, "{text:?}");
        if let Some((at, _)) = text.char_indices().nth(next(30)) {
            assert_eq!(marked(&[&text[..at], &text[at..]]), whole, "{text:?} at {at}");
        }
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    let texts = [
        "a.",
        "1 ",
        "(",
        "sk-",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ-",
        "AIza-",
        "sk--",
        "eyJa.",
        "::",
        "a@",
        "@a.",
        "\\",
    ];
    for unit in texts {
        let text = unit.repeat(100_000 / unit.len());
        let found = marked(&[&text]);
        assert!(found.len() >= text.len() / 2, "{unit}");
    }
}
