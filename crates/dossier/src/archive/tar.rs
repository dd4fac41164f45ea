//! Listing a tar: POSIX ustar, GNU long names and the two pax fields that a dossier could need.
//!
//! Read by hand because a library built to unpack follows what we must refuse. Padding and everything after
//! the end mark must be zero, so that a tar that we wrote has no byte without a meaning.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Mutex;

use super::{ArchiveError, Names, Place, Source, Tree, checked};
use crate::path::{MAX_PATH, shown};

const BLOCK: usize = 512;
/// A pax header of a dossier's file holds a path, a size and some times.
const MAX_PAX: u64 = 16 * 1024;
/// Tools pad a tar to a multiple of their block size: 10 KiB, up to 1 MiB on tape drives.
const MAX_TAIL: u64 = 1 << 20;

struct Entry {
    name: Vec<u8>,
    place: Place,
    is_folder: bool,
}

/// What a pax or GNU header says about the next entry.
#[derive(Default)]
struct Overrides {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Lists a tar. The file must be positioned anywhere; it is read from its start.
pub fn list(mut file: File, path: &Path) -> Result<Tree, ArchiveError> {
    let fail = |e| ArchiveError::io(path, e);
    let length = file.seek(SeekFrom::End(0)).map_err(fail)?;
    file.rewind().map_err(fail)?;
    let mut reader = Blocks { file: BufReader::with_capacity(64 * 1024, file), at: 0, length };
    let mut entries = Vec::new();
    while let Some(entry) = next(&mut reader)? {
        if entries.len() >= super::MAX_FILES {
            return Err(ArchiveError::TooLarge("too many files"));
        }
        entries.push(entry);
    }
    reader.check_tail()?;
    let mut names = Names::default();
    let texts = texts(&entries)?;
    let top = top_folder(&texts);
    for (entry, text) in entries.iter().zip(&texts) {
        let inside = match &top {
            Some(top) => text.strip_prefix(top.as_str()).map_or("", |rest| rest.trim_start_matches('/')),
            None => text.as_str(),
        };
        if inside.is_empty() && entry.is_folder {
            continue;
        }
        let path = checked(inside)?;
        if entry.is_folder { names.add_folder(&path)? } else { names.add_file(path, entry.place)? }
    }
    Ok(names.finish(Source::Tar(Mutex::new(reader.file.into_inner()))))
}

/// The names as checked text; `./` in front and a slash behind a folder's name are how tar writes them.
fn texts(entries: &[Entry]) -> Result<Vec<String>, ArchiveError> {
    entries
        .iter()
        .map(|entry| {
            let text = std::str::from_utf8(&entry.name).map_err(|_| ArchiveError::Path {
                path: shown(&String::from_utf8_lossy(&entry.name)),
                fault: crate::path::PathFault::NotAscii,
            })?;
            let mut text = text;
            if let Some(rest) = text.strip_prefix("./") {
                text = rest;
            }
            if entry.is_folder {
                text = text.strip_suffix('/').unwrap_or(text);
                if text == "." {
                    text = "";
                }
            }
            if !(text.is_empty() && entry.is_folder) {
                checked(text)?;
            }
            Ok(text.to_owned())
        })
        .collect()
}

/// The one folder that holds everything, if `bagit.txt` is not at the top.
fn top_folder(texts: &[String]) -> Option<String> {
    if texts.iter().any(|text| text == "bagit.txt") {
        return None;
    }
    let mut named = texts.iter().filter(|text| !text.is_empty());
    let top = named.next()?.split('/').next()?.to_owned();
    let has_declaration = texts.iter().any(|text| *text == format!("{top}/bagit.txt"));
    (has_declaration && named.all(|text| text.split('/').next() == Some(top.as_str()))).then_some(top)
}

struct Blocks {
    file: BufReader<File>,
    at: u64,
    length: u64,
}

impl Blocks {
    fn block(&mut self) -> Result<[u8; BLOCK], ArchiveError> {
        let mut block = [0; BLOCK];
        self.file.read_exact(&mut block).map_err(|_| ArchiveError::Tar("it ends too early"))?;
        self.at += BLOCK as u64;
        Ok(block)
    }

    /// Skips content, and checks that the padding after it is zero.
    fn skip(&mut self, size: u64) -> Result<(), ArchiveError> {
        let end = self.at.checked_add(size).filter(|end| *end <= self.length);
        let end = end.ok_or(ArchiveError::Tar("a file is declared larger than the tar"))?;
        let step = i64::try_from(size).map_err(|_| ArchiveError::TooLarge("a file"))?;
        self.file.seek_relative(step).map_err(|_| ArchiveError::Tar("it ends too early"))?;
        self.at = end;
        self.padding(size)
    }

    fn padding(&mut self, size: u64) -> Result<(), ArchiveError> {
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        let mut rest = Vec::with_capacity(BLOCK);
        (&mut self.file).take(padding).read_to_end(&mut rest).map_err(|_| ArchiveError::Tar("it cannot be read"))?;
        if rest.len() as u64 != padding {
            return Err(ArchiveError::Tar("it ends too early"));
        }
        self.at += padding;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(ArchiveError::Tar("bytes between two files"));
        }
        Ok(())
    }

    /// The content of a header entry, of at most `max` bytes.
    fn content(&mut self, size: u64, max: u64) -> Result<Vec<u8>, ArchiveError> {
        if size > max {
            return Err(ArchiveError::Tar("a name or a header is too long"));
        }
        let mut out = Vec::new();
        (&mut self.file).take(size).read_to_end(&mut out).map_err(|_| ArchiveError::Tar("it cannot be read"))?;
        if out.len() as u64 != size {
            return Err(ArchiveError::Tar("it ends too early"));
        }
        self.at += size;
        self.padding(size)?;
        Ok(out)
    }

    /// After the first empty block: another, and then nothing but zeros to the end.
    fn check_tail(&mut self) -> Result<(), ArchiveError> {
        if self.block()? != [0; BLOCK] {
            return Err(ArchiveError::Tar("its end mark is damaged"));
        }
        if self.length - self.at > MAX_TAIL {
            return Err(ArchiveError::Tar("too much after its end mark"));
        }
        let mut tail = Vec::new();
        self.file.read_to_end(&mut tail).map_err(|_| ArchiveError::Tar("it cannot be read"))?;
        if tail.iter().any(|byte| *byte != 0) {
            return Err(ArchiveError::Tar("bytes after its end mark"));
        }
        Ok(())
    }
}

fn next(reader: &mut Blocks) -> Result<Option<Entry>, ArchiveError> {
    let mut overrides = Overrides::default();
    // A long name and a pax header may precede an entry; more would be an attempt to confuse.
    for _ in 0..4 {
        let block = reader.block()?;
        if block == [0; BLOCK] {
            return match (&overrides.name, overrides.size) {
                (None, None) => Ok(None),
                _ => Err(ArchiveError::Tar("a header without its file")),
            };
        }
        check_sum(&block)?;
        let size = number(&block[124..136])?;
        match block[156] {
            b'x' => pax(&reader.content(size, MAX_PAX)?, &mut overrides)?,
            b'L' => {
                let mut name = reader.content(size, MAX_PATH as u64 + 2)?;
                if name.pop() != Some(0) {
                    return Err(ArchiveError::Tar("a long name is damaged"));
                }
                overrides.name = Some(name);
            }
            kind @ (b'0' | 0 | b'5') => {
                return entry(reader, &block, kind == b'5', size, overrides).map(Some);
            }
            b'1' | b'2' | b'3' | b'4' | b'6' | b'K' | b'S' => {
                return Err(ArchiveError::NotPlain(shown(&String::from_utf8_lossy(&header_name(&block)?))));
            }
            _ => return Err(ArchiveError::Tar("an entry of an unknown kind")),
        }
    }
    Err(ArchiveError::Tar("too many headers before a file"))
}

fn entry(
    reader: &mut Blocks,
    block: &[u8; BLOCK],
    is_folder: bool,
    size: u64,
    overrides: Overrides,
) -> Result<Entry, ArchiveError> {
    let size = overrides.size.unwrap_or(size);
    if is_folder && size != 0 {
        return Err(ArchiveError::Tar("a folder with content"));
    }
    let name = match overrides.name {
        Some(name) => name,
        None => header_name(block)?,
    };
    let place = Place { offset: reader.at, size };
    reader.skip(size)?;
    // Old tars mark a folder by the slash at its end only.
    let is_folder = is_folder || (name.ends_with(b"/") && size == 0);
    Ok(Entry { name, place, is_folder })
}

/// Name and prefix; nothing may hide behind a NUL.
fn header_name(block: &[u8; BLOCK]) -> Result<Vec<u8>, ArchiveError> {
    let mut name = text_field(&block[0..100])?.to_vec();
    if &block[257..263] == b"ustar\0" {
        let prefix = text_field(&block[345..500])?;
        if !prefix.is_empty() {
            name = [prefix, b"/", &name].concat();
        }
    }
    Ok(name)
}

fn text_field(field: &[u8]) -> Result<&[u8], ArchiveError> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    if field[end..].iter().any(|byte| *byte != 0) {
        return Err(ArchiveError::Tar("bytes behind the end of a name"));
    }
    Ok(&field[..end])
}

fn check_sum(block: &[u8; BLOCK]) -> Result<(), ArchiveError> {
    let sum: u32 =
        block.iter().enumerate().map(|(i, b)| u32::from(if (148..156).contains(&i) { b' ' } else { *b })).sum();
    // The two spellings in use: that of POSIX, GNU, BSD and Python, and that of the Rust and Go libraries.
    let known = [format!("{sum:06o}\0 "), format!("{sum:07o}\0")];
    if known.iter().any(|spelling| block[148..156] == *spelling.as_bytes()) {
        Ok(())
    } else {
        Err(ArchiveError::Tar("a header's sum does not match"))
    }
}

/// Octal digits, or GNU's binary form for sizes from 8 GiB.
fn number(field: &[u8]) -> Result<u64, ArchiveError> {
    let bad = ArchiveError::Tar("a size cannot be read");
    if field[0] == 0x80 {
        let (high, low) = field[1..].split_at(field.len() - 9);
        let low: [u8; 8] = low.try_into().map_err(|_| ArchiveError::Tar("a size cannot be read"))?;
        return if high.iter().all(|byte| *byte == 0) { Ok(u64::from_be_bytes(low)) } else { Err(bad) };
    }
    let text = std::str::from_utf8(field).map_err(|_| ArchiveError::Tar("a size cannot be read"))?;
    u64::from_str_radix(text.trim_matches(['\0', ' ']), 8).map_err(|_| bad)
}

fn pax(content: &[u8], overrides: &mut Overrides) -> Result<(), ArchiveError> {
    let bad = || ArchiveError::Tar("a pax header is damaged");
    let mut rest = content;
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').ok_or_else(bad)?;
        let length = std::str::from_utf8(&rest[..space]).ok().and_then(|t| t.parse::<usize>().ok()).ok_or_else(bad)?;
        if length <= space + 1 || length > rest.len() {
            return Err(bad());
        }
        let field = rest[space + 1..length].strip_suffix(b"\n").ok_or_else(bad)?;
        let equals = field.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
        let (key, value) = (&field[..equals], &field[equals + 1..]);
        match key {
            b"path" => overrides.name = Some(value.to_vec()),
            b"size" => {
                overrides.size = Some(std::str::from_utf8(value).ok().and_then(|t| t.parse().ok()).ok_or_else(bad)?);
            }
            b"linkpath" => return Err(ArchiveError::NotPlain("a link".to_owned())),
            _ if key.starts_with(b"GNU.sparse") => return Err(ArchiveError::NotPlain("a sparse file".to_owned())),
            // Times, owners and the like say nothing about content.
            _ => {}
        }
        rest = &rest[length..];
    }
    Ok(())
}
