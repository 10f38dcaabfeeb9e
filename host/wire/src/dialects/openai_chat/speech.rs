//! `POST /audio/speech`. The reply is the sound.

use super::emit::Object as Writer;
use super::{NAME, OpenaiChat};
use crate::dialect::Outgoing;
use crate::error::WriteError;
use crate::speech::{Speech, SpeechRequest};

impl Speech for OpenaiChat {
    fn write_speech(&self, request: &SpeechRequest, model: &str) -> Result<Outgoing, WriteError> {
        if request.references.is_some() {
            let what = "a voice to imitate (input_references)".to_owned();
            return Err(WriteError { dialect: NAME, what });
        }
        let mut body = Vec::new();
        let mut object = Writer::begin(&mut body);
        object.value("model", model);
        object.value("input", &request.input);
        // OpenAI demands one; the others have one of their own.
        object.value("voice", request.voice.as_deref().unwrap_or("alloy"));
        object.value("response_format", request.format.as_str());
        object.optional("speed", request.speed.as_ref());
        object.optional("instructions", request.instructions.as_ref());
        object.end();
        Ok(Outgoing { path: "/audio/speech".to_owned(), headers: Vec::new(), body: body.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::speech::SoundFormat;

    #[test]
    fn the_body_names_voice_and_form() {
        let mut request = SpeechRequest { input: "Hi".to_owned(), ..SpeechRequest::default() };
        let outgoing = OpenaiChat.write_speech(&request, "tts-1").unwrap();
        assert_eq!(outgoing.path, "/audio/speech");
        let expected = r#"{"model":"tts-1","input":"Hi","voice":"alloy","response_format":"pcm"}"#;
        assert_eq!(outgoing.body, expected);
        request.voice = Some("nova".to_owned());
        request.format = SoundFormat::Mp3;
        request.speed = Some(1.5);
        request.instructions = Some("Whisper.".to_owned());
        let body = OpenaiChat.write_speech(&request, "m").unwrap().body;
        let expected = r#"{"model":"m","input":"Hi","voice":"nova","response_format":"mp3","speed":1.5,"instructions":"Whisper."}"#;
        assert_eq!(body, expected);
    }

    #[test]
    fn no_voice_is_imitated() {
        let references = Some(Json::of(&["…"]));
        let request = SpeechRequest { references, ..SpeechRequest::default() };
        let error = OpenaiChat.write_speech(&request, "m").unwrap_err();
        assert_eq!(error.what, "a voice to imitate (input_references)");
    }
}
