//! The conformance suite of the Library of Congress, walked: every case is run.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use dossier::archive::Tree;
use dossier::bag::{Rules, examine};

/// Accepted, or the reasons against.
fn judge(folder: &Path, rules: Rules) -> Result<usize, String> {
    let tree = Tree::open(folder).map_err(|e| e.to_string())?;
    let findings = examine(&tree, rules, |_| false).map_err(|e| e.to_string())?;
    if support::is_valid(&findings) {
        return Ok(findings.warnings.len());
    }
    Err(findings.problems.iter().map(|p| format!("{}: {}", p.path, p.what)).collect::<Vec<_>>().join("; "))
}

/// What the suite only warns about: which of them are taken, with a warning, and which refused.
const WARNING_CASES: [(&str, bool); 6] = [
    // Two names that Windows and macOS take for one, and one of them is missing.
    ("duplicate-file-with-different-case", false),
    ("made-with-md5sum-tools", true),
    ("relative-path", true),
    // Not ASCII: a name must have one spelling everywhere.
    ("same-filename-listed-twice-with-different-normalization", false),
    ("same-filename-listed-twice-with-the-same-hash", true),
    // Lists .DS_Store, which is not there.
    ("special-system-files", false),
];

#[test]
fn every_case_of_the_suite() {
    let suite = support::external("bagit");
    let warnings: BTreeMap<_, _> = WARNING_CASES.into_iter().collect();
    let (mut run, mut warned, mut failures) = (0, 0, Vec::new());
    for version in folders(&suite) {
        for kind in folders(&version) {
            for case in folders(&kind) {
                let name = name_of(&case);
                let before = support_listing(&case);
                let got = judge(&case, Rules::Any);
                assert_eq!(before, support_listing(&case), "{name}: something was written");
                let accept = match name_of(&kind).as_str() {
                    "valid" => true,
                    "invalid" | "linux-only" | "windows-only" => false,
                    "warning" => {
                        warned += 1;
                        *warnings.get(name.as_str()).unwrap_or_else(|| panic!("no expectation for warning/{name}"))
                    }
                    other => panic!("a kind of case that no test knows: {other}"),
                };
                if got.is_ok() != accept {
                    failures.push(format!("{}/{name}: {got:?}", name_of(&kind)));
                }
                if name_of(&kind) == "warning" && accept && got == Ok(0) {
                    failures.push(format!("warning/{name}: accepted without a warning"));
                }
                // No case was made by us, so none is a dossier; reading it as one must refuse, not crash.
                assert!(judge(&case, Rules::Dossier).is_err(), "{name} passed as a dossier");
                run += 1;
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(warned, WARNING_CASES.len(), "an expectation without its case");
    assert!(run > 0);
    assert_eq!(run, count_declared(&suite), "a folder with a bag was not run");
}

/// Counts the cases another way: the folders three levels down.
fn count_declared(suite: &Path) -> usize {
    let mut count = 0;
    for a in folders(suite) {
        for b in folders(&a) {
            count += folders(&b).len();
        }
    }
    count
}

fn folders(path: &Path) -> Vec<std::path::PathBuf> {
    let mut out: Vec<_> = std::fs::read_dir(path)
        .expect("readable")
        .map(|item| item.expect("readable").path())
        .filter(|path| path.is_dir())
        .collect();
    out.sort();
    out
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

/// Names and sizes of everything in a case, whatever the names are.
fn support_listing(path: &Path) -> Vec<(std::path::PathBuf, u64)> {
    let mut out = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for item in std::fs::read_dir(folder).expect("readable") {
            let item = item.expect("readable");
            let meta = item.metadata().expect("readable");
            if meta.is_dir() {
                open.push(item.path());
            }
            out.push((item.path(), meta.len()));
        }
    }
    out.sort();
    out
}
