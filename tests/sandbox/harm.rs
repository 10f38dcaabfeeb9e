//! Harm that the SDK can't do: modules written by hand. Each file in `harm` is one, and its first
//! lines say what must become of it, so to add one is to add a file:
//!
//! - `;; refused: STEP`: it is not loaded, and the refusal names the step;
//! - `;; fault: NAME`: it is loaded, and fails in its request hook, which counts as that;
//! - `;; serves`: it is loaded and does no harm;
//! - `;; says: TEXT` (may be left out): the refusal or the error has the text in it;
//! - `;; without: PART …` (may be left out): parts of `harm/parts` that it does without. The
//!   others are added to the fields that the file has, and together they are a plugin. A file that
//!   begins with `(module` or `(component` stands for itself.

mod compile;
mod files;
mod floods;
mod lies;
mod loads;
mod outside;
mod streams;

use std::path::PathBuf;

use wit_component::StringEncoding;
use wit_parser::Resolve;

/// The parts of a plugin, in the order in which they stand. Imports must come first.
const PARTS: [&str; 4] = ["memory", "realloc", "describe", "request"];

/// The id that the parts give.
const ID: &str = "harm";

/// What must become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Refused(String),
    Fault(String),
    Serves,
}

/// A file of `harm`.
#[derive(Debug)]
struct Harm {
    name: String,
    fate: Fate,
    says: String,
    wasm: Vec<u8>,
}

impl Harm {
    /// All of them, in order of name.
    fn all() -> Vec<Self> {
        let entries = std::fs::read_dir(folder()).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "wat"));
        paths.sort();
        let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        paths.iter().map(|path| Self::read(name(path), &read(path))).collect()
    }

    fn read(name: String, text: &str) -> Self {
        let head: Vec<_> = text.lines().map_while(|line| line.strip_prefix(";; ")).collect();
        let value = |key: &str| head.iter().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let fate = match (value("refused:"), value("fault:"), head[0]) {
            (Some(step), ..) => Fate::Refused(step.to_owned()),
            (_, Some(fault), _) => Fate::Fault(fault.to_owned()),
            (.., "serves") => Fate::Serves,
            (.., first) => panic!("{name}: `{first}` says nothing of what must become of it"),
        };
        let without: Vec<_> = value("without:").unwrap_or_default().split(' ').collect();
        let says = value("says:").unwrap_or_default().to_owned();
        let wasm = assemble(text, &without);
        Self { name, fate, says, wasm }
    }
}

/// A plugin of these fields and the parts, but for those that are left out.
fn assemble(fields: &str, without: &[&str]) -> Vec<u8> {
    let code = |line: &&str| !line.trim_start().starts_with(";;") && !line.trim().is_empty();
    let first = fields.lines().find(code).unwrap_or_default();
    let whole = |text: &str| wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    if first.starts_with("(module") || first.starts_with("(component") {
        return whole(fields);
    }
    let mut text = format!("(module\n{}{fields}", part("imports"));
    for name in PARTS.iter().filter(|name| !without.contains(name)) {
        text += &part(name);
    }
    let mut wasm = whole(&(text + ")"));
    let mut resolve = Resolve::default();
    let wit = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(wit).unwrap();
    let world = resolve.select_world(&[package], Some("request")).unwrap();
    let encoding = StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut wasm, &resolve, world, encoding).unwrap();
    wasm
}

fn part(name: &str) -> String {
    read(&folder().join("parts").join(format!("{name}.wat")))
}

fn read(path: &PathBuf) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/sandbox/harm")
}
