//! What 100,000 passages cost: to build, on disk, and per question, beside a scan of the same text
//! for the same words. The text is made up from a seeded vocabulary in which, as in real text, the
//! n-th word has a frequency of about 1/n.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "a benchmark prints, takes the time, and may stop"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use index::{Document, Indexes, Settings};

fn main() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let vocabulary = Vocabulary::new(&mut random);
    let documents = (0..DOCUMENTS).map(|_| vocabulary.text(&mut random)).collect::<Vec<_>>();
    let text_bytes = documents.iter().map(String::len).sum::<usize>();

    let folder = tempfile::tempdir().unwrap();
    let indexes = Indexes::open(folder.path(), Settings::default());
    let begun = Instant::now();
    let added = indexes.add("bench", None, as_documents(&documents), |_| {}).unwrap();
    let build = begun.elapsed();
    let begun = Instant::now();
    let again = indexes.add("bench", None, as_documents(&documents), |_| {}).unwrap();
    assert_eq!(again.unchanged, DOCUMENTS as u64);
    let unchanged = begun.elapsed();
    let listing = indexes.list().unwrap().remove(0);
    println!(
        "{} documents, {:.1} MB of text, {} passages",
        listing.documents,
        text_bytes as f64 / 1e6,
        listing.passages
    );
    println!(
        "build {:.1} s ({:.0} passages/s); the same again, unchanged: {:.2} s",
        build.as_secs_f64(),
        added.passages as f64 / build.as_secs_f64(),
        unchanged.as_secs_f64()
    );
    println!(
        "on disk {:.1} MB, {} bytes per passage, {:.2}x the text",
        listing.bytes as f64 / 1e6,
        listing.bytes / listing.passages,
        listing.bytes as f64 / text_bytes as f64
    );

    let questions = (0..QUESTIONS).map(|_| vocabulary.question(&mut random)).collect::<Vec<_>>();
    // The first questions map the files into memory.
    for question in questions.iter().take(50) {
        black_box(indexes.query("bench", question, HITS).unwrap());
    }
    let asked = times(&questions, |question| indexes.query("bench", question, HITS).unwrap().len());
    let scanned = times(&questions[..SCANS], |question| scan(&documents, question));
    let (p50, p99) = (share(&asked, 50), share(&asked, 99));
    println!("query, {QUESTIONS} of 1 to 5 words, {HITS} hits: p50 {p50:?}, p99 {p99:?}");
    let (scan50, scan99) = (share(&scanned, 50), share(&scanned, 99));
    println!(
        "scan of the text, the first {SCANS} of them: p50 {scan50:?}, p99 {scan99:?} \
         ({:.0}x, {:.0}x)",
        scan50.as_secs_f64() / p50.as_secs_f64(),
        scan99.as_secs_f64() / p99.as_secs_f64()
    );
}

fn as_documents(texts: &[String]) -> impl Iterator<Item = Result<Document, index::Refused>> {
    texts.iter().enumerate().map(|(at, text)| {
        let source = format!("docs/{at}.txt");
        Ok(Document { source, bytes: text.as_bytes().to_vec(), media_type: None })
    })
}

/// How often the words stand in the text: what a search without an index does at the least.
fn scan(texts: &[String], question: &str) -> usize {
    let words = question.split(' ');
    words.map(|word| texts.iter().map(|text| text.matches(word).count()).sum::<usize>()).sum()
}

fn times(questions: &[String], ask: impl Fn(&str) -> usize) -> Vec<Duration> {
    let time = |question: &String| {
        let begun = Instant::now();
        black_box(ask(question));
        begun.elapsed()
    };
    let mut times = questions.iter().map(time).collect::<Vec<_>>();
    times.sort_unstable();
    times
}

fn share(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

/// Words and how often each is used.
struct Vocabulary {
    words: Vec<String>,
    /// Up to and including each word; the last one is the sum.
    weights: Vec<f64>,
}

impl Vocabulary {
    fn new(random: &mut Random) -> Self {
        let mut word = || {
            let syllables = 1 + random.below(4);
            (0..=syllables).map(|_| SYLLABLES[random.below(SYLLABLES.len())]).collect::<String>()
        };
        let words = (0..WORDS).map(|_| word()).collect();
        let mut sum = 0.0;
        let weight = |rank| {
            sum += 1.0 / f64::from(rank);
            sum
        };
        Self { words, weights: (1..=WORDS).map(weight).collect() }
    }

    fn word(&self, random: &mut Random) -> &str {
        let point = random.share() * self.weights[self.weights.len() - 1];
        let at = self.weights.partition_point(|weight| *weight < point);
        &self.words[at.min(self.words.len() - 1)]
    }

    /// Paragraphs of sentences, enough for some twenty passages.
    fn text(&self, random: &mut Random) -> String {
        let mut text = String::new();
        while text.len() < DOCUMENT_BYTES {
            for _ in 0..4 + random.below(6) {
                for at in 0..6 + random.below(14) {
                    text.push_str(if at == 0 { "" } else { " " });
                    text.push_str(self.word(random));
                }
                text.push_str(". ");
            }
            text.push_str("\n\n");
        }
        text
    }

    fn question(&self, random: &mut Random) -> String {
        let count = 1 + random.below(5);
        (0..count).map(|_| self.word(random)).collect::<Vec<_>>().join(" ")
    }
}

/// xorshift64: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const WORDS: u32 = 50_000;
const DOCUMENTS: usize = 5_000;
const DOCUMENT_BYTES: usize = 15_200;
const QUESTIONS: usize = 1_000;
/// A scan takes long.
const SCANS: usize = 50;
const HITS: usize = 10;

const SYLLABLES: [&str; 24] = [
    "ba", "con", "de", "er", "fi", "gra", "hol", "in", "ju", "kel", "lo", "mer", "no", "or", "pa",
    "qui", "ri", "ste", "tu", "un", "ver", "wa", "xi", "zen",
];
