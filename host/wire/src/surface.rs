//! What clients send and read on the surfaces beside text generation, in OpenRouter's form, which
//! is OpenAI's with a few fields more. Upstreams are spoken to by [`crate::Embeddings`],
//! [`crate::Rerank`], [`crate::Images`], [`crate::Speech`] and [`crate::Transcription`].

pub use crate::dialects::openai_chat::surface::{
    Upload, image_stream, read_embed, read_image, read_rerank, read_speech, read_transcribe,
    read_upload, write_embed, write_image, write_image_events, write_rerank, write_transcribe,
};
