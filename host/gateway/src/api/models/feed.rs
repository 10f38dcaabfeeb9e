//! The list of models as RSS, in the order the query asks for. Links lead to a model's
//! endpoints, with `use_rss_chat_links` too: there is no chat page here.

use std::fmt::Write;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue};
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

use super::shown;
use crate::config::catalog::Served;

/// The feed of these models.
pub(super) fn response(headers: &HeaderMap, models: &[&Served]) -> Response {
    let root = root(headers);
    let mut feed =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\">");
    // Writing to a string can't fail.
    let _ = write!(
        feed,
        "<channel><title>Models</title><link>{root}/api/v1/models</link>\
         <description>The models that this gateway serves.</description>"
    );
    for served in models {
        let model = &served.model;
        let text = |text: &str| escape(text);
        let _ = write!(
            feed,
            "<item><title>{}</title><link>{root}/api/v1/models/{}/endpoints</link>\
             <guid isPermaLink=\"false\">{}</guid><description>{}</description>{}</item>",
            text(shown::display_name(model)),
            text(&model.id),
            text(&model.id),
            text(model.description.as_deref().unwrap_or("")),
            date(model.created)
                .map(|date| format!("<pubDate>{date}</pubDate>"))
                .unwrap_or_default(),
        );
    }
    feed.push_str("</channel></rss>\n");
    let mut response = Response::new(Body::from(feed));
    let kind = HeaderValue::from_static("application/rss+xml; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Where the client reached us.
fn root(headers: &HeaderMap) -> String {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = header("x-forwarded-proto").filter(|scheme| *scheme == "https").unwrap_or("http");
    format!("{scheme}://{}", escape(header(HOST.as_str()).unwrap_or("localhost")))
}

fn date(unix_s: u64) -> Option<String> {
    let second = i64::try_from(unix_s).ok().filter(|second| *second > 0)?;
    let time = jiff::Timestamp::from_second(second).ok()?;
    rfc2822::to_string(&time.to_zoned(TimeZone::UTC)).ok()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no place for them, not even escaped.
            control if control.is_control() && !matches!(control, '\n' | '\t') => {}
            other => escaped.push(other),
        }
    }
    escaped
}
