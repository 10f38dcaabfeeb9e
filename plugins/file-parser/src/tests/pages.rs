//! PDFs made here, one property each: reading order, marks, pictures, fonts, hostile objects.

use crate::{Bounds, Failure, Kind, Parsed, parse};
use std::io::Write as _;

#[test]
fn pages_are_marked_and_paragraphs_parted() {
    let first = lines(72.0, 700.0, &["One line.", "Another line."]);
    let pdf = pdf(&[first + &lines(72.0, 600.0, &["Far below."]), lines(72.0, 700.0, &["End."])]);
    assert_eq!(
        read(&pdf).unwrap().text,
        "[page 1]\nOne line.\nAnother line.\n\nFar below.\n\n[page 2]\nEnd."
    );
}

#[test]
fn columns_are_read_one_after_the_other_however_they_are_drawn() {
    let left = ["The left column begins", "and goes on like this", "until its last line."];
    let right = ["The right column is", "read after the left", "one, as people do it."];
    let mut drawn =
        lines(72.0, 740.0, &["A title that stands above both of the columns on the page"]);
    for (row, (left, right)) in left.iter().zip(right).enumerate() {
        let y = 700.0 - 14.0 * f64::from(u32::try_from(row).unwrap());
        drawn += &lines(330.0, y, &[right]);
        drawn += &lines(72.0, y, &[left]);
    }
    let text = read(&pdf(&[drawn])).unwrap().text;
    let body = text.split_once("page\n").unwrap().1.trim();
    assert_eq!(body, format!("{}\n\n{}", left.join("\n"), right.join("\n")));
}

#[test]
fn tables_are_read_row_by_row() {
    let mut drawn = String::new();
    for (row, cells) in
        [["Day", "Oslo"], ["Mon", "4"], ["Tue", "6"], ["Wed", "5"]].iter().enumerate()
    {
        let y = 700.0 - 14.0 * f64::from(u32::try_from(row).unwrap());
        drawn += &lines(72.0, y, &[cells[0]]);
        drawn += &lines(200.0, y, &[cells[1]]);
    }
    let text = read(&pdf(&[drawn])).unwrap().text;
    assert_eq!(text, "[page 1]\nDay Oslo\nMon 4\nTue 6\nWed 5");
}

#[test]
fn words_are_parted_by_gaps_and_bold_prints_are_read_once() {
    let spread = "BT /F 12 Tf 72 700 Td [(Hel) 20 (lo) -300 (world)] TJ ET ";
    let bold = "BT /F 12 Tf 72 680 Td (Bold) Tj ET BT /F 12 Tf 72.3 680 Td (Bold) Tj ET ";
    let text = read(&pdf(&[format!("{spread}{bold}")])).unwrap().text;
    assert_eq!(text, "[page 1]\nHello world\nBold");
}

#[test]
fn text_that_stands_for_what_is_drawn_is_read_instead() {
    let drawn = "BT /F 12 Tf 72 700 Td /Span <</ActualText (fish)>> BDC (xxxx) Tj EMC ET";
    assert_eq!(read(&pdf(&[drawn.to_owned()])).unwrap().text, "[page 1]\nfish");
}

#[test]
fn alphabets_of_japan_china_and_korea_are_read_without_their_fonts() {
    let written = [
        ("90ms-RKSJ-H", "Japan1", "93fa967b", "日本"),
        ("GBK-EUC-H", "GB1", "d6d0b9fa", "中国"),
        ("ETen-B5-H", "CNS1", "a4a4b0ea", "中國"),
        ("KSCms-UHC-H", "Korea1", "b4ebc7d1", "대한"),
        ("UniGB-UCS2-H", "GB1", "4e2d56fd", "中国"),
    ];
    for (encoding, ordering, bytes, wanted) in written {
        let mut objects = Objects::new();
        let drawn = format!("BT /G 12 Tf 72 700 Td <{bytes}> Tj ET");
        objects.page(drawn.as_bytes(), "5 0 R");
        objects.0.push(b"<< /Font << /G 6 0 R >> >>".to_vec());
        let font = format!(
            "<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /{encoding} \
             /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Song \
             /CIDSystemInfo << /Registry (Adobe) /Ordering ({ordering}) /Supplement 2 >> >>] >>"
        );
        objects.0.push(font.into());
        assert_eq!(read(&objects.file()).unwrap().text, format!("[page 1]\n{wanted}"));
    }
}

#[test]
fn pictures_come_as_png() {
    let drawn = lines(72.0, 700.0, &["A chart of costs:"]) + "q 100 0 0 100 72 500 cm /I Do Q";
    let parsed = read(&pdf(&[drawn])).unwrap();
    assert_eq!(parsed.pictures.len(), 1);
    assert_eq!(parsed.pictures[0].mime, "image/png");
    assert!(parsed.pictures[0].bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
}

#[test]
fn pages_that_are_pictures_are_scans() {
    assert_eq!(read(&scan()), Err(Failure::Scanned(2)));
}

/// Two pages that are pictures.
pub(super) fn scan() -> Vec<u8> {
    let drawn = "q 600 0 0 700 0 0 cm /I Do Q".to_owned();
    pdf(&[drawn.clone(), drawn])
}

#[test]
fn a_form_that_draws_itself_ends() {
    let mut objects = Objects::new();
    let form =
        stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources 5 0 R", b"/X Do /X Do");
    objects.page(b"/X Do BT /F 12 Tf 72 700 Td (After) Tj ET", "5 0 R");
    objects.0.push(b"<< /Font << /F 3 0 R >> /XObject << /X 6 0 R >> >>".to_vec());
    objects.0.push(form);
    assert!(read(&objects.file()).unwrap().text.contains("After"));
}

#[test]
fn what_a_field_holds_is_read_where_it_does_not_draw_it() {
    let field = |appearance: &[u8], flags: u32| {
        let mut objects = Objects::new();
        objects.page(b"", "<< /Font << /F 3 0 R >> >>");
        let form = "/Type /XObject /Subtype /Form /BBox [0 0 90 12] /Resources \
                    << /Font << /F 3 0 R >> >>";
        objects.0.push(stream(form, appearance));
        let place = objects.0.len();
        let page = objects.0.iter_mut().find(|it| it.starts_with(b"<< /Type /Page /")).unwrap();
        page.truncate(page.len() - 2);
        let field = format!(
            "/Annots [<< /Subtype /Widget /FT /Tx /Ff {flags} /V (Alice) /Rect [72 700 162 712] \
             /AP << /N {place} 0 R >> >>] >>"
        );
        page.extend(field.bytes());
        read(&objects.file()).unwrap().text
    };
    assert!(field(b"/Tx BMC EMC", 0).contains("Alice"));
    assert!(!field(b"/Tx BMC EMC", 1 << 13).contains("Alice"), "a password");
    let drawn = field(b"BT /F 12 Tf (Bob) Tj ET", 0);
    assert!(drawn.contains("Bob") && !drawn.contains("Alice"), "{drawn}");
}

#[test]
fn a_page_that_unpacks_to_too_much_is_left_out() {
    let zeros = vec![b' '; 256 << 20];
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&zeros).unwrap();
    let packed = packed.finish().unwrap();
    let mut objects = Objects::new();
    objects.page(b"", "<< /Font << /F 3 0 R >> >>");
    objects.0[3] = stream("/Filter /FlateDecode", &packed);
    let text = read(&objects.file()).unwrap().text;
    assert_eq!(text, "[page 1]\n[the rest of the page was left out]");
}

#[test]
fn widths_for_four_billion_codes_are_refused() {
    let mut objects = Objects::new();
    objects.page(b"BT /G 12 Tf 72 700 Td <0041> Tj /F 12 Tf (After) Tj ET", "5 0 R");
    objects.0.push(b"<< /Font << /F 3 0 R /G 6 0 R >> >>".to_vec());
    objects.0.push(b"<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /DescendantFonts [7 0 R] >>".to_vec());
    objects.0.push(
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A /W [0 4294967295 500] >>".to_vec(),
    );
    assert!(read(&objects.file()).unwrap().text.contains("After"));
}

fn read(bytes: &[u8]) -> Result<Parsed, Failure> {
    assert_eq!(Kind::of(bytes, "", ""), Some(Kind::Pdf));
    parse(Kind::Pdf, bytes, &Bounds { pages_max: 100, text_bytes_max: 1 << 20, pictures_max: 8 })
}

fn lines(x: f64, y: f64, lines: &[&str]) -> String {
    let shown: Vec<String> = lines.iter().map(|line| format!("({line}) Tj")).collect();
    format!("BT /F 12 Tf {x} {y} Td 14 TL {} ET ", shown.join(" T* "))
}

/// A PDF of these pages, with a font `F` and a picture `I`.
fn pdf(pages: &[String]) -> Vec<u8> {
    let mut objects = Objects::new();
    for page in pages {
        objects.page(page.as_bytes(), "<< /Font << /F 3 0 R >> /XObject << /I 99 0 R >> >>");
    }
    let picture = "/Subtype /Image /Width 4 /Height 4 /ColorSpace /DeviceGray /BitsPerComponent 8";
    objects.0.resize(98, b"null".to_vec());
    objects.0.push(stream(picture, &[120; 16]));
    objects.file()
}

/// The objects of a PDF, from number 1 on: catalog, pages, font, then what is added.
struct Objects(Vec<Vec<u8>>, Vec<usize>);

impl Objects {
    fn new() -> Self {
        let catalog = b"<< /Type /Catalog /Pages 2 0 R >>".to_vec();
        let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec();
        Self(vec![catalog, Vec::new(), font], Vec::new())
    }

    fn page(&mut self, drawn: &[u8], resources: &str) {
        self.0.push(stream("", drawn));
        let contents = self.0.len();
        // The place after the contents is the resources' if they are an object of their own.
        if resources == "5 0 R" {
            self.1.push(8);
            return;
        }
        self.0.push(page(contents, resources));
        self.1.push(self.0.len());
    }

    fn file(mut self) -> Vec<u8> {
        if self.1 == [8] {
            self.0.resize(7, b"null".to_vec());
            self.0.push(page(4, "5 0 R"));
        }
        let kids: Vec<String> = self.1.iter().map(|page| format!("{page} 0 R")).collect();
        self.0[1] =
            format!("<< /Type /Pages /Count {} /Kids [{}] >>", kids.len(), kids.join(" ")).into();
        let mut file = b"%PDF-1.4\n".to_vec();
        for (index, object) in self.0.iter().enumerate() {
            writeln!(file, "{} 0 obj", index + 1).unwrap();
            file.extend(object);
            file.extend(b"\nendobj\n");
        }
        // Without a table of objects, which readers must bear.
        writeln!(file, "trailer\n<< /Root 1 0 R >>").unwrap();
        file
    }
}

fn page(contents: usize, resources: &str) -> Vec<u8> {
    format!(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources {resources} \
         /Contents {contents} 0 R >>"
    )
    .into()
}

fn stream(dict: &str, data: &[u8]) -> Vec<u8> {
    let mut out = format!("<< {dict} /Length {} >>\nstream\n", data.len()).into_bytes();
    out.extend(data);
    out.extend(b"\nendstream");
    out
}
