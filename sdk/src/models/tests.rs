//! Requests that are built, and replies that are read.

use super::{ask, complete, unserved};
use crate::catalog::Model;
use crate::testing::{asked, kit};
use crate::{Content, Error, Message, ResponseFormat, Role, Tool};
use serde_json::json;

#[test]
fn json_is_read_from_a_reply_with_or_without_a_fence() {
    for text in ["[1]", " [1]\n", "```json\n[1]\n```", "```\n[1]\n```\n"] {
        kit().model(text);
        let reply = ask("a/b").json_schema("list", json!({"type": "array"})).complete().unwrap();
        assert_eq!(reply.json::<Vec<u8>>(), Ok(vec![1]), "{text:?}");
        assert!(matches!(reply.json::<String>(), Err(Error::Upstream(_))));
    }
}

#[test]
fn a_model_is_asked_what_was_built() {
    kit().model("").model_fails(Error::Limit("spent".into()));
    let request = ask("a/b").system("s").user("u").max_tokens(9).temperature(0.0);
    let request = request.tool(Tool::function("f", "d", json!({})));
    let request = request.message(Message::tool("call", "result"));
    assert_eq!(complete(&request).unwrap().model, "a/b");
    assert_eq!(request.complete(), Err(Error::Limit("spent".into())));
    let sent = asked().remove(0);
    assert_eq!(sent, request);
    let roles: Vec<Role> = sent.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Tool]);
    assert!(matches!(sent.messages[2].parts[0].content, Content::ToolResult(_)));
    assert_eq!((sent.sampling.max_tokens, sent.sampling.temperature), (Some(9), Some(0.0)));
    assert_eq!(sent.last_user_text().as_deref(), Some("u"));
    let format = ask("a/b").json_schema("x", json!({})).response_format;
    assert!(
        matches!(format, Some(ResponseFormat::JsonSchema(schema)) if schema.strict == Some(true))
    );
}

#[test]
fn a_model_that_is_not_served_is_told_with_those_that_are() {
    let vectors = Model { outputs: vec!["embeddings".into()], ..Model::new("a/vectors") };
    let kit = kit().catalog(Model::new("a/chat")).catalog(Model::new("b/guard"));
    kit.catalog(Model::new("sim/echo")).catalog(vectors);
    let wrong = Error::Options("no such model".into());
    let told = |model: &str, what: &str, error: &Error| {
        let rank = |id: &str| match id {
            "b/guard" => 2,
            "sim/echo" => 0,
            _ => 1,
        };
        let refusal = unserved(model, what, error, rank);
        refusal.map(|it| it.reason().to_owned())
    };
    let text = "is not served here for text. Name `b/guard` or `a/chat` or another of GET \
                /api/v1/models, in the request or in the operator's options";
    assert_eq!(told("x/y", "text", &wrong), Some(format!("`x/y` {text}")));
    assert_eq!(told("a/vectors", "text", &wrong), Some(format!("`a/vectors` {text}")));
    let told_vectors = told("a/chat", "embeddings", &wrong).unwrap();
    assert!(told_vectors.contains("Name `a/vectors` or another of GET /api/v1/embeddings/models"));
    assert_eq!(told("a/chat:free", "text", &wrong), None, "it is served: it failed otherwise");
    assert_eq!(told("x/y", "text", &Error::Upstream("gone".into())), None);
}
