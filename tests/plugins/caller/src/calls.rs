//! What is called, and what came back in words. A test reads the words, so each begins with what
//! was called and how it ended: `http: 200`, `model: denied:`.

use std::collections::BTreeMap;

use patchbay_sdk::{Error, bill, catalog, http, models, report, search};
use serde::Deserialize;
use serde_json::Value;

/// One round of calls.
#[derive(Clone, Deserialize)]
pub(crate) struct Calls {
    http: Option<Http>,
    model: Option<Model>,
    embed: Option<Embed>,
    search: Option<Search>,
    /// Requests side by side.
    all: Option<Vec<Http>>,
    /// A model, or `*`.
    catalog: Option<String>,
    report: Option<Report>,
    bill: Option<Bill>,
}

#[derive(Clone, Deserialize)]
struct Http {
    url: String,
    #[serde(default)]
    method: Method,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    secret: Option<Secret>,
    timeout_ms: Option<u32>,
    /// The headers of the reply that are told.
    #[serde(default)]
    show: Vec<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Method {
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Head,
}

/// `placement` is `bearer`, `header:NAME` or `query:NAME`.
#[derive(Clone, Deserialize)]
struct Secret {
    name: String,
    placement: String,
}

#[derive(Clone, Deserialize)]
struct Model {
    model: String,
    prompt: String,
    max_tokens: Option<u32>,
}

#[derive(Clone, Deserialize)]
struct Embed {
    model: String,
    inputs: Vec<String>,
}

#[derive(Clone, Deserialize)]
struct Search {
    index: String,
    text: String,
    #[serde(default = "one")]
    count: u32,
}

#[derive(Clone, Deserialize)]
struct Report {
    kind: String,
    name: String,
    summary: Option<String>,
    #[serde(default)]
    data: BTreeMap<String, Value>,
}

#[derive(Clone, Deserialize)]
struct Bill {
    unit: String,
    #[serde(default = "one")]
    count: u32,
}

fn one() -> u32 {
    1
}

impl Calls {
    /// Makes all calls, one after the other.
    pub(crate) fn run(&self) -> String {
        let all = self.all.iter().flat_map(|all| Http::run_all(all));
        let said = [
            self.http.as_ref().map(|call| format!("http: {}", either(call.run()))),
            self.model.as_ref().map(|call| format!("model: {}", either(call.run()))),
            self.embed.as_ref().map(|call| format!("embed: {}", either(call.run()))),
            self.search.as_ref().map(|call| format!("search: {}", either(call.run()))),
            self.catalog.as_ref().map(|name| format!("catalog: {}", listed(name))),
            self.report.as_ref().map(Report::run),
            self.bill.as_ref().map(|call| format!("bill: {}", either(call.run()))),
        ];
        let said = said.into_iter().flatten().chain(all.map(|told| format!("all: {told}")));
        said.collect::<Vec<_>>().join("\n")
    }
}

fn either(result: Result<String, String>) -> String {
    result.unwrap_or_else(|error| error)
}

impl Http {
    fn run(&self) -> Result<String, String> {
        self.told(self.request().send())
    }

    fn run_all(all: &[Self]) -> Vec<String> {
        let fetched = http::fetch_all(all.iter().map(Self::request).collect());
        all.iter().zip(fetched).map(|(call, reply)| either(call.told(reply))).collect()
    }

    fn request(&self) -> http::Request {
        let url = &self.url;
        let mut request = match self.method {
            Method::Get => http::get(url),
            Method::Post => http::post(url),
            Method::Put => http::put(url),
            Method::Patch => http::patch(url),
            Method::Delete => http::delete(url),
            Method::Head => http::head(url),
        };
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &self.body {
            request = request.body(body.as_str());
        }
        if let Some(limit) = self.timeout_ms {
            request = request.timeout_ms(limit);
        }
        if let Some(Secret { name, placement }) = &self.secret {
            request = match placement.split_once(':') {
                Some(("header", header)) => request.secret_header(header, name),
                Some(("query", parameter)) => request.secret_query(parameter, name),
                _ => request.bearer(name),
            };
        }
        request
    }

    fn told(&self, reply: Result<http::Response, http::HttpError>) -> Result<String, String> {
        let reply = reply.map_err(|error| refused(&error))?;
        let shown = self.show.iter().map(|name| {
            let value = reply.header(name).unwrap_or_default();
            format!("{name}: {value}; ")
        });
        let (shown, text) = (shown.collect::<String>(), reply.text());
        Ok(format!("{} from {}; {shown}{text}", reply.status(), reply.url()))
    }
}

impl Model {
    fn run(&self) -> Result<String, String> {
        let mut request = models::ask(&self.model).user(self.prompt.as_str());
        if let Some(count) = self.max_tokens {
            request = request.max_tokens(count);
        }
        let reply = request.complete().map_err(|error| failed(&error))?;
        Ok(format!("{} for {} nanos: {}", reply.model, reply.cost_nanos, reply.text()))
    }
}

impl Embed {
    fn run(&self) -> Result<String, String> {
        let inputs = self.inputs.iter().map(String::as_str);
        let reply = models::embed(&self.model, inputs).map_err(|error| failed(&error))?;
        let lengths: Vec<usize> = reply.vectors.iter().map(Vec::len).collect();
        Ok(format!("{} for {} nanos: {lengths:?}", reply.model, reply.cost_nanos))
    }
}

impl Search {
    fn run(&self) -> Result<String, String> {
        let hits = search::query(&self.index, &self.text, self.count);
        let hits = hits.map_err(|error| failed(&error))?;
        let told = hits.iter().map(|hit| {
            let place = hit.headings.join(" > ");
            // A call is told on one line.
            let text = hit.text.replace('\n', " ");
            format!("{} | {} | {place} | {text}", hit.source, hit.title)
        });
        Ok(format!("{} hits: {}", hits.len(), told.collect::<Vec<_>>().join("; ")))
    }
}

/// One model, or all for `*`.
fn listed(name: &str) -> String {
    let models = match name {
        "*" => catalog::models(),
        name => catalog::model(name).into_iter().collect(),
    };
    let known = |number: Option<u64>| number.map_or("?".into(), |it| it.to_string());
    let told = models.iter().map(|model| {
        format!(
            "{} | {} | {} tokens | writes {} | {} to {} | {} | {} and {} nanos",
            model.id,
            model.name,
            known(model.context_length),
            known(model.completion_max),
            model.inputs.join("+"),
            model.outputs.join("+"),
            model.parameters.join("+"),
            known(model.prompt_nanos),
            known(model.completion_nanos)
        )
    });
    format!("{} models: {}", models.len(), told.collect::<Vec<_>>().join("; "))
}

impl Report {
    fn run(&self) -> String {
        let mut stage = report::stage(&self.kind, &self.name);
        if let Some(summary) = &self.summary {
            stage = stage.summary(summary);
        }
        for (name, value) in &self.data {
            stage = stage.data(name, value);
        }
        stage.send();
        "report: sent".into()
    }
}

impl Bill {
    fn run(&self) -> Result<String, String> {
        let nanos = bill::charge(&self.unit, self.count).map_err(|error| failed(&error))?;
        Ok(format!("{nanos} nanos"))
    }
}

fn refused(error: &http::HttpError) -> String {
    use http::HttpError as Refused;
    match error {
        Refused::Denied(why) => format!("denied: {why}"),
        Refused::Invalid(why) => format!("invalid: {why}"),
        Refused::Dns(why) => format!("dns: {why}"),
        Refused::Connect(why) => format!("connect: {why}"),
        Refused::Timeout => "timeout".into(),
        Refused::TooLarge => "too large".into(),
        Refused::Protocol(why) => format!("protocol: {why}"),
        Refused::Limit(why) => format!("limit: {why}"),
    }
}

fn failed(error: &Error) -> String {
    match error {
        Error::Options(why) => format!("options: {why}"),
        Error::Denied(why) => format!("denied: {why}"),
        Error::Limit(why) => format!("limit: {why}"),
        Error::Upstream(why) => format!("upstream: {why}"),
        Error::Internal(why) => format!("internal: {why}"),
    }
}
