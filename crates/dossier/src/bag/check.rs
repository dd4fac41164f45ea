//! Checking a bag: what is listed, what is there, and whether each hash holds.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{self, Manifest};
use super::tags::{self, Encoding, Version};
use super::{BagError, Findings, MAX_TAG_FILE, Rules};
use crate::archive::{ArchiveError, Tree};
use crate::digest::{self, Algorithm};
use crate::path::{BagPath, PathFault, shown};

/// Kept files are entries, links and the like, never exhibits; the largest is the chain of a device, of which
/// this holds a million links.
const MAX_KEPT: u64 = 256 << 20;
/// All kept files together: what a reader's machine can be expected to hold.
const MAX_KEPT_TOTAL: u64 = 1 << 30;
const TAG_FILES: [&str; 4] = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt"];
const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";

type Manifests = BTreeMap<Algorithm, BTreeMap<BagPath, Vec<u8>>>;

struct Examination<'a> {
    tree: &'a Tree,
    rules: Rules,
    encoding: Encoding,
    findings: Findings,
    payload: Manifests,
    tags: Manifests,
}

/// Reads every file that a manifest names (under [`Rules::Dossier`]: every file) once, and compares.
///
/// `keep` chooses files whose bytes are handed back, each at most 256 MiB, together 1 GiB: what is interpreted later is then
/// what was hashed, whatever happens to the files meanwhile. An error means that this is no bag or cannot
/// be read; everything else is in the findings.
pub fn examine(tree: &Tree, rules: Rules, keep: impl Fn(&BagPath) -> bool) -> Result<Findings, BagError> {
    if rules == Rules::Dossier {
        refuse_escapes(tree)?;
    }
    let declaration = plain("bagit.txt")?;
    if !tree.contains(&declaration) {
        return Err(BagError::NoDeclaration);
    }
    let bytes = tree.bytes(&declaration, MAX_TAG_FILE)?;
    let (version, encoding) = match rules {
        Rules::Any => tags::declaration(&bytes)?,
        // Whatever it says: there is one declaration, and one that was changed is a change like any other.
        Rules::Dossier => (Version::V1_0, Encoding::Utf8),
    };
    let findings = Findings {
        version,
        problems: Vec::new(),
        warnings: Vec::new(),
        digests: BTreeMap::new(),
        kept: BTreeMap::new(),
        info: Vec::new(),
    };
    let (payload, tags) = (Manifests::new(), Manifests::new());
    let mut work = Examination { tree, rules, encoding, findings, payload, tags };
    if rules == Rules::Dossier && bytes != tags::DECLARATION.as_bytes() {
        let byte = crate::first_difference(&bytes, tags::DECLARATION.as_bytes()) + 1;
        work.findings.problem("bagit.txt", format!("not the declaration that a dossier has, at byte {byte}"));
    }
    work.read_manifests()?;
    // Hashes first: whoever asks what was changed wants the file, not the sum that is wrong because of it.
    work.hash_files(&keep)?;
    work.check_coverage();
    work.read_info()?;
    work.check_fetch()?;
    if rules == Rules::Dossier {
        work.check_dossier_form();
    }
    Ok(work.findings)
}

/// RFC 8493 escapes three characters of a path with a percent sign, so a path that has one can be read in two
/// ways.
fn refuse_escapes(tree: &Tree) -> Result<(), BagError> {
    match tree.files().find(|(path, _)| path.as_str().contains('%')) {
        None => Ok(()),
        Some((path, _)) => {
            let (path, fault) = (path.to_string(), PathFault::Forbidden);
            Err(ArchiveError::Path { path, fault }.into())
        }
    }
}

fn plain(name: &str) -> Result<BagPath, BagError> {
    BagPath::parse(name).map_err(|fault| BagError::Write { path: name.to_owned(), why: fault.to_string() })
}

impl Examination<'_> {
    /// Reads every `manifest-*.txt` and `tagmanifest-*.txt` at the top.
    fn read_manifests(&mut self) -> Result<(), BagError> {
        let tree = self.tree;
        for (path, _) in tree.files() {
            let name = path.as_str();
            let (is_tag, algorithm) = match (name.strip_prefix("tagmanifest-"), name.strip_prefix("manifest-")) {
                (Some(rest), _) => (true, rest),
                (_, Some(rest)) => (false, rest),
                _ => continue,
            };
            let Some(algorithm) = algorithm.strip_suffix(".txt").filter(|rest| !rest.contains('/')) else { continue };
            let Some(algorithm) = Algorithm::from_name(algorithm) else {
                self.findings.problem(path, "its hash is not one that is taken");
                continue;
            };
            let bytes = tree.bytes(path, MAX_TAG_FILE)?;
            let Some(text) = self.encoding.decode(&bytes) else {
                self.findings.problem(path, "it is not in the declared encoding");
                continue;
            };
            let Manifest { files, problems, warnings } = manifest::parse(&text, algorithm, self.findings.version);
            for (named, why) in problems {
                self.findings.problem(path, format!("\"{named}\": {why}"));
            }
            for (named, why) in warnings {
                self.findings.warning(path, format!("\"{named}\": {why}"));
            }
            if self.rules == Rules::Dossier {
                let canonical = manifest::encode(files.iter().map(|(p, hash)| (p, hash.as_slice())));
                if canonical.as_bytes() != bytes {
                    let byte = crate::first_difference(canonical.as_bytes(), &bytes) + 1;
                    self.findings.problem(path, format!("not in the one form that a dossier has, at byte {byte}"));
                }
            }
            let into = if is_tag { &mut self.tags } else { &mut self.payload };
            into.insert(algorithm, files);
        }
        if self.payload.is_empty() {
            self.findings.problem("manifest-sha256.txt", "there is no manifest of the payload that can be read");
        }
        Ok(())
    }

    fn read_info(&mut self) -> Result<(), BagError> {
        let path = plain("bag-info.txt")?;
        if !self.tree.contains(&path) {
            return Ok(());
        }
        let bytes = self.tree.bytes(&path, MAX_TAG_FILE)?;
        let Some(fields) = self.encoding.decode(&bytes).as_deref().and_then(tags::info) else {
            self.findings.problem(path, "it cannot be read");
            return Ok(());
        };
        if self.rules == Rules::Dossier
            && let Some(fault) = tags::info_fault(&bytes, &fields)
        {
            self.findings.problem(&path, fault);
        }
        let sums = self.tree.files().filter(|(path, _)| path.is_in("data"));
        let (octets, count) = sums.fold((0u64, 0u64), |(octets, count), (_, size)| (octets + size, count + 1));
        for (label, value) in &fields {
            if label.eq_ignore_ascii_case("Payload-Oxum") && *value != format!("{octets}.{count}") {
                self.findings
                    .problem(&path, format!("Payload-Oxum is {}, but {octets}.{count} is there", shown(value)));
            }
        }
        self.findings.info = fields;
        Ok(())
    }

    /// 1.0: each manifest lists exactly the payload. 0.9x: together they do.
    fn check_coverage(&mut self) {
        let tree = self.tree;
        let payload: BTreeSet<&BagPath> =
            tree.files().map(|(path, _)| path).filter(|path| path.is_in("data")).collect();
        let mut problems = Vec::new();
        for (algorithm, files) in &self.payload {
            let name = format!("manifest-{}.txt", algorithm.name());
            for path in files.keys() {
                if !path.is_in("data") {
                    problems.push((path.clone(), format!("{name} lists it, but it is outside data/")));
                } else if !payload.contains(path) {
                    problems.push((path.clone(), format!("{name} lists it, but it is missing")));
                }
            }
            if self.findings.version >= Version::V1_0 {
                let unlisted = payload.iter().filter(|path| !files.contains_key(**path));
                problems
                    .extend(unlisted.map(|path| ((*path).clone(), format!("it was added: {name} does not list it"))));
            }
        }
        if self.findings.version < Version::V1_0 {
            let unlisted = payload.iter().filter(|path| !self.payload.values().any(|files| files.contains_key(**path)));
            problems.extend(unlisted.map(|path| ((*path).clone(), "it was added: no manifest lists it".to_owned())));
        }
        for (algorithm, files) in &self.tags {
            let name = format!("tagmanifest-{}.txt", algorithm.name());
            for path in files.keys() {
                if path.is_in("data") || path.as_str().starts_with("tagmanifest-") {
                    problems.push((path.clone(), format!("{name} lists it, but it is no tag file")));
                } else if !tree.contains(path) {
                    problems.push((path.clone(), format!("{name} lists it, but it is missing")));
                }
            }
        }
        for (path, what) in problems {
            self.findings.problem(path, what);
        }
    }

    /// `fetch.txt` may stand in a bag whose files are all there; nothing is ever fetched.
    fn check_fetch(&mut self) -> Result<(), BagError> {
        let path = plain("fetch.txt")?;
        if !self.tree.contains(&path) {
            return Ok(());
        }
        let bytes = self.tree.bytes(&path, MAX_TAG_FILE)?;
        let Some(text) = self.encoding.decode(&bytes) else {
            self.findings.problem(path, "it is not in the declared encoding");
            return Ok(());
        };
        for line in text.lines().filter(|line| !line.trim().is_empty()).take(crate::archive::MAX_FILES) {
            // URL, length, path; only the path may hold spaces.
            let named = line.splitn(3, [' ', '\t']).nth(2).unwrap_or_default().trim_start();
            match BagPath::parse(named) {
                Err(fault) => {
                    self.findings.problem(&path, format!("\"{}\": the path is refused: {fault}", shown(named)))
                }
                Ok(file) if !file.is_in("data") => self.findings.problem(&path, format!("\"{file}\" is outside data/")),
                Ok(file) if !self.tree.contains(&file) => {
                    self.findings.problem(file, "it would have to be fetched, and nothing is fetched");
                }
                Ok(_) => {}
            }
        }
        self.findings.warning(path, "it is ignored: nothing is fetched");
        Ok(())
    }

    /// What a dossier has beyond the RFC.
    fn check_dossier_form(&mut self) {
        let tree = self.tree;
        let held: [(&str, BTreeSet<Algorithm>); 2] = [
            ("manifest", self.payload.keys().copied().collect()),
            ("tagmanifest", self.tags.keys().copied().collect()),
        ];
        let wanted = [BTreeSet::from([Algorithm::Sha256, Algorithm::Sha512]), BTreeSet::from([Algorithm::Sha256])];
        for ((kind, held), wanted) in held.into_iter().zip(wanted) {
            for algorithm in held.symmetric_difference(&wanted) {
                let name = format!("{kind}-{}.txt", algorithm.name());
                let what = if wanted.contains(algorithm) { "it is missing" } else { "a dossier has no such manifest" };
                self.findings.problem(name, what);
            }
        }
        for (path, _) in tree.files() {
            let name = path.as_str();
            if !path.is_in("data") && !path.is_in("signatures") && !TAG_FILES.contains(&name) && name != TAG_MANIFEST {
                self.findings.problem(path, "it was added: a dossier has no such file");
            }
        }
        if let Some(listed) = self.tags.get(&Algorithm::Sha256)
            && listed.keys().map(BagPath::as_str).ne(TAG_FILES)
        {
            self.findings.problem(TAG_MANIFEST, "it must list the four tag files, and nothing else");
        }
        for path in tree.empty_folders() {
            self.findings.problem(path, "an empty folder was added");
        }
    }

    fn hash_files(&mut self, keep: &impl Fn(&BagPath) -> bool) -> Result<(), BagError> {
        let tree = self.tree;
        let (mut kept, mut changed) = (0, Vec::new());
        for (path, size) in tree.files() {
            let mut expected: BTreeMap<Algorithm, Vec<&Vec<u8>>> = BTreeMap::new();
            for (algorithm, files) in self.payload.iter().chain(&self.tags) {
                if let Some(hash) = files.get(path) {
                    expected.entry(*algorithm).or_default().push(hash);
                }
            }
            let mut algorithms: BTreeSet<_> = expected.keys().copied().collect();
            if self.rules == Rules::Dossier {
                algorithms.extend([Algorithm::Sha256, Algorithm::Sha512]);
            }
            if algorithms.is_empty() {
                continue;
            }
            let mut reader = tree.read(path)?;
            let fail = |e| ArchiveError::io(path.as_str(), e);
            let digests = if keep(path) && size <= MAX_KEPT && kept + size <= MAX_KEPT_TOTAL {
                kept += size;
                let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
                let digests = digest::copy(&mut reader, &mut bytes, algorithms).map_err(fail)?;
                self.findings.kept.insert(path.clone(), bytes);
                digests
            } else {
                digest::copy(&mut reader, &mut std::io::sink(), algorithms).map_err(fail)?
            };
            let wrong = expected.iter().find(|(algorithm, hashes)| {
                hashes.iter().any(|hash| digests.get(**algorithm) != Some(hash.as_slice()))
            });
            if let Some((algorithm, _)) = wrong {
                let what = format!("it was changed: its {} differs", algorithm.name());
                // Tag files first: a manifest that was changed makes good files look changed.
                if path.as_str().contains('/') {
                    changed.push((path.clone(), what));
                } else {
                    self.findings.problem(path, what);
                }
            }
            self.findings.digests.insert(path.clone(), digests);
        }
        for (path, what) in changed {
            self.findings.problem(path, what);
        }
        Ok(())
    }
}
