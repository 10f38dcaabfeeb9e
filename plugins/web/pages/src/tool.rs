//! The server tool by which a request asks for a plugin, and the function that the model calls in
//! its place.

use patchbay_sdk::{Function, Other, Request, Tool, ToolCall};
use serde_json::{Map, Value, json};

/// A server tool of a request.
#[derive(Debug, Clone)]
pub struct ServerTool {
    /// Its type.
    pub kind: String,
    /// As the client sent it.
    pub other: Other,
    /// What it says: under `parameters`, as OpenRouter's tools do, or beside its type, as OpenAI's.
    pub parameters: Map<String, Value>,
}

impl ServerTool {
    /// The first of a request that is of one of these types.
    pub fn of(request: &Request, types: &[&str]) -> Option<Self> {
        request.tools.iter().find_map(|tool| Self::read(tool, types))
    }

    /// The tool, if it is of one of these types.
    pub fn read(tool: &Tool, types: &[&str]) -> Option<Self> {
        let Tool::Other(other) = tool else { return None };
        let mut parameters: Map<String, Value> = serde_json::from_str(&other.json).ok()?;
        let kind = parameters.get("type")?.as_str().filter(|kind| types.contains(kind))?.to_owned();
        if let Some(Value::Object(inner)) = parameters.remove("parameters") {
            parameters.extend(inner);
        }
        Some(Self { kind, other: other.clone(), parameters })
    }
}

/// A function of one argument, which is a text.
#[derive(Debug)]
pub struct Callable {
    /// What the model calls it.
    pub name: &'static str,
    /// What it does, for the model.
    pub about: &'static str,
    /// The argument's name.
    pub argument: &'static str,
    /// What the argument is, for the model.
    pub argument_about: &'static str,
}

impl Callable {
    /// This function under its own name, or under the other one where the client has a function of
    /// that name.
    #[must_use]
    pub fn beside(self, request: &Request, other_name: &'static str) -> Self {
        let is_own = |tool: &Tool| matches!(tool, Tool::Function(it) if it.name == self.name);
        let name = if request.tools.iter().any(is_own) { other_name } else { self.name };
        Self { name, ..self }
    }

    /// The function as the model is offered it.
    pub fn offer(&self) -> Function {
        let argument = json!({"type": "string", "description": self.argument_about});
        let parameters = json!({
            "type": "object",
            "properties": {self.argument: argument},
            "required": [self.argument],
            "additionalProperties": false
        });
        Function {
            name: self.name.into(),
            description: Some(self.about.into()),
            parameters: Some(parameters.to_string()),
            strict: None,
            cache_control: None,
        }
    }

    /// The argument of a call.
    ///
    /// # Errors
    /// When it has none, in a sentence that tells the model what to write.
    pub fn argument(&self, call: &ToolCall) -> Result<String, String> {
        let name = self.argument;
        let arguments: Option<Value> = serde_json::from_str(&call.arguments).ok();
        let argument = arguments.as_ref().and_then(|it| it.get(name)).and_then(Value::as_str);
        argument.map(str::to_owned).ok_or_else(|| format!("write {{\"{name}\": \"…\"}}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(json: &Value) -> Tool {
        Tool::Other(Other { kind: "openai-chat".into(), json: json.to_string() })
    }

    #[test]
    fn a_tool_says_the_same_in_openrouters_form_and_in_openais() {
        for tool in [
            json!({"type": "t", "parameters": {"max_uses": 2}}),
            json!({"type": "t", "max_uses": 2}),
        ] {
            let request = Request::new("m").tool(other(&json!({"type": "u"}))).tool(other(&tool));
            let read = ServerTool::of(&request, &["s", "t"]).unwrap();
            assert_eq!((read.kind.as_str(), &read.parameters["max_uses"]), ("t", &json!(2)));
            assert!(ServerTool::of(&request, &["s"]).is_none());
        }
    }

    #[test]
    fn an_argument_that_is_none_is_answered_with_how_to_write_it() {
        let callable = Callable { name: "f", about: "", argument: "query", argument_about: "" };
        let said = |arguments: &str| {
            let [id, name, arguments] = ["1", "f", arguments].map(str::to_owned);
            callable.argument(&ToolCall { id, name, arguments })
        };
        assert_eq!(said("{\"query\": \"x\"}").unwrap(), "x");
        for wrong in ["", "{}", "[]", "{\"query\": 1}", "\"query\""] {
            assert_eq!(said(wrong).unwrap_err(), "write {\"query\": \"…\"}", "{wrong}");
        }
    }
}
