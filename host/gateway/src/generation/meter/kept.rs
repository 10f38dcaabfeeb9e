//! What a model was asked and what it wrote, kept until it is clear whether it must be counted
//! here. The request is moved, not copied; the text is copied and folded into a count when it gets
//! long, so that a stream holds little.

use tokio::task::{JoinHandle, spawn_blocking};
use wire::Request;

use crate::tokens;

/// What may have to be counted.
#[derive(Debug)]
pub(super) struct Kept {
    model: String,
    /// None once the upstream counted it.
    request: Option<Box<Request>>,
    /// Whether the upstream counted what it wrote.
    is_written_counted: bool,
    /// What was written since the last fold. Several choices are counted as one text.
    text: String,
    /// Counts of what was written before.
    folded: Vec<JoinHandle<u64>>,
}

impl Kept {
    pub(super) fn new(model: &str, request: Request) -> Self {
        Self {
            model: model.to_owned(),
            request: Some(Box::new(request)),
            is_written_counted: false,
            text: String::new(),
            folded: Vec::new(),
        }
    }

    /// The upstream counted the prompt.
    pub(super) fn forget_request(&mut self) {
        self.request = None;
    }

    /// The upstream counted all that it wrote.
    pub(super) fn forget_text(&mut self) {
        self.is_written_counted = true;
        self.text = String::new();
        self.folded = Vec::new();
    }

    /// Keeps a piece of what was written. Pieces end where tokens do, nearly always, so a fold
    /// between two costs no accuracy.
    pub(super) fn push(&mut self, piece: &str) {
        if self.is_written_counted {
            return;
        }
        self.text.push_str(piece);
        if self.text.len() >= TEXT_BYTES_MAX {
            let (model, text) = (self.model.clone(), std::mem::take(&mut self.text));
            self.folded.push(spawn_blocking(move || tokens::count(&model, &text).tokens));
        }
    }

    /// Tokens read and written, as far as the upstream did not say; on a thread that may be busy
    /// for long. None, too, should counting fail.
    pub(super) async fn count(self) -> (Option<u64>, Option<u64>) {
        let Self { model, request, is_written_counted, text, folded } = self;
        if request.is_none() && is_written_counted {
            return (None, None);
        }
        let count = move || {
            let prompt = request.map(|request| tokens::count_request(&model, &request).tokens);
            let written = (!is_written_counted).then(|| tokens::count(&model, &text).tokens);
            (prompt, written)
        };
        let (prompt, mut written) = spawn_blocking(count).await.unwrap_or_default();
        for part in folded {
            let part = part.await.ok();
            written = written.zip(part).map(|(all, part)| all.saturating_add(part));
        }
        (prompt, written)
    }
}

/// More text than this is counted and let go. Most replies are a tenth of it.
const TEXT_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_of_any_length_holds_little_text() {
        let mut kept = Kept::new("openai/gpt-4o", Request::default());
        for _ in 0..10_000 {
            kept.push(&" hello".repeat(20));
            assert!(kept.text.len() < TEXT_BYTES_MAX);
        }
        assert!(kept.folded.len() > 10);
        assert_eq!(kept.count().await.1, Some(200_000));
    }

    #[tokio::test]
    async fn what_the_upstream_counted_is_let_go_and_not_counted() {
        let mut kept = Kept::new("openai/gpt-4o", Request::default());
        kept.push("hello world");
        kept.forget_text();
        kept.push("what a further choice goes on to say");
        assert_eq!(kept.text.capacity(), 0);
        kept.forget_request();
        assert!(kept.request.is_none());
        assert_eq!(kept.count().await, (None, None));
    }
}
