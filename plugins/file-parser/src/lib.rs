//! Files in requests, for models that read none: their text takes the file's place. PDF, Word,
//! Excel and PowerPoint, HTML, and whatever is text already.
//!
//! What was read is given to the client as an annotation of the reply. A client that sends the
//! annotation back with the next turn saves reading the file again.
//!
//! [`pdf`] reads PDF; [`parse`] is the way in for all kinds, also for tests and measurements.

mod annotation;
mod kind;
mod ocr;
mod office;
mod options;
mod parse;
mod parsed;
pub mod pdf;
mod plain;
mod reading;
mod source;
#[cfg(test)]
mod tests;

pub use kind::Kind;
pub use parse::parse;
pub use parsed::{Bounds, Failure, Parsed, Picture};

use options::{Options, SCHEMA};
use patchbay_sdk::{
    Decision, Delta, Description, Error, Generation, Interest, Plugin, Rejection, Request, Stream,
    Verdict, report,
};
use reading::Reading;
use serde_json::Value;

/// The plugin, for one generation.
pub struct FileParser {
    options: Options,
    annotations: Vec<Value>,
}

impl Plugin for FileParser {
    fn describe() -> Description {
        Description::new("file-parser", env!("CARGO_PKG_VERSION"), patchbay_sdk::Kind::Guard)
            .summary("Turns PDF and office files into text for models that read no files.")
            .options(SCHEMA)
            .trigger("media=file")
            .capability("http=https://*:*")
            .capability("http=http://*:*")
            .capability("http=https://api.mistral.ai")
            .capability(&format!("secrets={}", ocr::KEY))
            .limit("cpu-ms", CPU_MS)
            .limit("wall-ms", WALL_MS)
            .limit("memory-bytes", MEMORY_BYTES)
            .limit("http-bytes", HTTP_BYTES)
            .limit("http-ms", HTTP_MS)
            .limit("expansion", EXPANSION)
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()?, annotations: Vec::new() })
    }

    fn on_request(
        &mut self,
        generation: &Generation,
        mut request: Request,
    ) -> Result<Decision, Error> {
        let mut reading = Reading::new(generation, &self.options, &request.model);
        match reading.run(&mut request.messages) {
            Ok(true) => {
                self.annotations = reading.annotations;
                if !self.annotations.is_empty() {
                    report::if_failed("file_annotations", &self.annotations);
                }
                Ok(Decision::Replace(request))
            }
            Ok(false) => Ok(Decision::Pass),
            Err(why) => Ok(Decision::Reject(Rejection::new(400, why))),
        }
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        let annotations =
            if choice == 0 { std::mem::take(&mut self.annotations) } else { Vec::new() };
        Ok(Box::new(Annotated { annotations }))
    }
}

/// The first choice, whose end gets the annotations. Its text is not looked at.
struct Annotated {
    annotations: Vec<Value>,
}

impl Annotated {
    fn take(&mut self) -> impl Iterator<Item = Delta> {
        std::mem::take(&mut self.annotations).into_iter().map(|it| Delta::annotation(0, it))
    }
}

impl Stream for Annotated {
    fn interest(&self) -> Interest {
        if self.annotations.is_empty() { Interest::empty() } else { Interest::FINISH }
    }

    fn push(&mut self, batch: Vec<Delta>) -> Result<Verdict, Error> {
        if self.annotations.is_empty() {
            return Ok(Verdict::Pass);
        }
        Ok(Verdict::Emit(self.take().chain(batch).collect()))
    }

    fn finish(&mut self) -> Result<Verdict, Error> {
        if self.annotations.is_empty() {
            return Ok(Verdict::Pass);
        }
        Ok(Verdict::Emit(self.take().collect()))
    }
}

patchbay_sdk::export!(FileParser: request, stream);

patchbay_sdk::cases![
    "cases/broken.json",
    "cases/choices.json",
    "cases/csv.json",
    "cases/engine_native.json",
    "cases/engine_ocr.json",
    "cases/engine_ocr_unset.json",
    "cases/engine_pdf_text.json",
    "cases/html.json",
    "cases/max_bytes.json",
    "cases/max_files.json",
    "cases/max_pages.json",
    "cases/native.json",
    "cases/no_file.json",
    "cases/other_annotations.json",
    "cases/pdf.json",
    "cases/reused.json",
    "cases/scanned.json",
    "cases/scanned_ocr.json",
    "cases/text_only.json",
    "cases/twice.json",
    "cases/unknown.json",
    "cases/url.json",
    "cases/url_missing.json",
    "cases/url_native.json",
    "cases/url_refused.json",
];

/// Time and memory for a file of hundreds of pages.
const CPU_MS: u64 = 20_000;
const WALL_MS: u64 = 120_000;
const MEMORY_BYTES: u64 = 256 << 20;

/// A file that is fetched, and one that goes to OCR and comes back.
const HTTP_BYTES: u64 = 64 << 20;
const HTTP_MS: u64 = 60_000;

/// A held file's text is many times the request that only names it.
const EXPANSION: u64 = 1_000_000;
