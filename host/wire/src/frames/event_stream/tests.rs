//! Messages in every split, damaged ones, and two of Amazon's own test vectors.

use super::*;

fn read(pieces: &[&[u8]], max: usize) -> Vec<Result<(String, String), FrameError>> {
    let mut messages = Messages::new(max);
    let mut events = Vec::new();
    for piece in pieces {
        messages.push(piece);
        while let Some(event) = messages.next_event() {
            events.push(event.map(|event| {
                let data = String::from_utf8(event.data.to_vec()).unwrap();
                (event.name.unwrap_or_default(), data)
            }));
        }
    }
    events
}

fn two() -> Vec<u8> {
    let mut stream = Vec::new();
    write_event(&mut stream, "messageStart", br#"{"role":"assistant"}"#);
    write_exception(&mut stream, "throttlingException", br#"{"message":"slow down"}"#);
    stream
}

#[test]
fn messages_are_the_same_however_they_are_split() {
    let stream = two();
    let whole = [
        Ok(("messageStart".to_owned(), r#"{"role":"assistant"}"#.to_owned())),
        Ok(("throttlingException".to_owned(), r#"{"message":"slow down"}"#.to_owned())),
    ];
    for at in 0..=stream.len() {
        let (head, tail) = stream.split_at(at);
        assert_eq!(read(&[head, tail], 1000), whole, "at {at}");
    }
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(read(&bytes, 1000), whole);
}

#[test]
fn any_damaged_byte_is_noticed_and_nothing_is_read_after_it() {
    let stream = two();
    for at in 0..stream.len() {
        let mut damaged = stream.clone();
        damaged[at] ^= 0x10;
        let events = read(&[&damaged], 1000);
        assert!(matches!(events.last(), Some(Err(_))), "at {at}: {events:?}");
        assert!(events.len() <= 2, "at {at}");
    }
}

#[test]
fn a_message_may_not_be_longer_than_the_limit() {
    let stream = two();
    let oversize = FrameError::Oversize(Oversize { max_bytes: 50 });
    assert_eq!(read(&[&stream], 50), [Err(oversize)]);
    // Its length is enough: the rest is not waited for.
    assert_eq!(read(&[&stream[..12]], 50), [Err(oversize)]);
}

#[test]
fn the_length_of_headers_is_not_believed() {
    let mut lengths = vec![0, 0, 0, 20, 0, 0, 0, 200];
    let sum = crc32fast::hash(&lengths);
    lengths.extend_from_slice(&sum.to_be_bytes());
    lengths.extend_from_slice(&[0; 8]);
    assert_eq!(
        read(&[&lengths], 1000),
        [Err(FrameError::Corrupt("it is shorter than its headers"))]
    );
}

/// From the test vectors that Amazon's clients share: `empty_message` and `all_headers`' beginning.
#[test]
fn amazons_own_messages_are_read() {
    let empty = hex("000000100000000005c248eb7d98c8ff");
    assert_eq!(read(&[&empty], 100), [Ok((String::new(), String::new()))]);
    let payload = hex("0000001d00000000fd528c5a7b27666f6f273a27626172277dc36539");
    // `payload_no_headers`, a byte short of its end: nothing comes of it.
    assert_eq!(read(&[&payload], 100), []);
    let payload = hex("0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936");
    assert_eq!(read(&[&payload], 100), [Ok((String::new(), "{'foo':'bar'}".to_owned()))]);
}

#[test]
fn an_error_without_a_payload_keeps_its_words() {
    let mut stream = Vec::new();
    let headers =
        [(":message-type", "error"), (":error-code", "Internal"), (":error-message", "a \"b\"")];
    write_message(&mut stream, &headers, b"");
    let expected = ("Internal".to_owned(), r#"{"message":"a \"b\""}"#.to_owned());
    assert_eq!(read(&[&stream], 1000), [Ok(expected)]);
}

#[test]
fn headers_of_every_type_are_passed_over() {
    let mut headers = Vec::new();
    let values: [(u8, &[u8]); 10] = [
        (0, b""),
        (1, b""),
        (2, b"1"),
        (3, b"22"),
        (4, b"4444"),
        (5, b"88888888"),
        (6, b"\x00\x03abc"),
        (7, b"\x00\x02hi"),
        (8, b"88888888"),
        (9, b"0123456789abcdef"),
    ];
    for (kind, value) in values {
        headers.extend_from_slice(&[1, b'x', kind]);
        headers.extend_from_slice(value);
    }
    headers.extend_from_slice(b"\x0b:event-type\x07\x00\x04ping");
    let found = event(&headers, Bytes::new()).unwrap();
    assert_eq!(found.name.as_deref(), Some("ping"));
    assert!(event(&headers[..headers.len() - 1], Bytes::new()).is_none());
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}
