//! Gets the bytes of a file part.

use patchbay_sdk::{Generation, Media, MediaData, http};

/// A file with what is known of it.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) mime: String,
    pub(crate) bytes: Vec<u8>,
}

/// The file's name: what the client calls it, or the end of its address.
pub(crate) fn name(media: &Media) -> String {
    let given = media.name.clone().filter(|name| !name.is_empty());
    given.unwrap_or_else(|| match &media.data {
        MediaData::Url(url) => {
            let path = url.split(['?', '#']).next().unwrap_or_default();
            let last = path.rsplit('/').next().filter(|last| !last.is_empty());
            last.unwrap_or("file").to_owned()
        }
        _ => "file".to_owned(),
    })
}

/// The MIME type that the client or the host knows.
pub(crate) fn mime(media: &Media, generation: &Generation) -> String {
    match &media.data {
        MediaData::Held(held) => generation.media_mime(*held).unwrap_or_default(),
        MediaData::Inline(inline) => inline.mime.clone(),
        MediaData::Url(_) | MediaData::Id(_) => String::new(),
    }
}

/// Loads the file; the error is a sentence for the client.
pub(crate) fn load(
    media: &Media,
    generation: &Generation,
    bytes_max: u32,
) -> Result<Source, String> {
    let (name, mut mime) = (name(media), mime(media, generation));
    let too_large = || {
        format!("The file `{name}` is larger than the {bytes_max} bytes that `max_bytes` allows.")
    };
    let bytes = match &media.data {
        MediaData::Held(held) => {
            let size = generation.media_size(*held).unwrap_or(0);
            if size > u64::from(bytes_max) {
                return Err(too_large());
            }
            read(generation, *held)
        }
        MediaData::Inline(inline) => inline.bytes.clone(),
        MediaData::Url(url) => {
            let reply = http::get(url).response_bytes_max(bytes_max).send();
            let reply = reply.map_err(|error| match error {
                http::HttpError::TooLarge => too_large(),
                error => format!(
                    "The file `{name}` could not be fetched: {}. {INSTEAD}",
                    web_pages::reason(&error.into()).trim_end_matches('.')
                ),
            })?;
            if !(200..=299).contains(&reply.status()) {
                let status = reply.status();
                return Err(format!(
                    "The file `{name}` could not be fetched: its address answered {status}. {INSTEAD}"
                ));
            }
            mime = reply.header("content-type").unwrap_or_default().to_owned();
            reply.body().to_vec()
        }
        MediaData::Id(_) => return Err(format!("The file `{name}` is held by the provider.")),
    };
    if bytes.is_empty() {
        return Err(format!("The file `{name}` is empty."));
    }
    Ok(Source { name, mime, bytes })
}

fn read(generation: &Generation, held: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let offset = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let piece = generation.media_read(held, offset, PIECE_BYTES);
        if piece.is_empty() {
            return bytes;
        }
        bytes.extend(piece);
    }
}

/// What a client can do without the gateway fetching anything.
const INSTEAD: &str = "Check the address, or send the file itself, as a data URL.";

const PIECE_BYTES: u32 = 1 << 20;
