//! Runs the command line as a script would, on the vaults of a practice operation.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// What a call gave: its exit status, its one JSON document, its error output.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub json: Value,
    pub errors: String,
}

impl Answer {
    fn of(output: &Output) -> Self {
        let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
        let json =
            if text.trim().is_empty() { Value::Null } else { serde_json::from_str(&text).expect("one document") };
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { code: output.status.code().expect("it was not killed"), json, errors }
    }

    /// Holds these members, separated by spaces.
    pub fn has(self, members: &str) -> Value {
        assert_eq!(self.code, 0, "{}", self.errors);
        for member in members.split(' ').filter(|member| !member.is_empty()) {
            assert!(self.json.get(member).is_some(), "no {member} in {}", self.json);
        }
        self.json
    }

    /// Was refused with this status, with message and advice, and printed no report.
    pub fn refused(self, code: i32) -> String {
        assert_eq!(self.code, code, "{} {}", self.json, self.errors);
        assert!(self.json.is_null(), "{}", self.json);
        let error: Value = serde_json::from_str(self.errors.trim()).expect("an error is one document");
        let word = |name: &str| error["error"][name].as_str().unwrap_or_default().to_owned();
        assert!(!word("code").is_empty() && !word("advice").is_empty(), "{error}");
        word("message")
    }
}

/// A practice operation: emb, police, cert, court, field; their roots and vaults lie in one folder.
pub struct Operation {
    folder: TempDir,
}

/// The binary, with nothing of the surroundings.
pub fn intact() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intact"));
    for name in ["INTACT_VAULT", "INTACT_PASSPHRASE_FILE", "INTACT_OPERATION_TAG", "XDG_DATA_HOME"] {
        command.env_remove(name);
    }
    command
}

/// Runs a prepared command.
pub fn answer(command: &mut Command) -> Answer {
    Answer::of(&command.output().expect("the binary runs"))
}

impl Operation {
    /// Makes it.
    pub fn practice() -> Self {
        let operation = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        std::fs::write(operation.path("pass"), "practice makes the night shorter\n").expect("writable");
        let out = operation.path("").to_string_lossy().into_owned();
        operation.run("none", &["practice", "--out", &out]).has("vaults");
        operation
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text.
    pub fn at(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    /// Names in a folder of it, hidden ones included.
    pub fn names(&self, folder: &str) -> Vec<String> {
        names(&self.path(folder))
    }

    /// Runs a command with `--json` on one of the vaults.
    pub fn run(&self, vault: &str, arguments: &[&str]) -> Answer {
        let (vault, pass) = (self.path(vault), self.path("pass"));
        answer(intact().arg("--vault").arg(vault).arg("--passphrase-file").arg(pass).arg("--json").args(arguments))
    }

    /// The reference of the newest incident that mentions these words.
    pub fn incident(&self, vault: &str, words: &str) -> String {
        let list = self.run(vault, &["incident", "list", "--search", words]).has("total items");
        list["items"][0]["reference"].as_str().expect("an incident").to_owned()
    }

    /// Carries what one vault holds for an institution to a vault of it.
    pub fn carry(&self, from: &str, to: &str, into: &str) {
        let parcel = self.at(&format!("{from}-{into}.parcel"));
        self.run(from, &["parcel", "write", "--to", to, "--out", &parcel]).has("sent");
        self.run(into, &["parcel", "read", &parcel]).has("received refused");
    }
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|item| item.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
