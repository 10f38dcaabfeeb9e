//! What to search for: what the user said last, or what a model makes of the conversation.

use patchbay_sdk::{Message, Request, Role, catalog, models, warn};
use web_pages::{cut, reason};

/// The query for a request; `None` when nobody said anything. `today` is for the model that writes
/// it.
///
/// # Errors
/// A model that is not served, in a sentence for the client.
pub(crate) fn of(
    request: &Request,
    model: Option<&str>,
    today: &str,
) -> Result<Option<String>, String> {
    if let Some(model) = model.filter(|model| catalog::model(model).is_none()) {
        return Err(not_served(model));
    }
    let plain = shortened(&request.last_user_text().unwrap_or_default());
    if plain.is_empty() {
        return Ok(None);
    }
    let Some(model) = model else { return Ok(Some(plain)) };
    Ok(Some(match rewritten(request, model, today) {
        Ok(query) if !query.is_empty() => query,
        Ok(_) => plain,
        Err(error) => {
            warn!("{model} wrote no query: {}", reason(&error));
            plain
        }
    }))
}

fn not_served(model: &str) -> String {
    let writes =
        catalog::models().into_iter().filter(|it| it.outputs.iter().any(|it| it == "text"));
    let some: Vec<String> = writes.take(NAMED_MAX).map(|it| format!("`{}`", it.id)).collect();
    let model = cut(model, NAME_CHARS_MAX).escape_debug();
    let fix = if some.is_empty() { String::new() } else { format!("use {}, or ", some.join(", ")) };
    format!("`query_model` is `{model}`, which is not served here: {fix}leave it out")
}

/// A text on one line and as long as engines take it: of a long one its beginning and its end,
/// between which questions stand rarely.
pub(crate) fn shortened(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX).collect();
    let text = words.join(" ");
    let length = text.chars().count();
    if length <= QUERY_CHARS_MAX {
        return text;
    }
    let half = QUERY_CHARS_MAX / 2;
    let begin = cut(&text, half);
    let begin = begin.rsplit_once(' ').map_or(begin, |(begin, _)| begin);
    let rest = text.char_indices().nth(length.saturating_sub(half)).map_or(0, |(at, _)| at);
    let end = text.get(rest..).unwrap_or_default();
    let end = end.split_once(' ').map_or(end, |(_, end)| end);
    format!("{begin} {end}")
}

fn rewritten(request: &Request, model: &str, today: &str) -> Result<String, patchbay_sdk::Error> {
    let said = |message: &Message| {
        let name = match message.role {
            Role::User => "User",
            Role::Assistant => "Assistant",
            Role::System | Role::Developer | Role::Tool => return None,
        };
        let text = message.text();
        (!text.is_empty()).then(|| format!("{name}: {}", cut(&text, MESSAGE_CHARS_MAX)))
    };
    let mut turns: Vec<String> =
        request.messages.iter().rev().filter_map(said).take(TURNS_MAX).collect();
    turns.reverse();
    let task = format!(
        "Write the web search query that finds what is needed to answer the user's last message. \
         Today is {today}. Reply with the query alone, on one line."
    );
    let ask = models::ask(model).system(task).user(turns.join("\n\n"));
    let reply = ask.max_tokens(TOKENS_MAX).temperature(0.0).complete()?.text();
    let line = reply.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    Ok(shortened(line.trim_matches(['"', '\'', '`'])))
}

/// As Brave and Tavily say.
const QUERY_CHARS_MAX: usize = 380;

/// A query is made of the first words of a text; longer ones are not even looked through.
const WORDS_MAX: usize = 4000;

/// Models that an error names.
const NAMED_MAX: usize = 5;

const NAME_CHARS_MAX: usize = 100;

const TURNS_MAX: usize = 6;
const MESSAGE_CHARS_MAX: usize = 2000;
const TOKENS_MAX: u32 = 100;

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_long_text_is_its_beginning_and_its_end() {
        let text = format!("Please look at this:\n\n{}\nWhat does it cost?", "blah ".repeat(500));
        let query = shortened(&text);
        assert!(query.starts_with("Please look at this: blah"), "{query}");
        assert!(query.ends_with("blah What does it cost?"), "{query}");
        assert!(query.chars().count() <= 380);
        assert!(shortened(&"字".repeat(5000)).chars().count() <= 381);
        assert_eq!(shortened(" two \n words "), "two words");
    }
}
