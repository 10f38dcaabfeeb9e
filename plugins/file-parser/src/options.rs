//! What a request may set. The schema is `options.json`.

use crate::parsed::Bounds;
use serde::Deserialize;

/// The options, with their defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    pub(crate) pdf: Pdf,
    pub(crate) max_files: usize,
    pub(crate) max_bytes: u32,
    pub(crate) max_pages: usize,
    pub(crate) max_characters: usize,
    pub(crate) max_images: usize,
    pub(crate) text_only: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pdf {
    pub(crate) engine: Option<Engine>,
}

/// Who reads a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    /// The model's provider.
    Native,
    /// This plugin.
    #[serde(alias = "cloudflare-ai")]
    PdfText,
    /// Mistral, by looking at the pages.
    MistralOcr,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pdf: Pdf::default(),
            max_files: 16,
            max_bytes: 20 << 20,
            max_pages: 300,
            max_characters: 1 << 20,
            max_images: 8,
            text_only: false,
        }
    }
}

impl Options {
    /// How much is read of a file, for a model that looks at pictures or not.
    pub(crate) fn bounds(&self, looks_at_pictures: bool) -> Bounds {
        let takes_pictures = looks_at_pictures && !self.text_only;
        Bounds {
            pages_max: self.max_pages,
            text_bytes_max: self.max_characters,
            pictures_max: if takes_pictures { self.max_images } else { 0 },
        }
    }
}

pub(crate) const SCHEMA: &str = include_str!("options.json");
