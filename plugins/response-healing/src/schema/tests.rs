//! Held against `jsonschema`, which the gateway uses.

use super::{Fit, Schema};
use proptest::prelude::*;
use serde_json::{Value, json};

fn fits(schema: &Value, value: &Value) -> bool {
    Schema::read(&schema.to_string()).unwrap().check(value) == Fit::Fits
}

fn small() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(0)),
        Just(json!(1)),
        Just(json!(1.0)),
        Just(json!(2.5)),
        Just(json!(-3)),
        Just(json!("")),
        Just(json!("a")),
        Just(json!("äb")),
        Just(json!("abc12")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[abc]", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn schema() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec![
        "object", "array", "string", "number", "integer", "boolean", "null",
    ]);
    let leaf = prop_oneof![
        kind.clone().prop_map(|kind| json!({"type": kind})),
        prop::collection::vec(kind, 1..3).prop_filter_map("types are unique", |kinds| {
            let mut unique = kinds.clone();
            unique.dedup();
            (unique.len() == kinds.len()).then(|| json!({"type": kinds}))
        }),
        small().prop_map(|value| json!({"const": value})),
        prop::collection::vec(small(), 1..4).prop_map(|values| json!({"enum": values})),
        (0..3, 0..4).prop_map(|(least, most)| json!({"minLength": least, "maxLength": most})),
        Just(json!({"pattern": "^[a-c]+\\d*$"})),
        (-2..2, 1..3).prop_map(|(least, most)| json!({"minimum": least, "exclusiveMaximum": most})),
        (1..3).prop_map(|step| json!({"multipleOf": step})),
        (0..2, 1..3).prop_map(|(least, most)| json!({"minItems": least, "maxItems": most})),
        Just(json!({"uniqueItems": true})),
        (0..2, 1..3)
            .prop_map(|(least, most)| json!({"minProperties": least, "maxProperties": most})),
        Just(json!({"required": ["a", "b"]})),
        Just(json!({"dependentRequired": {"a": ["b"]}})),
        Just(json!({"propertyNames": {"pattern": "^[ab]$"}})),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list.clone().prop_map(|all| json!({"allOf": all})),
            list.clone().prop_map(|all| json!({"anyOf": all})),
            list.clone().prop_map(|all| json!({"oneOf": all})),
            inner.clone().prop_map(|one| json!({"not": one})),
            inner.clone().prop_map(|one| json!({"items": one})),
            (list, inner.clone())
                .prop_map(|(all, rest)| json!({"prefixItems": all, "items": rest})),
            inner.clone().prop_map(|one| json!({"contains": one, "maxContains": 2})),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| json!({"if": a, "then": b, "else": c})),
            (inner.clone(), inner.clone()).prop_map(
                |(a, rest)| json!({"properties": {"a": a}, "additionalProperties": rest})
            ),
            (inner.clone(), inner.clone()).prop_map(|(a, rest)| {
                json!({"patternProperties": {"^[ab]": a}, "additionalProperties": rest})
            }),
            inner.clone().prop_map(|one| json!({"dependentSchemas": {"a": one}})),
            inner.prop_map(|one| json!({"$defs": {"x": one}, "items": {"$ref": "#/$defs/x"}})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn it_says_the_same_as_jsonschema(schema in schema(), values in prop::collection::vec(small(), 1..8)) {
        let has_reference = schema.to_string().contains("$ref");
        prop_assume!(!has_reference || schema.get("$defs").is_some());
        let Ok(validator) = jsonschema::validator_for(&schema) else { return Ok(()) };
        for value in &values {
            prop_assert_eq!(fits(&schema, value), validator.is_valid(value), "{} {}", schema, value);
        }
    }
}

#[test]
fn what_is_not_checked_is_refused_when_it_is_read() {
    let read = |schema: Value| Schema::read(&schema.to_string()).map(|_| ());
    let refused = read(json!({"properties": {"a": {"unevaluatedProperties": false}}}));
    assert_eq!(refused, Err("the schema's keyword `unevaluatedProperties` is not checked".into()));
    assert!(read(json!({"$ref": "https://example.com/schema"})).is_err());
    assert!(read(json!({"pattern": "(?=a)"})).is_err());
    assert!(read(json!({"properties": {"unevaluatedProperties": {"type": "string"}}})).is_ok());
    assert!(Schema::read("{").is_err());
}

#[test]
fn a_misfit_says_where_and_why() {
    let schema = json!({"properties": {"rows": {"items": {"required": ["id"]}}}});
    let schema = Schema::read(&schema.to_string()).unwrap();
    let misfit = schema.check(&json!({"rows": [{"id": 1}, {}]}));
    assert_eq!(misfit, Fit::Misfit { path: "/rows/1".into(), keyword: "required".into() });
}

#[test]
fn a_schema_that_would_take_forever_is_given_up() {
    let endless = Schema::read(r##"{"$ref": "#"}"##).unwrap();
    assert_eq!(endless.check(&json!(1)), Fit::Unknown);
    let both = json!({"$ref": "#/$defs/x"});
    let wide =
        json!({"$defs": {"x": {"anyOf": [{"not": both}, {"not": both}]}}, "$ref": "#/$defs/x"});
    assert_eq!(Schema::read(&wide.to_string()).unwrap().check(&json!(1)), Fit::Unknown);
}
