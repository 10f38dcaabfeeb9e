//! Walks XML without building a tree, so that no depth of nesting matters.

use crate::parsed::Failure;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// What a walk comes by. Names are without their prefix.
pub(crate) enum Step<'s> {
    /// An element begins. An empty one ends right after.
    Open(&'s str, &'s Attributes<'s>),
    Text(&'s str),
    Close(&'s str),
}

/// An element's attributes.
pub(crate) struct Attributes<'s>(&'s BytesStart<'s>);

impl Attributes<'_> {
    /// The value of the first attribute of this name, whatever its prefix.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes();
        let found = attributes
            .with_checks(false)
            .flatten()
            .find(|it| it.key.local_name().as_ref() == name)?;
        found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
    }
}

/// Calls `take` for each step; stops when it returns false.
pub(crate) fn walk(xml: &str, mut take: impl FnMut(Step<'_>) -> bool) -> Result<(), Failure> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    loop {
        let event = reader.read_event().map_err(|_| Failure::Broken("its XML is damaged"))?;
        let goes_on = match &event {
            Event::Start(tag) => take(Step::Open(tag.local_name().as_ref(), &Attributes(tag))),
            Event::Empty(tag) => {
                let name = tag.local_name();
                take(Step::Open(name.as_ref(), &Attributes(tag)))
                    && take(Step::Close(name.as_ref()))
            }
            Event::End(tag) => take(Step::Close(tag.local_name().as_ref())),
            Event::Text(text) => take(Step::Text(text)),
            Event::CData(text) => take(Step::Text(text)),
            Event::GeneralRef(name) => {
                let text = match name.resolve_char_ref() {
                    Ok(Some(c)) => c.to_string(),
                    _ => quick_xml::escape::resolve_xml_entity(name).unwrap_or_default().to_owned(),
                };
                take(Step::Text(&text))
            }
            Event::Eof => return Ok(()),
            _ => true,
        };
        if !goes_on {
            return Ok(());
        }
    }
}
