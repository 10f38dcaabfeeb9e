//! Broken texts with what was meant, from `corpus/*.json`: whole, and streamed at every cut.

use crate::reply::{Outcome, Reply, Wanted, whole};
use crate::schema::Schema;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    schema: Option<Value>,
    finish: Option<String>,
    /// Only a reply that is held can be healed to this.
    #[serde(default)]
    hold: bool,
    broken: String,
    intended: Option<Value>,
    #[serde(default)]
    unhealable: bool,
}

#[derive(Debug, PartialEq)]
enum Got {
    Intended,
    /// Still broken, or not what the schema wants.
    Unhealed,
    Wrong(String),
}

impl Entry {
    fn wanted(&self) -> Wanted {
        Wanted::new(self.schema.as_ref().map(|schema| Schema::read(&schema.to_string()).unwrap()))
    }

    fn is_cut(&self) -> bool {
        self.finish.as_deref() == Some("length")
    }

    fn judge(&self, text: &str) -> Got {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return Got::Unhealed };
        let schema = self.schema.as_ref();
        if schema.is_some_and(|schema| !jsonschema::is_valid(schema, &value)) {
            return Got::Unhealed;
        }
        match &self.intended {
            Some(intended) if crate::schema::keywords::same(intended, &value) => Got::Intended,
            _ => Got::Wrong(text.to_owned()),
        }
    }

    fn streamed(&self, pieces: &[&str]) -> (String, Outcome) {
        let mut reply = Reply::new(self.wanted());
        let mut out: String = pieces.iter().map(|piece| reply.push(piece)).collect();
        let (rest, outcome) = reply.end(self.is_cut());
        out.push_str(&rest);
        (out, outcome)
    }
}

fn corpus() -> Vec<Entry> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    texts.flat_map(|text| serde_json::from_str::<Vec<Entry>>(&text).unwrap()).collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "the share that heals is what this is run for")]
fn nearly_all_of_the_corpus_heals_to_what_was_meant_and_nothing_to_something_else() {
    let corpus = corpus();
    let (mut healable, mut healed, mut wrong) = (0, 0, Vec::new());
    for entry in &corpus {
        assert_eq!(entry.unhealable, entry.intended.is_none(), "{}", entry.name);
        healable += usize::from(!entry.unhealable);
        let (held, outcome) = whole(&entry.broken, entry.is_cut(), &entry.wanted());
        let (live, _) = entry.streamed(&[&entry.broken]);
        let (held_got, live_got) = (entry.judge(&held), entry.judge(&live));
        for (how, got) in [("whole", &held_got), ("streamed", &live_got)] {
            if let Got::Wrong(text) = got {
                wrong.push(format!("{} ({how}): {text}", entry.name));
            }
        }
        if held_got == Got::Intended {
            healed += 1;
            assert!(outcome.is_good(), "{}: {outcome:?}", entry.name);
            if !entry.hold {
                assert_eq!(held, live, "{} differs when streamed", entry.name);
            }
        } else if !entry.unhealable {
            println!("not healed: {} ({outcome:?})\n  {}\n  {live}", entry.name, entry.broken);
        }
    }
    let traps = corpus.len() - healable;
    println!("{healed} of {healable} healed to what was meant; {traps} that must not be healed");
    assert!(wrong.is_empty(), "healed to something else:\n{}", wrong.join("\n"));
    assert!(corpus.len() >= 120 && healed * 100 >= healable * 95);
}

#[test]
fn the_corpus_heals_the_same_wherever_it_is_cut() {
    for entry in corpus() {
        let text = entry.broken.as_str();
        let whole = entry.streamed(&[text]);
        let characters: Vec<String> = text.chars().map(String::from).collect();
        let pieces: Vec<&str> = characters.iter().map(String::as_str).collect();
        assert_eq!(entry.streamed(&pieces), whole, "{}: every character", entry.name);
        for (cut, _) in text.char_indices() {
            let (before, after) = text.split_at(cut);
            assert_eq!(entry.streamed(&[before, after]), whole, "{}: cut at {cut}", entry.name);
        }
    }
}
