//! Schemas and what becomes of them, here and in every dialect.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::dialect::{DIALECTS, Dialect, ReasoningStyle, Target};
use crate::json::Json;
use crate::provider::Quirks;
use crate::request::{Message, Part, Request, ResponseFormat, Tool};

#[expect(clippy::needless_pass_by_value, reason = "cases are written where they are used")]
fn check(schema: Value, subset: &Subset, expected: Value) {
    assert_eq!(fit(&schema, subset).unwrap_or(Value::Null), expected, "{schema}");
}

#[test]
fn openai_demands_every_member_and_what_may_be_absent_may_be_null() {
    check(
        json!({
            "type": "object",
            "properties": {
                "a": {"type": "string", "maxLength": 3, "format": "uri"},
                "b": {"type": "string", "enum": ["x"], "default": "x"},
                "c": {"$ref": "#/$defs/c"},
                "d": {"oneOf": [{"type": "string"}, {"type": "integer", "minimum": 1}]},
                "e": {"type": "array", "items": {"type": ["string", "null"]}},
            },
            "required": ["a"],
            "$defs": {"c": {"type": "object", "properties": {}, "additionalProperties": false}},
        }),
        &OPENAI,
        json!({
            "type": "object",
            "properties": {
                "a": {"type": "string"},
                "b": {"type": ["string", "null"], "enum": ["x", null]},
                "c": {"anyOf": [{"$ref": "#/$defs/c"}, {"type": "null"}]},
                "d": {"anyOf": [
                    {"type": "string"}, {"type": "integer", "minimum": 1}, {"type": "null"},
                ]},
                "e": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
            },
            "required": ["a", "b", "c", "d", "e"],
            "$defs": {"c": {
                "type": "object", "properties": {}, "required": [], "additionalProperties": false,
            }},
            "additionalProperties": false,
        }),
    );
}

#[test]
fn anthropic_lets_members_be_absent_and_knows_no_limits() {
    check(
        json!({
            "type": "object",
            "properties": {
                "n": {"type": "integer", "minimum": 1, "maximum": 5},
                "list": {"type": "array", "items": {"type": "string"}, "minItems": 2},
            },
            "required": ["n"],
        }),
        &ANTHROPIC,
        json!({
            "type": "object",
            "properties": {
                "n": {"type": "integer"},
                "list": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["n"],
            "additionalProperties": false,
        }),
    );
}

#[test]
fn what_would_say_something_else_is_not_rewritten() {
    for schema in [
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
        json!({"type": "object"}),
        json!({"type": "object", "properties": {"a": {}}}),
        json!({"type": "string", "not": {"const": "a"}}),
        json!({"allOf": [{"type": "string"}]}),
        json!(true),
    ] {
        assert_eq!(fit(&schema, &OPENAI), None, "{schema}");
    }
}

/// Failure mode 19: schemas that break gateways which know another dialect's better than JSON's.
#[test]
fn schemas_that_break_gateways_keep_the_names_of_their_members_in_every_dialect() {
    let keywords = [
        "type",
        "$ref",
        "$schema",
        "$defs",
        "required",
        "properties",
        "items",
        "enum",
        "const",
        "format",
        "default",
        "nullable",
        "anyOf",
        "allOf",
        "not",
        "if",
        "title",
        "description",
        "additionalProperties",
        "pattern",
        "minimum",
    ];
    let members = |of: &dyn Fn(&str) -> Value| -> Map<String, Value> {
        keywords.iter().map(|name| ((*name).to_owned(), of(name))).collect()
    };
    let corpus = [
        json!({"type": "object", "properties": members(&|_| json!({"type": "string"})), "required": keywords}),
        json!({"type": "object", "properties": members(&|name| json!({
            "type": "object", "properties": {name: {"type": "integer"}}, "additionalProperties": false,
        }))}),
        json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {"$ref": {"$ref": "#/$defs/type"}, "list": {"type": "array", "items": {"$ref": "#/$defs/type"}}},
            "$defs": {"type": {"type": "object", "properties": {"type": {"type": "string"}}}},
        }),
        json!({"type": "object", "properties": {"maybe": {"anyOf": [
            {"type": "object", "properties": {"not": {"type": "string"}}}, {"type": "null"},
        ]}}}),
        json!({"type": "object", "properties": {"map": {"type": "object", "additionalProperties": {"type": "string"}}}}),
        json!({"type": "object", "properties": {"tree": {"$ref": "#"}, "type": {"type": ["string", "null"]}}}),
    ];
    for schema in corpus {
        for dialect in with_schemas() {
            assert_eq!(
                names(&through(dialect, &schema)),
                names(&schema),
                "{}: {schema}",
                dialect.name()
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_names_of_members_are_preserved_in_every_dialect(schema in any_object()) {
        for dialect in with_schemas() {
            prop_assert_eq!(names(&through(dialect, &schema)), names(&schema), "{}", dialect.name());
        }
    }
}

fn any_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "string"})),
        Just(json!({"type": ["integer", "null"]})),
        Just(json!({"type": "string", "enum": ["a", "type"]})),
        Just(json!({"type": "array", "items": {"type": "number"}})),
    ];
    let name = prop_oneof![
        proptest::sample::select(vec!["type", "$ref", "properties", "required", "enum", "not"])
            .prop_map(str::to_owned),
        "[a-z$_]{1,6}",
    ];
    let object = move |inner: BoxedStrategy<Value>| {
        proptest::collection::vec((name.clone(), inner), 1..4).prop_map(|members| {
            let members: Map<String, Value> = members.into_iter().collect();
            json!({"type": "object", "properties": members})
        })
    };
    let inner = {
        let object = object.clone();
        leaf.prop_recursive(3, 12, 3, move |inner| object(inner.boxed()).boxed())
    };
    object(inner.boxed())
}

/// A schema as a tool's parameters and as the reply's form, written by a dialect and read again;
/// both come back with the same names.
fn through(dialect: &dyn Dialect, schema: &Value) -> Value {
    let parameters = Some(Json::of(schema));
    let request = Request {
        messages: vec![Message {
            role: crate::chunk::Role::User,
            name: None,
            parts: vec![Part::text("Hello.")],
            extra: crate::json::Extra::default(),
        }],
        tools: vec![Tool::Function {
            name: "tool".to_owned(),
            description: None,
            parameters: parameters.clone(),
            strict: Some(true),
            cache_control: None,
        }],
        response_format: Some(ResponseFormat::JsonSchema {
            name: "form".to_owned(),
            description: None,
            schema: parameters,
            strict: Some(true),
        }),
        ..Request::default()
    };
    let quirks = Quirks { strict_schemas: true, ..Quirks::default() };
    let target = Target {
        model: "m",
        stream: false,
        max_output_tokens: None,
        reasoning: ReasoningStyle::None,
        efforts: &[],
        quirks: &quirks,
    };
    let body: Bytes = dialect.write_request(&request, &target).unwrap().body;
    let back = dialect.read_request(&body).unwrap();
    let Some(Tool::Function { parameters: Some(tool), .. }) = back.tools.first() else {
        panic!("{}: no tool", dialect.name());
    };
    let tool: Value = tool.read().unwrap();
    if let Some(ResponseFormat::JsonSchema { schema: Some(form), .. }) = &back.response_format {
        assert_eq!(names(&form.read().unwrap()), names(&tool), "{}", dialect.name());
    }
    tool
}

/// The names of a schema's members, with the way to each, references followed once. Unions are
/// passed through: a dialect may write them its own way.
fn names(schema: &Value) -> Vec<String> {
    let mut names = Names { root: schema, open: Vec::new(), found: Vec::new() };
    names.collect(schema, "");
    names.found.sort();
    names.found.dedup();
    names.found
}

struct Names<'a> {
    root: &'a Value,
    open: Vec<&'a str>,
    found: Vec<String>,
}

impl<'a> Names<'a> {
    fn collect(&mut self, schema: &'a Value, path: &str) {
        let Some(fields) = schema.as_object() else { return };
        if let Some(Value::Object(members)) = fields.get("properties") {
            for (name, member) in members {
                let path = format!("{path}/{name}");
                self.found.push(path.clone());
                self.collect(member, &path);
            }
        }
        if let Some(items) = fields.get("items") {
            self.collect(items, &format!("{path}[]"));
        }
        for choice in fields.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
            self.collect(choice, path);
        }
        if let Some(target) = fields.get("$ref").and_then(Value::as_str)
            && !self.open.contains(&target)
        {
            self.open.push(target);
            self.collect(self.root.pointer(&target[1..]).unwrap(), path);
            self.open.pop();
        }
    }
}

/// The dialects that send a schema as one; a text-only host is told of tools in its prompt.
fn with_schemas() -> impl Iterator<Item = &'static dyn Dialect> {
    DIALECTS.iter().copied().filter(|dialect| dialect.name() != "openai-completions")
}
