//! The embedded search engine: documents -> passages -> ranked hits. It reads HTML, Markdown and
//! plain text (other formats by a [`Reader`] that is handed in), cuts the text at headings and
//! paragraphs, and keeps named indexes below one folder: BM25 over words stemmed for each
//! document's language, over the words as they are written (so identifiers are found), and over
//! titles and headings. Adding is incremental by content, one commit per add. It knows no network
//! and no clock; whoever calls brings the bytes.

mod add;
mod document;
mod error;
mod fields;
mod flow;
mod indexes;
mod language;
mod opened;
mod passage;
mod query;
mod reader;
mod settings;
mod walk;
mod words;

pub use add::{Added, Progress};
pub use document::{Document, Refused};
pub use error::{Error, ReadError};
pub use indexes::{Indexes, Listing};
pub use query::Hit;
pub use reader::{Extracted, Landmark, Mark, Reader};
pub use settings::Settings;
