//! The vocabulary: what codes mean, in English, French and Arabic, with their sources.
//!
//! The lists are `schemas/vocab/*.json`, compiled in and read once. A code that no list knows, from
//! a newer peer or another taxonomy, is never an error: it is shown bare.

mod find;
mod lists;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use find::{MAX_QUERY, find, fold};

/// Bytes of a code: the longest known one has 71, with room for deeper taxonomies.
pub const MAX_CODE: usize = 96;

/// The complaint workflow, as JSON text. [`crate::complaint_flow`] states the same in types.
pub const WORKFLOW_COMPLAINTS: &str = include_str!("../../../schemas/vocab/workflow_complaints.json");

/// The schemes that an incident's category may come from.
pub const CATEGORY_SCHEMES: &[&str] = &["ops", "rsit", "act", "info"];

/// A code of the shape `scheme:code`: both parts of a-z, 0-9, hyphen and full stop, 96 bytes in all.
/// The shape says nothing about whether a list knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

/// A text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code reads scheme:code, both of a-z, 0-9, hyphen and full stop, at most {MAX_CODE} characters")]
pub struct CodeError;

impl Code {
    /// The whole code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the colon.
    pub fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }
}

impl FromStr for Code {
    type Err = CodeError;
    fn from_str(text: &str) -> Result<Self, CodeError> {
        if is_code(text) { Ok(Self(text.to_owned())) } else { Err(CodeError) }
    }
}

impl TryFrom<String> for Code {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        if is_code(&text) { Ok(Self(text)) } else { Err(CodeError) }
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl schemars::JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A code of a vocabulary: scheme:code.",
            "maxLength": 96,
            "pattern": "^[a-z0-9.-]+:[a-z0-9.-]+$",
        })
    }
}

/// Whether a text has the shape of a code.
pub fn is_code(text: &str) -> bool {
    let part = |part: &str| {
        let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'.';
        !part.is_empty() && part.bytes().all(letter)
    };
    text.len() <= MAX_CODE && text.split_once(':').is_some_and(|(scheme, code)| part(scheme) && part(code))
}

/// Where the wording of a term stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Taken from the source named.
    Sourced,
    /// Written from general knowledge: a proposal.
    Proposal,
}

/// One term of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The id in its own list.
    pub id: String,
    /// The full code.
    pub code: Code,
    /// The English label.
    pub label_en: String,
    /// The official French label, where there is one.
    pub label_fr: Option<String>,
    /// The project's own French wording; not official.
    #[serde(default)]
    pub label_fr_proposal: Option<String>,
    /// The project's own Arabic wording; not official.
    #[serde(default)]
    pub label_ar_proposal: Option<String>,
    /// What it means; empty where the label says it.
    pub definition: String,
    /// Where it comes from.
    pub source: String,
    /// `sourced` or `GK`, as gathered.
    pub confidence: String,
    /// Whether the term is more than a proposal.
    pub status: Standing,
    /// Other words for type-ahead, by language.
    #[serde(default)]
    pub synonyms: BTreeMap<String, Vec<String>>,
}

impl Term {
    /// The label in a language: French is the official wording, else the project's own, else
    /// English. An unknown language, and a term without Arabic, gets English.
    pub fn label(&self, lang: &str) -> &str {
        let french = || self.label_fr.as_deref().or(self.label_fr_proposal.as_deref());
        let own = match primary(lang) {
            Some([b'f', b'r']) => french(),
            Some([b'a', b'r']) => self.label_ar_proposal.as_deref(),
            _ => None,
        };
        own.unwrap_or(&self.label_en)
    }
}

/// The first two letters of a language tag, in lower case.
fn primary(lang: &str) -> Option<[u8; 2]> {
    let two: [u8; 2] = lang.as_bytes().get(..2)?.try_into().ok()?;
    Some(two.map(|letter| letter.to_ascii_lowercase()))
}

/// A list's head and items; other keys are notes for readers of the file.
#[derive(Deserialize)]
struct List {
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares it with the file's name"))]
    list: String,
    items: Vec<Term>,
}

/// Further words, by code and language; other keys are notes for readers of the file.
#[derive(Deserialize)]
struct Words {
    words: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// The lists are part of the program: a test reads each, so that none can fail here.
static VOCABULARY: LazyLock<(Vec<Term>, HashMap<String, usize>)> = LazyLock::new(|| {
    let read = lists::LISTS.iter().filter_map(|(_, text)| serde_json::from_str::<List>(text).ok());
    let mut terms: Vec<Term> = read.flat_map(|list| list.items).collect();
    let mut more = serde_json::from_str::<Words>(lists::SYNONYMS).map(|more| more.words).unwrap_or_default();
    for term in &mut terms {
        for (language, words) in more.remove(term.code.as_str()).unwrap_or_default() {
            term.synonyms.entry(language).or_default().extend(words);
        }
    }
    let by_code = terms.iter().enumerate().map(|(at, term)| (term.code.0.clone(), at)).collect();
    (terms, by_code)
});

/// Every term, in the order of the lists.
pub fn terms() -> &'static [Term] {
    &VOCABULARY.0
}

/// The terms of a scheme, in the order of their list.
pub fn scheme(scheme: &str) -> impl Iterator<Item = &'static Term> {
    terms().iter().filter(move |term| term.code.scheme() == scheme)
}

/// The term of a full code.
pub fn term(code: &str) -> Option<&'static Term> {
    VOCABULARY.1.get(code).map(|at| &terms()[*at])
}

/// The label of a full code (`ops:box-tampering`) in `en`, `fr` or `ar`; `None` for a code that no list
/// knows.
pub fn label(code: &str, lang: &str) -> Option<&'static str> {
    term(code).map(|term| term.label(lang))
}

/// What is shown for a code: its label, or the bare code.
pub fn shown<'a>(code: &'a str, lang: &str) -> &'a str {
    label(code, lang).unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/vocab")
    }

    #[test]
    fn every_file_of_the_folder_is_compiled_in_and_reads() {
        let mut found = BTreeSet::new();
        for file in std::fs::read_dir(folder()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            if let Some(stem) = name.strip_suffix(".json")
                && !["additions", "synonyms", "workflow_complaints"].contains(&stem)
            {
                found.insert(stem.to_owned());
            }
        }
        assert_eq!(found, lists::LISTS.iter().map(|(name, _)| (*name).to_owned()).collect());
        let mut items = 0;
        for (name, text) in lists::LISTS {
            let list: List = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(list.list, *name);
            items += list.items.len();
        }
        assert_eq!(terms().len(), items);
        assert!(items > 600, "{items}");
    }

    #[test]
    fn codes_are_unique_and_terms_are_whole() {
        let codes: BTreeSet<&str> = terms().iter().map(|term| term.code.as_str()).collect();
        assert_eq!(codes.len(), terms().len());
        for term in terms() {
            assert!(!term.label_en.is_empty() && !term.source.is_empty(), "{}", term.code);
            assert_eq!(term.confidence == "GK", term.status == Standing::Proposal, "{}", term.code);
            assert!(term.synonyms.keys().all(|lang| ["ar", "en", "fr"].contains(&lang.as_str())));
        }
        assert!(codes.iter().all(|code| !code.starts_with("disarm:")), "CC BY-SA ids are not compiled in");
    }

    #[test]
    fn further_words_are_of_known_categories_in_three_languages() {
        let more: Words = serde_json::from_str(lists::SYNONYMS).unwrap();
        for (code, words) in &more.words {
            assert!(CATEGORY_SCHEMES.contains(&term(code).expect(code).code.scheme()), "{code}");
            assert_eq!(words.keys().collect::<Vec<_>>(), ["ar", "en", "fr"], "{code}");
            assert!(words.values().all(|words| !words.is_empty() && words.iter().all(|word| !word.trim().is_empty())));
        }
        let operational = scheme("ops").filter(|term| term.synonyms.contains_key("ar")).count();
        assert!(operational >= 30, "{operational}");
    }

    #[test]
    fn categories_in_use_resolve() {
        for (code, en, fr) in [
            ("ops:late-opening", "Late opening", "Ouverture tardive"),
            ("ops:not-opened", "Station not opened", "Bureau non ouvert"),
            ("ops:missing-ballots", "Missing or insufficient ballots", "Bulletins manquants ou insuffisants"),
            ("ops:suspension", "Voting suspended", "Vote suspendu"),
            ("ops:box-tampering", "Ballot box tampering", "Altération de l'urne"),
            ("rsit:availability.ddos", "Distributed Denial of Service", "Déni de service distribué"),
            ("rsit:intrusion-attempts.brute-force", "Login Attempts", "Tentatives de connexion"),
            ("act:intimidation", "Intimidation or coercion", "Intimidation ou contrainte"),
            ("act:property-damage", "Damage to property", "Dommage aux biens"),
        ] {
            assert_eq!(label(code, "en"), Some(en));
            assert_eq!(label(code, "fr-CA"), Some(fr));
        }
        for wanted in CATEGORY_SCHEMES {
            assert!(scheme(wanted).count() >= 6, "{wanted}");
            assert!(scheme(wanted).all(|term| !term.label("fr").is_empty() && term.code.scheme() == *wanted));
        }
        for wanted in CATEGORY_SCHEMES {
            assert!(scheme(wanted).all(|term| term.label("ar-MA") != term.label_en), "{wanted} has no Arabic");
        }
        assert_eq!(label("decision:upheld", "de"), Some("Upheld"));
        assert_eq!(label("decision:upheld", "ar"), Some("Upheld"), "a term without Arabic is shown in English");
        assert_eq!(label("phase:counting", "fr"), Some("Dépouillement"), "the official wording comes first");
    }

    #[test]
    fn an_unknown_code_is_shown_bare() {
        assert_eq!(label("disarm:t0048", "en"), None);
        assert_eq!(shown("disarm:t0048", "fr"), "disarm:t0048");
        assert_eq!(shown("what is this", "en"), "what is this");
    }

    #[test]
    fn the_shape_of_a_code() {
        for good in ["a:b", "ops:box-tampering", "rsit:availability.ddos", "nelda:15"] {
            assert!(is_code(good), "{good}");
        }
        let long = format!("ops:{}", "x".repeat(93));
        for bad in ["", ":", "a:", ":b", "ops", "Ops:x", "ops:x:y", "ops:bo_x", "ops:x ", "ops:é", long.as_str()] {
            assert!(!is_code(bad), "{bad}");
            assert!(serde_json::from_value::<Code>(bad.into()).is_err());
        }
        assert!(is_code(&long[..96]));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: proptest::test_runner::RngSeed::Fixed(0xc0de), failure_persistence: None, ..Default::default()
        })]
        #[test]
        fn any_text_can_be_asked_for(text in "\\PC{0,120}", lang in "\\PC{0,4}") {
            let _ = label(&text, &lang);
            let _ = find(&text, &lang, &[], 5);
            prop_assert_eq!(text.parse::<Code>().is_ok(), is_code(&text));
        }
    }
}
