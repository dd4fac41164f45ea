//! Type-ahead over labels, synonyms and codes.

use super::{Term, terms};

/// Bytes of a query that are looked at: nobody types more into a type-ahead box.
pub const MAX_QUERY: usize = 100;

/// The terms that fit what a person has typed so far, best first: every word typed begins a word of
/// the label, of a synonym in either language, or of the code. Accents and case do not matter.
/// `schemes` limits the search (empty: all), `limit` the answer.
pub fn find(query: &str, lang: &str, schemes: &[&str], limit: usize) -> Vec<&'static Term> {
    let end = (0..=MAX_QUERY.min(query.len())).rev().find(|at| query.is_char_boundary(*at)).unwrap_or(0);
    let folded = fold(query[..end].trim());
    let typed: Vec<&str> = words(&folded).collect();
    if typed.is_empty() {
        return Vec::new();
    }
    let mut ranked: Vec<(u8, usize, &'static Term)> = terms()
        .iter()
        .filter(|term| schemes.is_empty() || schemes.contains(&term.code.scheme()))
        .enumerate()
        .filter_map(|(at, term)| Some((rank(term, lang, &typed, &folded)?, at, term)))
        .collect();
    ranked.sort_by_key(|(rank, at, _)| (*rank, *at));
    ranked.into_iter().take(limit).map(|(_, _, term)| term).collect()
}

/// 0: this very label or synonym; 1: the label begins so; 2: its words do; 3: the words of a synonym
/// or of the other language's label; 4: only all of them together with the code.
fn rank(term: &Term, lang: &str, typed: &[&str], query: &str) -> Option<u8> {
    let label = fold(term.label(lang));
    let mut others = vec![fold(&term.label_en)];
    others.extend(term.label_fr.as_deref().or(term.label_fr_proposal.as_deref()).map(fold));
    others.extend(term.synonyms.values().flatten().map(|word| fold(word)));
    if label == query || others.iter().any(|other| other == query) {
        return Some(0);
    }
    if label.starts_with(query) {
        return Some(1);
    }
    if covers(&label, typed) {
        return Some(2);
    }
    if others.iter().any(|other| covers(other, typed)) {
        return Some(3);
    }
    others.extend([label, fold(term.code.as_str())]);
    covers(&others.join(" "), typed).then_some(4)
}

/// Whether each typed word begins a word of the text.
fn covers(text: &str, typed: &[&str]) -> bool {
    typed.iter().all(|begun| words(text).any(|word| word.starts_with(begun)))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Lower case without the accents of French and its neighbours, and without what Arabic writes over and
/// under its letters.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => folded.push('a'),
            'ç' => folded.push('c'),
            'è' | 'é' | 'ê' | 'ë' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' => folded.push('i'),
            'ñ' => folded.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => folded.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => folded.push('u'),
            'ÿ' | 'ý' => folded.push('y'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            '’' => folded.push('\''),
            'أ' | 'إ' | 'آ' | 'ٱ' => folded.push('ا'),
            'ى' => folded.push('ي'),
            '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' => {}
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::super::CATEGORY_SCHEMES;
    use super::*;

    fn first(query: &str, lang: &str) -> &'static str {
        find(query, lang, CATEGORY_SCHEMES, 5).first().map_or("nothing", |term| term.code.as_str())
    }

    #[test]
    fn people_find_what_they_mean() {
        for (query, lang, code) in [
            ("ballot box t", "en", "ops:box-tampering"),
            ("urne detruite", "fr", "ops:box-tampering"),
            ("URNE DÉTRUITE", "en", "ops:box-tampering"),
            ("ddos", "en", "rsit:availability.ddos"),
            ("force brute", "fr", "rsit:intrusion-attempts.brute-force"),
            ("emeute", "fr", "act:crowd-violence"),
            ("riot", "en", "act:crowd-violence"),
            ("deepfake", "en", "info:impersonation"),
            ("طابور", "ar", "ops:queue"),
            ("اغلاق مبكر", "ar", "ops:early-closing"),
            ("window broken", "en", "act:property-damage"),
            ("affiches arrachees", "fr", "act:poster-removal"),
            ("rsit:vulnerable.weak", "en", "rsit:vulnerable.weak-crypto"),
        ] {
            assert_eq!(first(query, lang), code, "{query}");
        }
        assert!(find("", "en", &[], 5).is_empty() && find(" ; ", "en", &[], 5).is_empty());
        assert_eq!(find("e", "en", &[], 3).len(), 3);
        assert!(find(&"é".repeat(90), "en", &[], 3).is_empty(), "a cut falls between characters");
    }
}
