//! What a court's own machine has must agree with us: ssh-keygen, sha256sum, sha512sum.
//!
//! A tool that is absent fails the test.

#[path = "support/story.rs"]
mod story;
mod support;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use dossier::sshsig::{self, NAMESPACE, SshSig};

fn run(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the tool is on the machine").success()
}

fn keygen_accepts(signers: &Path, signature: &Path, message: &Path) -> bool {
    run(Command::new("ssh-keygen")
        .args(["-Y", "verify", "-n", NAMESPACE, "-I", "court", "-f"])
        .arg(signers)
        .arg("-s")
        .arg(signature)
        .stdin(File::open(message).expect("a file")))
}

#[test]
fn ssh_keygen_accepts_our_signatures() {
    let temp = tempfile::tempdir().expect("temporary folder");
    let root = temp.path().join("bag");
    support::synthetic(&root);
    let signers = root.join("signatures/signers");
    let signature = root.join("signatures/tagmanifest-sha256.txt.court.sig");
    assert!(keygen_accepts(&signers, &signature, &root.join("tagmanifest-sha256.txt")));
    assert!(!keygen_accepts(&signers, &signature, &root.join("bagit.txt")));
    assert!(keygen_accepts(
        &signers,
        &root.join(dossier::seal_file::SEAL_SIGNATURE),
        &root.join(dossier::seal_file::SEAL)
    ));
}

#[test]
fn we_accept_what_ssh_keygen_signs() {
    let temp = tempfile::tempdir().expect("temporary folder");
    let key = temp.path().join("key");
    let message = temp.path().join("message");
    fs::write(&message, "a message\n").expect("a file");
    assert!(run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(&key)));
    assert!(run(Command::new("ssh-keygen").args(["-Y", "sign", "-n", NAMESPACE, "-f"]).arg(&key).arg(&message)));
    let armored = fs::read(temp.path().join("message.sig")).expect("a signature");
    let parsed = SshSig::parse(&armored).expect("the same encoding as ours");
    assert_eq!(parsed.armor().into_bytes(), armored);
    assert!(parsed.verify(&sshsig::sha512(b"a message\n")).is_ok());
    // The fingerprint is the one that ssh-keygen shows.
    let shown = Command::new("ssh-keygen").arg("-lf").arg(key.with_extension("pub")).output().expect("ssh-keygen");
    assert!(String::from_utf8_lossy(&shown.stdout).contains(&sshsig::fingerprint(&parsed.key)));
}

#[test]
fn sums_agree() {
    let temp = tempfile::tempdir().expect("temporary folder");
    let root = temp.path().join("bag");
    support::synthetic(&root);
    let lists = [
        ("sha256sum", "manifest-sha256.txt"),
        ("sha512sum", "manifest-sha512.txt"),
        ("sha256sum", "tagmanifest-sha256.txt"),
        ("sha256sum", "signatures/seal.txt"),
    ];
    for (tool, list) in lists {
        assert!(run(Command::new(tool).args(["-c", "--strict", list]).current_dir(&root)), "{tool} {list}");
    }
    fs::write(root.join("data/README.txt"), "changed").expect("a file");
    assert!(!run(Command::new("sha256sum").args(["-c", "manifest-sha256.txt"]).current_dir(&root)));
}

/// A time stamp by an authority made here; the command is the one in README.txt.
#[test]
fn openssl_accepts_an_enclosed_time_stamp() {
    let temp = tempfile::tempdir().expect("temporary folder");
    let at = |name: &str| temp.path().join(name);
    // RSA: the time stamps of OpenSSL 3.0 cannot be signed with Ed25519.
    fs::write(at("tsa.cnf"), TSA).expect("a file");
    let openssl = |arguments: &[&str]| {
        let status = Command::new("openssl").args(arguments).current_dir(temp.path()).stderr(Stdio::null()).status();
        assert!(status.expect("openssl is on the machine").success(), "openssl {arguments:?}");
    };
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "tsa.pem",
        "-subj",
        "/CN=TSA",
        "-days",
        "3650",
        "-config",
        "tsa.cnf",
        "-extensions",
        "tsa_cert",
    ]);
    fs::write(at("serial"), "01").expect("a file");
    let mut stamp = |tagmanifest: &[u8]| {
        fs::write(at("tagmanifest"), tagmanifest).expect("a file");
        openssl(&["ts", "-query", "-data", "tagmanifest", "-sha256", "-cert", "-out", "query"]);
        openssl(&["ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply"]);
        let read = |name: &str| fs::read(at(name)).map_err(|error| error.to_string());
        Ok(vec![
            ("tagmanifest-sha256.txt.tsr".to_owned(), read("reply")?),
            ("tsa-chain.pem".to_owned(), read("tsa.pem")?),
        ])
    };
    let story = story::Story::new();
    let out = temp.path().join("dossier");
    let source = dossier::DossierSource { stamp: Some(&mut stamp), ..story.source() };
    dossier::export(source, &out).expect("an export");
    assert_eq!(dossier::verify(&out, &story.trust()).verdict, dossier::Outcome::Intact);
    let readme = fs::read_to_string(out.join("data/README.txt")).expect("a file").replace("\\\n", " ");
    let command = readme.lines().find(|line| line.trim().starts_with("openssl ts")).expect("a command");
    let got = Command::new("sh").args(["-c", command]).current_dir(&out).output().expect("a shell");
    assert!(got.status.success(), "{command}: {}", String::from_utf8_lossy(&got.stderr));
}

const TSA: &str = "\
[req]
distinguished_name = name
[name]
[tsa_cert]
basicConstraints = critical, CA:true
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = authority
[authority]
serial = serial
signer_cert = tsa.pem
certs = tsa.pem
signer_key = key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
";
