//! Each kind of file, sound and hostile, through the plugin's way in.

use crate::{Bounds, Failure, Kind, Parsed, parse};
use flate2::{Compression, write::DeflateEncoder};
use rawzip::{CompressionMethod, ZipArchiveWriter};
use std::io::Write as _;

#[test]
fn a_word_document_keeps_its_headings_lists_and_tables() {
    let body = r#"<w:document><w:body>
        <w:p><w:pPr><w:pStyle w:val="Heading2"/></w:pPr><w:r><w:t>Fish &amp; chips</w:t></w:r></w:p>
        <w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t xml:space="preserve">one </w:t></w:r><w:r><w:t>item</w:t></w:r></w:p>
        <w:p><w:r><w:delText>removed</w:delText><w:instrText>PAGE</w:instrText></w:r></w:p>
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
        </w:body></w:document>"#;
    let file = archive(&[("word/document.xml", body.as_bytes())]);
    let text = read(&file).unwrap().text;
    assert_eq!(text, "## Fish & chips\n- one item\n\na | b |");
}

#[test]
fn a_workbook_is_read_sheet_by_sheet() {
    let sheet = r#"<worksheet><sheetData>
        <row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>say "hi", all</t></is></c></row>
        <row r="2"><c r="A2"><v>3.5</v></c><c r="B2" s="1"><v>45292</v></c><c r="C2" t="b"><v>1</v></c><c r="D2" s="1"><v>45292.75</v></c></row>
        </sheetData></worksheet>"#;
    let file = archive(&[
        ("xl/workbook.xml", br#"<workbook><sheets><sheet name="Sums" sheetId="1" r:id="rId1"/></sheets></workbook>"#),
        ("xl/_rels/workbook.xml.rels", br#"<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>"#),
        ("xl/sharedStrings.xml", b"<sst><si><r><t>Na</t></r><r><t>me</t></r><rPh><t>na</t></rPh></si></sst>"),
        ("xl/styles.xml", br#"<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ]);
    let text = read(&file).unwrap().text;
    let first = r#"Name,,"say ""hi"", all","#;
    let second = "3.5,2024-01-01,TRUE,2024-01-01 18:00:00,";
    assert_eq!(text, format!("[sheet Sums]\n{first}\n{second}"));
}

#[test]
fn a_presentation_is_read_slide_by_slide() {
    let slide = |text: &str| format!("<p:sld><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>");
    let file = archive(&[
        ("ppt/presentation.xml", b"<p:presentation/>"),
        ("ppt/slides/slide1.xml", slide("Welcome").as_bytes()),
        ("ppt/slides/slide2.xml", slide("Goodbye").as_bytes()),
    ]);
    assert_eq!(read(&file).unwrap().text, "[slide 1]\nWelcome\n\n[slide 2]\nGoodbye");
    let parsed = parse(Kind::Slides, &file, &Bounds { pages_max: 1, ..BOUNDS }).unwrap();
    assert_eq!(parsed.text, "[slide 1]\nWelcome\n\n[slides 2 to 2 of 2 were left out]");
}

#[test]
fn texts_are_read_in_their_own_alphabet() {
    assert_eq!(read(b"caf\xc3\xa9").unwrap().text, "café");
    assert_eq!(read(b"caf\xe9 \x80").unwrap().text, "café €");
    assert_eq!(read(b"\xff\xfec\0a\0f\0\xe9\0").unwrap().text, "café");
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let bounds = Bounds { text_bytes_max: 1001, ..BOUNDS };
    let parsed = parse(Kind::Text, "é".repeat(1000).as_bytes(), &bounds).unwrap();
    let kept = parsed.text.strip_suffix("\n\n[the rest of the text was left out]").unwrap();
    assert_eq!(kept, "é".repeat(500));
}

#[test]
fn a_zip_bomb_is_refused() {
    let zeros = vec![b' '; 64 << 20];
    let file = archive(&[("word/document.xml", &zeros)]);
    assert!(file.len() < 1 << 20);
    assert_eq!(read(&file), Err(Failure::Bomb));
}

#[test]
fn a_damaged_archive_is_broken_and_an_unknown_one_is_unknown() {
    let file = archive(&[("word/document.xml", b"<w:document><w:p>")]);
    assert_eq!(read(&file).unwrap().text, "");
    let other = archive(&[("hello.txt", b"hello")]);
    assert_eq!(Kind::of(&other, "", "a.zip"), None);
    assert_eq!(Kind::of(&file[..file.len() / 2], "", "a.docx"), None);
    assert!(matches!(parse(Kind::Document, &other, &BOUNDS), Err(Failure::Broken(_))));
}

#[test]
fn deep_nesting_in_xml_and_html_is_no_matter() {
    let deep = format!("{}<w:t>x</w:t>{}", "<w:p>".repeat(200_000), "</w:p>".repeat(200_000));
    let file = archive(&[("word/document.xml", deep.as_bytes())]);
    assert_eq!(read(&file).unwrap().text.trim(), "x");
    let html = format!("<html>{}x", "<div>".repeat(200_000));
    assert_eq!(read(html.as_bytes()).unwrap().text, "x");
}

#[test]
fn entities_of_an_xml_of_its_own_expand_to_nothing() {
    let bomb = r#"<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><w:document><w:t>x&b;y</w:t></w:document>"#;
    let file = archive(&[("word/document.xml", bomb.as_bytes())]);
    assert_eq!(read(&file).unwrap().text, "xy");
}

#[test]
fn a_sheet_of_far_columns_is_cut_at_the_bound() {
    let row = r#"<row><c r="XFD1"><v>1</v></c></row>"#;
    let sheet = format!("<worksheet>{}</worksheet>", row.repeat(100_000));
    let file = archive(&[
        ("xl/workbook.xml", br#"<workbook><sheet name="A" r:id="a"/></workbook>"#),
        ("xl/_rels/workbook.xml.rels", br#"<R><Relationship Id="a" Target="/s.xml"/></R>"#),
        ("s.xml", sheet.as_bytes()),
    ]);
    let parsed = read(&file).unwrap();
    assert!(parsed.text.len() <= BOUNDS.text_bytes_max + 100);
}

fn read(bytes: &[u8]) -> Result<Parsed, Failure> {
    let kind = Kind::of(bytes, "", "").ok_or(Failure::Unknown)?;
    parse(kind, bytes, &BOUNDS)
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut zip = ZipArchiveWriter::new(&mut file);
    for (name, bytes) in parts {
        let builder = zip.new_file(name).compression_method(CompressionMethod::DEFLATE);
        let (mut entry, config) = builder.start().unwrap();
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(bytes).unwrap();
        let (packed, descriptor) = writer.finish().unwrap();
        packed.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    zip.finish().unwrap();
    file
}

const BOUNDS: Bounds = Bounds { pages_max: 100, text_bytes_max: 1 << 20, pictures_max: 8 };
