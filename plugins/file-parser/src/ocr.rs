//! Mistral's OCR: reads pages by looking at them.

use crate::annotation::picture;
use crate::parsed::{Bounds, Pages, Parsed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay_sdk::{Error, bill, http, secrets};
use serde::Deserialize;
use serde_json::json;

/// Whether the operator set the key.
pub(crate) fn is_configured() -> bool {
    secrets::exists(KEY)
}

/// The PDF's pages as Markdown. Each page is charged as one `ocr-page`.
pub(crate) fn read(bytes: &[u8], bounds: &Bounds) -> Result<Parsed, Error> {
    let url = format!("data:application/pdf;base64,{}", STANDARD.encode(bytes));
    let body = json!({
        "model": "mistral-ocr-latest",
        "document": {"type": "document_url", "document_url": url},
        "include_image_base64": bounds.pictures_max > 0,
        "image_limit": bounds.pictures_max,
    });
    let reply: Reply = http::post(URL).bearer(KEY).json(&body).send()?.ok()?.json()?;
    let count = reply.usage_info.map_or(reply.pages.len(), |usage| usage.pages_processed);
    bill::charge("ocr-page", u32::try_from(count).unwrap_or(u32::MAX))?;
    let page_count = reply.pages.len();
    let mut pages = Pages::new(*bounds);
    let mut pictures = Vec::new();
    for (index, page) in reply.pages.into_iter().enumerate() {
        let images = page.images.into_iter().filter_map(|image| picture(&image.image_base64?));
        pictures.extend(images);
        if !pages.push(&format!("[page {}]", index + 1), &page.markdown) {
            break;
        }
    }
    pictures.truncate(bounds.pictures_max);
    Ok(Parsed { pictures, ..pages.finish(page_count, "page") })
}

#[derive(Deserialize)]
struct Reply {
    pages: Vec<Page>,
    usage_info: Option<Usage>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    markdown: String,
    #[serde(default)]
    images: Vec<Image>,
}

#[derive(Deserialize)]
struct Image {
    image_base64: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    pages_processed: usize,
}

pub(crate) const KEY: &str = "MISTRAL_API_KEY";

const URL: &str = "https://api.mistral.ai/v1/ocr";
