//! Where the test material by others lies, and a small sealed bag to tamper with.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use dossier::bag::{BagWriter, Findings, Rules, examine};
use dossier::sshsig::{self, NAMESPACE, SshSig};
use dossier::{archive::Tree, seal_file};
use seal::sign::SigningKey;

/// A folder of the shared test material. Absent material fails the test: skipping in silence would be a lie.
pub fn external(name: &str) -> PathBuf {
    let root = std::env::var_os("INTACT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = root.join("external").join(name);
    assert!(
        folder.is_dir(),
        "the test material {} is absent: set INTACT_SHARED to the folder that holds external/",
        folder.display()
    );
    folder
}

/// The key that seals the synthetic bag.
pub fn key() -> SigningKey {
    SigningKey::from_seed(&[42; 32])
}

/// Writes a small bag with payload, signature and seal.
pub fn synthetic(root: &Path) {
    let mut writer = BagWriter::create(root).expect("fresh folder");
    for (path, text) in [
        ("data/README.txt", "what this is\n"),
        ("data/case/0001.json", "{\"v\":1}"),
        ("data/case/0002.json", "{\"v\":2}"),
        ("data/case/empty", ""),
        ("data/evidence/one/original.bin", "\u{0}\u{1}\u{2}"),
    ] {
        writer.add_bytes(path, text.as_bytes()).expect("payload");
    }
    let labels = ["Source-Organization", "Bagging-Date", "External-Identifier", "Internal-Sender-Description"];
    let labels = labels.into_iter().chain(["Bag-Software-Agent"]);
    let info: Vec<_> = labels.map(|label| (label.to_owned(), "Court".to_owned())).collect();
    let written = writer.finish(&info).expect("tag files");
    let signature = SshSig::sign(&key(), NAMESPACE, &sshsig::sha512(&written.tagmanifest));
    let files = [
        ("tagmanifest-sha256.txt.court.sig".to_owned(), signature.armor().into_bytes()),
        ("signers".to_owned(), sshsig::allowed_signer("court", &key().public()).into_bytes()),
    ];
    seal_file::write(root, &files, &key()).expect("seal");
}

/// Whether nothing breaks a rule of bags.
pub fn is_valid(findings: &Findings) -> bool {
    findings.problems.is_empty()
}

/// Whether bag, signature and seal hold.
pub fn is_sound(place: &Path) -> bool {
    let Ok(tree) = Tree::open(place) else { return false };
    let Ok(findings) = examine(&tree, Rules::Dossier, |p| seal_file::needs(p) || !p.as_str().contains('/')) else {
        return false;
    };
    let mut problems = Vec::new();
    let sealed = seal_file::check(&findings, &mut problems);
    let kept = |name: &str| findings.kept.iter().find(|(path, _)| path.as_str() == name).map(|(_, bytes)| bytes);
    let signed = kept("signatures/tagmanifest-sha256.txt.court.sig").zip(kept("tagmanifest-sha256.txt")).is_some_and(
        |(signature, list)| {
            SshSig::parse(signature).is_ok_and(|s| s.key == key().public() && s.verify(&sshsig::sha512(list)).is_ok())
        },
    );
    is_valid(&findings) && problems.is_empty() && sealed == Some(key().public()) && signed
}

/// Every file under `root`, relative, sorted.
pub fn files(root: &Path) -> Vec<String> {
    let tree = Tree::open(root).expect("a folder");
    tree.files().map(|(path, _)| path.to_string()).collect()
}
