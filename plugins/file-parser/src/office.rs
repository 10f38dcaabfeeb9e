//! Office Open XML: zip archives of XML parts.

pub(crate) mod archive;
mod document;
mod slides;
mod workbook;
mod xml;

pub(crate) use document::read as read_document;
pub(crate) use slides::read as read_slides;
pub(crate) use workbook::read as read_workbook;
