//! Every flipped bit, and every truncated, dropped, added, renamed or swapped file is detected.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use proptest::prelude::*;

fn pristine() -> &'static (tempfile::TempDir, PathBuf) {
    static PLACE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    PLACE.get_or_init(|| {
        let temp = tempfile::tempdir().expect("temporary folder");
        let root = temp.path().join("bag");
        support::synthetic(&root);
        (temp, root)
    })
}

fn copy() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().expect("temporary folder");
    let to = temp.path().join("bag");
    let from = &pristine().1;
    for name in support::files(from) {
        let place = to.join(&name);
        fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        fs::copy(from.join(name), place).expect("a copy");
    }
    (temp, to)
}

#[test]
fn untouched_it_is_sound() {
    let (_temp, root) = copy();
    assert!(support::is_sound(&root));
}

#[test]
fn a_bit_in_every_byte() {
    let (_temp, root) = copy();
    for name in support::files(&root) {
        let place = root.join(&name);
        let bytes = fs::read(&place).expect("a file");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << ((at * 5) % 8);
            fs::write(&place, &changed).expect("a file");
            assert!(!support::is_sound(&root), "{name}, byte {at}");
        }
        fs::write(&place, &bytes).expect("a file");
    }
    assert!(support::is_sound(&root));
}

#[test]
fn every_bit_of_the_last_signature() {
    let (_temp, root) = copy();
    let place = root.join(dossier::seal_file::SEAL_SIGNATURE);
    let bytes = fs::read(&place).expect("a file");
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fs::write(&place, &changed).expect("a file");
        assert!(!support::is_sound(&root), "bit {bit}");
    }
}

#[test]
fn every_file_dropped_cut_renamed_or_emptied() {
    let (_temp, root) = copy();
    for name in support::files(&root) {
        let place = root.join(&name);
        let bytes = fs::read(&place).expect("a file");
        fs::remove_file(&place).expect("a file");
        assert!(!support::is_sound(&root), "{name} dropped");
        let other = place.with_extension("renamed");
        fs::write(&other, &bytes).expect("a file");
        assert!(!support::is_sound(&root), "{name} renamed");
        fs::remove_file(other).expect("a file");
        if !bytes.is_empty() {
            fs::write(&place, &bytes[..bytes.len() - 1]).expect("a file");
            assert!(!support::is_sound(&root), "{name} cut");
        }
        fs::write(&place, [bytes.as_slice(), b"\n"].concat()).expect("a file");
        assert!(!support::is_sound(&root), "{name} longer");
        fs::write(&place, &bytes).expect("a file");
    }
    assert!(support::is_sound(&root));
}

#[test]
fn anything_added() {
    let (_temp, root) = copy();
    for name in [
        "added",
        "data/added",
        "data/case/added",
        "signatures/added",
        "manifest-md5.txt",
        "fetch.txt",
        "tagmanifest-sha512.txt",
    ] {
        fs::write(root.join(name), "").expect("a file");
        assert!(!support::is_sound(&root), "{name}");
        fs::remove_file(root.join(name)).expect("a file");
    }
    fs::create_dir(root.join("data/nothing")).expect("a folder");
    assert!(!support::is_sound(&root), "an empty folder");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn two_files_swapped(a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let (_temp, root) = copy();
        let names = support::files(&root);
        let (a, b) = (a.get(&names), b.get(&names));
        let (x, y) = (fs::read(root.join(a)).expect("a file"), fs::read(root.join(b)).expect("a file"));
        fs::write(root.join(a), &y).expect("a file");
        fs::write(root.join(b), &x).expect("a file");
        prop_assert_eq!(support::is_sound(&root), x == y, "{} and {}", a, b);
    }

    #[test]
    fn any_range_overwritten(file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 1..32)) {
        let (_temp, root) = copy();
        let names = support::files(&root);
        let place = root.join(file.get(&names));
        let bytes = fs::read(&place).expect("a file");
        let mut changed = bytes.clone();
        let at = if bytes.is_empty() { 0 } else { at.index(bytes.len()) };
        let end = (at + with.len()).min(changed.len());
        changed.splice(at..end, with);
        fs::write(&place, &changed).expect("a file");
        prop_assert_eq!(support::is_sound(&root), bytes == changed);
    }
}

/// Someone else's seal over a changed bag is another key, and says so.
#[test]
fn sealed_again_by_another() {
    let (_temp, root) = copy();
    let list = fs::read(root.join(dossier::seal_file::SEAL)).expect("a file");
    let other = seal::sign::SigningKey::from_seed(&[43; 32]);
    let signature = dossier::sshsig::SshSig::sign(&other, dossier::sshsig::NAMESPACE, &dossier::sshsig::sha512(&list));
    fs::write(root.join(dossier::seal_file::SEAL_SIGNATURE), signature.armor()).expect("a file");
    assert!(!support::is_sound(Path::new(&root)));
}
