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
    /// The ends of what was replaced.
    parted: Vec<Parted>,
}

#[derive(Debug)]
struct Parted {
    read: usize,
    written: usize,
    /// It was put between, and stands for nothing that was read.
    is_added: bool,
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
        let mut end = Parted { read: self.read, written: self.written, is_added: count == 0 };
        // What is replaced next to it is one with it.
        if let Some(last) = self.parted.pop_if(|last| (last.read, last.written) == begin) {
            end.is_added &= last.is_added;
        }
        self.parted.push(end);
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
                    *value = self.place(place, name == "end_index").into();
                    count += 1;
                }
                None => count += self.move_in(value),
            }
        }
        count
    }

    /// What was put between stands behind a citation that ended there, not in it.
    fn place(&self, read: usize, is_end: bool) -> usize {
        let is_before = |it: &Parted| it.read < read || it.read == read && !(is_end && it.is_added);
        let next = self.parted.partition_point(is_before);
        let before = next.checked_sub(1).and_then(|last| self.parted.get(last));
        let moved = before.map_or(read, |it| it.written + (read - it.read));
        // A place inside of what was replaced is at most at its end.
        self.parted.get(next).map_or(moved, |it| moved.min(it.written))
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

    #[test]
    fn what_is_put_between_is_in_no_citation_that_ended_there() {
        let mut places = Places::default();
        places.add("abc", "abc");
        places.add("", "[no]");
        places.add("", "[no]");
        places.add("def", "def");
        let moved = |from: usize, to: usize| {
            places.moved(&format!(r#"{{"start_index":{from},"end_index":{to}}}"#)).unwrap()
        };
        assert_eq!(moved(1, 3), r#"{"start_index":1,"end_index":3}"#);
        assert_eq!(moved(2, 4), r#"{"start_index":2,"end_index":12}"#);
        assert_eq!(moved(3, 6), r#"{"start_index":11,"end_index":14}"#);
    }
}
