//! What each keyword wants.

use super::read::target;
use super::{Check, Fits, Misfit};
use serde_json::{Map, Number, Value};

impl Check<'_> {
    /// Whether `value` fits one keyword of a schema; `beside` are all of them.
    pub(super) fn keyword(
        &mut self,
        keyword: &str,
        wanted: &Value,
        beside: &Map<String, Value>,
        value: &Value,
    ) -> Fits {
        let fits = match keyword {
            "type" => is_type(wanted, value),
            "enum" => wanted.as_array().is_none_or(|all| all.iter().any(|one| same(one, value))),
            "const" => same(wanted, value),
            "$ref" | "allOf" | "anyOf" | "oneOf" | "not" | "if" => {
                return self.combined(keyword, wanted, beside, value);
            }
            _ => match value {
                Value::Object(fields) => return self.object(keyword, wanted, beside, fields),
                Value::Array(items) => return self.array(keyword, wanted, beside, items),
                Value::String(text) => self.text(keyword, wanted, text),
                Value::Number(number) => is_number(keyword, wanted, number),
                Value::Null | Value::Bool(_) => true,
            },
        };
        if fits { Ok(()) } else { Err(Misfit::of(keyword)) }
    }

    fn combined(
        &mut self,
        keyword: &str,
        wanted: &Value,
        beside: &Map<String, Value>,
        value: &Value,
    ) -> Fits {
        let all = wanted.as_array().map(Vec::as_slice).unwrap_or_default();
        let fits = match keyword {
            "$ref" => {
                let root = &self.schema.root;
                let found = wanted.as_str().and_then(|reference| target(reference, root));
                return found.map_or(Ok(()), |schema| self.fits(schema, value));
            }
            "allOf" => return all.iter().try_for_each(|schema| self.fits(schema, value)),
            "not" => !self.would_fit(wanted, value)?,
            "if" => {
                let branch = if self.would_fit(wanted, value)? { "then" } else { "else" };
                return beside.get(branch).map_or(Ok(()), |schema| self.fits(schema, value));
            }
            _ => {
                let mut count = 0_usize;
                for schema in all {
                    count = count.saturating_add(usize::from(self.would_fit(schema, value)?));
                    if count > 0 && keyword == "anyOf" {
                        break;
                    }
                }
                if keyword == "oneOf" { count == 1 } else { count > 0 }
            }
        };
        if fits { Ok(()) } else { Err(Misfit::of(keyword)) }
    }

    fn object(
        &mut self,
        keyword: &str,
        wanted: &Value,
        beside: &Map<String, Value>,
        fields: &Map<String, Value>,
    ) -> Fits {
        let has = |key: &Value| key.as_str().is_none_or(|key| fields.contains_key(key));
        let fits = match keyword {
            "required" => wanted.as_array().is_none_or(|keys| keys.iter().all(has)),
            "minProperties" => at_least(fields.len(), wanted),
            "maxProperties" => at_most(fields.len(), wanted),
            "dependentRequired" => wanted.as_object().is_none_or(|all| {
                let applies = all.iter().filter(|(key, _)| fields.contains_key(*key));
                applies.filter_map(|(_, keys)| keys.as_array()).flatten().all(has)
            }),
            "dependentSchemas" => {
                let value = Value::Object(fields.clone());
                for (_, schema) in members(wanted).filter(|(key, _)| fields.contains_key(*key)) {
                    self.fits(schema, &value)?;
                }
                true
            }
            "properties" => {
                for (key, schema) in members(wanted) {
                    if let Some(value) = fields.get(key) {
                        self.fits(schema, value).map_err(|misfit| misfit.below(key))?;
                    }
                }
                true
            }
            "patternProperties" => {
                for (pattern, schema) in members(wanted) {
                    for (key, value) in fields {
                        if self.matches(pattern, key) {
                            self.fits(schema, value).map_err(|misfit| misfit.below(key))?;
                        }
                    }
                }
                true
            }
            "additionalProperties" => {
                for (key, value) in fields {
                    if !self.is_known(key, beside) {
                        self.fits(wanted, value).map_err(|misfit| match misfit {
                            Misfit::At { path, .. } if wanted == &Value::Bool(false) => {
                                Misfit::At { path, keyword: keyword.into() }.below(key)
                            }
                            other => other.below(key),
                        })?;
                    }
                }
                true
            }
            "propertyNames" => {
                for key in fields.keys() {
                    self.fits(wanted, &Value::String(key.clone()))?;
                }
                true
            }
            _ => true,
        };
        if fits { Ok(()) } else { Err(Misfit::of(keyword)) }
    }

    /// Whether another keyword speaks of this key.
    fn is_known(&self, key: &str, beside: &Map<String, Value>) -> bool {
        let named = beside.get("properties").and_then(|named| named.get(key)).is_some();
        let mut patterns = beside.get("patternProperties").into_iter().flat_map(members);
        named || patterns.any(|(pattern, _)| self.matches(pattern, key))
    }

    fn array(
        &mut self,
        keyword: &str,
        wanted: &Value,
        beside: &Map<String, Value>,
        items: &[Value],
    ) -> Fits {
        let fits = match keyword {
            "minItems" => at_least(items.len(), wanted),
            "maxItems" => at_most(items.len(), wanted),
            "uniqueItems" => wanted != &Value::Bool(true) || self.are_unique(items)?,
            "prefixItems" => return self.each(items.iter().enumerate(), wanted),
            "items" if wanted.is_array() => return self.each(items.iter().enumerate(), wanted),
            "items" => {
                let before =
                    beside.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                for (at, item) in items.iter().enumerate().skip(before) {
                    self.fits(wanted, item).map_err(|misfit| misfit.below(&at))?;
                }
                true
            }
            "contains" => {
                let mut count = 0_usize;
                for item in items {
                    count = count.saturating_add(usize::from(self.would_fit(wanted, item)?));
                }
                let least = beside.get("minContains").cloned().unwrap_or_else(|| 1.into());
                let most = beside.get("maxContains").cloned().unwrap_or_default();
                at_least(count, &least) && at_most(count, &most)
            }
            _ => true,
        };
        if fits { Ok(()) } else { Err(Misfit::of(keyword)) }
    }

    /// Each item by the schema at its place, where there is one.
    fn each<'a>(
        &mut self,
        items: impl Iterator<Item = (usize, &'a Value)>,
        schemas: &Value,
    ) -> Fits {
        let schemas = schemas.as_array().map(Vec::as_slice).unwrap_or_default();
        for ((at, item), schema) in items.zip(schemas) {
            self.fits(schema, item).map_err(|misfit| misfit.below(&at))?;
        }
        Ok(())
    }

    fn are_unique(&mut self, items: &[Value]) -> Result<bool, Misfit> {
        for (at, item) in items.iter().enumerate() {
            let cost = u32::try_from(at).unwrap_or(u32::MAX);
            self.steps = self.steps.checked_sub(cost).ok_or(Misfit::TooMuch)?;
            if items.iter().take(at).any(|other| same(other, item)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn text(&self, keyword: &str, wanted: &Value, text: &str) -> bool {
        match keyword {
            "minLength" => at_least(text.chars().count(), wanted),
            "maxLength" => at_most(text.chars().count(), wanted),
            "pattern" => wanted.as_str().is_none_or(|pattern| self.matches(pattern, text)),
            _ => true,
        }
    }

    fn matches(&self, pattern: &str, text: &str) -> bool {
        self.schema.patterns.get(pattern).is_none_or(|regex| regex.is_match(text))
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn is_type(wanted: &Value, value: &Value) -> bool {
    let is_one = |name: &Value| match name.as_str().unwrap_or_default() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    };
    wanted.as_array().map_or_else(|| is_one(wanted), |names| names.iter().any(is_one))
}

fn is_number(keyword: &str, wanted: &Value, number: &Number) -> bool {
    let (Some(limit), Some(value)) = (wanted.as_f64(), number.as_f64()) else { return true };
    match keyword {
        "minimum" => value >= limit,
        "maximum" => value <= limit,
        "exclusiveMinimum" => value > limit,
        "exclusiveMaximum" => value < limit,
        "multipleOf" => match (number.as_i64(), wanted.as_i64()) {
            (Some(value), Some(limit)) => value.checked_rem(limit).is_none_or(|rest| rest == 0),
            _ => {
                let times = value / limit;
                (times - times.round()).abs() < 1e-9 * times.abs().max(1.0)
            }
        },
        _ => true,
    }
}

fn at_least(count: usize, limit: &Value) -> bool {
    let limit = limit.as_f64().map_or(0.0, f64::ceil);
    u32::try_from(count).is_ok_and(|count| f64::from(count) >= limit)
}

fn at_most(count: usize, limit: &Value) -> bool {
    let limit = limit.as_f64().unwrap_or(f64::INFINITY);
    u32::try_from(count).is_ok_and(|count| f64::from(count) <= limit)
}

/// Whether two values are the same: 1 and 1.0 are.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || !is_whole(one, other) && one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(key, value): (&String, &Value)| {
                other.get(key).is_some_and(|other| same(value, other))
            };
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}

/// Whether both are integers, which floating point would round.
fn is_whole(one: &Number, other: &Number) -> bool {
    !one.is_f64() && !other.is_f64()
}
