//! Tag files: the declaration, their encoding, and the fields of `bag-info.txt`.

use super::BagError;

/// A version of BagIt, as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 0.96, of 2009.
    V0_96,
    /// 0.97, of 2011; read, never written.
    V0_97,
    /// 1.0, RFC 8493 of 2018.
    V1_0,
}

/// The encodings that the conformance suite uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
    Latin1,
}

/// `bagit.txt` as we write it.
pub(super) const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// Reads `bagit.txt`: two lines, in this order, no byte order mark, no space before a colon.
pub(super) fn declaration(bytes: &[u8]) -> Result<(Version, Encoding), BagError> {
    let text = std::str::from_utf8(bytes).map_err(|_| BagError::Declaration("it is not UTF-8"))?;
    if text.starts_with('\u{feff}') {
        return Err(BagError::Declaration("it starts with a byte order mark"));
    }
    let mut lines = text.lines();
    let version = field(lines.next(), "BagIt-Version")?;
    let encoding = field(lines.next(), "Tag-File-Character-Encoding")?;
    if lines.any(|line| !line.trim().is_empty()) {
        return Err(BagError::Declaration("it has more than two lines"));
    }
    let version = match version {
        "0.96" => Version::V0_96,
        "0.97" => Version::V0_97,
        "1.0" => Version::V1_0,
        _ => return Err(BagError::Declaration("the version is none of 0.96, 0.97 and 1.0")),
    };
    let encoding = match encoding.to_ascii_uppercase().as_str() {
        "UTF-8" => Encoding::Utf8,
        "UTF-16" => Encoding::Utf16,
        "ISO-8859-1" => Encoding::Latin1,
        _ => return Err(BagError::Declaration("the encoding is none of UTF-8, UTF-16 and ISO-8859-1")),
    };
    Ok((version, encoding))
}

fn field<'a>(line: Option<&'a str>, label: &str) -> Result<&'a str, BagError> {
    line.and_then(|line| line.strip_prefix(label))
        .and_then(|rest| rest.strip_prefix(": "))
        .filter(|value| !value.is_empty() && value.trim() == *value)
        .ok_or(BagError::Declaration("a line is not as RFC 8493 says, to the space"))
}

impl Encoding {
    /// Decodes a tag file; `None` if it is not in this encoding.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => String::from_utf8(bytes.to_vec()).ok().filter(|text| !text.starts_with('\u{feff}')),
            Self::Latin1 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
            Self::Utf16 => {
                // Without a mark the standard says big-endian.
                let (little, rest) = match bytes {
                    [0xff, 0xfe, rest @ ..] => (true, rest),
                    [0xfe, 0xff, rest @ ..] => (false, rest),
                    rest => (false, rest),
                };
                if rest.len() % 2 != 0 {
                    return None;
                }
                let units = rest.chunks_exact(2).map(|pair| {
                    let pair = [pair[0], pair[1]];
                    if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
                });
                char::decode_utf16(units).collect::<Result<String, _>>().ok()
            }
        }
    }
}

/// Reads `bag-info.txt`: `Label: value`, continued on lines that start with white space.
///
/// `None` if a line is neither.
pub(super) fn info(text: &str) -> Option<Vec<(String, String)>> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut()?;
            value.push(' ');
            value.push_str(line.trim());
            continue;
        }
        let (label, value) = line.split_once(':')?;
        fields.push((label.trim().to_owned(), value.trim().to_owned()));
    }
    Some(fields)
}

/// The fields that a dossier has, in this order.
pub(super) const LABELS: [&str; 6] = [
    "Source-Organization",
    "Bagging-Date",
    "External-Identifier",
    "Internal-Sender-Description",
    "Bag-Software-Agent",
    "Payload-Oxum",
];

/// Why `bag-info.txt` is not in the one form that a dossier has.
pub(super) fn info_fault(bytes: &[u8], fields: &[(String, String)]) -> Option<String> {
    if fields.iter().map(|(label, _)| label.as_str()).ne(LABELS) {
        return Some(format!("its fields are not those that a dossier has: {}", LABELS.join(", ")));
    }
    let canonical = encode_info(fields);
    let byte = crate::first_difference(canonical.as_bytes(), bytes) + 1;
    (canonical.as_bytes() != bytes).then(|| format!("not in the one form that a dossier has, at byte {byte}"))
}

/// Writes `bag-info.txt`, one line a field; a line break in a value becomes a space, so that nothing can
/// pass itself off as another field.
pub(super) fn encode_info(fields: &[(String, String)]) -> String {
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    fields
        .iter()
        .map(|(label, value)| format!("{}: {}\n", plain(label).replace(':', " "), plain(value).trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_is_strict() {
        assert!(matches!(declaration(DECLARATION.as_bytes()), Ok((Version::V1_0, Encoding::Utf8))));
        for bad in [
            "",
            "BagIt-Version : 1.0\nTag-File-Character-Encoding: UTF-8\n",
            "BagIt-Version: .97\nTag-File-Character-Encoding: UTF-8\n",
            "BagIt-Version: 1.0 \nTag-File-Character-Encoding: UTF-8\n",
            "BagIt-Version: 1.0\n",
            "BagIt-Version: 2.0\nTag-File-Character-Encoding: UTF-8\n",
            "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-7\n",
            "\u{feff}BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
            "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\nMore: 1\n",
        ] {
            assert!(declaration(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn fields_come_back_as_written() {
        let fields = vec![("A".to_owned(), "one: two".to_owned()), ("A".to_owned(), "three".to_owned())];
        assert_eq!(info(&encode_info(&fields)), Some(fields));
        assert_eq!(encode_info(&[("A".to_owned(), "x\nB: y".to_owned())]), "A: x B: y\n");
        assert_eq!(info("no colon"), None);
        assert_eq!(info("A: b\n  c\n"), Some(vec![("A".to_owned(), "b c".to_owned())]));
    }
}
