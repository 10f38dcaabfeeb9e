//! What elements are to a reader.

use super::tokens::Tag;

/// The part that an element plays in its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    /// What the page is for.
    Main,
    Article,
    /// Of the page, or of an article; only the former is furniture.
    Header,
    /// What surrounds the text on every page.
    Furniture,
    /// What no reader sees. Injected instructions hide here.
    Hidden,
}

/// What an element does to the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    None,
    Space,
    Line,
    Item,
    Paragraph,
    /// With what the heading begins with.
    Heading(&'static str),
}

/// The part that an element plays, by its name and attributes.
pub(super) fn role(tag: &Tag<'_>) -> Role {
    let name = tag.name.as_str();
    // Pages hide their bodies until a script shows them.
    if !matches!(name, "html" | "body") && is_hidden(tag) {
        return Role::Hidden;
    }
    let role = tag.attribute("role");
    let role = role.as_deref();
    match (name, role) {
        ("main", _) | (_, Some("main")) => Role::Main,
        ("article", _) => Role::Article,
        ("header", _) => Role::Header,
        ("nav" | "aside" | "footer" | "form" | "button" | "select" | "dialog", _)
        | (_, Some("navigation" | "banner" | "contentinfo" | "search" | "dialog")) => {
            Role::Furniture
        }
        ("template" | "svg" | "math" | "object" | "canvas" | "audio" | "video" | "datalist", _) => {
            Role::Hidden
        }
        _ => Role::Plain,
    }
}

fn is_hidden(tag: &Tag<'_>) -> bool {
    let hides = |style: String| {
        let style: String = style.chars().filter(|it| !it.is_whitespace()).collect();
        let style = style.to_ascii_lowercase();
        ["display:none", "visibility:hidden", "font-size:0"].iter().any(|it| style.contains(it))
    };
    tag.attribute("hidden").is_some()
        || tag.attribute("aria-hidden").as_deref() == Some("true")
        || tag.attribute("style").is_some_and(hides)
}

/// Whether an element has no end.
pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// What an element does to the text around it, by its name.
pub(super) fn shape(name: &str) -> Shape {
    match name {
        "h1" => Shape::Heading("# "),
        "h2" => Shape::Heading("## "),
        "h3" => Shape::Heading("### "),
        "h4" => Shape::Heading("#### "),
        "h5" => Shape::Heading("##### "),
        "h6" => Shape::Heading("###### "),
        "li" => Shape::Item,
        "br" | "dd" | "dt" | "figcaption" | "tr" | "option" => Shape::Line,
        "img" | "td" | "th" => Shape::Space,
        "address" | "article" | "aside" | "blockquote" | "body" | "details" | "div" | "dl"
        | "fieldset" | "figure" | "footer" | "form" | "header" | "hr" | "main" | "nav" | "ol"
        | "p" | "pre" | "section" | "summary" | "table" | "tbody" | "thead" | "ul" => {
            Shape::Paragraph
        }
        _ => Shape::None,
    }
}
