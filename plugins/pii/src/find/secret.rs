//! API keys and other secrets, by the shape that their makers gave them so that they can be found.

use crate::look::{Look, Seen};
use std::sync::LazyLock;

/// A secret that begins here.
pub(crate) fn at(look: Look<'_>) -> Seen<()> {
    let first = look.byte(look.at);
    let may_begin = first.and_then(|first| FIRST.get(usize::from(first)));
    if may_begin.copied().unwrap_or_default() {
        for shape in SHAPES.iter().filter(|shape| shape.mark.bytes().next() == first) {
            match shape.at(look) {
                Seen::No => {}
                seen => return seen,
            }
        }
    }
    match first {
        Some(b'e') => token(look),
        Some(b'-') => private_key(look),
        _ => Seen::No,
    }
}

/// A mark and what follows it.
struct Shape {
    mark: &'static str,
    /// What may follow besides ASCII letters and digits.
    also: &'static [u8],
    /// How many bytes follow.
    least: usize,
    most: usize,
}

const fn shape(mark: &'static str, also: &'static [u8], least: usize, most: usize) -> Shape {
    Shape { mark, also, least, most }
}

/// Which bytes a mark begins with.
static FIRST: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut first = [false; 256];
    for byte in SHAPES.iter().filter_map(|shape| shape.mark.bytes().next()) {
        if let Some(flag) = first.get_mut(usize::from(byte)) {
            *flag = true;
        }
    }
    first
});

/// The longer of two marks first.
const SHAPES: &[Shape] = &[
    // OpenAI, Anthropic, OpenRouter and those who write keys alike.
    shape("sk-", b"-_", 20, ANY),
    // Stripe.
    shape("sk_live_", b"", 16, ANY),
    shape("sk_test_", b"", 16, ANY),
    shape("rk_live_", b"", 16, ANY),
    shape("rk_test_", b"", 16, ANY),
    shape("whsec_", b"+/=", 24, ANY),
    // AWS: key ids of users and of sessions.
    shape("AKIA", b"", 16, 16),
    shape("ASIA", b"", 16, 16),
    // GitHub, GitLab.
    shape("github_pat_", b"_", 22, ANY),
    shape("ghp_", b"", 36, ANY),
    shape("gho_", b"", 36, ANY),
    shape("ghu_", b"", 36, ANY),
    shape("ghs_", b"", 36, ANY),
    shape("ghr_", b"", 36, ANY),
    shape("glpat-", b"-_", 20, ANY),
    // Slack.
    shape("xoxa-", b"-", 10, ANY),
    shape("xoxb-", b"-", 10, ANY),
    shape("xoxe-", b"-", 10, ANY),
    shape("xoxp-", b"-", 10, ANY),
    shape("xoxr-", b"-", 10, ANY),
    shape("xoxs-", b"-", 10, ANY),
    shape("xapp-", b"-", 10, ANY),
    // Google.
    shape("AIza", b"-_", 35, 35),
    shape("GOCSPX-", b"-_", 28, 28),
    shape("ya29.", b"-_", 20, ANY),
    // Hugging Face, Groq, xAI, Replicate, Perplexity.
    shape("hf_", b"", 30, ANY),
    shape("gsk_", b"", 40, ANY),
    shape("xai-", b"", 40, ANY),
    shape("r8_", b"", 37, ANY),
    shape("pplx-", b"", 40, ANY),
    // Package registries.
    shape("npm_", b"", 36, 36),
    shape("pypi-", b"-_", 50, ANY),
    // SendGrid, DigitalOcean, Shopify, Databricks, HashiCorp Vault, age.
    shape("SG.", b"-_.", 60, ANY),
    shape("dop_v1_", b"", 64, 64),
    shape("shpat_", b"", 32, 32),
    shape("dapi", b"", 32, 34),
    shape("hvs.", b"-_", 24, ANY),
    shape("AGE-SECRET-KEY-1", b"", 58, 58),
];

impl Shape {
    fn at(&self, look: Look<'_>) -> Seen<()> {
        match begins(look, self.mark) {
            Seen::Match(start, ()) => self.rest(look, start),
            seen => seen,
        }
    }

    fn rest(&self, look: Look<'_>, start: usize) -> Seen<()> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || self.also.contains(&byte);
        let end = match run(look, start, self.most, is_part) {
            Ok(end) => end,
            Err(Cut) => return Seen::Open,
        };
        // A hyphen or a dot at the end is the sentence's.
        let written = look.text.get(start..end).unwrap_or_default();
        let length = written.trim_end_matches(['-', '.', '/']).len();
        let fits = (self.least..=self.most).contains(&length);
        if fits { Seen::Match(start + length, ()) } else { Seen::No }
    }
}

/// A JSON Web Token: two objects in base64, and a signature.
fn token(look: Look<'_>) -> Seen<()> {
    // Inside of what may be one, none begins: else a text of beginnings would be read many times.
    if look.back(1).ends_with(['-', '_']) {
        return Seen::No;
    }
    let mut at = look.at;
    for part in 0..3 {
        let mark = if part < 2 { "eyJ" } else { "" };
        let here = Look { at, ..look };
        let start = match begins(here, mark) {
            Seen::Match(start, ()) => start,
            seen => return seen,
        };
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        at = match run(look, start, ANY, is_part) {
            Ok(end) => end,
            Err(Cut) => return Seen::Open,
        };
        if at - start < 4 {
            return Seen::No;
        }
        if part < 2 {
            if look.byte(at) != Some(b'.') {
                return Seen::No;
            }
            at += 1;
        }
    }
    Seen::Match(at, ())
}

/// A private key in PEM. One that never ends is one to the end of the text, or of what is held.
fn private_key(look: Look<'_>) -> Seen<()> {
    let start = match begins(look, "-----BEGIN ") {
        Seen::Match(start, ()) => start,
        seen => return seen,
    };
    let head = look.rest(start);
    let head = head.get(..head.floor_char_boundary(HEAD_BYTES_MAX)).unwrap_or_default();
    let Some((name, _)) = head.split_once("-----") else {
        let is_cut = look.text.len() - start < HEAD_BYTES_MAX;
        return if is_cut { look.cut() } else { Seen::No };
    };
    if !name.contains("PRIVATE KEY") {
        return Seen::No;
    }
    let last = look.text.floor_char_boundary(look.at.saturating_add(HELD_BYTES_MAX));
    let body = look.text.get(start..last).unwrap_or_default();
    if let Some(foot) = body.find("-----END ") {
        let from = start + foot + "-----END ".len();
        if let Some(length) = look.text.get(from..last).and_then(|rest| rest.find("-----")) {
            return Seen::Match(from + length + "-----".len(), ());
        }
    }
    let is_cut = last == look.text.len() && last - look.at < HELD_BYTES_MAX && !look.complete;
    if is_cut { Seen::Open } else { Seen::Match(last, ()) }
}

/// Whether a mark stands here; the match ends after it.
fn begins(look: Look<'_>, mark: &str) -> Seen<()> {
    let rest = look.rest(look.at);
    if rest.starts_with(mark) {
        return Seen::Match(look.at + mark.len(), ());
    }
    if mark.starts_with(rest) { look.cut() } else { Seen::No }
}

/// The text ends inside a run.
struct Cut;

/// Where the run of such bytes ends that begins at `start`, looking no further than what makes it
/// longer than `most`.
fn run(
    look: Look<'_>,
    start: usize,
    most: usize,
    is_part: impl Fn(u8) -> bool,
) -> Result<usize, Cut> {
    let rest = look.rest(start).as_bytes();
    let most = HELD_BYTES_MAX.saturating_sub(start - look.at).min(most.saturating_add(1));
    let length = rest.iter().take(most).take_while(|byte| is_part(**byte)).count();
    let is_cut = length == rest.len() && length < most && !look.complete;
    if is_cut { Err(Cut) } else { Ok(start + length) }
}

/// A secret longer than this is cut here, so that a stream holds no more.
const HELD_BYTES_MAX: usize = 16 << 10;
const HEAD_BYTES_MAX: usize = 64;
const ANY: usize = usize::MAX;
