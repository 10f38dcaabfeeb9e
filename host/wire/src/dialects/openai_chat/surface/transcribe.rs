//! `POST /audio/transcriptions`: JSON with the sound in base64, or a form with the file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::super::emit::Object as Writer;
use super::super::usage;
use super::Body;
use crate::dialect::Cost;
use crate::error::ReadError;
use crate::transcribe::{TranscribeReply, TranscribeRequest};

/// Reads a client's JSON body. `prompt` is passed over, as OpenRouter does.
///
/// # Errors
/// Names the field that is wrong.
pub fn read(body: &[u8]) -> Result<TranscribeRequest, ReadError> {
    let body = Body::parse(body)?;
    let sound = body.need("input_audio", "an object with `data` and `format`")?;
    let fields = sound.object()?;
    let field = |name: &'static str, expected: &str| {
        fields.field(name).ok_or_else(|| sound.missing(name, expected))
    };
    let data = sound.key("data", field("data", "the sound in base64")?);
    let text = data.text()?;
    let bytes = STANDARD.decode(text.trim()).ok().filter(|bytes| !bytes.is_empty());
    let bytes = bytes.ok_or_else(|| data.error("the sound in base64, without `data:…`"))?;
    let format = sound.key("format", field("format", FORMAT)?);
    let granularities = body.read("timestamp_granularities", |at| {
        let list = at.list()?.into_iter().enumerate();
        list.map(|(number, raw)| at.index(number, raw).text()).collect::<Result<Vec<_>, _>>()
    })?;
    let request = TranscribeRequest {
        model: body.model()?,
        sound: bytes.into(),
        format: extension(&format.text()?).ok_or_else(|| format.error(FORMAT))?,
        language: body.text("language")?,
        temperature: body.number("temperature", 0.0, 1.0)?,
        is_verbose: is_verbose(body.text("response_format")?.as_deref())?,
        granularities: granularities.unwrap_or_default(),
        user: body.text("user")?,
        provider: body.provider(),
    };
    check(request)
}

/// A form's parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upload {
    /// The fields that are texts, in order.
    pub fields: Vec<(String, String)>,
    /// The file's name and type, where given, and its bytes.
    pub file: Option<(Option<String>, Option<String>, Bytes)>,
}

/// Reads a client's form.
///
/// # Errors
/// Names the field that is wrong.
pub fn read_upload(upload: Upload) -> Result<TranscribeRequest, ReadError> {
    let text = |name: &str| {
        let field = upload.fields.iter().find(|(known, _)| known == name);
        field.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    let model = text("model").ok_or_else(|| ReadError::new("model", "a model's id", "nothing"))?;
    let language = text("language");
    let temperature = text("temperature").map(|text| {
        let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
        number.ok_or_else(|| ReadError::new("temperature", "a number from 0 to 1", text))
    });
    let is_verbose = is_verbose(text("response_format").as_deref())?;
    let is_granularity = |name: &str| name.trim_end_matches("[]") == "timestamp_granularities";
    let granularities = upload.fields.iter().filter(|(name, _)| is_granularity(name));
    let granularities = granularities.map(|(_, value)| value.clone()).collect();
    let user = text("user");
    let no_file = || ReadError::new("file", "the sound as a file", "nothing");
    let (name, kind, sound) =
        upload.file.filter(|(.., bytes)| !bytes.is_empty()).ok_or_else(no_file)?;
    let by_name = name.as_deref().and_then(|name| extension(name.rsplit_once('.')?.1));
    let by_kind = || extension(kind.as_deref()?.strip_prefix("audio/")?);
    let unknown = || {
        ReadError::new("file", "a name that ends like `.wav`, or a type like audio/wav", "neither")
    };
    check(TranscribeRequest {
        model,
        sound,
        format: by_name.or_else(by_kind).ok_or_else(unknown)?,
        language,
        temperature: temperature.transpose()?,
        is_verbose,
        granularities,
        user,
        provider: None,
    })
}

/// A file name's end: letters and digits only, for it is written into a form's head.
fn extension(text: &str) -> Option<String> {
    let text = text.strip_prefix("x-").unwrap_or(text).to_ascii_lowercase();
    let is_plain =
        (1..=8).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_alphanumeric());
    is_plain.then_some(text)
}

fn is_verbose(format: Option<&str>) -> Result<bool, ReadError> {
    match format {
        None | Some("json") => Ok(false),
        Some("verbose_json") => Ok(true),
        Some(other) => {
            let expected = "json or verbose_json (text, srt and vtt are not offered)";
            Err(ReadError::new("response_format", expected, other))
        }
    }
}

fn check(request: TranscribeRequest) -> Result<TranscribeRequest, ReadError> {
    let is_known = |word: &&String| ["word", "segment"].contains(&word.as_str());
    match request.granularities.iter().find(|word| !is_known(word)) {
        Some(word) => Err(ReadError::new("timestamp_granularities", "word or segment", word)),
        None => Ok(request),
    }
}

const FORMAT: &str = "the sound's format, like `wav`";

/// Writes the reply. `reply.usage` and `reply.units` are what is billed.
pub fn write(reply: &TranscribeReply, request: &TranscribeRequest, cost: &Cost) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    object.value("text", &reply.text);
    for (name, json) in reply.details.iter().filter(|_| request.is_verbose) {
        object.raw(name, json.as_str());
    }
    object.object("usage", |used| {
        let (prompt, completion) = (reply.usage.prompt, reply.usage.completion);
        if let Some(milliseconds) = reply.units.sound_ms {
            used.raw("seconds", &seconds(milliseconds));
        }
        used.optional("input_tokens", prompt.as_ref());
        used.optional("output_tokens", completion.as_ref());
        if prompt.is_some() || completion.is_some() {
            let total = prompt.unwrap_or(0).saturating_add(completion.unwrap_or(0));
            used.value("total_tokens", &total);
        }
        used.raw("cost", usage::number(&cost.total));
    });
    object.end();
    out
}

/// Milliseconds as a decimal number of seconds.
fn seconds(milliseconds: u64) -> String {
    let (whole, rest) = (milliseconds / 1000, milliseconds % 1000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:03}").trim_end_matches('0').to_owned()
}
