//! Archives made to do harm, walked: each is refused, or stays inside its target.

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;

use dossier::archive::{ArchiveError, Tree, unpack, write_tar};
use dossier::bag::{Rules, examine};

/// The peak of this process's memory, in bytes, as Linux counts it.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

#[cfg(not(target_os = "linux"))]
fn peak() -> u64 {
    0
}

#[test]
fn every_hostile_archive_is_refused_or_contained() {
    let folder = support::external("hostile-archives");
    let outer = tempfile::tempdir().expect("temporary folder");
    let before = peak();
    let mut run = 0;
    let files: Vec<_> = fs::read_dir(&folder).expect("readable").map(|item| item.expect("readable").path()).collect();
    for file in &files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let target = outer.path().join("inner").join("target");
        fs::create_dir_all(&target).expect("temporary folder");
        match Tree::open(file) {
            Err(ArchiveError::NotADossier(why)) if name.ends_with(".zip") => {
                assert!(why.contains("zip"), "{name}: {why}")
            }
            other if name.ends_with(".zip") => panic!("{name}: a zip is refused by its first bytes, not {other:?}"),
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(tree) => {
                assert!(examine(&tree, Rules::Dossier, |_| true).is_err(), "{name} passed as a dossier");
                unpack(&tree, &target).expect("a listed tree unpacks");
            }
        }
        let inside = fs::read_dir(outer.path()).expect("readable").count();
        let beside = fs::read_dir(outer.path().join("inner")).expect("readable").count();
        assert_eq!((inside, beside), (1, 1), "{name} wrote outside its target");
        fs::remove_dir_all(outer.path().join("inner")).expect("temporary folder");
        run += 1;
    }
    assert!(run > 0 && run == files.len());
    for place in ["/tmp/moo", "/moo"] {
        assert!(!Path::new(place).exists(), "{place} was written");
    }
    assert!(peak() - before < 64 << 20, "memory grew by {} bytes", peak() - before);
}

/// The tars of the folder that must not even be listed.
#[test]
fn traversal_is_refused_while_listing() {
    let folder = support::external("hostile-archives");
    let mut run = 0;
    for item in fs::read_dir(folder).expect("readable") {
        let path = item.expect("readable").path();
        if path.extension().is_some_and(|e| e == "tar") {
            assert!(Tree::open(&path).is_err(), "{} was listed", path.display());
            run += 1;
        }
    }
    assert!(run > 0);
}

#[test]
fn a_tar_says_the_same_as_its_folder() {
    let temp = tempfile::tempdir().expect("temporary folder");
    let root = temp.path().join("dossier");
    support::synthetic(&root);
    let packed = temp.path().join("dossier.tar");
    let tree = Tree::open(&root).expect("a folder");
    let mut out = fs::File::create(&packed).expect("a file");
    write_tar(&tree, "dossier", &mut out).expect("a tar");
    out.flush().expect("a file");
    assert!(support::is_sound(&root) && support::is_sound(&packed));
    let back = temp.path().join("back");
    unpack(&Tree::open(&packed).expect("a tar"), &back).expect("unpacked");
    assert!(support::is_sound(&back));
    assert_eq!(support::files(&root), support::files(&back));
    assert!(unpack(&tree, &back).is_err(), "a file was replaced");
}

/// A tar that we wrote has no byte without a meaning: each changed bit is refused or makes the bag unsound.
#[test]
fn every_byte_of_a_tar_counts() {
    let temp = tempfile::tempdir().expect("temporary folder");
    let root = temp.path().join("dossier");
    support::synthetic(&root);
    let mut bytes = Vec::new();
    write_tar(&Tree::open(&root).expect("a folder"), "dossier", &mut bytes).expect("a tar");
    let pristine = bytes.clone();
    let place = temp.path().join("changed.tar");
    // Of the zeros that fill most of a tar every fifth will do: 5 divides no field's length.
    for at in (0..bytes.len()).filter(|at| bytes_matter(&pristine, *at)) {
        let bit = 1 << (at % 8);
        bytes[at] ^= bit;
        fs::write(&place, &bytes).expect("a file");
        assert!(!support::is_sound(&place), "byte {at}");
        bytes[at] ^= bit;
    }
    for length in (0..bytes.len()).step_by(97) {
        fs::write(&place, &bytes[..length]).expect("a file");
        assert!(!support::is_sound(&place), "cut to {length}");
    }
}

fn bytes_matter(bytes: &[u8], at: usize) -> bool {
    bytes[at] != 0 || at.is_multiple_of(5)
}

#[test]
fn tars_of_stock_tools_are_read() {
    let temp = tempfile::tempdir().expect("temporary folder");
    let root = temp.path().join("dossier");
    support::synthetic(&root);
    for format in ["ustar", "gnu", "pax"] {
        let packed = temp.path().join(format!("{format}.tar"));
        let status = std::process::Command::new("tar")
            .args(["--format", format, "-C"])
            .arg(temp.path())
            .arg("-cf")
            .arg(&packed)
            .arg("dossier")
            .status()
            .expect("tar is on the machine");
        assert!(status.success());
        assert!(support::is_sound(&packed), "{format}");
    }
}

#[cfg(unix)]
#[test]
fn links_and_pipes_in_a_folder_are_refused() {
    let temp = tempfile::tempdir().expect("temporary folder");
    let root = temp.path().join("dossier");
    support::synthetic(&root);
    std::os::unix::fs::symlink("/etc/hostname", root.join("data/link")).expect("a link");
    assert!(matches!(Tree::open(&root), Err(ArchiveError::NotPlain(_))));
    fs::remove_file(root.join("data/link")).expect("a link");
    std::os::unix::fs::symlink("/etc", root.join("data/linked")).expect("a link");
    assert!(matches!(Tree::open(&root), Err(ArchiveError::NotPlain(_))));
}
