//! What a court's own machine has must agree with us: ssh-keygen, sha256sum, sha512sum.
//!
//! A tool that is absent fails the test.

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
