//! The corpus.
mod corpus;
