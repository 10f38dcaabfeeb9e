//! The nearest valid name, as advice on an unknown one.

/// Adds the nearest valid name to an error that lists the valid ones.
pub(super) fn explain(message: &str) -> String {
    let advice =
        advice(message).map(|name| format!("did you mean `{name}`?\n")).unwrap_or_default();
    format!("{}\n{advice}", message.trim_end()).trim_end().to_owned()
}

/// The listed name that is nearest to the unknown one, if one is near.
fn advice(message: &str) -> Option<&str> {
    let (_, rest) =
        message.split_once("unknown field `").or(message.split_once("unknown variant `"))?;
    let (unknown, rest) = rest.split_once('`')?;
    to(unknown, rest.split('`').skip(1).step_by(2))
}

/// The known name that is nearest to another one, if one is near.
pub(crate) fn to<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        // Letters of a short name are soon found in a long one: that alone is no likeness.
        .filter(|(_, name)| name.len() <= 2 * unknown.len() || name.starts_with(unknown))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_valid_name() {
        let error = Config::parse("[server]\nlisen = \"127.0.0.1:1\"").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        assert!(error.contains("did you mean `listen`?"), "{error}");
    }

    #[test]
    fn an_unknown_table_is_refused_too() {
        let error = Config::parse("[biling]\nmode = \"metered\"").unwrap_err().to_string();
        assert!(error.contains("did you mean `billing`?"), "{error}");
    }

    #[test]
    fn a_long_name_is_not_near_a_short_one_whose_letters_it_has() {
        let known = ["reasoning", "prompt-injection"];
        let near = |unknown: &str| super::to(unknown, known.into_iter());
        assert_eq!(near("mine"), None);
        assert_eq!(near("reas"), Some("reasoning"));
        assert_eq!(near("resoning"), Some("reasoning"));
    }

    #[test]
    fn an_empty_file_is_the_default() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.server.listen.port(), 8787);
    }
}
