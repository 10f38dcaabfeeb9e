//! Named JSON values, which carry what the types don't: `extra` of requests and messages,
//! `metadata` of rejections.

use crate::{Error, Field, Message, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

impl Field {
    /// A field: `Field::new("reasons", vec!["violence"])`.
    pub fn new(name: &str, value: impl Into<Value>) -> Self {
        Self { name: name.into(), value: value.into().to_string() }
    }
}

impl Request {
    /// A field of `extra`, or `None` when it is not there.
    ///
    /// # Errors
    /// `Error::Options` when it does not fit `T`: the client wrote it.
    pub fn extra_get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        read(&self.extra, name)
    }

    /// Sets a field of `extra`.
    pub fn extra_set(&mut self, name: &str, value: impl Into<Value>) {
        write(&mut self.extra, name, value);
    }
}

impl Message {
    /// As [`Request::extra_get`].
    ///
    /// # Errors
    /// As there.
    pub fn extra_get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        read(&self.extra, name)
    }

    /// As [`Request::extra_set`].
    pub fn extra_set(&mut self, name: &str, value: impl Into<Value>) {
        write(&mut self.extra, name, value);
    }
}

fn read<T: DeserializeOwned>(fields: &[Field], name: &str) -> Result<Option<T>, Error> {
    let Some(field) = fields.iter().find(|field| field.name == name) else { return Ok(None) };
    serde_json::from_str(&field.value)
        .map(Some)
        .map_err(|error| Error::Options(format!("`{name}`: {error}")))
}

fn write(fields: &mut Vec<Field>, name: &str, value: impl Into<Value>) {
    let new = Field::new(name, value);
    match fields.iter_mut().find(|field| field.name == name) {
        Some(field) => *field = new,
        None => fields.push(new),
    }
}
