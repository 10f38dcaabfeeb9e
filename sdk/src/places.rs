//! Where a place of the text that came is in the text that went on: whoever changes a text moves what
//! annotations name by characters.

use serde_json::Value;

/// How far a choice's text was read and written, in characters, and where the two parted.
///
/// ```
/// use patchbay_sdk::Places;
/// let mut places = Places::default();
/// places.replace("Hm. Yes, [a].", "Yes, [a].");
/// let moved = places.moved(r#"{"url_citation":{"start_index":9,"end_index":12}}"#);
/// assert_eq!(moved.as_deref(), Some(r#"{"url_citation":{"start_index":5,"end_index":8}}"#));
/// ```
#[derive(Debug, Default)]
pub struct Places {
    read: usize,
    written: usize,
    /// Behind each text that was replaced: what was read and what was written.
    parted: Vec<(usize, usize)>,
}

impl Places {
    /// Takes note that `written` went out for `read`, which is replaced as a whole.
    pub fn add(&mut self, read: &str, written: &str) {
        let (begin, count) = ((self.read, self.written), read.chars().count());
        self.read += count;
        if read == written {
            self.written += count;
            return;
        }
        self.written += written.chars().count();
        let end = (self.read, self.written);
        match self.parted.last_mut() {
            // What is replaced next to it is one with it.
            Some(last) if *last == begin => *last = end,
            _ => self.parted.push(end),
        }
    }

    /// The same where only the middle differs: what both begin and end with stays in its place.
    pub fn replace(&mut self, read: &str, written: &str) {
        let begin: usize = read
            .chars()
            .zip(written.chars())
            .take_while(|(one, other)| one == other)
            .map(|(one, _)| one.len_utf8())
            .sum();
        let (same, read) = read.split_at(begin);
        let written = written.get(begin..).unwrap_or_default();
        let end: usize = read
            .chars()
            .rev()
            .zip(written.chars().rev())
            .take_while(|(one, other)| one == other)
            .map(|(one, _)| one.len_utf8())
            .sum();
        let (inner, last) = read.split_at(read.len() - end);
        for (read, written) in [
            (same, same),
            (inner, written.get(..written.len() - end).unwrap_or_default()),
            (last, last),
        ] {
            if !read.is_empty() || !written.is_empty() {
                self.add(read, written);
            }
        }
    }

    /// An annotation with its places moved. `None` when none moves.
    pub fn moved(&self, annotation: &str) -> Option<String> {
        if self.parted.is_empty() {
            return None;
        }
        let mut value = serde_json::from_str(annotation).ok()?;
        let count = self.move_in(&mut value);
        (count > 0).then(|| value.to_string())
    }

    /// Moves all places in a value, and says how many there are.
    fn move_in(&self, value: &mut Value) -> usize {
        let fields = match value {
            Value::Object(fields) => fields,
            Value::Array(items) => return items.iter_mut().map(|item| self.move_in(item)).sum(),
            _ => return 0,
        };
        let mut count = 0;
        for (name, value) in fields.iter_mut() {
            let place = value.as_u64().and_then(|place| usize::try_from(place).ok());
            match place.filter(|_| matches!(name.as_str(), "start_index" | "end_index")) {
                Some(place) => {
                    *value = self.place(place).into();
                    count += 1;
                }
                None => count += self.move_in(value),
            }
        }
        count
    }

    fn place(&self, read: usize) -> usize {
        let next = self.parted.partition_point(|(before, _)| *before <= read);
        let before = next.checked_sub(1).and_then(|last| self.parted.get(last));
        let (from, to) = before.copied().unwrap_or_default();
        let moved = to + (read - from);
        // A place inside of what was replaced is at most at its end.
        self.parted.get(next).map_or(moved, |(_, end)| moved.min(*end))
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn places_behind_a_replaced_text_are_moved() {
        let mut places = Places::default();
        let annotation = r#"{"start_index":2,"x":{"end_index":9},"y":[{"end_index":4}],"z":9}"#;
        places.add("añb", "añb");
        assert_eq!(places.moved(annotation), None);
        places.add("LABEL", "ö");
        places.add(" and", " and");
        let moved = r#"{"start_index":2,"x":{"end_index":5},"y":[{"end_index":4}],"z":9}"#;
        assert_eq!(places.moved(annotation).as_deref(), Some(moved));
    }
}
