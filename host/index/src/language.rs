//! The language of a text, as far as it decides how words are stemmed.

use tantivy::tokenizer::Language;
use whatlang::{Lang, Script};

/// The language that a text's words are stemmed for, and none if its language has no stemmer.
pub(crate) fn of(text: &str) -> Option<Stemming> {
    let sample = text.get(..text.floor_char_boundary(SAMPLE_BYTES)).unwrap_or(text);
    let found = whatlang::detect(sample)?;
    if found.confidence() > CONFIDENCE_MIN {
        return STEMMINGS.iter().find(|it| it.lang == found.lang()).copied();
    }
    // Short or mostly code. Code's own words are English.
    let lang = if found.script() == Script::Latin { Lang::Eng } else { found.lang() };
    STEMMINGS.iter().find(|it| it.lang == lang).copied()
}

/// A language and its stemmer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stemming {
    /// As in ISO 639-1; what the index keeps.
    pub(crate) code: &'static str,
    pub(crate) stemmer: Language,
    lang: Lang,
}

impl Stemming {
    /// By what the index keeps.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        STEMMINGS.iter().find(|it| it.code == code).copied()
    }
}

const fn stemming(code: &'static str, lang: Lang, stemmer: Language) -> Stemming {
    Stemming { code, stemmer, lang }
}

const STEMMINGS: [Stemming; 18] = [
    stemming("ar", Lang::Ara, Language::Arabic),
    stemming("da", Lang::Dan, Language::Danish),
    stemming("de", Lang::Deu, Language::German),
    stemming("el", Lang::Ell, Language::Greek),
    stemming("en", Lang::Eng, Language::English),
    stemming("es", Lang::Spa, Language::Spanish),
    stemming("fi", Lang::Fin, Language::Finnish),
    stemming("fr", Lang::Fra, Language::French),
    stemming("hu", Lang::Hun, Language::Hungarian),
    stemming("it", Lang::Ita, Language::Italian),
    stemming("nb", Lang::Nob, Language::Norwegian),
    stemming("nl", Lang::Nld, Language::Dutch),
    stemming("pt", Lang::Por, Language::Portuguese),
    stemming("ro", Lang::Ron, Language::Romanian),
    stemming("ru", Lang::Rus, Language::Russian),
    stemming("sv", Lang::Swe, Language::Swedish),
    stemming("ta", Lang::Tam, Language::Tamil),
    stemming("tr", Lang::Tur, Language::Turkish),
];

/// A sentence of prose has 0.7 and more, code under 0.1.
const CONFIDENCE_MIN: f64 = 0.5;

/// Enough to be sure, and quick: finding the language takes time per byte.
const SAMPLE_BYTES: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_text() {
        for (text, code) in [
            ("The reader is told when a new version of the index was written.", Some("en")),
            ("Der Leser erfährt, wenn eine neue Fassung des Verzeichnisses da ist.", Some("de")),
            ("Le lecteur apprend qu'une nouvelle version de l'index a été écrite.", Some("fr")),
            ("El lector se entera de que se ha escrito una nueva versión del índice.", Some("es")),
            ("Читатель узнаёт, что записана новая версия указателя.", Some("ru")),
            ("索引の新しい版が書かれたことを読者は知る。", None),
            ("let x = y;", Some("en")),
            ("Set the variable PATH. Run it.", Some("en")),
            ("", None),
        ] {
            assert_eq!(of(text).map(|it| it.code), code, "{text}");
        }
    }
}
