//! Streams as text, each read whole, byte by byte and in two at every byte.

use proptest::prelude::*;

use super::*;

fn read(pieces: &[&[u8]], max: usize) -> (Vec<(Option<String>, String)>, Option<Oversize>) {
    let mut reader = Reader::new(max);
    let mut events = Vec::new();
    let mut take = |event: Result<Event, Oversize>| match event {
        Ok(event) => {
            events.push((event.name, String::from_utf8(event.data.to_vec()).unwrap()));
            None
        }
        Err(error) => Some(error),
    };
    for piece in pieces {
        reader.push(Bytes::copy_from_slice(piece));
        while let Some(event) = reader.next_event() {
            if let Some(error) = take(event) {
                assert_eq!(reader.next_event(), None);
                assert_eq!(reader.finish(), None);
                return (events, Some(error));
            }
        }
    }
    let error = reader.finish().and_then(take);
    (events, error)
}

#[track_caller]
fn assert_reads(stream: &[u8], expected: &[(&str, &str)]) {
    let expected: Vec<(Option<String>, String)> = expected
        .iter()
        .map(|(name, data)| {
            (Some((*name).to_owned()).filter(|n| !n.is_empty()), (*data).to_owned())
        })
        .collect();
    assert_eq!(read(&[stream], 1000).0, expected);
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(read(&bytes, 1000).0, expected, "byte by byte");
    for at in 0..=stream.len() {
        let (head, tail) = stream.split_at(at);
        assert_eq!(read(&[head, tail], 1000).0, expected, "in two at {at}");
    }
}

#[test]
fn streams_are_read_as_the_standard_says() {
    assert_reads(b"data: a\n\ndata: b\n\n", &[("", "a"), ("", "b")]);
    assert_reads(b"data: a\r\n\r\ndata: b\r\n\r\n", &[("", "a"), ("", "b")]);
    assert_reads(b"data: a\r\rdata: b\r\r", &[("", "a"), ("", "b")]);
    assert_reads(b"data: a\r\n\ndata: b\n\r\n", &[("", "a"), ("", "b")]);
    assert_reads(b"data:a\ndata:  b\ndata\n\n", &[("", "a\n b\n")]);
    assert_reads(b"event: x\ndata: a\n\ndata: b\n\n", &[("x", "a"), ("", "b")]);
    assert_reads(b": c\n\n:c\nid: 7\nretry: 9\nodd\ndata: a\n:c\n\n\n\n", &[("", "a")]);
    assert_reads(b"event: x\n\ndata: a\n\n", &[("", "a")]);
    assert_reads(b"data\n\ndata:\n\n", &[("", ""), ("", "")]);
    assert_reads(b"\xef\xbb\xbfdata: a\n\n", &[("", "a")]);
    assert_reads("data: äöü🎈\n\n".as_bytes(), &[("", "äöü🎈")]);
    assert_reads(b"data: a\xff\xf0\x9fb\ndata: \xc3\n\n", &[("", "a\u{fffd}\u{fffd}b\n\u{fffd}")]);
    assert_reads(b"", &[]);
}

#[test]
fn a_last_event_without_a_blank_line_is_kept() {
    assert_reads(b"data: a\n\ndata: b", &[("", "a"), ("", "b")]);
    assert_reads(b"data: a\n\ndata: b\r", &[("", "a"), ("", "b")]);
    assert_reads(b"data: a\n\nevent: x\n", &[("", "a")]);
}

#[test]
fn an_event_in_one_piece_is_a_slice_of_it() {
    let piece = Bytes::from_static(b"event: x\ndata: hello\n\n");
    let mut reader = Reader::new(100);
    reader.push(piece.clone());
    let event = reader.next_event().unwrap().unwrap();
    assert_eq!(event.data.as_ptr(), piece.slice(15..).as_ptr());
}

#[test]
fn an_oversize_event_ends_the_stream_wherever_it_is_split() {
    let comment = format!("data: a\n\n: {}\n\ndata: b\n\n", "x".repeat(40));
    for stream in
        ["data: a\n\ndata: 0123456789\n\n", "data: a\n\ndata: 01\ndata: 23456789\n\n", &comment]
    {
        for at in 0..=stream.len() {
            let (head, tail) = stream.as_bytes().split_at(at);
            let (events, error) = read(&[head, tail], 10);
            assert_eq!(events, [(None, "a".to_owned())], "in two at {at}");
            assert_eq!(error, Some(Oversize { max_bytes: 10 }), "in two at {at}");
        }
    }
}

#[test]
fn what_is_written_is_read_back() {
    let mut out = Vec::new();
    write_comment(&mut out, "PROCESSING");
    write_data(&mut out, b"one\ntwo\r\nthree\rfour\n");
    write_event(&mut out, "ping", b"{}");
    assert_reads(&out, &[("", "one\ntwo\nthree\nfour\n"), ("ping", "{}")]);
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        lines in proptest::collection::vec("(data: ?|event: |: |id:|data)?[a-c:\u{e4} ]{0,4}(\r\n|\n|\r)", 0..20),
        cuts in proptest::collection::vec(0usize..200, 0..6),
    ) {
        let stream = lines.concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read(&pieces, 60), read(&[&stream], 60));
    }
}
