//! Reading a dossier where it lies: a folder, or a tar of one, without writing a byte.
//!
//! Everything that could lead outside, hide a file or exhaust memory is refused while listing: links,
//! devices, sparse files, traversal, two names that some system takes for one, unbounded counts and sizes.

mod folder;
mod pack;
mod sealed;
mod tar;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use thiserror::Error;

use crate::path::{BagPath, PathFault, shown};

pub use pack::{unpack, write_tar};
pub use sealed::{open_sealed, write_sealed};

/// Files and folders in one dossier: a case of 10,000 entries with 5,000 exhibits has about 26,000.
pub const MAX_FILES: usize = 65_536;
/// One file: larger than any disk image that an agency would hand over; keeps sums far from overflow.
pub const MAX_FILE_SIZE: u64 = 1 << 42;

/// Why a dossier cannot be read at all.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// What was read, harmless to show.
        path: String,
        /// The system's answer.
        source: io::Error,
    },
    /// Neither a folder nor a tar; the text says what it looks like.
    #[error("not a dossier: {0}")]
    NotADossier(&'static str),
    /// A path that breaks a rule.
    #[error("the path \"{path}\" is refused: {fault}")]
    Path {
        /// The path, harmless to show.
        path: String,
        /// The rule.
        fault: PathFault,
    },
    /// A link, device, pipe or sparse file.
    #[error("\"{0}\" is no plain file or folder")]
    NotPlain(String),
    /// Two names that are one to some system, or a file that is also a folder.
    #[error("\"{0}\" is there twice, or differs from another name only in case")]
    Duplicate(String),
    /// More than [`MAX_FILES`] files, or a file over [`MAX_FILE_SIZE`].
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// A tar that is damaged or uses what a dossier does not need.
    #[error("the tar is refused: {0}")]
    Tar(&'static str),
    /// A file that is not in the dossier was asked for.
    #[error("\"{0}\" is missing")]
    Missing(String),
}

impl ArchiveError {
    pub(crate) fn io(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Io { path: shown(&path.as_ref().to_string_lossy()), source }
    }
}

#[derive(Debug, Clone, Copy)]
struct Place {
    /// In a tar, where the content starts.
    offset: u64,
    size: u64,
}

#[derive(Debug)]
enum Source {
    Folder(PathBuf),
    Tar(Mutex<File>),
}

/// The files of a dossier, by path; nothing is held in memory but names and sizes.
#[derive(Debug)]
pub struct Tree {
    source: Source,
    files: BTreeMap<BagPath, Place>,
    empty_folders: Vec<BagPath>,
}

impl Tree {
    /// Lists a folder, or a tar of one. A tar may hold everything in one top folder.
    ///
    /// Anything else is refused by its first bytes, with what it looks like.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let meta = std::fs::metadata(path).map_err(|e| ArchiveError::io(path, e))?;
        if meta.is_dir() {
            return folder::list(path);
        }
        if !meta.is_file() {
            return Err(ArchiveError::NotADossier("neither a folder nor a file"));
        }
        let mut file = File::open(path).map_err(|e| ArchiveError::io(path, e))?;
        let mut start = Vec::with_capacity(512);
        (&mut file).take(512).read_to_end(&mut start).map_err(|e| ArchiveError::io(path, e))?;
        refuse_other_formats(&start)?;
        tar::list(file, path)
    }

    /// Each file with its size in bytes, ordered by path.
    pub fn files(&self) -> impl Iterator<Item = (&BagPath, u64)> {
        self.files.iter().map(|(path, place)| (path, place.size))
    }

    /// The size of a file, if it is there.
    pub fn size(&self, path: &BagPath) -> Option<u64> {
        self.files.get(path).map(|place| place.size)
    }

    /// Whether the file is there.
    pub fn contains(&self, path: &BagPath) -> bool {
        self.files.contains_key(path)
    }

    /// Folders that hold nothing; a manifest cannot speak of them.
    pub fn empty_folders(&self) -> &[BagPath] {
        &self.empty_folders
    }

    /// A reader that gives exactly as many bytes as were listed, or fails.
    pub fn read(&self, path: &BagPath) -> Result<FileReader<'_>, ArchiveError> {
        let place = self.files.get(path).ok_or_else(|| ArchiveError::Missing(path.to_string()))?;
        let inner = match &self.source {
            Source::Folder(root) => Inner::Folder(folder::open(root, path)?),
            Source::Tar(file) => Inner::Tar { file, at: place.offset },
        };
        Ok(FileReader { inner, left: place.size })
    }

    /// The whole of a file of at most `max` bytes.
    pub fn bytes(&self, path: &BagPath, max: u64) -> Result<Vec<u8>, ArchiveError> {
        let size = self.size(path).ok_or_else(|| ArchiveError::Missing(path.to_string()))?;
        if size > max {
            return Err(ArchiveError::TooLarge("a file that must be read whole"));
        }
        let mut out = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        self.read(path)?.read_to_end(&mut out).map_err(|e| ArchiveError::io(path.as_str(), e))?;
        Ok(out)
    }
}

/// How every age file begins.
const AGE: &[u8] = b"age-encryption.org/";

/// Whether this is a file sealed with age; a folder is not.
pub fn is_sealed(path: &Path) -> std::io::Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    let mut first = Vec::new();
    File::open(path)?.take(AGE.len() as u64).read_to_end(&mut first)?;
    Ok(first == AGE)
}

fn refuse_other_formats(start: &[u8]) -> Result<(), ArchiveError> {
    let known: [(&[u8], &str); 8] = [
        (b"PK", "a zip file, which is not a format that is taken"),
        (&[0x1f, 0x8b], "a gzip file: decompress it first"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "an xz file: decompress it first"),
        (b"BZh", "a bzip2 file: decompress it first"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "a zstd file: decompress it first"),
        (b"7z\xbc\xaf", "a 7z file, which is not a format that is taken"),
        (AGE, "sealed with age: open it first, with the key of its addressee"),
        (b"%PDF", "a PDF"),
    ];
    match known.iter().find(|(magic, _)| start.starts_with(magic)) {
        Some((_, what)) => Err(ArchiveError::NotADossier(what)),
        None if start.len() < 512 => Err(ArchiveError::NotADossier("a file too short to be a tar")),
        None => Ok(()),
    }
}

/// Reads one file of a [`Tree`].
#[derive(Debug)]
pub struct FileReader<'a> {
    inner: Inner<'a>,
    left: u64,
}

#[derive(Debug)]
enum Inner<'a> {
    Folder(File),
    Tar { file: &'a Mutex<File>, at: u64 },
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = match &mut self.inner {
            Inner::Folder(file) if self.left == 0 && !buffer.is_empty() => {
                // One byte more than listed means that the file changed meanwhile.
                return match file.read(&mut [0])? {
                    0 => Ok(0),
                    _ => Err(io::Error::other("the file grew while it was read")),
                };
            }
            _ if want == 0 => return Ok(0),
            Inner::Folder(file) => file.read(&mut buffer[..want])?,
            Inner::Tar { file, at } => {
                let mut file = file.lock().map_err(|_| io::Error::other("an earlier read failed"))?;
                file.seek(SeekFrom::Start(*at))?;
                let read = file.read(&mut buffer[..want])?;
                *at += read as u64;
                read
            }
        };
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Collects names while listing, and refuses two that some system takes for one.
#[derive(Default)]
struct Names {
    files: BTreeMap<BagPath, Place>,
    /// Lower-case name to (spelling, is a file).
    folded: HashMap<String, (String, bool)>,
}

impl Names {
    fn add_file(&mut self, path: BagPath, place: Place) -> Result<(), ArchiveError> {
        if place.size > MAX_FILE_SIZE {
            return Err(ArchiveError::TooLarge("a file"));
        }
        for folder in path.folders() {
            self.claim(folder, false)?;
        }
        self.claim(path.as_str(), true)?;
        self.files.insert(path, place);
        Ok(())
    }

    fn add_folder(&mut self, path: &BagPath) -> Result<(), ArchiveError> {
        for folder in path.folders() {
            self.claim(folder, false)?;
        }
        self.claim(path.as_str(), false)
    }

    fn claim(&mut self, name: &str, is_file: bool) -> Result<(), ArchiveError> {
        let folded = name.to_ascii_lowercase();
        if let Some((spelling, other_is_file)) = self.folded.get(&folded) {
            let same_folder = spelling == name && !is_file && !other_is_file;
            return if same_folder { Ok(()) } else { Err(ArchiveError::Duplicate(shown(name))) };
        }
        if self.folded.len() >= MAX_FILES {
            return Err(ArchiveError::TooLarge("too many files"));
        }
        self.folded.insert(folded, (name.to_owned(), is_file));
        Ok(())
    }

    fn finish(self, source: Source) -> Tree {
        let mut full = std::collections::HashSet::new();
        for path in self.files.keys() {
            full.extend(path.folders().map(str::to_owned));
        }
        let mut empty: Vec<_> = self
            .folded
            .into_values()
            .filter(|(name, is_file)| !is_file && !full.contains(name))
            .filter_map(|(name, _)| BagPath::parse(&name).ok())
            .collect();
        empty.sort();
        Tree { source, files: self.files, empty_folders: empty }
    }
}

fn checked(text: &str) -> Result<BagPath, ArchiveError> {
    BagPath::parse(text).map_err(|fault| ArchiveError::Path { path: shown(text), fault })
}
