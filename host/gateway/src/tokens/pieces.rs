//! A long text in pieces that can be counted one by one: the tokenizer holds memory for the whole
//! of what it is given, and a body may be 32 MB of one letter.

/// The longest piece in bytes. A cut inside a word may change the count by a token or two, so
/// pieces are long; the tokenizer needs about twice a piece's size.
const PIECE_BYTES: usize = 64 * 1024;

/// The text's pieces, in order.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at_checked(cut(rest)).unwrap_or((rest, ""));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Where the first piece ends: at the last border within reach where the tokenizers begin a new
/// word whatever stands around it, and only in a text without one, inside a word.
fn cut(text: &str) -> usize {
    if text.len() <= PIECE_BYTES {
        return text.len();
    }
    let reach = text.as_bytes().get(..=PIECE_BYTES).unwrap_or_default();
    let border = reach.windows(2).rposition(is_border);
    border.map_or_else(|| text.floor_char_boundary(PIECE_BYTES), |at| at + 1)
}

/// Whether a new word begins between two bytes: a space opens a word and stands in none (unless
/// another space goes before it), and so does a letter or digit that opens a line.
fn is_border(pair: &[u8]) -> bool {
    match pair {
        [before, b' '] => before.is_ascii_graphic(),
        [b'\n', after] => after.is_ascii_alphanumeric(),
        _ => false,
    }
}
