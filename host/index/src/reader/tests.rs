//! What is read out of each format.

use super::*;

fn document(source: &str, bytes: &[u8], media_type: Option<&str>) -> Document {
    let media_type = media_type.map(str::to_owned);
    Document { source: source.to_owned(), bytes: bytes.to_vec(), media_type }
}

fn read(source: &str, text: &str) -> Extracted {
    Readers::built_in().read(&document(source, text.as_bytes(), None)).unwrap()
}

/// Level, text; each checked to stand where the mark says.
fn headings(text: &Extracted) -> Vec<(u8, &str)> {
    let heading = |mark: &'_ Mark| match &mark.what {
        Landmark::Heading { level, text: heading } => {
            assert!(text.body[mark.at..].starts_with(heading.as_str()));
            Some(*level)
        }
        Landmark::Page(_) => None,
    };
    let line = |mark: &Mark| text.body[mark.at..].lines().next().unwrap();
    text.marks.iter().filter_map(|mark| Some((heading(mark)?, line(mark)))).collect()
}

#[test]
fn a_page_gives_its_main_text_without_what_surrounds_it() {
    let page =
        "<!DOCTYPE html><html><head><title>The\n  page</title><style>p{}</style></head><body>
        <header><h1>Site</h1></header><nav><a href=x>Menu</a></nav>
        <main><header><h1>Walruses <a href='#w'>¶</a></h1></header>
        <p>They <b>swim</b>,\n and\tthey&nbsp;sleep.</p><script>alert(1)</script>
        <pre>let a =\n    1;</pre><ul><li>one<li>two</ul>
        <aside>Advertisement</aside><form>Search</form><p hidden>Secret</p>
        <table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>
        <h2>Food</h2>Clams.<br>Snails.</main><footer>Imprint</footer></body></html>";
    let text = read("a.html", page);
    assert_eq!(text.title.as_deref(), Some("The page"));
    let body = "Walruses\n\nThey swim, and they sleep.\n\nlet a =\n    1;\n\none\ntwo\n\na b\nc\n\n\
                Food\n\nClams.\nSnails.";
    assert_eq!(text.body, body);
    assert_eq!(headings(&text), [(1, "Walruses"), (2, "Food")]);
}

#[test]
fn a_page_without_main_gives_its_one_article_or_all_but_its_furniture() {
    let article = "<body><div>Around</div><article>Inside</article></body>";
    assert_eq!(read("a.html", article).body, "Inside");
    let two = "<body><header>Top</header><article>One</article><article>Two</article></body>";
    assert_eq!(read("a.html", two).body, "One\n\nTwo");
    assert_eq!(read("a.html", "<h2>Only</h2> text").title.as_deref(), Some("Only"));
    assert_eq!(read("a.html", "").body, "");
}

#[test]
fn a_page_that_is_made_to_exhaust_is_refused() {
    let readers = Readers::built_in();
    let refusal = |text: &str| {
        let error = readers.read(&document("a.html", text.as_bytes(), None)).unwrap_err();
        error.to_string()
    };
    assert!(refusal(&"<div>".repeat(100_000)).contains("512 deep"));
    assert!(refusal(&"<br>".repeat(1_000_001)).contains("1000000 elements"));
    // Each paragraph opens again all that is unclosed.
    let letters = (0..100_000).map(|at| format!("<p><b id={at}>")).collect::<String>();
    assert!(refusal(&letters).contains("512 deep"));
}

#[test]
fn markdown_gives_its_text_with_code_and_tables_and_without_markup() {
    let source = "---\ntitle: \"The book\"\n---\n# Walruses `W`\n\nThey *swim*\nand [sleep](x \"t\").\n\n\
                  ```rust\nlet a =\n    1;\n```\n\n- one\n- two\n\n| a | b |\n|---|---|\n| c | d |\n\n\
                  <details><b>Raw</b> html<script>x</script></details>\n\n## Food\n\nClams &amp; snails\\!";
    let text = read("a.md", source);
    assert_eq!(text.title.as_deref(), Some("The book"));
    let body = "Walruses W\n\nThey swim and sleep.\n\nlet a =\n    1;\n\n\none\ntwo\n\na b\nc d\n\n\
                Raw html\n\nFood\n\nClams & snails!";
    assert_eq!(text.body, body);
    assert_eq!(headings(&text), [(1, "Walruses W"), (2, "Food")]);
    assert_eq!(read("a.md", "x\n\n# First\n# Second").title.as_deref(), Some("First"));
}

#[test]
fn text_stands_as_it_is() {
    assert_eq!(read("a.rst", "Title\r\n=====\r\n\r\n  Text").body, "Title\n=====\n\n  Text");
}

#[test]
fn other_encodings_are_read_as_they_say() {
    let readers = Readers::built_in();
    let body = |bytes: &[u8], media_type| {
        readers.read(&document("a.html", bytes, media_type)).unwrap().body
    };
    assert_eq!(body(b"M\xfcller", None), "Müller");
    assert_eq!(body(b"\xe9", Some("text/html; charset=\"ISO-8859-5\"")), "щ");
    assert_eq!(body(b"<meta charset='koi8-r'><p>\xc1", None), "а");
    assert_eq!(body(b"\xef\xbb\xbfx", None), "x");
    assert_eq!(body(b"\xff\xfeM\0\xfc\0", None), "Mü");
    // What is UTF-8 is UTF-8, whatever it says.
    assert_eq!(body("ü".as_bytes(), Some("text/html; charset=latin1")), "ü");
}

#[test]
fn what_no_reader_knows_is_an_error_that_lists_the_known() {
    let readers = Readers::built_in();
    let refusal =
        |source, bytes, media_type| readers.read(&document(source, bytes, media_type)).unwrap_err();
    let error = refusal("a.png", b"x", None).to_string();
    assert!(error.contains("`png`") && error.contains("markdown"), "{error}");
    let error = refusal("https://example.org/x", b"x", None).to_string();
    assert!(error.contains("without a media type"), "{error}");
    let error = refusal("https://example.org/x.html", b"x", Some("image/png")).to_string();
    assert!(error.contains("`image/png`"), "{error}");
    assert!(matches!(refusal("a.txt", b"\x7fELF\0", None), ReadError::Binary));
}

#[test]
fn a_page_is_known_by_its_beginning() {
    let page = document("https://example.org/", b" \n<!doctype HTML><p>x", None);
    assert_eq!(Readers::built_in().read(&page).unwrap().body, "x");
}

proptest::proptest! {
    #[test]
    fn anything_is_read_or_refused(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        markup in "([<>/&#;`*_|\\[\\]()=\n -]|<p>|<b>|<table>|</p>|<pre>|<h1>|[a-zü]){0,80}",
    ) {
        for source in ["a.html", "a.md", "a.txt"] {
            for bytes in [bytes.as_slice(), markup.as_bytes()] {
                let Ok(text) = Readers::built_in().read(&document(source, bytes, None)) else {
                    continue;
                };
                for mark in &text.marks {
                    proptest::prop_assert!(text.body.get(mark.at..).is_some());
                }
            }
        }
    }
}

#[test]
fn what_no_reader_knows_is_refused_with_the_endings_that_are_known() {
    for (source, media_type) in [("x.bin", None), ("x", Some("application/x-bin"))] {
        let document = document(source, b"x", media_type);
        let error = Readers::built_in().read(&document).unwrap_err().to_string();
        assert!(error.contains(".html") && error.contains(".md"), "{error}");
        let (_, endings) = error.split_once("end with").unwrap();
        assert!(!endings.contains('/'), "{error}");
    }
}
