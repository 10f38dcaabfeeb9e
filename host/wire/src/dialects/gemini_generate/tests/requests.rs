//! Requests in both directions.

use serde_json::{Value, json};

use super::*;
use crate::chunk::{ReasoningDetail, ReasoningKind, Role};
use crate::json::{Extra, Json};
use crate::request::{
    Content, Effort, Media, MediaData, MediaKind, Message, Other, Part, Reasoning, ResponseFormat,
    Service, Tool, ToolChoice,
};

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts, extra: Extra::default() }
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    let [id, name, arguments] = [id, name, arguments].map(str::to_owned);
    Part::new(Content::ToolCall { id, name, arguments })
}

fn result(id: &str, text: &str) -> Message {
    let parts = vec![Part::text(text)];
    let result = Content::ToolResult { call_id: id.to_owned(), parts, is_error: false };
    message(Role::Tool, vec![Part::new(result)])
}

fn signature(data: &str, id: Option<&str>, format: &str) -> Part {
    let detail = Some(ReasoningDetail {
        kind: ReasoningKind::Encrypted,
        id: id.map(str::to_owned),
        format: Some(format.to_owned()),
        data: Some(data.to_owned()),
        ..ReasoningDetail::default()
    });
    Part::new(Content::Reasoning { text: String::new(), detail })
}

fn of_messages(messages: Vec<Message>) -> Request {
    Request { messages, ..Request::default() }
}

#[test]
fn a_request_that_was_read_is_written_the_same() {
    let body = json!({
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"parts": [{"text": "Hi"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
                {"fileData": {"fileUri": "gs://b/x", "mimeType": "video/mp4"}},
                {"fileData": {"mimeType": "application/pdf",
                    "fileUri": "https://a.example/x.pdf"}}], "role": "user"},
            {"parts": [{"text": "Thought", "thought": true},
                {"text": "Said", "thoughtSignature": "dHh0"},
                {"functionCall": {"name": "f", "args": {"b": 1, "a": [1.50]}},
                    "thoughtSignature": "c2ln"},
                {"functionCall": {"id": "own", "name": "f", "args": {}}}], "role": "model"},
            {"parts": [{"functionResponse": {"name": "f", "response": {"ok": true}}},
                {"functionResponse": {"id": "own", "name": "f", "response": {"result": "fine"}}},
                {"text": "Go on"}], "role": "user"},
        ],
        "tools": [
            {"functionDeclarations": [{"name": "f", "description": "d", "parameters":
                {"properties": {"a": {"type": "STRING"}}, "type": "OBJECT"}}]},
            {"googleSearch": {}},
        ],
        "toolConfig": {
            "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]},
            "retrievalConfig": {"languageCode": "de"},
        },
        "generationConfig": {
            "maxOutputTokens": 100, "temperature": 0.5, "topP": 0.9, "topK": 40,
            "frequencyPenalty": 0.1, "presencePenalty": 0.2, "seed": 7, "stopSequences": ["x"],
            "candidateCount": 1, "responseLogprobs": true, "logprobs": 3,
            "responseMimeType": "application/json",
            "responseSchema": {"properties": {"a": {"type": "INTEGER"}}, "type": "OBJECT"},
            "thinkingConfig": {"thinkingBudget": 500, "includeThoughts": true},
            "responseModalities": ["TEXT"],
        },
        "safetySettings": [{"category": "c", "threshold": "t"}],
        "cachedContent": "cachedContents/1",
    });
    let request = read_request(&body);
    assert_eq!((request.model.as_str(), request.stream), ("", false));
    assert_eq!(write_request(&request, ReasoningStyle::Budget).unwrap(), body);
}

#[test]
fn names_in_snake_case_are_read_alike() {
    let snake = json!({
        "system_instruction": {"parts": {"text": "s"}},
        "contents": {"parts": [{"inline_data": {"mime_type": "audio/wav", "data": "AA=="}},
            {"function_call": {"name": "f", "args": {"my_key": 1}}, "thought_signature": "x"}],
            "role": "model"},
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema":
            {"type": "object", "properties": {"my_key": {"type": "integer"}}}}]}],
        "tool_config": {"function_calling_config": {"mode": "NONE"}},
        "generation_config": {"max_output_tokens": 5, "thinking_config": {"thinking_level": "LOW"}},
        "safety_settings": [],
    });
    let camel = json!({
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": "AA=="}},
            {"functionCall": {"name": "f", "args": {"my_key": 1}}, "thoughtSignature": "x"}],
            "role": "model"}],
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema":
            {"type": "object", "properties": {"my_key": {"type": "integer"}}}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "NONE"}},
        "generationConfig": {"maxOutputTokens": 5, "thinkingConfig": {"thinkingLevel": "LOW"}},
        "safetySettings": [],
    });
    let plain = |body| Request { source: None, ..read_request(body) };
    assert_eq!(plain(&snake), plain(&camel));
}

#[test]
fn unchanged_bytes_go_through_without_the_model() {
    let quirks = Quirks::default();
    let to = target(ReasoningStyle::None, &quirks);
    let body = Bytes::from_static(br#"{ "contents": [{"parts":[{"text":"a"}]}], "new": 1 }"#);
    let request = GeminiGenerate.read_request(&body).unwrap();
    let outgoing = GeminiGenerate.write_request(&request, &to).unwrap();
    assert_eq!(outgoing.body, body);
    assert_eq!(outgoing.path, "/models/gemini-3-pro:streamGenerateContent?alt=sse");
    let to = Target { stream: false, ..to };
    let named = br#"{"model":"models/ours","contents":[{"parts":[{"text":"a"}]}]}"#;
    let request = GeminiGenerate.read_request(&Bytes::from_static(named)).unwrap();
    let outgoing = GeminiGenerate.write_request(&request, &to).unwrap();
    assert_eq!(outgoing.body.as_ref(), br#"{"contents":[{"parts":[{"text":"a"}]}]}"#);
    assert_eq!(outgoing.path, "/models/gemini-3-pro:generateContent");
}

#[test]
fn a_tool_loop_from_chat_returns_as_gemini_sent_it() {
    // Chat clients send the details first, then the text, then the calls; results in any order.
    let assistant = vec![
        signature("b25l", Some("gem_r_0"), "google-gemini-v1"),
        signature("dHdv", None, "google-gemini-v1"),
        signature("eHg=", None, "anthropic-claude-v1"),
        Part::new(Content::Reasoning { text: "plain".to_owned(), detail: None }),
        Part::text("Looking."),
        call("gem_r_0", "look", r#"{ "at": "a" }"#),
        call("gem_r_1", "look", ""),
    ];
    let request = of_messages(vec![
        message(Role::System, vec![Part::text("s")]),
        message(Role::User, vec![Part::text("Q")]),
        message(Role::Developer, vec![Part::text("d")]),
        message(Role::Assistant, assistant),
        result("gem_r_1", "second"),
        result("gem_r_0", r#"{"n":1.0}"#),
        message(Role::User, vec![Part::text("And?")]),
    ]);
    let body = write_request(&request, ReasoningStyle::Effort).unwrap();
    assert_eq!(body["systemInstruction"], json!({"parts": [{"text": "s"}, {"text": "d"}]}));
    let expected = json!([
        {"parts": [{"text": "Q"}], "role": "user"},
        {"parts": [
            {"text": "Looking.", "thoughtSignature": "dHdv"},
            {"functionCall": {"name": "look", "args": {"at": "a"}}, "thoughtSignature": "b25l"},
            {"functionCall": {"name": "look", "args": {}}},
        ], "role": "model"},
        {"parts": [
            {"functionResponse": {"name": "look", "response": {"n": 1.0}}},
            {"functionResponse": {"name": "look", "response": {"result": "second"}}},
            {"text": "And?"},
        ], "role": "user"},
    ]);
    assert_eq!(body["contents"], expected);
}

#[test]
fn arguments_keep_their_bytes() {
    let text = r#"{ "b":1.0,  "a":"é\u00e9" }"#;
    let request = of_messages(vec![message(Role::Assistant, vec![call("x", "f", text)])]);
    let quirks = Quirks::default();
    let outgoing =
        GeminiGenerate.write_request(&request, &target(ReasoningStyle::Budget, &quirks)).unwrap();
    assert!(String::from_utf8_lossy(&outgoing.body).contains(text));
}

#[test]
fn calls_that_gemini_did_not_make_are_excused_for_gemini_3() {
    let messages = vec![message(Role::Assistant, vec![call("a", "f", "{}"), call("b", "f", "{}")])];
    let request = of_messages(messages);
    let body = write_request(&request, ReasoningStyle::Effort).unwrap();
    let parts = &body["contents"][0]["parts"];
    assert_eq!(parts[0]["thoughtSignature"], "skip_thought_signature_validator");
    assert_eq!(parts[1].get("thoughtSignature"), None);
    let body = write_request(&request, ReasoningStyle::Budget).unwrap();
    assert_eq!(body["contents"][0]["parts"][0].get("thoughtSignature"), None);
}

#[test]
fn what_gemini_cannot_take_is_named() {
    let other = || Other { dialect: "anthropic-messages", json: Json::of(&json!({"type": "x_1"})) };
    let media = |data| Media { kind: MediaKind::File, data, name: None, detail: None };
    let user = |content| of_messages(vec![message(Role::User, vec![Part::new(content)])]);
    let table = [
        (
            user(Content::Other(other())),
            "a part that only anthropic-messages knows (messages[0].parts[0])",
        ),
        (
            user(Content::Media(media(MediaData::Id("file-1".to_owned())))),
            "another provider's uploaded file (messages[0].parts[0])",
        ),
        (
            of_messages(vec![result("gone", "x")]),
            "a tool result whose call is in no earlier message (gone, messages[0].parts[0])",
        ),
        (
            of_messages(vec![message(Role::Assistant, vec![call("a", "f", "[1")])]),
            "tool arguments that are not a JSON object (messages[0].parts[0])",
        ),
        (
            of_messages(vec![message(
                Role::System,
                vec![Part::new(Content::Media(media(MediaData::Url(
                    "https://a.example".to_owned(),
                ))))],
            )]),
            "anything but text in a system prompt (messages[0].parts[0])",
        ),
        (
            Request { tools: vec![Tool::Other(other())], ..Request::default() },
            "the tool of type x_1 in tools[0]",
        ),
        (
            Request { tool_choice: Some(ToolChoice::Other(other())), ..Request::default() },
            r#"the tool choice {"type":"x_1"}"#,
        ),
        (
            Request { response_format: Some(ResponseFormat::Other(other())), ..Request::default() },
            r#"the response format {"type":"x_1"}"#,
        ),
    ];
    for (request, what) in table {
        let error = write_request(&request, ReasoningStyle::None).unwrap_err();
        assert_eq!((error.dialect, error.what.as_str()), ("gemini-generate", what));
    }
}

#[test]
fn effort_and_budget_become_what_the_model_understands() {
    use ReasoningStyle::{Budget, Effort as Level, None as Nothing};
    let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let budget = |max| Reasoning { max_tokens: Some(max), ..Reasoning::default() };
    let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
    let on = Reasoning { enabled: Some(true), exclude: true, ..Reasoning::default() };
    let table = [
        (effort(Effort::High), Budget, json!({"thinkingBudget": 8000, "includeThoughts": true})),
        (effort(Effort::Minimal), Budget, json!({"thinkingBudget": 1024, "includeThoughts": true})),
        (effort(Effort::None), Budget, json!({"thinkingBudget": 0})),
        (budget(300), Budget, json!({"thinkingBudget": 300, "includeThoughts": true})),
        (on.clone(), Budget, json!({"thinkingBudget": -1, "includeThoughts": false})),
        (off.clone(), Budget, json!({"thinkingBudget": 0})),
        (effort(Effort::Max), Level, json!({"thinkingLevel": "high", "includeThoughts": true})),
        (effort(Effort::Low), Level, json!({"thinkingLevel": "low", "includeThoughts": true})),
        (budget(300), Level, json!({"thinkingBudget": 300, "includeThoughts": true})),
        (off, Level, json!({"thinkingLevel": "minimal"})),
        (on, Level, json!({"includeThoughts": false})),
        (effort(Effort::High), Nothing, Value::Null),
    ];
    for (reasoning, style, expected) in table {
        let mut request = of_messages(vec![message(Role::User, vec![Part::text("a")])]);
        request.sampling.max_tokens = Some(10_000);
        request.reasoning = Some(reasoning);
        let body = write_request(&request, style).unwrap();
        let thinking = body["generationConfig"].get("thinkingConfig").unwrap_or(&Value::Null);
        assert_eq!(*thinking, expected);
    }
}

#[test]
fn schemas_that_the_subset_cannot_say_are_sent_as_json_schema() {
    let function = |name: &str, parameters: Value| Tool::Function {
        name: name.to_owned(),
        description: None,
        parameters: Some(Json::of(&parameters)),
        strict: None,
        cache_control: None,
    };
    let tree = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
    let request = Request {
        tools: vec![
            function("a", json!({"type": "object", "properties": {"x": {"type": "string"}}})),
            function(
                "b",
                json!({"type": "object", "properties": {}, "additionalProperties": false}),
            ),
            function("c", tree.clone()),
        ],
        ..of_messages(vec![message(Role::User, vec![Part::text("a")])])
    };
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    let expected = json!([{"functionDeclarations": [
        {"name": "a", "parameters": {"properties": {"x": {"type": "STRING"}}, "type": "OBJECT"}},
        {"name": "b"},
        {"name": "c", "parametersJsonSchema": tree},
    ]}]);
    assert_eq!(body["tools"], expected);
}

#[test]
fn a_lone_system_prompt_becomes_the_users_turn() {
    let request = of_messages(vec![message(Role::System, vec![Part::text("Write a poem.")])]);
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    assert_eq!(body, json!({"contents": [{"parts": [{"text": "Write a poem."}], "role": "user"}]}));
}

#[test]
fn pictures_asked_for_in_chats_words_are_asked_for() {
    let service = Service {
        modalities: vec!["image".to_owned(), "text".to_owned()],
        image_config: Some(Json::of(&json!({"aspect_ratio": "16:9", "quality": "high"}))),
        ..Service::default()
    };
    let request =
        Request { service, ..of_messages(vec![message(Role::User, vec![Part::text("a")])]) };
    let body = write_request(&request, ReasoningStyle::None).unwrap();
    let expected =
        json!({"responseModalities": ["IMAGE", "TEXT"], "imageConfig": {"aspectRatio": "16:9"}});
    assert_eq!(body["generationConfig"], expected);
}

#[test]
fn errors_name_the_path() {
    let table = [
        ("[", "body"),
        ("7", "body"),
        ("{}", "contents"),
        (r#"{"contents":[]}"#, "contents"),
        (r#"{"contents":7}"#, "contents"),
        (r#"{"contents":[{"role":"x","parts":[]}]}"#, "contents[0].role"),
        (r#"{"contents":[{"parts":[{"text":1}]}]}"#, "contents[0].parts[0].text"),
        (
            r#"{"contents":[{"parts":[{"functionCall":{"name":"f","args":[]}}]}]}"#,
            "contents[0].parts[0].functionCall.args",
        ),
        (
            r#"{"contents":[{"parts":[{"inline_data":{"data":"A"}}]}]}"#,
            "contents[0].parts[0].inlineData.mimeType",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"topK":"x"}}"#,
            "generationConfig.topK",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"a"}]}],
                "generationConfig":{"thinkingConfig":{"thinkingLevel":"x"}}}"#,
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
        (
            r#"{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{}]}]}"#,
            "tools[0].functionDeclarations[0].name",
        ),
    ];
    for (body, path) in table {
        let error = GeminiGenerate.read_request(&Bytes::from_static(body.as_bytes())).unwrap_err();
        assert_eq!(error.path, path, "{error}");
    }
}
