//! How a reply is made and charged, in both directions: `responseModalities`, `imageConfig`,
//! `speechConfig`, `serviceTier`.

use crate::error::ReadError;
use crate::json::Json;
use crate::request::Service;

use super::fields::{Fields, under};
use super::shape::Draft;

/// Reads what stands in `generationConfig`. `speechConfig` is kept there too: it can name several
/// speakers, which have no canonical place.
pub(super) fn read_config(config: &Fields<'_>, service: &mut Service) -> Result<(), ReadError> {
    let words = config.texts("responseModalities")?;
    service.modalities = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    if let Some(image) = config.object("imageConfig")? {
        let mut draft = Draft::default();
        for (key, raw) in image.each() {
            draft.put(&snake(key), &raw);
        }
        service.image_config = Some(Json::of(&draft));
    }
    let voice = config.object("speechConfig")?.map(|speech| voice(&speech)).transpose();
    if let Some(voice) = voice.map_err(|error| under(error, "speechConfig"))?.flatten() {
        let mut audio = Draft::default();
        audio.put("voice", &voice);
        // The only form in which Gemini speaks.
        audio.put("format", &"pcm16");
        service.audio = Some(Json::of(&audio));
    }
    Ok(())
}

fn voice(speech: &Fields<'_>) -> Result<Option<String>, ReadError> {
    let Some(config) = speech.object("voiceConfig")? else { return Ok(None) };
    let Some(prebuilt) = config.object("prebuiltVoiceConfig")? else { return Ok(None) };
    prebuilt.text("voiceName")
}

/// Writes what stands in `generationConfig`.
pub(super) fn write_config(service: &Service, config: &mut Draft) {
    if !service.modalities.is_empty() {
        let words = service.modalities.iter().map(|word| word.to_ascii_uppercase());
        config.put("responseModalities", &words.collect::<Vec<_>>());
    }
    let image = service.image_config.as_ref().map(|json| Fields::parse(json.as_str()));
    if let Some(Ok(image)) = image {
        let mut draft = Draft::default();
        for key in IMAGE_FIELDS {
            draft.maybe(key, image.raw(key).as_ref());
        }
        if !draft.0.is_empty() {
            config.put("imageConfig", &draft);
        }
    }
    let audio = service.audio.as_ref().and_then(|json| Fields::parse(json.as_str()).ok());
    if let Some(voice) = audio.and_then(|audio| audio.text("voice").ok().flatten()) {
        let within = |key, inner: Draft| {
            let mut draft = Draft::default();
            draft.put(key, &inner);
            draft
        };
        let mut name = Draft::default();
        name.put("voiceName", &voice);
        let speech = within("voiceConfig", within("prebuiltVoiceConfig", name));
        config.put("speechConfig", &speech);
    }
}

/// Reads `serviceTier`.
pub(super) fn read_tier(body: &Fields<'_>, service: &mut Service) -> Result<(), ReadError> {
    let tier = body.text("serviceTier")?.map(|tier| tier.to_ascii_lowercase());
    service.tier = tier.map(|tier| if tier == STANDARD { "default".to_owned() } else { tier });
    Ok(())
}

/// Writes `serviceTier`. What Google has no such tier for is left to Google.
pub(super) fn write_tier(service: &Service, body: &mut Draft) {
    let tier = service.tier.as_deref().and_then(|tier| match tier {
        "default" => Some(STANDARD),
        "flex" | "priority" => Some(tier),
        _ => None,
    });
    body.maybe("serviceTier", tier.as_ref());
}

pub(super) fn snake(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// Google's name of the tier that others call `default`.
const STANDARD: &str = "standard";

/// What Google knows of pictures; other fields it refuses.
const IMAGE_FIELDS: [&str; 5] =
    ["aspectRatio", "imageSize", "personGeneration", "prominentPeople", "imageOutputOptions"];
