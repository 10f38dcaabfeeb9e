//! Writing JSON objects field by field into bytes, without a tree in between.

use serde::Serialize;

/// An object that is being written.
pub(in crate::dialects) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    /// Opens an object.
    pub(in crate::dialects) fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// Writes a field whose value is JSON text.
    pub(in crate::dialects) fn raw(&mut self, key: &str, json: &str) {
        self.key(key).extend_from_slice(json.as_bytes());
    }

    /// Writes a field.
    pub(in crate::dialects) fn value(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        write(self.key(key), value);
    }

    /// Writes a field, unless there is no value.
    pub(in crate::dialects) fn optional<T: Serialize>(&mut self, key: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.value(key, value);
        }
    }

    /// Writes a field whose value is an object.
    pub(in crate::dialects) fn object(&mut self, key: &str, fields: impl FnOnce(&mut Object<'_>)) {
        let mut object = Object::begin(self.key(key));
        fields(&mut object);
        object.end();
    }

    /// Writes a field whose value is a list.
    pub(in crate::dialects) fn list<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(T, &mut Vec<u8>),
    ) {
        list(self.key(key), items, &mut item);
    }

    /// Writes a key, for a value that the caller appends.
    pub(in crate::dialects) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        write_key(self.out, key);
        self.out.push(b':');
        self.out
    }

    /// Closes the object.
    pub(in crate::dialects) fn end(self) {
        self.out.push(b'}');
    }
}

/// Appends a key. Hardly any needs an escape, so most are copied.
pub(in crate::dialects) fn write_key(out: &mut Vec<u8>, key: &str) {
    if key.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(key.as_bytes());
        out.push(b'"');
    } else {
        write(out, key);
    }
}

/// Appends a list.
pub(in crate::dialects) fn list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut item: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(b'[');
    for (number, value) in items.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        item(value, out);
    }
    out.push(b']');
}

/// Appends a value as JSON; `null` for what has no JSON form.
pub(in crate::dialects) fn write(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}
