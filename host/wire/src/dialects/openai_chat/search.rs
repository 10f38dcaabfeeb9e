//! Native web search towards chat hosts: OpenAI's `web_search_options`, Perplexity's fields beside
//! them, OpenRouter's tool.

use super::emit::Object as Writer;
use super::message_write::Rules;
use crate::error::WriteError;
use crate::json::Json;
use crate::provider::SearchForm;
use crate::request::{Request, Tool};
use crate::web_search::{OPTIONS, WHAT, WebSearch};

/// The fields that say the request's wish to this upstream; none where it wishes for nothing, or
/// where the upstream knows OpenRouter's tool.
///
/// # Errors
/// The upstream searches nothing, or not within limits that the client set.
pub(super) fn fields(
    request: &Request,
    rules: &Rules<'_>,
) -> Result<Vec<(&'static str, Json)>, WriteError> {
    let wish = WebSearch::of_request(request).filter(|_| !rules.is_openrouter());
    let Some(search) = wish else { return Ok(Vec::new()) };
    let is_limited = !search.allowed_domains.is_empty() || !search.excluded_domains.is_empty();
    let form = rules.to.quirks.web_search;
    let can = match form {
        None => false,
        Some(SearchForm::SearchModels) => rules.to.model.contains("-search"),
        Some(SearchForm::Options | SearchForm::Perplexity) => true,
    };
    if !can {
        return Err(rules.cannot(WHAT.to_owned()));
    }
    let mut fields = vec![(OPTIONS, options(&search))];
    match form {
        Some(SearchForm::Perplexity) if is_limited => {
            let excluded = search.excluded_domains.iter().map(|domain| format!("-{domain}"));
            let domains = search.allowed_domains.iter().cloned().chain(excluded);
            let domains: Vec<String> = domains.collect();
            fields.push(("search_domain_filter", Json::of(&domains)));
        }
        _ if is_limited => return Err(rules.cannot(format!("{WHAT} within given domains"))),
        _ => {}
    }
    Ok(fields)
}

fn options(search: &WebSearch) -> Json {
    of(|options| {
        options.optional("search_context_size", search.context_size.as_ref());
        if let Some(location) = &search.user_location {
            options.object("user_location", |user| {
                user.raw("type", r#""approximate""#);
                user.object("approximate", |approximate| {
                    for (name, value) in location.fields() {
                        approximate.value(name, value);
                    }
                });
            });
        }
    })
}

/// OpenRouter's own tool, for a wish of another dialect.
pub(super) fn tool(tool: &Tool) -> Option<Json> {
    Some(server_tool(&WebSearch::of_tool(tool)?))
}

/// The wish as OpenRouter's own tool.
pub(in crate::dialects) fn server_tool(search: &WebSearch) -> Json {
    of(|tool| {
        tool.raw("type", r#""openrouter:web_search""#);
        tool.object("parameters", |parameters| {
            parameters.raw("engine", r#""native""#);
            parameters.optional("search_context_size", search.context_size.as_ref());
            let lists = [
                ("allowed_domains", &search.allowed_domains),
                ("excluded_domains", &search.excluded_domains),
            ];
            for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
                parameters.value(name, list);
            }
            parameters.optional("max_uses", search.max_uses.as_ref());
            if let Some(location) = &search.user_location {
                parameters.object("user_location", |user| {
                    user.raw("type", r#""approximate""#);
                    for (name, value) in location.fields() {
                        user.value(name, value);
                    }
                });
            }
        });
    })
}

/// An object.
pub(in crate::dialects) fn of(fields: impl FnOnce(&mut Writer<'_>)) -> Json {
    let mut out = Vec::new();
    let mut object = Writer::begin(&mut out);
    fields(&mut object);
    object.end();
    Json::parse(String::from_utf8(out).unwrap_or_default()).unwrap_or_else(|_| Json::null())
}
