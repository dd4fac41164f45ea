//! The command as scripts rely on it: first line, exit status, one JSON document.

#[path = "../../dossier/tests/support/story.rs"]
mod story;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use story::Story;

fn run(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_intact-verify")).args(arguments).output().expect("the verifier")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit status")
}

fn first_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
}

/// A dossier and its trust file.
fn exported() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let temp = tempfile::tempdir().expect("temporary folder");
    let (out, trust) = (temp.path().join("dossier"), temp.path().join("trust"));
    let story = Story::new();
    story.export(&out);
    std::fs::write(&trust, story.trust()).expect("a file");
    (temp, out, trust)
}

#[test]
fn intact_and_not() {
    let (_temp, out, trust) = exported();
    let arguments = [out.as_path(), Path::new("--trust"), &trust];
    let good = run(&arguments);
    assert_eq!((code(&good), first_line(&good).as_str()), (0, "INTACT"));
    let bag = std::fs::read(out.join("bagit.txt")).expect("a file");
    std::fs::write(out.join("data/README.txt"), "other").expect("a file");
    let bad = run(&arguments);
    assert_eq!((code(&bad), first_line(&bad).as_str()), (2, "NOT INTACT"));
    std::fs::remove_file(out.join("bagit.txt")).expect("a file");
    let none = run(&arguments);
    assert_eq!((code(&none), first_line(&none).as_str()), (3, "CANNOT BE READ"));
    assert!(!bag.is_empty());
}

#[test]
fn gaps_have_a_status_of_their_own() {
    let temp = tempfile::tempdir().expect("temporary folder");
    let (out, trust) = (temp.path().join("dossier"), temp.path().join("trust"));
    let story = Story::new();
    let source = dossier::DossierSource { exhibits: Default::default(), ..story.source() };
    dossier::export(source, &out).expect("an export");
    std::fs::write(&trust, story.trust()).expect("a file");
    let output = run(&[&out, Path::new("--trust"), &trust]);
    assert_eq!((code(&output), first_line(&output).as_str()), (1, "INTACT, WITH GAPS"));
}

#[test]
fn json_is_one_document() {
    let (_temp, out, trust) = exported();
    let output = run(&[&out, Path::new("--trust"), &trust, Path::new("--json")]);
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(verdict["verdict"], "INTACT");
    assert_eq!(verdict["entries"], 8);
    assert_eq!(verdict["exhibits"], 2);
    assert_eq!(verdict["problems"], serde_json::json!([]));
    let output = run(&[&out, Path::new("--trust"), Path::new("absent"), Path::new("--json")]);
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!((code(&output), &verdict["verdict"]), (3, &serde_json::json!("CANNOT BE READ")));
    assert!(verdict["problems"][0]["path"].is_string() && verdict["problems"][0]["what"].is_string());
}

#[test]
fn wrong_usage_is_no_verdict() {
    assert_eq!(code(&run(&[])), 64);
    assert_eq!(code(&run(&[Path::new("dossier")])), 64);
    assert_eq!(code(&run(&[Path::new("--nonsense")])), 64);
    assert_eq!(code(&run(&[Path::new("--help")])), 0);
    assert_eq!(code(&run(&[Path::new("--version")])), 0);
}

/// The verifier never writes, not even beside the dossier.
#[cfg(unix)]
#[test]
fn a_read_only_dossier_is_enough() {
    use std::os::unix::fs::PermissionsExt;
    let (temp, out, trust) = exported();
    let lock = |mode| std::fs::set_permissions(&out, std::fs::Permissions::from_mode(mode)).expect("permissions");
    lock(0o555);
    let before = std::fs::read_dir(temp.path()).expect("readable").count();
    let output = run(&[&out, Path::new("--trust"), &trust]);
    lock(0o755);
    assert_eq!(code(&output), 0);
    assert_eq!(before, std::fs::read_dir(temp.path()).expect("readable").count());
}
