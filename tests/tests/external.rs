//! The product against test material written by others: signatures, ciphers, age files, naughty text.
//!
//! The material is read from the shared folder and never copied. Where it is absent these tests fail:
//! a test that skips in silence says nothing. BagIt bags and hostile archives run in the dossier's tests.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use intact_tests::shared;
use logbook::action::{Amend, Invalid, Note};
use logbook::field::{self, FieldError, FieldValue, MAX_TEXT};
use logbook::{Action, Entry};
use seal::id::{from_hex, to_hex};
use seal::record_key::{xchacha_open, xchacha_seal};
use seal::sign::verify_raw;
use seal::wrap::open_reader;
use seal::{Identity, SealError, Signature};
use serde_json::Value;

/// Every folder of the material, and which test reads it; a folder that nobody reads fails.
const FOLDERS: &[(&str, &str)] = &[
    ("bagit", "crates/dossier/tests/bagit_suite.rs"),
    ("blns", "naughty_text_survives_unchanged"),
    ("cap12", "none: nothing here writes CAP in these tests"),
    ("cctv-age-half", "age_files_open_only_where_they_should"),
    ("ed25519-speccheck", "edge_signatures_give_the_strict_row"),
    ("hostile-archives", "crates/dossier/tests/hostile_archives.rs"),
    ("wycheproof", "three tests, one per file"),
];

fn folder(name: &str) -> PathBuf {
    let folder = shared().join("external").join(name);
    assert!(folder.is_dir(), "the test material is not at {}: set INTACT_SHARED", folder.display());
    folder
}

/// The names in a folder, without what is only about it.
fn names(name: &str) -> BTreeSet<String> {
    let listed = std::fs::read_dir(folder(name)).expect("the folder can be listed");
    let names = listed.map(|item| item.unwrap().file_name().into_string().expect("a UTF-8 name"));
    names.filter(|name| !name.starts_with("LICENSE") && !name.starts_with("README")).collect()
}

fn json(folder_name: &str, file: &str) -> Value {
    let bytes = std::fs::read(folder(folder_name).join(file)).expect("the file is there");
    serde_json::from_slice(&bytes).expect("the file is JSON")
}

/// Hex of any length.
fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hex text");
    assert!(text.len().is_multiple_of(2), "whole bytes");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// Each case of a file with its group, and the number of cases that the file announces.
fn wycheproof(file: &str) -> (Vec<(Value, Value)>, usize) {
    let mut whole = json("wycheproof", file);
    let announced = whole["numberOfTests"].as_u64().expect("a count") as usize;
    let Value::Array(groups) = whole["testGroups"].take() else { panic!("groups") };
    let mut cases = Vec::new();
    for mut group in groups {
        let Value::Array(tests) = group["tests"].take() else { panic!("tests") };
        cases.extend(tests.into_iter().map(|test| (group.clone(), test)));
    }
    (cases, announced)
}

#[test]
fn every_folder_has_a_reader() {
    let known: BTreeSet<String> = FOLDERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let listed = std::fs::read_dir(shared().join("external")).expect("the material is there");
    let folders = listed.map(|item| item.unwrap()).filter(|item| item.path().is_dir());
    let found: BTreeSet<String> = folders.map(|item| item.file_name().into_string().unwrap()).collect();
    assert_eq!(found, known);
    let three = ["ed25519_test.json", "x25519_test.json", "xchacha20_poly1305_test.json"];
    assert_eq!(names("wycheproof"), three.map(str::to_owned).into());
    assert_eq!(names("ed25519-speccheck"), ["cases.json".to_owned()].into());
    // The text file is the source of the JSON, line for line.
    assert_eq!(names("blns"), ["blns.json".to_owned(), "blns.txt".to_owned()].into());
}

#[test]
fn signatures_agree_with_wycheproof() {
    let (cases, announced) = wycheproof("ed25519_test.json");
    let (mut accepted, mut refused, mut no_signature) = (0, 0, 0);
    for (group, case) in &cases {
        let key: [u8; 32] = hex(&group["publicKey"]["pk"]).try_into().expect("keys have 32 bytes");
        let holds = match <[u8; 64]>::try_from(hex(&case["sig"])) {
            Ok(signature) => verify_raw(&key, &hex(&case["msg"]), &Signature(signature)).is_ok(),
            // The type holds 64 bytes: cut or prolonged signatures cannot even be asked about.
            Err(_) => {
                no_signature += 1;
                false
            }
        };
        let expected = match case["result"].as_str() {
            Some("valid") => true,
            Some("invalid") => false,
            other => panic!("an unknown result: {other:?}"),
        };
        assert_eq!(holds, expected, "case {}: {}", case["tcId"], case["comment"]);
        if holds { accepted += 1 } else { refused += 1 }
    }
    eprintln!("ed25519: {accepted} accepted, {refused} refused, of these {no_signature} by length");
    assert!(accepted > 0 && refused > no_signature && no_signature > 0);
    assert_eq!((accepted + refused, cases.len()), (announced, announced));
}

#[test]
fn edge_signatures_give_the_strict_row() {
    let cases = json("ed25519-speccheck", "cases.json");
    let cases = cases.as_array().expect("a list");
    let row: String = cases
        .iter()
        .map(|case| {
            let key: [u8; 32] = hex(&case["pub_key"]).try_into().expect("32 bytes");
            let signature: [u8; 64] = hex(&case["signature"]).try_into().expect("64 bytes");
            let holds = verify_raw(&key, &hex(&case["message"]), &Signature(signature)).is_ok();
            if holds { 'V' } else { 'X' }
        })
        .collect();
    // Weak keys and weak commitments, scalars out of range, encodings that are not canonical, and what
    // only a verifier with cofactor takes: all refused. The one accepted is of mixed order, and holds.
    assert_eq!(row, "XXXXXXXVXXXXXXX");
    eprintln!("speccheck: {row}");
}

#[test]
fn the_cipher_agrees_with_wycheproof() {
    let (cases, announced) = wycheproof("xchacha20_poly1305_test.json");
    let (mut opened, mut refused, mut no_nonce) = (0, 0, 0);
    for (_, case) in &cases {
        let valid = case["result"] == "valid";
        let key: [u8; 32] = hex(&case["key"]).try_into().expect("keys have 32 bytes");
        let Ok(nonce) = <[u8; 24]>::try_from(hex(&case["iv"])) else {
            // The type holds 24 bytes: another length cannot even be asked about.
            assert!(!valid, "case {}", case["tcId"]);
            no_nonce += 1;
            continue;
        };
        let (aad, plain) = (hex(&case["aad"]), hex(&case["msg"]));
        let sealed = [hex(&case["ct"]), hex(&case["tag"])].concat();
        let comment = format!("case {}: {}", case["tcId"], case["comment"]);
        if valid {
            assert_eq!(xchacha_open(&key, &nonce, &aad, &sealed).as_ref(), Ok(&plain), "{comment}");
            assert_eq!(xchacha_seal(&key, &nonce, &aad, &plain), Ok(sealed), "{comment}");
            opened += 1;
        } else {
            assert_eq!(xchacha_open(&key, &nonce, &aad, &sealed), Err(SealError::Decrypt), "{comment}");
            assert_ne!(xchacha_seal(&key, &nonce, &aad, &plain), Ok(sealed), "{comment}");
            refused += 1;
        }
    }
    eprintln!("xchacha20-poly1305: {opened} opened, {refused} refused, {no_nonce} have no nonce of 24 bytes");
    assert!(opened > 0 && refused > 0 && no_nonce > 0);
    assert_eq!((opened + refused + no_nonce, cases.len()), (announced, announced));
}

/// Base64 without padding, as age writes shares.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().chain([0, 0].iter()).take(3).fold(0usize, |word, byte| word << 8 | *byte as usize);
        let letters = [18, 12, 6, 0].map(|shift| LETTERS[word >> shift & 63] as char);
        text.extend(&letters[..three.len() + 1]);
    }
    text
}

/// No interface of ours takes a raw X25519 point: the curve works inside age alone, and what it
/// computes cannot be read out. So the shared secrets of the file are not compared. What can be
/// asked through our own front is asked of every case: its public as the share of an age stanza,
/// its private as the identity. A point of low order is refused as malformed, whatever else the file
/// says; any other gives a secret under which this stanza's arbitrary body does not open: no key.
#[test]
fn points_of_low_order_are_refused_as_shares() {
    let (cases, announced) = wycheproof("x25519_test.json");
    let (mut low, mut other) = (0, 0);
    for (_, case) in &cases {
        let private: [u8; 32] = hex(&case["private"]).try_into().expect("32 bytes");
        let identity = Identity::from_bytes(&private).expect("any 32 bytes are a secret");
        let share = base64(&hex(&case["public"]));
        let (body, mac) = (base64(&[7; 32]), base64(&[9; 32]));
        let file = format!("age-encryption.org/v1\n-> X25519 {share}\n{body}\n--- {mac}\n0123456789abcdef");
        let error = open_reader(&[&identity], file.as_bytes()).err().expect("this file opens for nobody");
        let zero = case["shared"].as_str().unwrap().bytes().all(|digit| digit == b'0');
        let flagged = case["flags"].as_array().unwrap().iter().any(|flag| flag == "ZeroSharedSecret");
        assert_eq!(zero, flagged, "case {}", case["tcId"]);
        let expected = if zero { SealError::Malformed("age header") } else { SealError::NoKey };
        assert_eq!(error, expected, "case {}: {}", case["tcId"], case["comment"]);
        if zero { low += 1 } else { other += 1 }
    }
    eprintln!("x25519: {low} points of low order refused, {other} others gave a key that does not open");
    assert!(low > 0 && other > 0);
    assert_eq!((low + other, cases.len()), (announced, announced));
}

/// Armour, which nothing of ours writes: our files are binary, so the first line is already wrong.
const ARMOUR: &str = "armoured";
/// A passphrase stanza: ours go through Argon2id, and a file could ask for any amount of work.
const SCRYPT: &str = "passphrase stanza";
/// The hybrid stanza, which the age crate does not have.
const HYBRID: &str = "hybrid identity";

/// What our front to age does not open, whatever the vector expects.
const NOT_OPENED: &[(&str, &str)] = &[
    ("armor_empty_last_line", ARMOUR),
    ("armor_empty_line_begin", ARMOUR),
    ("armor_empty_line_end", ARMOUR),
    ("armor_eol_between_padding", ARMOUR),
    ("armor_full_last_line", ARMOUR),
    ("armor_garbage_leading", ARMOUR),
    ("armor_garbage_trailing", ARMOUR),
    ("armor_header_crlf", ARMOUR),
    ("armor_invalid_character_header", ARMOUR),
    ("armor_no_end_line", ARMOUR),
    ("armor_no_eol", ARMOUR),
    ("armor_pgp_checksum", ARMOUR),
    ("armor_short_line", ARMOUR),
    ("armor_whitespace_begin", ARMOUR),
    ("armor_whitespace_end", ARMOUR),
    ("armor_whitespace_line_start", ARMOUR),
    ("armor_wrong_type", ARMOUR),
    ("hybrid_bad_tag", HYBRID),
    ("hybrid_extra_argument", HYBRID),
    ("hybrid_identity", HYBRID),
    ("hybrid_no_match", HYBRID),
    ("hybrid_not_canonical_enc", HYBRID),
    ("scrypt_and_x25519", SCRYPT),
    ("scrypt_bad_tag", SCRYPT),
    ("scrypt_double", SCRYPT),
    ("scrypt_not_canonical_body", SCRYPT),
    ("scrypt_salt_long", SCRYPT),
    ("scrypt_salt_short", SCRYPT),
    ("scrypt_uppercase", SCRYPT),
    ("scrypt_work_factor_leading_garbage", SCRYPT),
    ("scrypt_work_factor_leading_plus", SCRYPT),
    ("scrypt_work_factor_missing", SCRYPT),
    ("scrypt_work_factor_negative", SCRYPT),
];

/// A vector: its header, and the age file.
struct Vector {
    header: BTreeMap<String, Vec<String>>,
    file: Vec<u8>,
}

impl Vector {
    fn read(name: &str) -> Self {
        let bytes = std::fs::read(folder("cctv-age-half").join(name)).expect("the vector is there");
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").expect("an empty line ends the header");
        let text = std::str::from_utf8(&bytes[..end]).expect("a textual header");
        let mut header: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in text.lines() {
            let (key, value) = line.split_once(": ").expect("a key and a value");
            header.entry(key.to_owned()).or_default().push(value.to_owned());
        }
        let known = ["expect", "compressed", "payload", "identity", "passphrase", "armored", "file key", "comment"];
        assert!(header.keys().all(|key| known.contains(&key.as_str())), "{name}: {:?}", header.keys());
        let file = match header.get("compressed").map(|values| values[0].as_str()) {
            None => bytes[end + 2..].to_vec(),
            Some("zlib") => inflate(&bytes[end + 2..]),
            Some(other) => panic!("{name}: compressed with {other}"),
        };
        Self { header, file }
    }
    fn one(&self, key: &str) -> Option<&str> {
        self.header.get(key).map(|values| values[0].as_str())
    }
    /// Why our front does not open such a file, if that is so.
    fn foreign(&self) -> Option<&'static str> {
        if self.one("armored") == Some("yes") {
            Some(ARMOUR)
        } else if self.one("passphrase").is_some() {
            Some(SCRYPT)
        } else if self.one("identity").is_some_and(|identity| identity.to_uppercase().contains("-PQ-")) {
            Some(HYBRID)
        } else {
            None
        }
    }
}

/// Undoes zlib by another's hand: no crate of ours has it, and it matters to these vectors alone.
fn inflate(bytes: &[u8]) -> Vec<u8> {
    let script = "import sys,zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))";
    let mut python = Command::new("python3");
    python.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().expect("python3 runs");
    python.stdin.take().expect("piped").write_all(bytes).expect("python3 reads all of it first");
    let done = python.wait_with_output().expect("python3 ends");
    assert!(done.status.success(), "the vector inflates");
    done.stdout
}

#[test]
fn age_files_open_only_where_they_should() {
    let not_opened: BTreeMap<&str, &str> = NOT_OPENED.iter().copied().collect();
    let found = names("cctv-age-half");
    let stranger = Identity::generate();
    let (mut run, mut successes, mut foreign) = (0, 0, BTreeMap::new());
    for name in &found {
        let vector = Vector::read(name);
        let expect = vector.one("expect").expect("every vector expects something");
        let reason = vector.foreign();
        assert_eq!(not_opened.get(name.as_str()).copied(), reason, "{name}: what is not opened is listed");
        if let Some(reason) = reason {
            foreign.insert(name.clone(), reason);
        }
        let given = vector.header.get("identity").into_iter().flatten();
        let mut identities = vec![stranger.clone()];
        for text in given {
            match Identity::from_secret_str(text) {
                Ok(identity) => identities.push(identity),
                Err(error) => {
                    assert_eq!(error, SealError::Malformed("age identity"));
                    let unknown = reason == Some(HYBRID) || expect == "header failure";
                    assert!(unknown, "{name}: an identity was refused");
                }
            }
        }
        let identities: Vec<&Identity> = identities.iter().collect();
        let mut released = Vec::new();
        let outcome = match open_reader(&identities, vector.file.as_slice()) {
            Ok(mut reader) => reader.read_to_end(&mut released).map(|_| ()).map_err(|_| SealError::Decrypt),
            Err(error) => Err(error),
        };
        eprintln!("{name}: expect {expect}: {outcome:?}");
        assert_eq!(outcome.is_ok(), expect == "success" && reason.is_none(), "{name}: expect {expect}: {outcome:?}");
        match (&outcome, reason, expect) {
            (Ok(()), ..) => successes += 1,
            // What this front cannot do is refused before anything is released.
            (Err(_), Some(_), _) => assert!(released.is_empty(), "{name}"),
            (Err(error), None, "no match") => assert_eq!(*error, SealError::NoKey, "{name}"),
            (Err(error), None, "payload failure") => {
                assert!(matches!(error, SealError::Decrypt | SealError::Stream(_)), "{name}: {error:?}");
            }
            (Err(_), None, "header failure" | "HMAC failure") => assert!(released.is_empty(), "{name}"),
            (Err(error), None, other) => panic!("{name}: expect {other}: {error:?}"),
        }
        if let (Some(payload), None) = (vector.one("payload"), reason) {
            // Whatever was released, even before a failure, is as it was sealed.
            assert_eq!(to_hex(&seal::hash::sha256(&released)), payload, "{name}: what was released");
        }
        run += 1;
    }
    let listed: BTreeMap<String, &str> = not_opened.iter().map(|(name, why)| ((*name).to_owned(), *why)).collect();
    assert_eq!(foreign, listed, "each name in the list is a vector");
    let files = std::fs::read_dir(folder("cctv-age-half")).unwrap().count();
    eprintln!("age: {run} of {files} files, {successes} opened, {} not for this front", foreign.len());
    assert!(run > 0 && successes > 0);
    assert_eq!(run, files - 1, "every file but the README is a vector, and was run");
}

#[test]
fn naughty_text_survives_unchanged() {
    let list = json("blns", "blns.json");
    let strings: Vec<&str> = list.as_array().expect("a list").iter().map(|text| text.as_str().expect("text")).collect();
    let salt = from_hex("000102030405060708090a0b0c0d0e0f").unwrap();
    let (mut kept, mut refused) = (0, 0);
    for text in &strings {
        let action = Action::Note(Note { text: (*text).to_owned() });
        if text.chars().all(char::is_whitespace) || text.len() > MAX_TEXT {
            assert_eq!(action.validate(), Err(Invalid::Bound("note")), "{text:?}");
            assert!(Entry::decode(&Entry::new(salt, action).encode()).is_err(), "{text:?}");
            refused += 1;
        } else {
            assert_eq!(action.validate(), Ok(()), "{text:?}");
            let entry = Entry::new(salt, action);
            let bytes = entry.encode();
            let back = Entry::decode(&bytes).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            let Action::Note(note) = &back.action else { panic!("a note") };
            assert_eq!(note.text.as_bytes(), text.as_bytes());
            assert_eq!(back.encode(), bytes);
            assert!(Entry::fields_root(&salt, &bytes).is_ok(), "{text:?}");
            kept += 1;
        }
        as_fields(text, salt);
    }
    // The list holds nothing over the bound, so one is made of it.
    let long = strings.concat().repeat(8);
    assert!(long.len() > MAX_TEXT);
    assert_eq!(Action::Note(Note { text: long.clone() }).validate(), Err(Invalid::Bound("note")));
    assert_eq!(field::parse("description", &long), Err(FieldError::Bound("description".into())));
    eprintln!("naughty strings: {kept} kept, {refused} refused as empty");
    assert!(kept > 0 && refused > 0);
    assert_eq!(kept + refused, strings.len());
}

/// The same text as the value of a known long, a known short and an unknown field.
fn as_fields(text: &str, salt: [u8; 16]) {
    let value = FieldValue::Text(text.to_owned());
    assert_eq!(field::parse("description", text), Ok(value.clone()));
    let over = (text.len() > 300).then(|| FieldError::Bound("summary".into()));
    assert_eq!(field::parse("summary", text).err(), over, "{text:?}");
    let set = [("description".to_owned(), value.clone()), ("from_elsewhere".to_owned(), value)].into();
    assert_eq!(field::check(&set), Ok(()));
    let entry = Entry::new(salt, Action::Amend(Amend { set, settles: vec![] }));
    let bytes = entry.encode();
    assert_eq!(Entry::decode(&bytes).as_ref(), Ok(&entry), "{text:?}");
    // A code is visible ASCII, whatever the text.
    let code = (1..=96).contains(&text.len()) && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    assert_eq!(field::parse("category", text).is_ok(), code, "{text:?}");
}
