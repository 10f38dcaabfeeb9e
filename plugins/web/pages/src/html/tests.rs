//! Pages as they are, and as they are made to harm.

use super::{Page, read};

fn page(html: &str) -> Page {
    read(html, &mut |_| true)
}

fn text(html: &str) -> String {
    page(html).text
}

#[test]
fn the_main_part_is_read_without_what_surrounds_it() {
    let body = "The tokenizer reads text. ".repeat(10);
    let html = format!(
        "<!doctype html><html><head><title>A  &amp;\n B</title><script>var a = '<p>no</p>';</script>\
         <style>p {{}}</style></head><body><header>Logo</header><nav><a href=/>Home</a></nav>\
         <main><h1>Head</h1><p>{body}</p><aside>ad</aside><ul><li>one<li>two</ul></main>\
         <footer>(c)</footer></body></html>"
    );
    let page = page(&html);
    assert_eq!(page.title, "A & B");
    assert_eq!(page.text, format!("# Head\n\n{}\n\n- one\n- two", body.trim_end()));
}

#[test]
fn code_keeps_its_lines_and_text_does_not() {
    assert_eq!(
        text("<p>a\n  b <b>c</b>d</p><pre><code>fn a() {\n    <i>b</i>\n}\n</code></pre>"),
        "a b cd\n\nfn a() {\n    b\n}"
    );
}

#[test]
fn what_is_hidden_is_not_read() {
    for hidden in [
        "<div style='DISPLAY : none'>evil <div>more</div> evil</div>",
        "<p hidden>evil<p>",
        "<span aria-hidden=true>evil<span>x</span>evil</span>",
        "<!-- evil --><template>evil</template><script>evil()</script>",
        "<noscript>evil</noscript><textarea>evil</textarea>",
    ] {
        assert_eq!(text(&format!("{hidden}<p>good</p>")), "good", "{hidden}");
    }
}

#[test]
fn furniture_is_read_only_where_there_is_nothing_else() {
    assert_eq!(text("<nav>Menu</nav><p>Text</p>"), "Text");
    assert_eq!(text("<nav>Menu</nav>"), "Menu");
    assert_eq!(
        text("<nav>never closed <p>but there is text</p>"),
        "never closed\n\nbut there is text"
    );
}

#[test]
fn lists_of_links_are_left_out_beside_real_text() {
    let body = "Words that say something. ".repeat(10);
    let html = format!("<div><a href=a>Home</a> <a href=b>News</a></div><div>{body}</div>");
    assert_eq!(text(&html), body.trim_end());
}

#[test]
fn an_article_is_preferred_to_what_is_around_it() {
    let body = "An article's text, at some length. ".repeat(10);
    let html = format!("<div>Before</div><article><p>{body}</p></article><div>After</div>");
    assert_eq!(text(&html), body.trim_end());
}

#[test]
fn deep_and_broken_pages_are_read_like_any_other() {
    let deep = format!("{}deep{}", "<div>".repeat(200_000), "</div>".repeat(200_000));
    assert_eq!(text(&deep), "deep");
    assert_eq!(text("<p>a</b></i></div><<<p>b<a href='unclosed>c"), "a\n\n<<\n\nb");
    assert_eq!(text("<script>never closed <p>a"), "");
    assert_eq!(text(&"<nav>".repeat(10_000)), "");
    assert_eq!(text(&"&amp".repeat(3)), "&&&");
}

#[test]
fn endless_beginnings_of_anything_are_passed_over() {
    for piece in
        ["</", "<!--", "<p a='", "<![CDATA[", "<a b", "<title>", "<script></", "&#", "<svg>"]
    {
        let html = format!("<p>before</p>{}", piece.repeat(100_000));
        let text = text(&html);
        assert!(text.starts_with("before"), "{piece}: {}", &text[..text.len().min(80)]);
    }
}

#[test]
fn reading_stops_when_there_is_no_more_time() {
    let html = "<p>word</p>".repeat(10_000);
    let page = read(&html, &mut |read| read < 10_000);
    assert!(page.text.starts_with("word\n\nword"));
    assert!(page.text.len() < 4 * 4096, "{}", page.text.len());
}

#[test]
fn very_long_pages_are_cut() {
    let html = format!("<p>{}</p>", "word ".repeat(1_000_000));
    let length = text(&html).len();
    assert!((200_000..300_000).contains(&length), "{length}");
}
