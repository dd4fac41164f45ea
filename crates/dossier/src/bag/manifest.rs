//! Manifests: a hash and a path a line.

use std::collections::BTreeMap;

use seal::id::to_hex;

use super::tags::Version;
use crate::archive::MAX_FILES;
use crate::digest::Algorithm;
use crate::path::{BagPath, shown};

/// What one manifest lists.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    pub files: BTreeMap<BagPath, Vec<u8>>,
    /// Lines that break a rule: what they name, harmless to show, and the rule.
    pub problems: Vec<(String, String)>,
    /// Lines that another tool might stumble over.
    pub warnings: Vec<(String, String)>,
}

/// Reads a manifest by the RFC. Version 0.9x allows `./` and the star of md5sum before a path, and a line
/// twice with the same hash; 1.0 does not.
pub(super) fn parse(text: &str, algorithm: Algorithm, version: Version) -> Manifest {
    let mut manifest = Manifest::default();
    for (index, line) in text.lines().enumerate() {
        if index >= MAX_FILES {
            manifest.problems.push((String::new(), "it has too many lines".to_owned()));
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        let split = line.split_once([' ', '\t']);
        let hash = split.and_then(|(hash, _)| hex(hash, algorithm));
        let (Some(hash), Some((_, rest))) = (hash, split) else {
            manifest.problems.push((shown(line), "the line has no hash of the right length".to_owned()));
            continue;
        };
        let named = rest.trim_start_matches([' ', '\t']);
        match path_of(named, version) {
            Err(why) => manifest.problems.push((shown(named), why)),
            Ok((path, warning)) => {
                if let Some(warning) = warning {
                    manifest.warnings.push((path.to_string(), warning.to_owned()));
                }
                add(&mut manifest, path, hash, version);
            }
        }
        if manifest.problems.len() >= crate::MAX_PROBLEMS {
            break;
        }
    }
    manifest
}

fn add(manifest: &mut Manifest, path: BagPath, hash: Vec<u8>, version: Version) {
    match manifest.files.get(&path) {
        None => {
            manifest.files.insert(path, hash);
        }
        Some(other) if version < Version::V1_0 && *other == hash => {
            manifest.warnings.push((path.to_string(), "it is listed twice".to_owned()));
        }
        Some(_) => manifest.problems.push((path.to_string(), "it is listed twice".to_owned())),
    }
}

fn path_of(named: &str, version: Version) -> Result<(BagPath, Option<&'static str>), String> {
    let mut warning = None;
    let mut named = named.to_owned();
    if version < Version::V1_0 {
        if let Some(rest) = named.strip_prefix('*') {
            warning = Some("the manifest was made with the binary mark of md5sum");
            named = rest.to_owned();
        }
        if let Some(rest) = named.strip_prefix("./") {
            warning = Some("its path starts with ./");
            named = rest.to_owned();
        }
    } else {
        // The only three that RFC 8493 encodes; the first two are then refused as a path.
        for (code, plain) in [("%0A", "\n"), ("%0a", "\n"), ("%0D", "\r"), ("%0d", "\r"), ("%25", "%")] {
            named = named.replace(code, plain);
        }
    }
    BagPath::parse(&named).map(|path| (path, warning)).map_err(|fault| format!("the path is refused: {fault}"))
}

fn hex(text: &str, algorithm: Algorithm) -> Option<Vec<u8>> {
    // RFC 8493: case of the digits does not matter.
    let text = text.to_ascii_lowercase();
    if text.len() != algorithm.bytes() * 2 || !text.is_ascii() {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| !p.starts_with('+'))?, 16).ok())
        .collect()
}

/// The one form that we write: sorted by path, lower-case digits, two spaces; `sha256sum -c` reads it.
pub(super) fn encode<'a>(files: impl Iterator<Item = (&'a BagPath, &'a [u8])>) -> String {
    let mut out = String::new();
    for (path, hash) in files {
        out.push_str(&to_hex(hash));
        out.push_str("  ");
        out.push_str(path.as_str());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn version_decides_about_old_habits() {
        let hash = "0".repeat(32);
        let text = format!("{hash} *data/a\n{hash}\t./data/b\n{hash}  data/b\n");
        let old = parse(&text, Algorithm::Md5, Version::V0_97);
        assert!(old.problems.is_empty(), "{:?}", old.problems);
        assert_eq!((old.files.len(), old.warnings.len()), (2, 3));
        let new = parse(&text, Algorithm::Md5, Version::V1_0);
        assert_eq!((new.files.len(), new.problems.len()), (1, 2));
    }

    #[test]
    fn percent_codes_hide_nothing() {
        let hash = "0".repeat(64);
        let text = format!("{hash}  data/a%0Ab\n{hash}  data/%25x\n+{}  data/c\n", "0".repeat(63));
        let manifest = parse(&text, Algorithm::Sha256, Version::V1_0);
        assert_eq!(manifest.problems.len(), 2);
        assert_eq!(manifest.files.keys().map(BagPath::as_str).collect::<Vec<_>>(), ["data/%x"]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(names in proptest::collection::btree_set("[a-z0-9][a-z0-9 _-]{0,8}[a-z0-9]", 0..20)) {
            let files: BTreeMap<BagPath, Vec<u8>> = names
                .iter()
                .filter_map(|name| BagPath::parse(&format!("data/{name}")).ok())
                .map(|path| { let hash = seal::hash::sha256(path.as_str().as_bytes()).to_vec(); (path, hash) })
                .collect();
            let text = encode(files.iter().map(|(p, h)| (p, h.as_slice())));
            let read = parse(&text, Algorithm::Sha256, Version::V1_0);
            prop_assert!(read.problems.is_empty() && read.warnings.is_empty());
            prop_assert_eq!(read.files, files);
        }

        #[test]
        fn anything_is_read_without_a_crash(text in "\\PC{0,200}") {
            let _ = parse(&text, Algorithm::Sha256, Version::V0_97);
        }
    }
}
