//! Searches the web for what the user asks, puts what was found before the question, and has the
//! reply cite it. Enabled by `:online`, by `web_search_options`, or by name, it searches once before
//! the model is asked; by the tool `openrouter:web_search` the model searches when it wants to.

mod asked;
mod engine;
mod native;
mod query;
mod search;
mod settings;

use engine::{Choice, Engine};
use patchbay_sdk::{
    Decision, Description, Error, Function, Generation, Kind, Plugin, Request, Stream, ToolCall,
    ToolChoice, ToolOutput, catalog, report, system, warn,
};
use serde_json::{Map, Value};
use settings::Settings;
use web_pages::{CITE, Callable, Given, ServerTool, Source, reason, say, text_bytes, time};

/// The plugin, for one generation.
pub struct Web {
    options: Map<String, Value>,
    given: Given,
    tool: Option<Tool>,
}

/// The function that the model calls.
struct Tool {
    function: Callable,
    engine: &'static dyn Engine,
    settings: Settings,
    uses: usize,
    results: usize,
}

impl Plugin for Web {
    fn describe() -> Description {
        let about = Description::new("web", env!("CARGO_PKG_VERSION"), Kind::Transform)
            .summary(
                "Searches the web for the user's question and has the reply cite what it found.",
            )
            .options(OPTIONS)
            .limit("cpu-ms", 500)
            .trigger("suffix=online")
            .trigger("field=web_search_options");
        let about =
            asked::TYPES.iter().fold(about, |about, kind| about.trigger(&format!("tool={kind}")));
        CAPABILITIES.iter().fold(about, |about, name| about.capability(name))
    }

    fn new(generation: &Generation) -> Result<Self, Error> {
        Ok(Self { options: generation.options()?, given: Given::new(generation), tool: None })
    }

    fn on_request(
        &mut self,
        generation: &Generation,
        mut request: Request,
    ) -> Result<Decision, Error> {
        let is_suffixed = generation.model().split(':').skip(1).any(|suffix| suffix == "online");
        let is_changed = self.act(is_suffixed, &mut request);
        Ok(web_pages::decision("web", request, is_changed))
    }

    fn tools(&mut self, _: &Generation, asked: Vec<String>) -> Result<Vec<Function>, Error> {
        let tool = self.tool.as_ref().filter(|_| !asked.is_empty());
        Ok(tool.map(|tool| tool.function.offer()).into_iter().collect())
    }

    fn call(&mut self, _: &Generation, call: ToolCall) -> Result<ToolOutput, Error> {
        let Self { given, tool: Some(tool), .. } = self else {
            return Ok(ToolOutput::error("searching was not asked for"));
        };
        let query = match tool.function.argument(&call) {
            Ok(query) => query::shortened(&query),
            Err(fix) => return Ok(ToolOutput::error(&fix)),
        };
        if query.is_empty() {
            return Ok(ToolOutput::error("the query is empty"));
        }
        if tool.settings.max_uses.is_some_and(|most| tool.uses >= most) {
            return Ok(ToolOutput::error(
                "no more searches are allowed; answer with what you have",
            ));
        }
        let left = tool.settings.max_total_results().saturating_sub(tool.results);
        if left == 0 {
            return Ok(ToolOutput::error("no more results are allowed; answer with what you have"));
        }
        tool.uses = tool.uses.saturating_add(1);
        let count = tool.settings.max_results().min(left);
        let found = look(tool.engine, &query, count, &tool.settings);
        Ok(match found {
            Ok(found) if found.is_empty() => ToolOutput::text("Nothing was found."),
            Ok(found) => {
                tool.results = tool.results.saturating_add(found.len());
                let results = given.write(found, call.arguments.len());
                ToolOutput::text(format!("{results}\n\n{CITE}"))
            }
            Err(error) => ToolOutput::error(&format!("the search failed: {error}")),
        })
    }

    fn stream(&mut self, _: &Generation, choice: u16) -> Result<Box<dyn Stream>, Error> {
        Ok(self.given.stream(choice, self.tool.is_some()))
    }
}

impl Web {
    /// Does what the request wants; says whether that changed it.
    fn act(&mut self, is_suffixed: bool, request: &mut Request) -> Result<bool, String> {
        let asked = ServerTool::of(request, &asked::TYPES);
        let field: Option<Map<String, Value>> =
            request.extra_get(FIELD).map_err(|error| error.to_string())?;
        let mut is_changed = false;
        if let Some(asked) = &asked {
            is_changed = self.prepare(asked, request)?;
        }
        // The tool alone leaves it to the model whether to search.
        if asked.is_none() || field.is_some() || is_suffixed {
            is_changed |= self.search_first(field.as_ref(), request)?;
        }
        Ok(is_changed)
    }

    /// Makes the tool a native wish, or readies the function that takes its place.
    fn prepare(&mut self, asked: &ServerTool, request: &mut Request) -> Result<bool, String> {
        let settings = Settings::read(&self.options, &asked.parameters)?;
        settings.sites()?;
        let model = catalog::model(&request.model);
        match engine::choose(&settings, model.as_ref(), true)? {
            Choice::Native => {
                let id = model.map(|model| model.id).unwrap_or_default();
                let wish = native::as_asked(asked, &id).unwrap_or_else(|| native::wish(&settings));
                request.tools.retain(|tool| ServerTool::read(tool, &asked::TYPES).is_none());
                request.tools.push(wish);
                if asked::is_forced(request) {
                    request.tool_choice = Some(ToolChoice::Auto);
                }
                Ok(true)
            }
            Choice::Ours(engine) => {
                let function = FUNCTION.beside(request, OTHER_NAME);
                self.tool = Some(Tool { function, engine, settings, uses: 0, results: 0 });
                Ok(false)
            }
        }
    }

    /// Searches before the model is asked, or has the provider do it.
    fn search_first(
        &mut self,
        field: Option<&Map<String, Value>>,
        request: &mut Request,
    ) -> Result<bool, String> {
        let settings = Settings::read(&self.options, field.unwrap_or(&Map::new()))?;
        settings.sites()?;
        let model = catalog::model(&request.model);
        let Choice::Ours(engine) = engine::choose(&settings, model.as_ref(), false)? else {
            // The client's own field says it already, unless the options say more.
            if field.is_some() && self.options.is_empty() {
                return Ok(false);
            }
            request.extra.retain(|field| field.name != FIELD);
            request.tools.push(native::wish(&settings));
            return Ok(true);
        };
        let had_field = field.is_some();
        request.extra.retain(|field| field.name != FIELD);
        let today = time::date(system::unix_ms());
        let query = query::of(request, settings.query_model.as_deref(), &today)?;
        let Some(query) = query else { return Ok(had_field) };
        let Ok(found) = look(engine, &query, settings.max_results(), &settings) else {
            return Ok(had_field);
        };
        if found.is_empty() {
            return Ok(had_field);
        }
        let results = self.given.write(found, text_bytes(request));
        let prompt = settings.search_prompt.clone().unwrap_or_else(|| {
            format!(
                "A web search was conducted on {today}. Incorporate the following web search \
                 results into your response.\n\n{CITE}"
            )
        });
        say(request, format!("{prompt}\n\n{results}"));
        Ok(true)
    }
}

/// Searches and tells the client's metadata of it.
fn look(
    engine: &dyn Engine,
    query: &str,
    count: usize,
    settings: &Settings,
) -> Result<Vec<Source>, String> {
    let stage = report::stage("plugin", "web-search").data("engine", engine.name());
    let stage = stage.data("query", query);
    let outcome = search::run(engine, query, count, settings).map_err(|error| reason(&error));
    match &outcome {
        Ok(found) => {
            let (name, results) = (engine.name(), found.sources.len());
            let plural = if results == 1 { "" } else { "s" };
            stage
                .summary(&format!("{results} result{plural} from {name}"))
                .data("results", results)
                .data("pages", found.pages)
                .send();
        }
        Err(error) => {
            warn!("the search failed: {error}");
            let summary = "the search failed; the reply goes on without results";
            stage.summary(summary).data("results", 0).data("error", error).send();
        }
    }
    outcome.map(|outcome| outcome.sources)
}

patchbay_sdk::export!(Web: request, stream, tools);

const OPTIONS: &str = include_str!("options.json");

/// Chat's own field.
const FIELD: &str = "web_search_options";

const FUNCTION: Callable = Callable {
    name: "web_search",
    about: "Searches the web. Use it for what is recent, uncertain or beyond what you know, and cite \
            what you use of its results.",
    argument: "query",
    argument_about: "What to search for, as for a search engine.",
};

/// Where the client has a function of that name.
const OTHER_NAME: &str = "openrouter_web_search";

/// The engines' hosts stand here though pages are fetched from anywhere, so that an operator who
/// grants only them grants enough.
const CAPABILITIES: [&str; 10] = [
    "http=https://api.exa.ai",
    "http=https://api.search.brave.com",
    "http=https://api.tavily.com",
    "http=https://*:*",
    "http=http://*:*",
    "secrets=EXA_API_KEY",
    "secrets=BRAVE_API_KEY",
    "secrets=TAVILY_API_KEY",
    "search",
    "models",
];

patchbay_sdk::cases![
    "cases/bad_domain.json",
    "cases/brave.json",
    "cases/cited_twice.json",
    "cases/exa.json",
    "cases/failed.json",
    "cases/field.json",
    "cases/hostile.json",
    "cases/local.json",
    "cases/local_urls.json",
    "cases/native_field.json",
    "cases/native_refused.json",
    "cases/not_available.json",
    "cases/not_rewritten.json",
    "cases/not_set_up.json",
    "cases/nothing_asked.json",
    "cases/query_model.json",
    "cases/refused_by_engine.json",
    "cases/rewritten.json",
    "cases/searxng.json",
    "cases/tavily.json",
    "cases/tool.json",
    "cases/tool_shorthand.json",
    "cases/uncited.json",
];

#[cfg(test)]
mod tests;
