//! Schemas and what becomes of them.

use super::*;

/// JSON Schema, and what Gemini is told; `null` where the subset is too small.
#[expect(clippy::needless_pass_by_value, reason = "cases are written where they are used")]
fn check(schema: Value, expected: Value) {
    assert_eq!(to_gemini(&schema).unwrap_or(Value::Null), expected, "{schema}");
}

#[test]
fn references_are_put_in_place_and_their_siblings_win() {
    check(
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "from": {"$ref": "#/$defs/place", "description": "Start"},
                "to": {"$ref": "#/$defs/place"},
            },
            "required": ["from", "gone"],
            "$defs": {"place": {"type": "string", "description": "A town", "default": "Rome"}},
        }),
        json!({
            "required": ["from"],
            "properties": {
                "from": {"description": "Start", "type": "STRING"},
                "to": {"type": "STRING", "description": "A town"},
            },
            "type": "OBJECT",
        }),
    );
}

#[test]
fn members_named_like_keywords_are_members() {
    let names = ["$schema", "additionalProperties", "$ref", "not", "type", "default", "format"];
    let members: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    let out = to_gemini(&json!({"type": "object", "properties": members})).unwrap();
    let kept: Vec<&String> = out["properties"].as_object().unwrap().keys().collect();
    assert_eq!(kept, names);
}

#[test]
fn unions_become_nullable_or_any_of() {
    check(json!({"type": ["string", "null"]}), json!({"nullable": true, "type": "STRING"}));
    check(
        json!({"type": ["string", "integer", "null"], "description": "d"}),
        json!({
            "description": "d",
            "nullable": true,
            "anyOf": [{"type": "STRING"}, {"type": "INTEGER"}],
        }),
    );
    check(
        json!({"anyOf": [{"type": "number"}, {"type": "null"}]}),
        json!({"nullable": true, "type": "NUMBER"}),
    );
    check(
        json!({"oneOf": [{"type": "number"}, {"type": "boolean"}]}),
        json!({"anyOf": [{"type": "NUMBER"}, {"type": "BOOLEAN"}]}),
    );
}

#[test]
fn parts_of_all_of_add_up() {
    check(
        json!({"allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
        ]}),
        json!({
            "required": ["a", "b"],
            "properties": {"a": {"type": "STRING"}, "b": {"type": "STRING"}},
            "type": "OBJECT",
        }),
    );
}

#[test]
fn texts_can_be_enumerated() {
    check(json!({"const": "x"}), json!({"type": "STRING", "format": "enum", "enum": ["x"]}));
    check(
        json!({"type": "string", "enum": ["x", null]}),
        json!({"nullable": true, "type": "STRING", "format": "enum", "enum": ["x"]}),
    );
}

#[test]
fn formats_that_gemini_refuses_are_left_out() {
    check(json!({"type": "string", "format": "uri"}), json!({"type": "STRING"}));
    check(
        json!({"type": "string", "format": "date-time"}),
        json!({"format": "date-time", "type": "STRING"}),
    );
}

#[test]
fn what_would_lose_meaning_is_not_rewritten() {
    let inexpressible = [
        json!({"$ref": "#"}),
        json!({"type": "object", "properties": {"next": {"$ref": "#"}}}),
        json!({"$ref": "#/$defs/missing"}),
        json!({"$ref": "https://example.com/schema"}),
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
        json!({"type": "object", "properties": {}}),
        json!({"type": "array"}),
        json!({"type": "array", "prefixItems": [{"type": "string"}]}),
        json!({"type": "integer", "enum": [1, 2]}),
        json!({"not": {"type": "string"}}),
        json!({"type": "null"}),
        json!({}),
        json!(true),
        json!({"allOf": [{"type": "string"}, {"type": "number"}]}),
        json!({"type": 7}),
    ];
    for schema in inexpressible {
        check(schema, Value::Null);
    }
}

#[test]
fn references_that_explode_are_not_followed_to_the_end() {
    let mut defs = Map::new();
    defs.insert("d0".to_owned(), json!({"type": "string"}));
    for level in 1..40 {
        let below = json!({"$ref": format!("#/$defs/d{}", level - 1)});
        let schema = json!({"type": "object", "properties": {"a": below, "b": below}});
        defs.insert(format!("d{level}"), schema);
    }
    check(json!({"$ref": "#/$defs/d39", "$defs": defs}), Value::Null);
}

#[test]
fn long_chains_of_references_are_not_followed_to_the_end() {
    let mut defs = Map::new();
    for level in 0..9000 {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        defs.insert(format!("d{level}"), json!({"type": "array", "items": next}));
    }
    defs.insert("d9000".to_owned(), json!({"type": "string"}));
    check(json!({"$ref": "#/$defs/d0", "$defs": defs}), Value::Null);
}

#[test]
fn geminis_form_is_read_as_json_schema() {
    let schema = json!({
        "type": "OBJECT",
        "propertyOrdering": ["a"],
        "properties": {
            "a": {"type": "STRING", "nullable": true},
            "b": {"any_of": [{"type": "NUMBER"}, {"type": "BOOLEAN"}], "nullable": true},
            "nullable": {"type": "ARRAY", "items": {"type": "INTEGER"}},
        },
    });
    let expected = json!({
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "null"}]},
            "nullable": {"type": "array", "items": {"type": "integer"}},
        },
    });
    assert_eq!(from_gemini(&schema), expected);
}
