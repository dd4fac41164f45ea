//! Test material by others, walked from its folders: a file that no test ran is a failure. (BagIt and
//! the hostile archives are run beside the reader that they exercise.)

use std::io::Read;

use intact_tests::shared;
use logbook::action::{Action, Note};
use logbook::{Entry, FieldValue, field};
use seal::{Identity, SealError, Signature};
use serde_json::Value;

fn json(path: &str) -> Value {
    let path = shared().join("external").join(path);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap()
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

#[test]
fn every_vector_folder_has_a_test() {
    let mut found: Vec<String> = std::fs::read_dir(shared().join("external/wycheproof"))
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    found.sort();
    // X25519 itself is age's; it is exercised through age's own vectors below, low-order shares included.
    assert_eq!(found, ["ed25519_test.json", "x25519_test.json", "xchacha20_poly1305_test.json"]);
}

#[test]
fn wycheproof_ed25519() {
    let file = json("wycheproof/ed25519_test.json");
    let mut run = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key: [u8; 32] = hex(&group["publicKey"]["pk"]).try_into().unwrap();
        for case in group["tests"].as_array().unwrap() {
            run += 1;
            let signature: Result<[u8; 64], _> = hex(&case["sig"]).try_into();
            let holds = signature
                .is_ok_and(|bytes| seal::sign::verify_raw(&key, &hex(&case["msg"]), &Signature(bytes)).is_ok());
            assert_eq!(holds, case["result"] == "valid", "{}: {}", case["tcId"], case["comment"]);
        }
    }
    assert_eq!(run, file["numberOfTests"].as_u64().unwrap());
}

#[test]
fn wycheproof_xchacha20_poly1305() {
    let file = json("wycheproof/xchacha20_poly1305_test.json");
    let mut run = 0;
    for group in file["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            run += 1;
            let valid = case["result"] == "valid";
            let (Ok(key), Ok(nonce)) =
                (<[u8; 32]>::try_from(hex(&case["key"])), <[u8; 24]>::try_from(hex(&case["iv"])))
            else {
                assert!(!valid, "{}", case["tcId"]);
                continue;
            };
            let (aad, plain) = (hex(&case["aad"]), hex(&case["msg"]));
            let sealed = [hex(&case["ct"]), hex(&case["tag"])].concat();
            let opened = seal::record_key::xchacha_open(&key, &nonce, &aad, &sealed);
            assert_eq!(opened.ok(), valid.then(|| plain.clone()), "{}", case["tcId"]);
            if valid {
                assert_eq!(
                    seal::record_key::xchacha_seal(&key, &nonce, &aad, &plain).unwrap(),
                    sealed,
                    "{}",
                    case["tcId"]
                );
            }
        }
    }
    assert_eq!(run, file["numberOfTests"].as_u64().unwrap());
}

#[test]
fn ed25519_speccheck_is_strict() {
    let cases = json("ed25519-speccheck/cases.json");
    let row: String = cases
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let key: [u8; 32] = hex(&case["pub_key"]).try_into().unwrap();
            let signature: [u8; 64] = hex(&case["signature"]).try_into().unwrap();
            let holds = seal::sign::verify_raw(&key, &hex(&case["message"]), &Signature(signature)).is_ok();
            if holds { 'V' } else { 'X' }
        })
        .collect();
    // Of the fifteen, those with a key or a commitment of small order, with a scalar over the order,
    // with an encoding that is not canonical, and those that hold only under a cofactored equation are
    // refused; the one that a strict, cofactorless check takes is case 7. The verifier calls the same
    // function, so its row is this one.
    assert_eq!(row, "XXXXXXXVXXXXXXX");
}

/// Vectors that age's crate could open and our front refuses, by design.
const REFUSED: &[&str] = &["armor_", "scrypt_", "hybrid_"];

/// Some vectors are kept compressed; Python's zlib is at hand wherever the story script runs.
fn inflate(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let script = "import sys, zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))";
    let mut child = std::process::Command::new("python3")
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3 runs");
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success());
    done.stdout
}

#[test]
fn cctv_age() {
    let folder = shared().join("external/cctv-age-half");
    let (mut run, mut opened) = (0, 0);
    for item in std::fs::read_dir(&folder).unwrap() {
        let path = item.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("README") {
            continue;
        }
        run += 1;
        let bytes = std::fs::read(&path).unwrap();
        let split = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or_else(|| panic!("{name}: no head"));
        let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
        let mut body = bytes[split + 2..].to_vec();
        let told = |key: &str| head.lines().find_map(|line| line.strip_prefix(&format!("{key}: "))).map(str::to_owned);
        if told("compressed").as_deref() == Some("zlib") {
            let whole = inflate(&body);
            body = whole;
        }
        let identities: Vec<Identity> = head
            .lines()
            .filter_map(|line| line.strip_prefix("identity: "))
            .filter_map(|text| Identity::from_secret_str(text).ok())
            .collect();
        let identities: Vec<&Identity> = identities.iter().collect();
        let mut plain = Vec::new();
        let outcome = seal::wrap::open_reader(&identities, body.as_slice())
            .and_then(|mut reader| reader.read_to_end(&mut plain).map_err(|_| SealError::Decrypt));
        let expected = told("expect").unwrap() == "success" && !REFUSED.iter().any(|prefix| name.starts_with(prefix));
        assert_eq!(outcome.is_ok(), expected, "{name}: {outcome:?}");
        if let (true, Some(hash)) = (expected, told("payload")) {
            assert_eq!(seal::id::to_hex(&seal::hash::sha256(&plain)), hash, "{name}");
            opened += 1;
        }
    }
    assert!(run >= 69 && opened > 0, "{run} run, {opened} opened");
}

#[test]
fn naughty_strings_come_back_byte_for_byte() {
    let strings = json("blns/blns.json");
    let strings = strings.as_array().unwrap();
    assert!(strings.len() > 400);
    for text in strings.iter().map(|text| text.as_str().unwrap()) {
        let entry = Entry::new([7; 16], Action::Note(Note { text: text.to_owned() }));
        let bytes = entry.encode();
        // An empty note says nothing and is refused; everything else returns as it was.
        if text.trim().is_empty() {
            assert!(Entry::decode(&bytes).is_err(), "{text:?}");
        } else {
            assert_eq!(Entry::decode(&bytes).unwrap(), entry, "{text:?}");
        }
        assert_eq!(field::parse("description", text).unwrap(), FieldValue::Text(text.to_owned()));
    }
}
