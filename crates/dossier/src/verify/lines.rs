//! One line of `envelopes.jsonl` or `redacted.jsonl`: what its author signed, or why it is not that.

use std::collections::BTreeMap;
use std::sync::Arc;

use logbook::action::create::record_id;
use logbook::record::Shown;
use seal::id::from_hex;
use seal::{DeviceId, Header, Opened};

use crate::export::redact::{self, EXHIBIT_KEY};
use crate::layout::{self, EnvelopeLine, Leaf, RedactedLine};

/// What the entry of an exhibit says its original is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquired {
    /// Bytes.
    pub size: u64,
    /// Hex.
    pub sha256: String,
    /// Hex.
    pub sha512: String,
}

/// What a redacted entry shows of an exhibit.
#[derive(Debug, Clone)]
pub struct ShownExhibit {
    /// Size and both hashes, where all are shown.
    pub acquired: Option<Acquired>,
    /// Whether it shows the identity that opens the sealed file.
    pub opens: bool,
}

/// An entry of which parts are withheld: all that can be said of it.
pub struct Sketch {
    /// Link and header, with no bytes of an entry.
    pub opened: Arc<Opened>,
    /// What it shows of its kind.
    pub shown: Shown,
    /// If it shows itself to be an exhibit.
    pub exhibit: Option<ShownExhibit>,
    /// The pointers of what it withholds.
    pub withheld: Vec<String>,
    /// What it calls the record, if it creates one and shows that.
    pub reference: Option<String>,
}

/// Link, header and entry must belong together: the link commits to the header, the change that the entry
/// makes, and the sealed body.
pub fn opened(line: &EnvelopeLine, entry: &[u8]) -> Result<Opened, String> {
    let link = layout::read_link(&line.link).ok_or("its link is malformed")?;
    let header = layout::read_hex(&line.header).ok_or("its header is malformed")?;
    let opened = Opened::from_plaintext(link, line.signature, &header, entry.to_vec(), line.ciphertext.0)
        .map_err(|error| format!("it is not what its author signed: {error}"))?;
    if opened.envelope != line.envelope || opened.id != line.entry {
        return Err("its ids are not those of its envelope".to_owned());
    }
    Ok(opened)
}

/// Link, header and leaves must belong together. A line that withholds nothing is refused: it would only keep
/// the entry from being judged.
pub fn sketch(line: &RedactedLine) -> Result<Sketch, String> {
    let link = layout::read_link(&line.link).ok_or("its link is malformed")?;
    let bytes = layout::read_hex(&line.header).ok_or("its header is malformed")?;
    let header = Header::decode(&bytes).map_err(|error| error.to_string())?;
    let commitment = seal::envelope::body_commitment(&Header::hash(&bytes), &line.entry, &line.ciphertext.0);
    if commitment != link.body || link.id() != line.envelope {
        return Err("it is not what its author signed".to_owned());
    }
    if redact::root(&line.leaves) != Some(header.fields_root) {
        return Err("its fields are not those that its author signed".to_owned());
    }
    let shown = shown(line)?;
    let withheld: Vec<String> = line.leaves.iter().filter_map(withheld_path).collect();
    if withheld.is_empty() {
        return Err("it withholds nothing: a whole entry has its own file".to_owned());
    }
    let kind = kind(&shown, &link.device);
    let exhibit = shown
        .keys()
        .any(|path| path.starts_with("/action/exhibit/"))
        .then(|| ShownExhibit { acquired: acquired(&shown), opens: shown.contains_key(EXHIBIT_KEY) });
    let reference = shown.get("/action/create/reference").and_then(|name| name.as_str()).map(str::to_owned);
    let opened = Opened {
        envelope: line.envelope,
        link,
        signature: line.signature,
        header,
        id: line.entry,
        entry: Vec::new(),
        ciphertext_hash: line.ciphertext.0,
    };
    Ok(Sketch { opened: Arc::new(opened), shown: kind, exhibit, withheld, reference })
}

fn withheld_path(leaf: &Leaf) -> Option<String> {
    match leaf {
        Leaf::Withheld { path, .. } => Some(path.clone()),
        Leaf::Open { .. } => None,
    }
}

/// The leaves that are shown, each a scalar or an empty list or map in its one spelling.
fn shown(line: &RedactedLine) -> Result<BTreeMap<&str, serde_json::Value>, String> {
    let mut shown = BTreeMap::new();
    for leaf in &line.leaves {
        let Leaf::Open { path, value, .. } = leaf else { continue };
        let read: Option<serde_json::Value> = serde_json::from_str(value).ok();
        let read = read.filter(|read| is_leaf(read) && serde_json::to_string(read).is_ok_and(|again| again == *value));
        shown.insert(path.as_str(), read.ok_or_else(|| format!("the leaf {} is malformed", crate::path::shown(path)))?);
    }
    Ok(shown)
}

fn is_leaf(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Array(items) => items.is_empty(),
        serde_json::Value::Object(members) => members.is_empty(),
        serde_json::Value::Number(number) => !number.is_f64(),
        _ => true,
    }
}

/// Only what is shown tells the kind: the path of a withheld leaf is the exporter's word.
fn kind(shown: &BTreeMap<&str, serde_json::Value>, device: &DeviceId) -> Shown {
    let mut kinds = shown.keys().map(|path| path.strip_prefix("/action/").and_then(|rest| rest.split('/').next()));
    let Some(first) = kinds.next() else { return Shown::Nothing };
    if first.is_none_or(str::is_empty) || kinds.any(|other| other != first) {
        return Shown::Malformed;
    }
    if first != Some("create") {
        return Shown::Other;
    }
    match shown.get("/action/create/nonce").map(|value| value.as_str()) {
        None => Shown::Create(None),
        Some(Some(nonce)) if from_hex::<16>(nonce).is_ok() => Shown::Create(Some(record_id(device, nonce))),
        Some(_) => Shown::Malformed,
    }
}

fn acquired(shown: &BTreeMap<&str, serde_json::Value>) -> Option<Acquired> {
    let member = |name: &str| shown.get(format!("/action/exhibit/{name}").as_str());
    let text = |name: &str| member(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let size = member("size")?.as_u64()?;
    Some(Acquired { size, sha256: text("sha256")?, sha512: text("sha512")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_shown_tells_the_kind() {
        let device = DeviceId([1; 32]);
        let of = |leaves: &[(&str, &str)]| {
            let shown = leaves.iter().map(|(path, value)| (*path, serde_json::Value::from(*value))).collect();
            kind(&shown, &device)
        };
        let nonce = "0a".repeat(16);
        assert_eq!(of(&[]), Shown::Nothing);
        assert_eq!(of(&[("/action/note/text", "x")]), Shown::Other);
        assert_eq!(of(&[("/action/create/owner", "emb")]), Shown::Create(None));
        assert_eq!(of(&[("/action/create/nonce", &nonce)]), Shown::Create(Some(record_id(&device, &nonce))));
        let malformed: [&[(&str, &str)]; 5] = [
            &[("/action/note/text", "x"), ("/action/state/to", "closed")],
            &[("/action/create/nonce", "short")],
            &[("/salt", "x")],
            &[("/action/", "x")],
            &[("", "x")],
        ];
        for leaves in malformed {
            assert_eq!(of(leaves), Shown::Malformed, "{leaves:?}");
        }
    }

    #[test]
    fn a_shown_leaf_is_a_scalar_in_its_one_spelling() {
        let line = |value: &str| RedactedLine {
            envelope: seal::EnvelopeId([0; 32]),
            entry: seal::EntryId([0; 32]),
            link: String::new(),
            signature: seal::Signature([0; 64]),
            header: String::new(),
            ciphertext: seal::Hash32([0; 32]),
            leaves: vec![Leaf::Open { path: "/a".to_owned(), value: value.to_owned(), salt: seal::Hash32([0; 32]) }],
        };
        for good in ["1", "-7", "\"x\"", "true", "null", "{}", "[]"] {
            assert!(shown(&line(good)).is_ok(), "{good}");
        }
        for bad in ["", " 1", "1.5", "01", "\"\\u0041\"", "{\"a\":1}", "[1]", "nul"] {
            assert!(shown(&line(bad)).is_err(), "{bad}");
        }
    }
}
