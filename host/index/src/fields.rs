//! What an index keeps. Each source has a record (its digest, its language) and its passages, in
//! one commit, so they never disagree.

use tantivy::query::TermQuery;
use tantivy::schema::{
    Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value,
};
use tantivy::{TantivyDocument, Term};

use crate::language::Stemming;
use crate::passage::Passage;
use crate::words;

/// The fields of every index, in the order in which the schema lists them.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    /// Both: where it is from.
    pub(crate) source: Field,
    /// Tells records from passages.
    role: Field,
    /// Record: what the source's bytes and our way to read them come to.
    pub(crate) digest: Field,
    /// Record: what its passages are stemmed for; `-` for nothing.
    pub(crate) language: Field,
    title: Field,
    headings: Field,
    text: Field,
    offset: Field,
    page: Field,
    /// Passage: words as they are written.
    pub(crate) exact: Field,
    /// Passage: stems of the text.
    pub(crate) stems: Field,
    /// Passage: stems of the title.
    pub(crate) title_stems: Field,
    /// Passage: stems of the headings.
    pub(crate) heading_stems: Field,
}

/// A stored passage as it is read back.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) source: String,
    pub(crate) title: String,
    pub(crate) headings: Vec<String>,
    pub(crate) text: String,
    pub(crate) offset: u64,
    pub(crate) page: Option<u64>,
}

impl Fields {
    pub(crate) fn new() -> Self {
        let mut schema = Schema::builder();
        // Words are counted; where they stand is not kept, as nobody asks for phrases.
        let counted = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(IndexRecordOption::WithFreqs);
        let words = || TextOptions::default().set_indexing_options(counted.clone());
        let fields = Self {
            source: schema.add_text_field("source", STRING | STORED),
            role: schema.add_text_field("role", STRING),
            digest: schema.add_text_field("digest", STORED),
            language: schema.add_text_field("language", STRING),
            title: schema.add_text_field("title", STORED),
            headings: schema.add_text_field("headings", STORED),
            text: schema.add_text_field("text", STORED),
            offset: schema.add_u64_field("offset", STORED),
            page: schema.add_u64_field("page", STORED),
            exact: schema.add_text_field("exact", words()),
            stems: schema.add_text_field("stems", words()),
            title_stems: schema.add_text_field("title_stems", words()),
            heading_stems: schema.add_text_field("heading_stems", words()),
            schema: Schema::builder().build(),
        };
        Self { schema: schema.build(), ..fields }
    }

    /// Everything that is kept of a source.
    pub(crate) fn of_source(&self, source: &str) -> Term {
        Term::from_field_text(self.source, source)
    }

    /// Finds all records.
    pub(crate) fn records(&self) -> TermQuery {
        let term = Term::from_field_text(self.role, RECORD);
        TermQuery::new(term, IndexRecordOption::Basic)
    }

    pub(crate) fn record(
        &self,
        source: &str,
        digest: &str,
        stemming: Option<Stemming>,
    ) -> TantivyDocument {
        let mut record = TantivyDocument::default();
        record.add_text(self.source, source);
        record.add_text(self.role, RECORD);
        record.add_text(self.digest, digest);
        record.add_text(self.language, stemming.map_or(NO_LANGUAGE, |it| it.code));
        record
    }

    pub(crate) fn passage(
        &self,
        source: &str,
        title: &str,
        passage: &Passage<'_>,
        stemming: Option<Stemming>,
    ) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_text(self.source, source);
        document.add_text(self.title, title);
        for heading in &passage.headings {
            document.add_text(self.headings, heading);
        }
        document.add_text(self.text, passage.text);
        document.add_u64(self.offset, passage.offset);
        if let Some(page) = passage.page {
            document.add_u64(self.page, page);
        }
        let stems = |text: &str| words::tokens(words::stems(text, stemming));
        document.add_pre_tokenized_text(self.exact, words::tokens(words::exact(passage.text)));
        document.add_pre_tokenized_text(self.stems, stems(passage.text));
        document.add_pre_tokenized_text(self.title_stems, stems(title));
        document.add_pre_tokenized_text(self.heading_stems, stems(&passage.headings.join("\n")));
        document
    }

    /// The source and digest of a record.
    pub(crate) fn read_record(&self, record: &TantivyDocument) -> (String, String) {
        (string(record, self.source), string(record, self.digest))
    }

    pub(crate) fn read_passage(&self, document: &TantivyDocument) -> Stored {
        let headings = document.get_all(self.headings).filter_map(|it| it.as_str());
        let number = |field| document.get_first(field).and_then(|it| it.as_u64());
        Stored {
            source: string(document, self.source),
            title: string(document, self.title),
            headings: headings.map(str::to_owned).collect(),
            text: string(document, self.text),
            offset: number(self.offset).unwrap_or_default(),
            page: number(self.page),
        }
    }
}

fn string(document: &TantivyDocument, field: Field) -> String {
    document.get_first(field).and_then(|it| it.as_str()).unwrap_or_default().to_owned()
}

/// A record's language when there is no stemmer for it.
const NO_LANGUAGE: &str = "-";

const RECORD: &str = "record";
