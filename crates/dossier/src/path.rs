//! Paths inside a dossier: few characters, one meaning on every system.
//!
//! A dossier is copied between Linux, Windows and macOS and between sticks and mail systems. What one of
//! them would rename, fold or resolve elsewhere is refused here, before any file is opened.

use std::fmt;

use thiserror::Error;

/// Windows allows 260 characters for a whole path; this leaves 20 for the folder that holds the dossier.
pub const MAX_PATH: usize = 240;
/// Deep enough for `data/evidence/<exhibit>/…` and a bag inside a bag; bounds the work per path.
pub const MAX_DEPTH: usize = 16;
/// Names that Windows gives to devices, with any extension.
const DEVICES: [&str; 7] = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PathFault {
    /// No character at all, or an empty part as in `a//b`.
    #[error("empty, or an empty part between two slashes")]
    Empty,
    /// Longer than [`MAX_PATH`] bytes or deeper than [`MAX_DEPTH`] parts.
    #[error("too long or too deep")]
    TooLong,
    /// A byte outside printable ASCII.
    #[error("a character outside printable ASCII")]
    NotAscii,
    /// A character with a meaning to some system: backslash, colon, wildcard, quote, bar, angle bracket.
    #[error("a character that some systems give a meaning to")]
    Forbidden,
    /// Starts at a root, a drive, a share or a home folder.
    #[error("starts outside the dossier")]
    Outside,
    /// A part that is `.` or `..`.
    #[error("a part that leads elsewhere")]
    Relative,
    /// A part named as a Windows device.
    #[error("the name of a device")]
    Device,
    /// A part that starts with a space, or ends with a space or a dot: Windows drops these.
    #[error("a part that starts with a space or ends with a space or a dot")]
    Trimmed,
}

/// A checked path, relative to the root of a dossier, parts separated by `/`.
///
/// Printable ASCII without `\ : * ? " < > |`; no `.` or `..` part; no device name; no part that a system
/// would trim; at most [`MAX_PATH`] bytes and [`MAX_DEPTH`] parts. Ordered by bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BagPath(String);

impl BagPath {
    /// Checks `text`. A fault says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, PathFault> {
        if text.is_empty() {
            return Err(PathFault::Empty);
        }
        if text.len() > MAX_PATH || text.split('/').count() > MAX_DEPTH {
            return Err(PathFault::TooLong);
        }
        if text.starts_with(['/', '\\', '~']) || text.as_bytes().get(1) == Some(&b':') {
            return Err(PathFault::Outside);
        }
        for byte in text.bytes() {
            match byte {
                b'\\' | b':' | b'*' | b'?' | b'"' | b'<' | b'>' | b'|' => return Err(PathFault::Forbidden),
                b' '..=b'~' => {}
                _ => return Err(PathFault::NotAscii),
            }
        }
        text.split('/').try_for_each(check_part)?;
        Ok(Self(text.to_owned()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the path lies in `folder`, given without a slash at its end.
    pub fn is_in(&self, folder: &str) -> bool {
        self.0.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Each folder above the file, outermost first: `a`, `a/b` for `a/b/c`.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }
}

impl fmt::Display for BagPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_part(part: &str) -> Result<(), PathFault> {
    if part.is_empty() {
        return Err(PathFault::Empty);
    }
    if part == "." || part == ".." {
        return Err(PathFault::Relative);
    }
    if part.starts_with(' ') || part.ends_with([' ', '.']) {
        return Err(PathFault::Trimmed);
    }
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_ascii_lowercase();
    let numbered =
        stem.len() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem.as_bytes()[3].is_ascii_digit();
    if numbered || DEVICES.contains(&stem.as_str()) {
        return Err(PathFault::Device);
    }
    Ok(())
}

/// A text from outside as it may stand in a message: printable ASCII, at most 120 characters.
///
/// A path that was refused may hold escape sequences for a terminal or turn the reading direction.
pub fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() >= 120 {
            out.push_str("...");
            break;
        }
        if c.is_ascii_graphic() || c == ' ' {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_system_would_bend_is_refused() {
        let cases = [
            ("", PathFault::Empty),
            ("a//b", PathFault::Empty),
            ("a/", PathFault::Empty),
            ("/a", PathFault::Outside),
            ("//srv/share", PathFault::Outside),
            ("\\\\srv\\share", PathFault::Outside),
            ("C:\\a", PathFault::Outside),
            ("c:a", PathFault::Outside),
            ("~/a", PathFault::Outside),
            ("~root/a", PathFault::Outside),
            ("a/..", PathFault::Relative),
            ("../a", PathFault::Relative),
            ("./a", PathFault::Relative),
            ("a\\b", PathFault::Forbidden),
            ("a.txt:evil", PathFault::Forbidden),
            ("a\0b", PathFault::NotAscii),
            ("a\u{202e}gpj.exe", PathFault::NotAscii),
            ("cafe\u{301}", PathFault::NotAscii),
            ("CON.txt", PathFault::Device),
            ("a/nul", PathFault::Device),
            ("a/LPT3.x.y", PathFault::Device),
            ("a. ", PathFault::Trimmed),
            ("a./b", PathFault::Trimmed),
            (" a", PathFault::Trimmed),
        ];
        for (text, fault) in cases {
            assert_eq!(BagPath::parse(text), Err(fault), "{text:?}");
        }
        assert_eq!(BagPath::parse(&"a".repeat(MAX_PATH + 1)), Err(PathFault::TooLong));
        assert_eq!(BagPath::parse(&vec!["a"; MAX_DEPTH + 1].join("/")), Err(PathFault::TooLong));
    }

    #[test]
    fn plain_paths_pass() {
        for text in ["bagit.txt", "data/case/a b.json", "data/.hidden", "data/console.txt", "data/com10", "data/%7Ea"] {
            assert!(BagPath::parse(text).is_ok(), "{text}");
        }
        let path = BagPath::parse("a/b/c").expect("plain");
        assert_eq!(path.folders().collect::<Vec<_>>(), ["a", "a/b"]);
        assert!(path.is_in("a") && path.is_in("a/b") && !path.is_in("a/b/c"));
        assert_eq!(path.name(), "c");
    }

    #[test]
    fn a_refused_path_is_shown_harmlessly() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert!(shown(&"x".repeat(10_000)).len() < 130);
    }

    proptest! {
        #[test]
        fn an_accepted_path_stays_inside(text in "[ -~]{0,40}") {
            if let Ok(path) = BagPath::parse(&text) {
                let joined = std::path::Path::new("/root/folder").join(path.as_str());
                prop_assert!(joined.starts_with("/root/folder"));
                prop_assert!(joined.components().all(|c| !matches!(c, std::path::Component::ParentDir)));
            }
        }
    }
}
