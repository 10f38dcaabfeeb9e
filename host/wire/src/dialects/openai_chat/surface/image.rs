//! `POST /images`.

use super::super::emit::Object as Writer;
use super::super::field::At;
use super::super::message_read::read_part;
use super::super::usage;
use super::Body;
use crate::chunk::{Chunk, Usage};
use crate::dialect::{Cost, Head, WriteStream};
use crate::error::{Failure, ReadError};
use crate::image::{ImageReply, ImageRequest, Picture, Size};
use crate::request::{Content, Media, MediaKind};

/// Reads a client's body.
///
/// # Errors
/// Names the field that is wrong, or the two that contradict each other.
pub fn read(body: &[u8]) -> Result<ImageRequest, ReadError> {
    let body = Body::parse(body)?;
    let references = body.read("input_references", |at| {
        let list = at.list()?;
        if list.len() > REFERENCES_MAX {
            let expected = format!("at most {REFERENCES_MAX} pictures");
            return Err(ReadError::new("input_references", expected, list.len().to_string()));
        }
        let list = list.into_iter().enumerate();
        list.map(|(number, raw)| reference(at.index(number, raw))).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(ImageRequest {
        model: body.model()?,
        prompt: body.need_text("prompt", "what shall be seen")?,
        n: body.whole("n", 1, 10)?.unwrap_or(1),
        size: size(&body)?,
        quality: body.text("quality")?,
        output_format: body.word("output_format", &["png", "jpeg", "webp", "svg"])?,
        output_compression: body.whole("output_compression", 0, 100)?,
        background: body.word("background", &["auto", "transparent", "opaque"])?,
        seed: body.read("seed", |at| at.whole())?,
        references: references.unwrap_or_default(),
        stream: body.read("stream", |at| at.boolean())?.unwrap_or(false),
        user: body.text("user")?,
        provider: body.provider(),
    })
}

fn reference(at: At<'_, '_>) -> Result<Media, ReadError> {
    match read_part(at)?.content {
        Content::Media(media) if media.kind == MediaKind::Image => Ok(media),
        _ => Err(at.error("an `image_url` part")),
    }
}

/// `size` in pixels decides alone; as a tier it is a `resolution`.
fn size(body: &Body<'_>) -> Result<Size, ReadError> {
    let resolution = body.word("resolution", &TIERS)?;
    let aspect = body.text("aspect_ratio")?.filter(|aspect| aspect != "auto");
    let aspect = aspect.map(|text| {
        ratio(&text)
            .ok_or_else(|| ReadError::new("aspect_ratio", "a ratio like 16:9, or auto", text))
    });
    let aspect = aspect.transpose()?;
    let conflict = |other: &str, text: &str| {
        let expected = format!("no `{other}` beside it, or a size that agrees with it");
        Err(ReadError::new("size", expected, text))
    };
    let Some(text) = body.text("size")?.filter(|size| size != "auto") else {
        return Ok(match (&resolution, aspect) {
            (None, None) => Size::Auto,
            _ => Size::About { resolution, aspect },
        });
    };
    if TIERS.contains(&text.as_str()) {
        return match resolution {
            Some(other) if other != text => conflict("resolution", &text),
            _ => Ok(Size::About { resolution: Some(text), aspect }),
        };
    }
    let pixels = text.split_once('x').and_then(|(width, height)| {
        let sides: (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
        Some(sides).filter(|(width, height)| *width > 0 && *height > 0)
    });
    let Some((width, height)) = pixels else {
        return Err(ReadError::new(
            "size",
            "pixels like 1024x1024, or 512, 1K, 2K, 4K, auto",
            text,
        ));
    };
    if resolution.is_some() {
        return conflict("resolution", &text);
    }
    let is_same = |(wide, high): (u32, u32)| {
        u64::from(width) * u64::from(high) == u64::from(height) * u64::from(wide)
    };
    match aspect {
        Some(aspect) if !is_same(aspect) => conflict("aspect_ratio", &text),
        _ => Ok(Size::Pixels(width, height)),
    }
}

/// `16:9`, or with one decimal `19.5:9`, then both times ten.
fn ratio(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once(':')?;
    let tenths = |text: &str| {
        let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
        let tenth: u32 = Some(tenth).filter(|tenth| tenth.len() == 1)?.parse().ok()?;
        whole.parse::<u32>().ok()?.checked_mul(10)?.checked_add(tenth)
    };
    let sides = (tenths(width)?, tenths(height)?);
    let is_plain = sides.0 % 10 == 0 && sides.1 % 10 == 0;
    let sides = if is_plain { (sides.0 / 10, sides.1 / 10) } else { sides };
    Some(sides).filter(|(width, height)| *width > 0 && *height > 0)
}

/// More references than this are refused.
const REFERENCES_MAX: usize = 16;

/// The tiers of resolution.
const TIERS: [&str; 4] = ["512", "1K", "2K", "4K"];

/// Writes the whole reply. `reply.usage` is what is billed.
pub fn write(reply: &ImageReply, head: &Head, cost: &Cost) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    object.value("created", &head.created);
    object.list("data", &reply.pictures, |picture, out| {
        let mut row = Writer::begin(out);
        fields(picture, &mut row);
        row.end();
    });
    usage::write(&reply.usage, cost, object.key("usage"));
    object.end();
    out
}

/// Writes the reply as events: each picture completed, then `[DONE]`. The usage is the whole
/// request's, so it stands in the last.
pub fn write_events(reply: &ImageReply, head: &Head, cost: &Cost) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, picture) in reply.pictures.iter().enumerate() {
        out.extend_from_slice(b"event: image_generation.completed\ndata: ");
        let mut object = Writer::begin(&mut out);
        object.value("type", "image_generation.completed");
        fields(picture, &mut object);
        object.value("created", &head.created);
        if at + 1 == reply.pictures.len() {
            usage::write(&reply.usage, cost, object.key("usage"));
        }
        object.end();
        out.extend_from_slice(b"\n\n");
    }
    out.extend_from_slice(b"data: [DONE]\n\n");
    out
}

/// Writes what stands around the events: comments while the pictures are made, and an error.
pub fn stream() -> Box<dyn WriteStream> {
    Box::new(Around)
}

/// The pictures themselves are written whole, by [`write_events`].
struct Around;

impl WriteStream for Around {
    fn chunk(&mut self, _: &Chunk, _: &mut Vec<u8>) {}

    fn end(&mut self, _: &Usage, _: &Cost, _: &mut Vec<u8>) {}

    fn error(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: error\ndata: ");
        let mut object = Writer::begin(out);
        object.value("type", "error");
        object.object("error", |error| {
            error.value("type", failure.error_type.as_str());
            error.value("code", &failure.status.to_string());
            error.value("message", &failure.message);
            error.raw("param", "null");
        });
        object.end();
        out.extend_from_slice(b"\n\ndata: [DONE]\n\n");
    }

    fn keep_alive(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b": OPENROUTER PROCESSING\n\n");
    }
}

fn fields(picture: &Picture, object: &mut Writer<'_>) {
    object.value("b64_json", &picture.base64);
    object.optional("media_type", picture.mime.as_ref());
}
