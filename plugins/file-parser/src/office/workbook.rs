//! Excel workbooks: each sheet as lines of comma-separated values.

use super::archive::Archive;
use super::xml::{Step, walk};
use crate::parsed::{Bounds, Failure, Pages, Parsed};
use std::collections::HashMap;

/// The sheets, in their order.
pub(crate) fn read(bytes: &[u8], bounds: &Bounds) -> Result<Parsed, Failure> {
    let mut archive = Archive::open(bytes)?;
    let sheets = sheets(&mut archive)?;
    let strings = match archive.part("xl/sharedStrings.xml")? {
        Some(xml) => shared_strings(&xml)?,
        None => Vec::new(),
    };
    let dates = match archive.part("xl/styles.xml")? {
        Some(xml) => date_styles(&xml)?,
        None => Vec::new(),
    };
    let mut pages = Pages::new(*bounds);
    for (name, part) in &sheets {
        let Some(xml) = archive.part(part)? else { continue };
        let mut sheet = Sheet { strings: &strings, dates: &dates, ..Sheet::default() };
        walk(&xml, |step| {
            sheet.step(&step);
            sheet.text.len() <= bounds.text_bytes_max
        })?;
        if !pages.push(&format!("[sheet {name}]"), &sheet.text) {
            break;
        }
    }
    Ok(pages.finish(sheets.len(), "sheet"))
}

/// Names of the sheets and where they are.
fn sheets(archive: &mut Archive<'_>) -> Result<Vec<(String, String)>, Failure> {
    let mut targets: HashMap<String, String> = HashMap::new();
    walk(&archive.needed("xl/_rels/workbook.xml.rels")?, |step| {
        if let Step::Open("Relationship", it) = step {
            targets.extend(it.value("Id").zip(it.value("Target")));
        }
        true
    })?;
    let mut sheets = Vec::new();
    walk(&archive.needed("xl/workbook.xml")?, |step| {
        if let Step::Open("sheet", it) = step
            && let (Some(name), Some(id)) = (it.value("name"), it.value("id"))
            && let Some(target) = targets.get(&id)
        {
            let part = match target.strip_prefix('/') {
                Some(absolute) => absolute.to_owned(),
                None => format!("xl/{target}"),
            };
            sheets.push((name, part));
        }
        true
    })?;
    Ok(sheets)
}

fn shared_strings(xml: &str) -> Result<Vec<String>, Failure> {
    let (mut strings, mut is_text, mut is_reading_aid) = (Vec::new(), false, false);
    walk(xml, |step| {
        match step {
            Step::Open("si", _) => strings.push(String::new()),
            Step::Open("rPh", _) => is_reading_aid = true,
            Step::Close("rPh") => is_reading_aid = false,
            Step::Open("t", _) => is_text = true,
            Step::Close("t") => is_text = false,
            Step::Text(piece) if is_text && !is_reading_aid => {
                if let Some(string) = strings.last_mut() {
                    string.push_str(piece);
                }
            }
            _ => {}
        }
        true
    })?;
    Ok(strings)
}

/// Which of the cells' styles show numbers as dates.
fn date_styles(xml: &str) -> Result<Vec<bool>, Failure> {
    let (mut formats, mut styles, mut is_cells) = (HashMap::new(), Vec::new(), false);
    walk(xml, |step| {
        match step {
            Step::Open("numFmt", it) => {
                formats.extend(it.value("numFmtId").zip(it.value("formatCode")));
            }
            Step::Open("cellXfs", _) => is_cells = true,
            Step::Close("cellXfs") => is_cells = false,
            Step::Open("xf", it) if is_cells => {
                let id = it.value("numFmtId").unwrap_or_default();
                styles.push(match formats.get(&id) {
                    Some(code) => is_date_format(code),
                    None => matches!(id.parse(), Ok(14..=17_u32 | 22)),
                });
            }
            _ => {}
        }
        true
    })?;
    Ok(styles)
}

/// Whether a format shows a year or a day, outside quotes and brackets.
fn is_date_format(code: &str) -> bool {
    let mut closing = None;
    code.chars().any(|c| match (closing, c) {
        (Some(end), c) => {
            if c == end {
                closing = None;
            }
            false
        }
        (None, '"') => {
            closing = Some('"');
            false
        }
        (None, '[') => {
            closing = Some(']');
            false
        }
        (None, c) => matches!(c, 'y' | 'Y' | 'd' | 'D'),
    })
}

#[derive(Default)]
struct Sheet<'s> {
    strings: &'s [String],
    dates: &'s [bool],
    text: String,
    /// Columns written of the row so far.
    column: usize,
    kind: String,
    style: usize,
    value: String,
    is_value: bool,
}

impl Sheet<'_> {
    fn step(&mut self, step: &Step<'_>) {
        match *step {
            Step::Open("row", _) => self.column = 0,
            Step::Close("row") => self.text.push('\n'),
            Step::Open("c", it) => {
                let column = it.value("r").and_then(|place| column(&place));
                let column = column.unwrap_or(self.column).min(COLUMNS_MAX);
                for _ in self.column..column {
                    self.text.push(',');
                }
                self.column = self.column.max(column);
                self.kind = it.value("t").unwrap_or_default();
                self.style = it.value("s").and_then(|style| style.parse().ok()).unwrap_or(0);
                self.value.clear();
            }
            Step::Open("v" | "t", _) => self.is_value = true,
            Step::Close("v" | "t") => self.is_value = false,
            Step::Text(piece) if self.is_value => self.value.push_str(piece),
            Step::Close("c") => {
                let value = self.shown();
                write_value(&value, &mut self.text);
                self.text.push(',');
                self.column += 1;
            }
            _ => {}
        }
    }

    fn shown(&self) -> String {
        let value = self.value.as_str();
        match self.kind.as_str() {
            "s" => {
                let string = value.trim().parse().ok().and_then(|at: usize| self.strings.get(at));
                string.cloned().unwrap_or_default()
            }
            "b" => if value.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned(),
            "" | "n" if self.dates.get(self.style).copied().unwrap_or(false) => {
                value.trim().parse().ok().and_then(date).unwrap_or_else(|| value.to_owned())
            }
            _ => value.to_owned(),
        }
    }
}

/// The column of a place such as `AB12`, from 0.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let number = letters.fold(0_usize, |number, letter| {
        let digit = usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        number.saturating_mul(26).saturating_add(digit)
    });
    number.checked_sub(1)
}

fn write_value(value: &str, out: &mut String) {
    if value.contains([',', '"', '\n', '\r']) {
        out.push('"');
        out.push_str(&value.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(value);
    }
}

/// The date of a number of days since the end of 1899, with the time if it has one.
fn date(days: f64) -> Option<String> {
    if !(1.0..=2_958_466.0).contains(&days) {
        return None;
    }
    let seconds = (days * 86_400.0).round();
    let day = (seconds / 86_400.0).floor();
    let second = seconds - day * 86_400.0;
    // Day 0 is 1899-12-30, which is 693,899 days after 0000-03-01.
    let (year, month, date) = civil(day + 693_899.0);
    let text = format!("{year:04}-{month:02}-{date:02}");
    if second < 1.0 {
        return Some(text);
    }
    let (hour, rest) = ((second / 3600.0).floor(), second % 3600.0);
    Some(format!("{text} {hour:02}:{:02}:{:02}", (rest / 60.0).floor(), rest % 60.0))
}

/// Year, month and day of a number of days since 0000-03-01.
fn civil(days: f64) -> (f64, f64, f64) {
    let era = (days / 146_097.0).floor();
    let of_era = days - era * 146_097.0;
    let year = ((of_era - (of_era / 1460.0).floor() + (of_era / 36_524.0).floor()
        - (of_era / 146_096.0).floor())
        / 365.0)
        .floor();
    let of_year = of_era - (365.0 * year + (year / 4.0).floor() - (year / 100.0).floor());
    let shifted = ((5.0 * of_year + 2.0) / 153.0).floor();
    let day = of_year - ((153.0 * shifted + 2.0) / 5.0).floor() + 1.0;
    let month = if shifted < 10.0 { shifted + 3.0 } else { shifted - 9.0 };
    let year = year + era * 400.0 + if month <= 2.0 { 1.0 } else { 0.0 };
    (year, month, day)
}

const COLUMNS_MAX: usize = 16_384;
