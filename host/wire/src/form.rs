//! Writing `multipart/form-data`, for the calls that send files.

use bytes::Bytes;
use memchr::memmem;

/// A form that is being written. Names and types are ours, so none needs an escape.
#[derive(Debug, Default)]
pub(crate) struct Form {
    fields: Vec<(String, Vec<u8>)>,
}

impl Form {
    /// Adds a field.
    pub(crate) fn text(&mut self, name: &str, value: impl Into<String>) {
        let head = format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        self.fields.push((head, value.into().into_bytes()));
    }

    /// Adds a field, unless there is no value.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.text(name, value.to_string());
        }
    }

    /// Adds a file.
    pub(crate) fn file(&mut self, name: &str, file_name: &str, mime: &str, bytes: Vec<u8>) {
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
             Content-Type: {mime}\r\n\r\n"
        );
        self.fields.push((head, bytes));
    }

    /// The value of the `Content-Type` header, and the body.
    pub(crate) fn end(self) -> (String, Bytes) {
        let boundary = self.boundary();
        let mut body = Vec::new();
        for (head, value) in &self.fields {
            body.extend_from_slice(format!("--{boundary}\r\n{head}").as_bytes());
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body.into())
    }

    /// A line that stands in no value. The same form has the same one: no chance is needed.
    fn boundary(&self) -> String {
        let names = (0_u32..).map(|number| format!("patchbay-part-{number:08x}"));
        let is_free = |name: &String| {
            let finder = memmem::Finder::new(name);
            self.fields.iter().all(|(_, value)| finder.find(value).is_none())
        };
        names.into_iter().find(is_free).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_written_and_its_boundary_stands_in_no_value() {
        let mut form = Form::default();
        form.text("model", "m");
        form.optional("language", None::<&str>);
        form.file("file", "audio.wav", "audio/wav", b"--patchbay-part-00000000\r\n".to_vec());
        let (kind, body) = form.end();
        assert_eq!(kind, "multipart/form-data; boundary=patchbay-part-00000001");
        let expected = "--patchbay-part-00000001\r\n\
            Content-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n\
            --patchbay-part-00000001\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"audio.wav\"\r\n\
            Content-Type: audio/wav\r\n\r\n--patchbay-part-00000000\r\n\r\n\
            --patchbay-part-00000001--\r\n";
        assert_eq!(body, expected);
    }
}
