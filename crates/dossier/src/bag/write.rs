//! Writing a bag, one file after the other, each read once.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::{BagError, manifest, tags};
use crate::digest::{self, Algorithm, Digests};
use crate::path::BagPath;

/// Writes a new bag into a folder that does not exist yet.
#[derive(Debug)]
pub struct BagWriter {
    root: PathBuf,
    payload: BTreeMap<BagPath, Digests>,
    folded: HashSet<String>,
}

/// A finished bag.
#[derive(Debug)]
pub struct Written {
    /// `tagmanifest-sha256.txt`: the one file that is signed, and that stands for all others.
    pub tagmanifest: Vec<u8>,
    /// Files in `data/`.
    pub files: usize,
    /// Their bytes together.
    pub octets: u64,
}

impl BagWriter {
    /// Makes the folder; it must not exist.
    pub fn create(root: &Path) -> Result<Self, BagError> {
        fs::create_dir(root).map_err(|e| fail(root, &e))?;
        Ok(Self { root: root.to_owned(), payload: BTreeMap::new(), folded: HashSet::new() })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes one payload file (`path` starts with `data/`), of any size, and returns its hashes.
    pub fn add(&mut self, path: &str, from: &mut impl Read) -> Result<Digests, BagError> {
        let refuse = |why: String| BagError::Write { path: path.to_owned(), why };
        let checked = BagPath::parse(path).map_err(|fault| refuse(fault.to_string()))?;
        if !checked.is_in("data") || path.contains('%') {
            return Err(refuse("a payload path starts with data/ and has no percent sign".to_owned()));
        }
        if !self.folded.insert(path.to_ascii_lowercase()) {
            return Err(refuse("it is there already".to_owned()));
        }
        let place = self.root.join(path);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(|e| fail(&place, &e))?;
        }
        let mut out = BufWriter::new(File::create_new(&place).map_err(|e| fail(&place, &e))?);
        let digests =
            digest::copy(from, &mut out, [Algorithm::Sha256, Algorithm::Sha512]).map_err(|e| fail(&place, &e))?;
        out.flush().map_err(|e| fail(&place, &e))?;
        self.payload.insert(checked, digests.clone());
        Ok(digests)
    }

    /// Writes one payload file from memory.
    pub fn add_bytes(&mut self, path: &str, bytes: &[u8]) -> Result<Digests, BagError> {
        self.add(path, &mut io::Cursor::new(bytes))
    }

    /// Writes the manifests and the tag files. `info` are the fields of `bag-info.txt`; `Payload-Oxum` is added.
    pub fn finish(self, info: &[(String, String)]) -> Result<Written, BagError> {
        let octets: u64 = self.payload.values().map(|digests| digests.size).sum();
        let mut info = info.to_vec();
        info.push(("Payload-Oxum".to_owned(), format!("{octets}.{}", self.payload.len())));
        let files = [
            ("bag-info.txt", tags::encode_info(&info)),
            ("bagit.txt", tags::DECLARATION.to_owned()),
            ("manifest-sha256.txt", self.manifest(Algorithm::Sha256)),
            ("manifest-sha512.txt", self.manifest(Algorithm::Sha512)),
        ];
        let mut hashes = BTreeMap::new();
        for (name, text) in &files {
            self.tag_file(name, text)?;
            let path =
                BagPath::parse(name).map_err(|f| BagError::Write { path: (*name).to_owned(), why: f.to_string() })?;
            hashes.insert(path, seal::hash::sha256(text.as_bytes()));
        }
        let tagmanifest = manifest::encode(hashes.iter().map(|(path, hash)| (path, hash.as_slice())));
        self.tag_file("tagmanifest-sha256.txt", &tagmanifest)?;
        Ok(Written { tagmanifest: tagmanifest.into_bytes(), files: self.payload.len(), octets })
    }

    fn manifest(&self, algorithm: Algorithm) -> String {
        manifest::encode(self.payload.iter().filter_map(|(path, digests)| Some((path, digests.get(algorithm)?))))
    }

    fn tag_file(&self, name: &str, text: &str) -> Result<(), BagError> {
        let place = self.root.join(name);
        let mut out = File::create_new(&place).map_err(|e| fail(&place, &e))?;
        out.write_all(text.as_bytes()).map_err(|e| fail(&place, &e))
    }
}

fn fail(place: &Path, error: &io::Error) -> BagError {
    BagError::Write { path: crate::path::shown(&place.to_string_lossy()), why: error.to_string() }
}
