//! IP addresses. Those that name no machine of anybody's (loopback, unspecified, broadcast) are
//! left alone, so that talk about code keeps its sense.

use crate::edge;
use crate::look::{Look, Seen};
use std::net::{Ipv4Addr, Ipv6Addr};

/// An IPv4 or IPv6 address that begins here.
pub(crate) fn at(look: Look<'_>) -> Seen<()> {
    match six(look) {
        Seen::No => four(look),
        seen => seen,
    }
}

fn four(look: Look<'_>) -> Seen<()> {
    if !look.byte(look.at).is_some_and(|byte| byte.is_ascii_digit())
        || look.back(1).ends_with(['.', '_'])
    {
        return Seen::No;
    }
    let mut at = look.at;
    for part in 0..4 {
        let start = at;
        loop {
            match look.byte(at) {
                None if !look.complete => return Seen::Open,
                Some(b'0'..=b'9') if at - start < 3 => at += 1,
                _ => break,
            }
        }
        if at == start {
            return Seen::No;
        }
        if part < 3 {
            if look.byte(at) != Some(b'.') {
                return Seen::No;
            }
            at += 1;
        }
    }
    match (look.byte(at), look.byte(at + 1)) {
        (Some(next), _) if next.is_ascii_alphanumeric() || next == b'_' => return Seen::No,
        (Some(b'.'), None) if !look.complete => return Seen::Open,
        (Some(b'.'), Some(next)) if next.is_ascii_digit() => return Seen::No,
        _ => {}
    }
    let address = look.until(at).parse::<Ipv4Addr>();
    let counts = address.is_ok_and(|it| {
        !it.is_loopback() && !it.is_unspecified() && !it.is_broadcast() && !is_mask(it)
    }) && !is_version(look);
    if counts { Seen::Match(at, ()) } else { Seen::No }
}

/// Whether the word before says that this is a version: those look the same.
fn is_version(look: Look<'_>) -> bool {
    let before = look.back(edge::BACK / 2).trim_end_matches([' ', ':', '=', '-', '"', '\'', '`']);
    let word = before.rsplit(|character: char| !character.is_alphabetic()).next();
    word.is_some_and(|word| VERSION_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

fn is_mask(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    bits.leading_ones() >= 8 && bits.count_ones() == bits.leading_ones()
}

fn six(look: Look<'_>) -> Seen<()> {
    if look.back(1) == ":" {
        return Seen::No;
    }
    let mut at = look.at;
    loop {
        match look.byte(at) {
            None if !look.complete => return Seen::Open,
            Some(next) if next.is_ascii_hexdigit() || next == b':' || next == b'.' => at += 1,
            _ => break,
        }
        if at - look.at > SIX_BYTES_MAX {
            return Seen::No;
        }
    }
    let in_word = look.byte(at).is_some_and(|next| next.is_ascii_alphanumeric() || next == b'_');
    if in_word || at == look.at {
        return Seen::No;
    }
    let mut end = at;
    while end > look.at && (look.until(end).ends_with('.') || is_lone_colon(look.until(end))) {
        end -= 1;
    }
    let written = look.until(end);
    let Ok(address) = written.parse::<Ipv6Addr>() else { return Seen::No };
    let groups = written.split(':').filter(|group| !group.is_empty()).count();
    let is_likely = groups > 3 || written.bytes().any(|byte| byte.is_ascii_digit());
    let counts = is_likely && !address.is_loopback() && !address.is_unspecified() && groups > 1;
    if counts { Seen::Match(end, ()) } else { Seen::No }
}

fn is_lone_colon(written: &str) -> bool {
    written.ends_with(':') && !written.ends_with("::")
}

const VERSION_WORDS: [&str; 5] = ["v", "version", "ver", "release", "build"];
const SIX_BYTES_MAX: usize = 45;
