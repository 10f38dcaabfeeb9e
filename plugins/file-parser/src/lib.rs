//! Files in requests, for models that read none.

pub mod pdf;
