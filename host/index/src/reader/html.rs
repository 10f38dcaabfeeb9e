//! HTML: the main text of a page, without what surrounds it. Pages are written by strangers, so
//! the tree is bounded in size and depth while it grows.

use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use html5ever::driver;
use html5ever::tendril::TendrilSink;
use scraper::node::Element;
use scraper::{HtmlTreeSink, Node};

use crate::document::Document;
use crate::error::ReadError;
use crate::flow::{Flow, Gap};
use crate::reader::{Extracted, Reader, decode};

/// Reads HTML and XHTML.
#[derive(Debug)]
pub(super) struct Html;

impl Reader for Html {
    fn kinds(&self) -> &[&str] {
        &["html", "htm", "xhtml", "text/html", "application/xhtml+xml"]
    }

    fn read(&self, document: &Document) -> Result<Extracted, ReadError> {
        let page = parse(&decode(document)?)?;
        let mut flow = Flow::default();
        collect(main_part(&page), &mut flow);
        Ok(flow.finish(title(&page)))
    }
}

/// The text of a piece of HTML inside of something else.
pub(super) fn block(html: &str, flow: &mut Flow) -> Result<(), ReadError> {
    collect(parse(html)?.tree.root(), flow);
    Ok(())
}

/// Whether bytes of unknown kind begin as a page does.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    ["<!doctype html", "<html"].iter().any(|sign| {
        start.get(..sign.len()).is_some_and(|it| it.eq_ignore_ascii_case(sign.as_bytes()))
    })
}

fn parse(html: &str) -> Result<scraper::Html, ReadError> {
    let sink = HtmlTreeSink::new(scraper::Html::new_document());
    let mut parser = driver::parse_document(sink, driver::ParseOpts::default());
    // One tag can open as many elements as are unclosed, so it is looked at after each one.
    for piece in html.split_inclusive('>') {
        parser.process(piece.into());
        let page = parser.tokenizer.sink.sink.0.borrow();
        let mut nodes = page.tree.nodes();
        if nodes.len() > NODES_MAX {
            return Err(ReadError::Malformed(format!(
                "it has over {NODES_MAX} elements and texts"
            )));
        }
        let newest = nodes.next_back();
        if newest.is_some_and(|node| node.ancestors().nth(DEPTH_MAX).is_some()) {
            return Err(ReadError::Malformed(format!("elements are nested over {DEPTH_MAX} deep")));
        }
    }
    Ok(parser.finish())
}

/// `<main>`, or the only `<article>`, or everything.
fn main_part(page: &scraper::Html) -> NodeRef<'_, Node> {
    let root = page.tree.root();
    let is_main = |it: &Element| it.name() == "main" || it.attr("role") == Some("main");
    if let Some(main) = elements(root, is_main).next() {
        return main;
    }
    let mut articles = elements(root, |it| it.name() == "article");
    match (articles.next(), articles.next()) {
        (Some(article), None) => article,
        _ => root,
    }
}

fn title(page: &scraper::Html) -> Option<String> {
    // A drawing has titles too, but they come after the head's.
    let title = elements(page.tree.root(), |it| it.name() == "title").next()?;
    Some(own_text(title))
}

fn elements<'a>(
    root: NodeRef<'a, Node>,
    matches: impl Fn(&Element) -> bool,
) -> impl Iterator<Item = NodeRef<'a, Node>> {
    root.descendants().filter(move |node| node.value().as_element().is_some_and(&matches))
}

fn own_text(node: NodeRef<'_, Node>) -> String {
    node.descendants().filter_map(|it| it.value().as_text()).map(|text| &**text).collect()
}

/// Writes the text below a node, in one pass without recursion.
fn collect(root: NodeRef<'_, Node>, flow: &mut Flow) {
    let mut left_out = None;
    let mut verbatim = 0_usize;
    // The header of the main part belongs to it; that of a page is its furniture.
    let furniture = root.value().is_document();
    for edge in root.traverse() {
        match edge {
            Edge::Open(node) if left_out.is_none() => match node.value() {
                Node::Text(text) if verbatim > 0 => flow.verbatim(text),
                Node::Text(text) => flow.text(text),
                Node::Element(it) if is_left_out(node, it, furniture) => left_out = Some(node.id()),
                Node::Element(it) => {
                    verbatim = verbatim.saturating_add(usize::from(it.name() == "pre"));
                    open(it.name(), flow);
                }
                _ => {}
            },
            Edge::Close(node) if left_out == Some(node.id()) => left_out = None,
            Edge::Close(node) if left_out.is_none() => {
                if let Some(it) = node.value().as_element() {
                    verbatim = verbatim.saturating_sub(usize::from(it.name() == "pre"));
                    close(it.name(), flow);
                }
            }
            Edge::Open(_) | Edge::Close(_) => {}
        }
    }
}

fn is_left_out(node: NodeRef<'_, Node>, element: &Element, furniture: bool) -> bool {
    match element.name() {
        "aside" | "button" | "dialog" | "footer" | "form" | "head" | "iframe" | "math" | "nav"
        | "noscript" | "object" | "script" | "select" | "style" | "svg" | "template" => true,
        "header" => furniture,
        // The sign beside a heading by which documentation links to it.
        "a" => matches!(own_text(node).trim(), "¶" | "§" | "#"),
        _ => element.attr("hidden").is_some(),
    }
}

fn open(name: &str, flow: &mut Flow) {
    match level(name) {
        Some(level) => flow.begin_heading(level),
        None => flow.gap(gap(name)),
    }
}

fn close(name: &str, flow: &mut Flow) {
    match level(name) {
        Some(_) => flow.end_heading(),
        None => flow.gap(gap(name)),
    }
}

fn level(name: &str) -> Option<u8> {
    match name {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        "h5" => Some(5),
        "h6" => Some(6),
        _ => None,
    }
}

/// What an element puts around itself.
fn gap(name: &str) -> Gap {
    match name {
        "article" | "blockquote" | "details" | "div" | "dl" | "fieldset" | "figure" | "hr"
        | "main" | "ol" | "p" | "pre" | "section" | "summary" | "table" | "ul" => Gap::Paragraph,
        "br" | "dd" | "dt" | "figcaption" | "li" | "tr" => Gap::Line,
        "img" | "td" | "th" => Gap::Space,
        _ => Gap::None,
    }
}

/// A tree of this many nodes takes some 200 MB; the HTML standard on one page has 600,000.
const NODES_MAX: usize = 1_000_000;

/// Browsers stop at 512 too. The parser looks through all open elements at each tag, so depth
/// costs time squared.
const DEPTH_MAX: usize = 512;
