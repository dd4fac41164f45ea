//! The house rules that no compiler checks: who may depend on whom, and what the sources never hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which of ours each package may use. An arrow that is not drawn here is refused.
const MAY_USE: &[(&str, &[&str])] = &[
    ("seal", &[]),
    ("logbook", &["seal"]),
    ("vault", &["seal", "logbook"]),
    ("exchange", &["seal", "logbook"]),
    ("dossier", &["seal", "logbook"]),
    ("desk", &["seal", "logbook", "vault", "exchange", "dossier"]),
    ("intact", &["desk"]),
    ("intact-window", &["desk"]),
    ("intact-verify", &["seal", "logbook", "dossier"]),
    // Tests may reach everything; nothing reaches them.
    ("intact-tests", &["seal", "logbook", "vault", "exchange", "dossier", "desk"]),
];

/// Lines of a source file at most.
const LINES: usize = 700;
/// Files that were longer when this rule was written. They may shrink, never grow; one that is no
/// longer over the bound leaves the list, and none joins it.
const LONGER: &[(&str, usize)] = &[];

/// What a source file never holds, and why.
const NEVER: &[(&str, &str)] = &[
    ("todo!(", "nothing is left undone in what is shipped"),
    ("unimplemented!(", "nothing is left undone in what is shipped"),
    ("dbg!(", "nothing is printed in passing"),
    ("unsafe", "the workspace forbids it"),
    ("#[ignore", "a test runs, or is removed"),
];

/// Words that say nothing of what a type is.
const EMPTY_WORDS: &[&str] = &["Manager", "Service", "Helper", "Util"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lie in the workspace").to_owned()
}

/// Names of packages of ours, each with the names of those of ours that it uses in any way.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let mut cargo = Command::new(env!("CARGO"));
    let made = cargo.args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(root()).output();
    let made = made.expect("cargo runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let metadata: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    let uses = |package: &Value| {
        let all = package["dependencies"].as_array().expect("dependencies").iter().map(name);
        // Development and build dependencies count: a test of the core needs no desk.
        all.filter(|used| ours.contains(used)).collect()
    };
    packages.iter().map(|package| (name(package), uses(package))).collect()
}

#[test]
fn packages_use_only_what_lies_below() {
    let packages = packages();
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let named: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    assert_eq!(named, rules.keys().copied().collect(), "every package has a rule, and every rule a package");
    for (package, uses) in &packages {
        let may: BTreeSet<&str> = rules[package.as_str()].iter().copied().collect();
        let over: Vec<&String> = uses.iter().filter(|used| !may.contains(used.as_str())).collect();
        assert!(over.is_empty(), "{package} uses {over:?}, and may use {may:?}");
    }
    // The rules themselves: the three in the middle never use each other.
    let middle = ["vault", "exchange", "dossier"];
    for package in middle {
        assert!(middle.iter().all(|other| !rules[package].contains(other)), "{package} stands beside the others");
    }
}

/// Files below a folder with this ending.
fn files(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = item.expect("an entry of the folder").path();
        if path.is_dir() {
            files(&path, ending, into);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            into.push(path);
        }
    }
}

/// Folders of packages that are shipped.
fn shipped() -> Vec<PathBuf> {
    let crates = std::fs::read_dir(root().join("crates")).expect("the crates");
    let mut folders: Vec<PathBuf> = crates.map(|item| item.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.push(root().join("src-tauri"));
    folders
}

/// Sources of what is shipped, by their path in the workspace.
fn sources() -> BTreeMap<String, String> {
    let mut paths = Vec::new();
    for folder in shipped() {
        files(&folder.join("src"), "rs", &mut paths);
    }
    assert!(paths.len() > 50, "the sources were found");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
        (name, std::fs::read_to_string(&path).expect("a source is UTF-8"))
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn sources_hold_nothing_banned() {
    let mut found = Vec::new();
    for (name, text) in sources() {
        for (at, line) in text.lines().enumerate() {
            let banned = NEVER.iter().filter(|(word, _)| line.contains(word));
            found.extend(banned.map(|(word, why)| format!("{name}:{}: {word} ({why})", at + 1)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_source_is_longer_than_a_person_reads() {
    let sources = sources();
    let longer: BTreeMap<&str, usize> = LONGER.iter().copied().collect();
    let mut found = Vec::new();
    for (name, text) in &sources {
        let lines = text.lines().count();
        let most = longer.get(name.as_str()).copied().unwrap_or(LINES);
        if lines > most {
            found.push(format!("{name} has {lines} lines, over {most}"));
        }
        if longer.contains_key(name.as_str()) && lines <= LINES {
            found.push(format!("{name} has {lines} lines: take it off the list"));
        }
    }
    found.extend(longer.keys().filter(|name| !sources.contains_key(**name)).map(|name| format!("{name} is gone")));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn types_are_named_for_what_they_are() {
    let mut found = Vec::new();
    for (name, text) in sources() {
        for (at, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            let declared = words.windows(2).filter(|pair| ["struct", "enum", "trait"].contains(&pair[0]));
            let bad = declared.filter(|pair| {
                let comment = line.trim_start().starts_with("//");
                !comment && EMPTY_WORDS.iter().any(|word| pair[1].contains(word))
            });
            found.extend(bad.map(|pair| format!("{name}:{}: {}", at + 1, pair[1])));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn migrations_are_numbered_once() {
    let mut paths = Vec::new();
    for folder in shipped() {
        let migrations = folder.join("migrations");
        if migrations.is_dir() {
            files(&migrations, "sql", &mut paths);
        }
    }
    assert!(!paths.is_empty(), "there are migrations");
    let mut numbers = BTreeSet::new();
    for path in &paths {
        let name = path.file_name().expect("a name").to_string_lossy();
        let number = name.split('_').next().and_then(|number| number.parse::<u32>().ok());
        let number = number.unwrap_or_else(|| panic!("{}: a migration begins with its number", path.display()));
        assert!(number > 0, "{}: numbers start at 1", path.display());
        let folder = path.parent().expect("a folder").to_owned();
        assert!(numbers.insert((folder, number)), "{}: this number is used twice", path.display());
    }
}
