//! One attempt at one endpoint for what is asked beside text: vectors, rankings, pictures, speech
//! and transcriptions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wire::{
    EmbedReply, EmbedRequest, Embeddings, ErrorType, Failure, ImageReply, ImageRequest, Outgoing,
    RerankReply, RerankRequest, SpeechRequest, StreamError, TranscribeReply, TranscribeRequest,
    WriteError,
};

use super::{ERROR_BYTES_MAX, Upstream, broken, incoming, is_json, named, unreachable, unwritable};
use crate::config::catalog::{Endpoint, Provider};
use crate::error::Error;

impl Upstream {
    /// Asks one endpoint for vectors; in several calls where one can't take all.
    ///
    /// # Errors
    /// As [`Upstream::send`].
    pub(crate) async fn embed(
        &self,
        endpoint: &Endpoint,
        request: &EmbedRequest,
    ) -> Result<EmbedReply, Error> {
        let provider = &endpoint.provider;
        let call = offered(provider, provider.dialect.embeddings(), "embeddings")?;
        let batch_max = call.batch_max().max(1);
        if request.inputs.len() <= batch_max {
            return self.in_time(provider, self.batch(call, endpoint, request)).await;
        }
        let mut whole = EmbedReply::default();
        for (number, inputs) in request.inputs.chunks(batch_max).enumerate() {
            let part = EmbedRequest {
                model: request.model.clone(),
                inputs: inputs.to_vec(),
                dimensions: request.dimensions,
                input_type: request.input_type.clone(),
                encoding: request.encoding,
                user: request.user.clone(),
                provider: None,
            };
            let reply = self.in_time(provider, self.batch(call, endpoint, &part)).await?;
            let length = |vectors: &[Vec<f32>]| vectors.first().map(Vec::len);
            if number > 0 && length(&whole.vectors) != length(&reply.vectors) {
                return Err(broken(provider, "two batches have vectors of two lengths".to_owned()));
            }
            // A count is whole only if each call gave one.
            let sum = whole.usage.prompt.zip(reply.usage.prompt);
            whole.usage.prompt = match number {
                0 => reply.usage.prompt,
                _ => sum.map(|(before, more)| before.saturating_add(more)),
            };
            whole.vectors.extend(reply.vectors);
        }
        Ok(whole)
    }

    async fn batch(
        &self,
        call: &dyn Embeddings,
        endpoint: &Endpoint,
        request: &EmbedRequest,
    ) -> Result<EmbedReply, Error> {
        let quirks = &endpoint.provider.quirks;
        let outgoing = call.write_texts(request, &endpoint.model, quirks);
        self.ask(endpoint, outgoing, |body| call.read_vectors(body, request)).await
    }

    /// Asks one endpoint for a ranking.
    ///
    /// # Errors
    /// As [`Upstream::send`].
    pub(crate) async fn rerank(
        &self,
        endpoint: &Endpoint,
        request: &RerankRequest,
    ) -> Result<RerankReply, Error> {
        let provider = &endpoint.provider;
        let call = offered(provider, provider.dialect.rerank(), "rankings")?;
        let outgoing = call.write_documents(request, &endpoint.model);
        let asked = self.ask(endpoint, outgoing, |body| call.read_ranks(body, request));
        self.in_time(provider, asked).await
    }

    /// Asks one endpoint for pictures.
    ///
    /// # Errors
    /// As [`Upstream::send`].
    pub(crate) async fn draw(
        &self,
        endpoint: &Endpoint,
        request: &ImageRequest,
    ) -> Result<ImageReply, Error> {
        let provider = &endpoint.provider;
        let call = offered(provider, provider.dialect.images(), "pictures")?;
        let outgoing = call.write_prompt(request, &endpoint.model, &provider.quirks);
        let asked = self.ask(endpoint, outgoing, |body| call.read_pictures(body));
        self.in_time(provider, asked).await
    }

    /// Asks one endpoint to write sound down.
    ///
    /// # Errors
    /// As [`Upstream::send`].
    pub(crate) async fn transcribe(
        &self,
        endpoint: &Endpoint,
        request: &TranscribeRequest,
    ) -> Result<TranscribeReply, Error> {
        let provider = &endpoint.provider;
        let call = offered(provider, provider.dialect.transcription(), "transcriptions")?;
        let outgoing = call.write_sound(request, &endpoint.model);
        let asked = self.ask(endpoint, outgoing, |body| call.read_text(body));
        let limit = Duration::from_millis(self.limits.transcription_ms);
        self.within(limit, provider, asked).await
    }

    /// Asks one endpoint to speak. Returns when there is something to hear.
    ///
    /// # Errors
    /// As [`Upstream::send`].
    pub(crate) async fn speak(
        &self,
        endpoint: &Endpoint,
        request: &SpeechRequest,
    ) -> Result<Sound, Error> {
        let provider = &endpoint.provider;
        let call = offered(provider, provider.dialect.speech(), "speech")?;
        let outgoing = call.write_speech(request, &endpoint.model);
        let outgoing = outgoing.map_err(|error| unwritable(provider, &error))?;
        let attempt = async {
            let response = self.post(provider, &endpoint.model, outgoing).await?;
            if is_json(&response) {
                let body = self.collect(provider, response, ERROR_BYTES_MAX).await?;
                return Err(named(provider, provider.dialect.read_error(200, &body)));
            }
            let idle = Duration::from_millis(self.limits.idle_ms);
            let mut sound = Sound { provider: Arc::clone(provider), first: None, response, idle };
            sound.first = sound.next().await?;
            match &sound.first {
                Some(_) => Ok(sound),
                None => Err(broken(provider, "the reply has no sound".to_owned())),
            }
        };
        self.in_time(provider, attempt).await
    }

    /// Sends a body and reads the whole reply.
    async fn ask<T>(
        &self,
        endpoint: &Endpoint,
        outgoing: Result<Outgoing, WriteError>,
        read: impl FnOnce(&Bytes) -> Result<T, StreamError>,
    ) -> Result<T, Error> {
        let provider = &endpoint.provider;
        let outgoing = outgoing.map_err(|error| unwritable(provider, &error))?;
        let response = self.post(provider, &endpoint.model, outgoing).await?;
        let body = self.collect(provider, response, self.limits.reply_bytes_max).await?;
        read(&body).map_err(|error| incoming::failed(provider, error))
    }
}

/// A call that the provider's dialect has, or the error that it has none.
fn offered<T>(provider: &Provider, call: Option<T>, what: &str) -> Result<T, Error> {
    call.ok_or_else(|| {
        let dialect = provider.dialect.name();
        unwritable(provider, &WriteError { dialect, what: what.to_owned() })
    })
}

/// Sound on its way in. Dropping it closes the connection.
pub(crate) struct Sound {
    provider: Arc<Provider>,
    /// What was read to know that there is some.
    first: Option<Bytes>,
    response: reqwest::Response,
    idle: Duration,
}

impl Sound {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// The upstream's: silence, or a broken connection.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        loop {
            match tokio::time::timeout(self.idle, self.response.chunk()).await {
                Ok(Ok(Some(piece))) if piece.is_empty() => {}
                Ok(piece) => return piece.map_err(|error| unreachable(&self.provider, error)),
                Err(_) => {
                    let seconds = self.idle.as_secs_f64();
                    let message = format!("{} sent nothing for {seconds} s", self.provider.name);
                    return Err(named(&self.provider, Failure::new(ErrorType::Timeout, message)));
                }
            }
        }
    }
}
