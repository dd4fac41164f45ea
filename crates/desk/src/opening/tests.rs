//! What was sealed, opened by whom it is for, by others, damaged, and made to do harm.

use std::path::PathBuf;

use seal::{KdfCost, Passphrase};
use tempfile::TempDir;

use super::*;
use crate::practice::Practice;
use crate::wire::LogIncident;

/// A practice operation with one incident that has an exhibit, and a folder to work in.
struct Case {
    root: TempDir,
    practice: Practice,
    reference: String,
}

impl Case {
    async fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let pass = Passphrase::new("practice makes the night shorter".into());
        let practice = Practice::found(&root.path().join("vaults"), &pass, KdfCost::DRILL).await.unwrap();
        let incident = serde_json::json!({ "category": "ops:box-tampering", "summary": "Ballot box destroyed" });
        let incident: LogIncident = serde_json::from_value(incident).unwrap();
        let reference = practice.emb.log(incident).await.unwrap().reference;
        practice.emb.add_exhibit(&reference, "photo.jpg", None, [7; 3000].as_slice()).await.unwrap();
        std::fs::create_dir(root.path().join("out")).unwrap();
        Self { root, practice, reference }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("out").join(name)
    }

    /// Names in the working folder, hidden ones included.
    fn names(&self) -> Vec<String> {
        let items = std::fs::read_dir(self.root.path().join("out")).unwrap();
        let mut names: Vec<String> = items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Seals bytes to the court, as anybody could who knows its public key.
    fn sealed(&self, plain: &[u8]) -> PathBuf {
        let (_, identity) = self.practice.court.inner.keys.agency.first().unwrap();
        let path = self.path("sealed");
        std::fs::write(&path, seal::wrap::seal_bytes(&[identity.recipient()], plain).unwrap()).unwrap();
        path
    }
}

/// One entry of a tar, with its header as POSIX spells it.
fn entry(name: &str, kind: u8, link: &str, content: &[u8]) -> Vec<u8> {
    let mut block = [0; 512];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(157, link);
    put(257, "ustar\x0000");
    block[156] = kind;
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = block.to_vec();
    out.extend(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

#[tokio::test]
async fn it_opens_for_its_addressee_and_nobody_else() {
    let case = Case::new().await;
    let (emb, court, file) = (&case.practice.emb, &case.practice.court, case.path("case.dossier"));
    let names = [case.reference.clone()];
    let report = emb.export_dossier(&names, &file, Some("court"), true).await.unwrap();
    assert_eq!(report.dossier, file.display().to_string());
    assert_eq!(case.names(), ["case.dossier"]);
    let kept = std::fs::read_dir(emb.dir()).unwrap();
    let plain = kept.filter(|item| item.as_ref().unwrap().file_name().to_string_lossy().starts_with(".dossier"));
    assert_eq!(plain.count(), 0, "its plain form stayed behind");
    // A sealed file is never replaced.
    let again = emb.export_dossier(&names, &file, Some("court"), true).await.unwrap_err();
    assert_eq!(again.code, Code::Usage);

    let refused = case.practice.police.open_dossier(&file, &case.path("opened")).await.unwrap_err();
    assert_eq!(refused.code, Code::NotAllowed);
    assert_eq!(case.names(), ["case.dossier"]);

    let opened = court.open_dossier(&file, &case.path("opened")).await.unwrap();
    assert_eq!((opened.verdict.as_deref(), opened.exhibits), (Some("INTACT"), 1), "{:?}", opened.problems);
    assert_eq!((opened.entries, case.names()), (report.entries, vec!["case.dossier".into(), "opened".into()]));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(case.path("opened").metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    // A folder that holds something is left alone; an empty one is filled.
    let refused = court.open_dossier(&file, &case.path("opened")).await.unwrap_err();
    assert_eq!(refused.code, Code::Usage);
    std::fs::create_dir(case.path("empty")).unwrap();
    court.open_dossier(&file, &case.path("empty")).await.unwrap();
    assert!(case.path("empty/bagit.txt").exists());
}

#[tokio::test]
async fn what_is_damaged_leaves_nothing() {
    let case = Case::new().await;
    let file = case.path("case.dossier");
    case.practice.emb.export_dossier(std::slice::from_ref(&case.reference), &file, Some("court"), true).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    let header = whole.windows(5).position(|window| window == b"\n--- ").unwrap();
    let body = header + whole[header + 1..].iter().position(|byte| *byte == b'\n').unwrap() + 2;
    let open = async |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let error = case.practice.court.open_dossier(&file, &case.path("opened")).await.unwrap_err();
        assert_eq!(case.names(), ["case.dossier"]);
        error.code
    };
    // Ciphertext goes in pieces of 64 KiB and a tag of 16 bytes: cuts at, before and after their ends.
    let piece = 64 * 1024 + 16;
    for length in [0, 10, header, body, body + 8, body + 16, body + 16 + piece, whole.len() / 2, whole.len() - 1] {
        assert_eq!(open(&whole[..length]).await, Code::Integrity, "cut to {length}");
    }
    for at in [body, body + 15, body + 16, body + 16 + piece, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        assert_eq!(open(&bytes).await, Code::Integrity, "bit at {at}");
    }
    // In the header, a changed stanza cannot be told from one for somebody else.
    for at in (0..body).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        assert!(matches!(open(&bytes).await, Code::Integrity | Code::NotAllowed), "bit at {at}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert_eq!(open(&longer).await, Code::Integrity);
}

#[tokio::test]
async fn what_was_sealed_to_do_harm_is_refused() {
    let case = Case::new().await;
    let bagit = entry("d/bagit.txt", b'0', "", b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
    let end = vec![0; 1024];
    let with = |more: Vec<u8>| [bagit.clone(), more, end.clone()].concat();
    for (what, plain) in [
        ("no tar", b"hello".to_vec()),
        ("an empty tar", vec![0; 1024]),
        ("no bag", [entry("d/a", b'0', "", b"x"), end.clone()].concat()),
        ("a bag without manifests", with(Vec::new())),
        ("a path that leads out", with(entry("d/../../evil", b'0', "", b"x"))),
        ("a path from the root", with(entry("/tmp/intact-evil", b'0', "", b"x"))),
        ("a symbolic link", with(entry("d/data", b'2', "/tmp", b""))),
        ("a hard link", with(entry("d/data", b'1', "/etc/passwd", b""))),
        ("a device", with(entry("d/null", b'3', "", b""))),
        ("a name that is there twice", with([entry("d/x", b'0', "", b"1"), entry("d/X", b'0', "", b"2")].concat())),
    ] {
        let file = case.sealed(&plain);
        let error = case.practice.court.open_dossier(&file, &case.path("opened")).await.unwrap_err();
        assert_eq!(error.code, Code::Integrity, "{what}: {error}");
        assert_eq!(case.names(), ["sealed"], "{what}");
    }
    assert!(!case.root.path().join("evil").exists() && !Path::new("/tmp/intact-evil").exists());
}

#[tokio::test]
async fn a_dossier_that_was_changed_before_it_was_sealed_is_refused() {
    let case = Case::new().await;
    let folder = case.path("folder");
    case.practice
        .emb
        .export_dossier(std::slice::from_ref(&case.reference), &folder, Some("court"), false)
        .await
        .unwrap();
    std::fs::write(folder.join("data/README.txt"), "something else").unwrap();
    let mut tar = Vec::new();
    dossier::archive::write_tar(&Tree::open(&folder).unwrap(), "d", &mut tar).unwrap();
    let file = case.sealed(&tar);
    let error = case.practice.court.open_dossier(&file, &case.path("opened")).await.unwrap_err();
    assert_eq!(error.code, Code::Integrity, "{error}");
    assert_eq!(case.names(), ["folder", "sealed"]);
}

#[tokio::test]
async fn a_dossier_is_judged_where_it_lies_and_a_sealed_one_only_where_its_key_is() {
    let case = Case::new().await;
    let (plain, sealed) = (case.path("plain"), case.path("case.dossier"));
    let names = [case.reference.clone()];
    case.practice.emb.export_dossier(&names, &plain, None, false).await.unwrap();
    case.practice.emb.export_dossier(&names, &sealed, Some("court"), true).await.unwrap();
    let trust = case.path("trust");
    case.practice.police.export_trust(&trust).await.unwrap();

    // By a roster, by a trust file; nothing is written.
    let before = case.names();
    let judged = case.practice.court.read_dossier(&plain, None).await.unwrap();
    assert_eq!((judged.verdict.as_str(), judged.lines[0].as_str()), ("INTACT", "INTACT"));
    assert_eq!(crate::read_dossier_by(&plain, &trust).await.unwrap().verdict, "INTACT");
    let by_itself = crate::read_dossier_by(&plain, &plain.join("bagit.txt")).await.unwrap();
    assert_eq!(by_itself.verdict, "CANNOT BE READ", "a file of the dossier is no trust file");
    for closed in [
        case.practice.court.read_dossier(&sealed, None).await.unwrap(),
        crate::read_dossier_by(&sealed, &trust).await.unwrap(),
    ] {
        assert_eq!((closed.verdict.as_str(), closed.lines.len()), ("SEALED", 0));
    }
    assert_eq!(case.names(), before);

    // The wrong desk opens nothing; the court's does.
    let out = case.path("opened");
    assert!(case.practice.police.read_dossier(&sealed, Some(&out)).await.is_err());
    assert_eq!(case.names(), before);
    let judged = case.practice.court.read_dossier(&sealed, Some(&out)).await.unwrap();
    assert_eq!(judged.verdict, "INTACT");
    assert!(out.join("bagit.txt").exists());

    // No dossier at all is a verdict too; what is not there is an error.
    std::fs::write(case.path("other"), "not a dossier").unwrap();
    assert_eq!(case.practice.court.read_dossier(&case.path("other"), None).await.unwrap().verdict, "CANNOT BE READ");
    assert!(case.practice.court.read_dossier(&case.path("nowhere"), None).await.is_err());
}
