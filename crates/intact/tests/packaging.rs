//! What the package promises: the relay's unit starts the relay, completions and manual pages exist.

mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use support::{intact, names};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The unit's command line as systemd would run it, in a folder of the test and on any free port.
fn command_line(unit: &str, state: &Path) -> Vec<String> {
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/intact ")).expect("a command");
    let state = state.to_str().expect("UTF-8");
    line.split(' ').map(|word| word.replace("%S", state).replace("${INTACT_RELAY_LISTEN}", "127.0.0.1:0")).collect()
}

#[test]
fn the_unit_starts_the_relay_on_this_machine_only() {
    let unit = std::fs::read_to_string(root().join("packaging/intact-relay.service")).expect("the unit");
    assert!(unit.contains("Environment=INTACT_RELAY_LISTEN=127.0.0.1:") && unit.contains("\nDynamicUser=yes"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = intact();
    command.args(command_line(&unit, folder.path())).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut relay = command.spawn().expect("the binary runs");
    let mut said = String::new();
    BufReader::new(relay.stderr.take().expect("piped")).read_line(&mut said).expect("a line");
    relay.kill().expect("it runs");
    relay.wait().expect("it ends");
    assert!(said.starts_with("listening on 127.0.0.1:"), "{said}");
    assert!(names(&folder.path().join("intact-relay")).contains(&"relay.db".to_owned()));
}

#[test]
fn what_the_package_names_is_there() {
    let config = std::fs::read_to_string(root().join("src-tauri/tauri.conf.json")).expect("the configuration");
    let config: serde_json::Value = serde_json::from_str(&config).expect("JSON");
    let deb = &config["bundle"]["linux"]["deb"];
    let files = deb["files"].as_object().expect("files").values();
    let scripts =
        ["desktopTemplate", "postInstallScript", "preRemoveScript", "postRemoveScript"].map(|name| &deb[name]);
    for file in files.chain(scripts).filter_map(|file| file.as_str()) {
        // What staging makes is not there before.
        let made = file.starts_with("../packaging/build/");
        assert!(made || root().join("src-tauri").join(file).is_file(), "{file}");
    }
    let kinds = std::fs::read_to_string(root().join("packaging/intact-mime.xml")).expect("the kinds of file");
    for association in config["bundle"]["fileAssociations"].as_array().expect("associations") {
        let kind = association["mimeType"].as_str().expect("a kind");
        let ending = association["ext"][0].as_str().expect("an ending");
        assert!(kinds.contains(&format!("type=\"{kind}\"")) && kinds.contains(&format!("*.{ending}")), "{kind}");
    }
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish"] {
        let output = intact().args(["completions", shell]).output().expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("dossier") && text.contains("passphrase-file"), "{shell}");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("man1");
    assert!(intact().arg("man").arg("--out").arg(&out).status().expect("the binary runs").success());
    let pages = names(&out);
    for page in ["intact.1", "intact-relay.1", "intact-dossier-open.1"] {
        assert!(pages.contains(&page.to_owned()), "{pages:?}");
    }
}
