//! Sealing to recipients with age, behind caps of our own.
//!
//! age's header parser is quadratic in the header; so the header is measured and its stanzas are
//! counted here before the crate sees a byte.

use std::io::{Cursor, Read, Write};
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::codec::{Reader, Writer};
use crate::hash::tagged;
use crate::{Hash32, KeyId, RecordId, RecordKey, SealError};

/// Bytes of an age header; 256 X25519 stanzas take about 26 KiB.
pub const MAX_AGE_HEADER: usize = 64 * 1024;
/// Stanzas of an age header: an operation with more recipients wraps in two files.
pub const MAX_STANZAS: usize = 256;
/// Bytes of a wrapped record key: one stanza, grease and 32 bytes take about 400.
pub const MAX_WRAP: usize = 2048;
/// The one wrapping suite so far: age with X25519.
pub const SUITE_AGE_X25519: u8 = 1;

/// A secret age identity (X25519). No `Debug`.
#[derive(Clone)]
pub struct Identity(age::x25519::Identity);

impl Identity {
    /// A fresh identity from the operating system's randomness (inside the age crate).
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }
    /// Reads `AGE-SECRET-KEY-1…`.
    pub fn from_secret_str(text: &str) -> Result<Self, SealError> {
        text.parse().map(Self).map_err(|_| SealError::Malformed("age identity"))
    }
    /// The identity whose X25519 secret is these 32 bytes, for keys that are derived.
    pub fn from_bytes(secret: &[u8; 32]) -> Result<Self, SealError> {
        let hrp = bech32::Hrp::parse("age-secret-key-").map_err(|_| SealError::Malformed("age identity"))?;
        let text = bech32::encode::<bech32::Bech32>(hrp, secret).map_err(|_| SealError::Malformed("age identity"))?;
        Self::from_secret_str(&Zeroizing::new(text.to_uppercase()))
    }
    /// `AGE-SECRET-KEY-1…`, for storing inside something sealed.
    pub fn to_secret_str(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string().expose_secret().to_owned())
    }
    /// The public half.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public().to_string())
    }
}

/// A public age recipient, `age1…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Recipient(String);

impl Recipient {
    /// The text, `age1…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    fn parse(&self) -> Result<age::x25519::Recipient, SealError> {
        self.0.parse().map_err(|_| SealError::Malformed("age recipient"))
    }
}

impl FromStr for Recipient {
    type Err = SealError;
    fn from_str(text: &str) -> Result<Self, SealError> {
        // An age1 recipient is 62 characters; plugin recipients are longer and are refused.
        if text.len() != 62 {
            return Err(SealError::Malformed("age recipient"));
        }
        let parsed: age::x25519::Recipient = text.parse().map_err(|_| SealError::Malformed("age recipient"))?;
        if parsed.to_string() != text {
            return Err(SealError::NotCanonical("age recipient"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Recipient {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A writer that seals to recipients; call [`SealWriter::finish`], or the file is truncated.
pub struct SealWriter<W: Write>(age::stream::StreamWriter<W>);

impl<W: Write> SealWriter<W> {
    /// Writes the last chunk and gives the inner writer back.
    pub fn finish(self) -> Result<W, SealError> {
        Ok(self.0.finish()?)
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Starts an age file to these recipients.
pub fn seal_writer<W: Write>(to: &[Recipient], out: W) -> Result<SealWriter<W>, SealError> {
    if to.is_empty() || to.len() > MAX_STANZAS / 2 {
        // age may add a grease stanza; half the cap leaves room.
        return Err(SealError::TooLarge("recipients"));
    }
    let parsed = to.iter().map(Recipient::parse).collect::<Result<Vec<_>, _>>()?;
    let encryptor = age::Encryptor::with_recipients(parsed.iter().map(|r| r as &dyn age::Recipient))
        .map_err(|_| SealError::Malformed("age recipients"))?;
    Ok(SealWriter(encryptor.wrap_output(out)?))
}

/// Opens an age file with any of these identities.
pub fn open_reader<R: Read>(with: &[&Identity], mut from: R) -> Result<impl Read + use<R>, SealError> {
    let header = capped_header(&mut from)?;
    let decryptor = age::Decryptor::new(Cursor::new(header).chain(from)).map_err(age_error)?;
    if decryptor.is_scrypt() {
        return Err(SealError::NoKey);
    }
    decryptor.decrypt(with.iter().map(|i| &i.0 as &dyn age::Identity)).map_err(age_error)
}

fn age_error(error: age::DecryptError) -> SealError {
    match error {
        age::DecryptError::NoMatchingKeys => SealError::NoKey,
        age::DecryptError::InvalidHeader | age::DecryptError::UnknownFormat => SealError::Malformed("age header"),
        age::DecryptError::Io(error) => error.into(),
        _ => SealError::Decrypt,
    }
}

/// Reads up to the end of the header's last line, within the caps.
fn capped_header(from: &mut impl Read) -> Result<Vec<u8>, SealError> {
    let mut header = Vec::with_capacity(512);
    let mut line_start = 0;
    let mut stanzas = 0;
    let mut byte = [0];
    let mut from = std::io::BufReader::with_capacity(1, from);
    loop {
        from.read_exact(&mut byte).map_err(|_| SealError::Malformed("age header"))?;
        header.push(byte[0]);
        if header.len() > MAX_AGE_HEADER {
            return Err(SealError::TooLarge("age header"));
        }
        if byte[0] != b'\n' {
            continue;
        }
        let line = &header[line_start..];
        if line.starts_with(b"--- ") || line == b"---\n" {
            return Ok(header);
        }
        if line.starts_with(b"->") {
            stanzas += 1;
            if stanzas > MAX_STANZAS {
                return Err(SealError::TooLarge("age stanzas"));
            }
        }
        line_start = header.len();
    }
}

/// Seals bytes in one piece.
pub fn seal_bytes(to: &[Recipient], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut writer = seal_writer(to, Vec::with_capacity(plain.len() + 512))?;
    writer.write_all(plain)?;
    writer.finish()
}

/// Opens bytes in one piece; refuses a plaintext over `max`.
pub fn open_bytes(with: &[&Identity], sealed: &[u8], max: usize) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let mut plain = Zeroizing::new(Vec::new());
    let reader = open_reader(with, sealed)?;
    reader.take(max as u64 + 1).read_to_end(&mut plain).map_err(|_| SealError::Decrypt)?;
    if plain.len() > max { Err(SealError::TooLarge("sealed bytes")) } else { Ok(plain) }
}

/// A record key sealed to one recipient. It travels outside the sealed body and can be detached;
/// the entry that grants it holds its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrap {
    /// The record.
    pub record: RecordId,
    /// The key inside.
    pub key: KeyId,
    /// The suite: [`SUITE_AGE_X25519`].
    pub suite: u8,
    /// The age file with the 32 bytes of the key.
    pub sealed: Vec<u8>,
}

impl Wrap {
    /// Wraps a record key to a recipient.
    pub fn seal(key: &RecordKey, record: RecordId, to: &Recipient) -> Result<Self, SealError> {
        let sealed = seal_bytes(std::slice::from_ref(to), key.as_bytes())?;
        Ok(Self { record, key: key.id(&record), suite: SUITE_AGE_X25519, sealed })
    }
    /// Unwraps, and checks that the key is the one named.
    pub fn open(&self, with: &[&Identity]) -> Result<RecordKey, SealError> {
        if self.suite != SUITE_AGE_X25519 {
            return Err(SealError::NewerVersion("wrap"));
        }
        let plain = open_bytes(with, &self.sealed, 32)?;
        let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| SealError::Malformed("wrapped key"))?;
        let key = RecordKey::from_bytes(bytes);
        if key.id(&self.record) == self.key { Ok(key) } else { Err(SealError::Mismatch("wrapped key")) }
    }
    /// What a grant commits to: tagged("intact/wrap/v1", [encoding]).
    pub fn hash(&self) -> Hash32 {
        Hash32(tagged("intact/wrap/v1", &[&self.encode()]))
    }
    /// The one encoding: record, key, suite, varint length, bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(&self.record.0).raw(&self.key.0).u8(self.suite).bytes(&self.sealed);
        out.finish()
    }
    /// Reads the one encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let mut from = Reader::new(bytes, "wrap");
        let wrap = Self {
            record: RecordId(from.array()?),
            key: KeyId(from.array()?),
            suite: from.u8()?,
            sealed: from.bytes(MAX_WRAP)?.to_vec(),
        };
        from.end()?;
        Ok(wrap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrap_opens_for_its_recipient_alone() {
        let (mine, other) = (Identity::generate(), Identity::generate());
        let record = RecordId([3; 16]);
        let key = RecordKey::from_bytes([5; 32]);
        let wrap = Wrap::seal(&key, record, &mine.recipient()).unwrap();
        assert_eq!(Wrap::decode(&wrap.encode()), Ok(wrap.clone()));
        assert!(wrap.open(&[&other]).is_err());
        assert_eq!(wrap.open(&[&other, &mine]).unwrap().as_bytes(), key.as_bytes());
        let elsewhere = Wrap { record: RecordId([4; 16]), ..wrap };
        assert!(elsewhere.open(&[&mine]).is_err());
    }

    #[test]
    fn a_header_without_end_is_capped() {
        let endless = std::io::repeat(b'a');
        assert_eq!(capped_header(&mut { endless }).unwrap_err(), SealError::TooLarge("age header"));
        let many = format!("age-encryption.org/v1\n{}---\n", "-> X a\n\n".repeat(300));
        assert_eq!(capped_header(&mut many.as_bytes()).unwrap_err(), SealError::TooLarge("age stanzas"));
    }
}
