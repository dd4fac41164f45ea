//! What the tests share: the release binaries, vaults made through them, and a seeded chance.

#![allow(clippy::print_stdout, reason = "a seed is printed, so that a failure can be run again")]

pub mod driven;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The folder of the binaries under test: where this test was built.
pub fn binaries() -> PathBuf {
    let exe = std::env::current_exe().expect("a test knows where it runs");
    let folder = exe.parent().and_then(Path::parent).expect("tests lie in <target>/<profile>/deps");
    assert!(folder.join("intact").exists(), "build the binaries first: cargo build --release -p intact");
    folder.to_owned()
}

/// The shared test material; absent, a test fails.
pub fn shared() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("INTACT_SHARED").map_or(here, PathBuf::from);
    assert!(folder.is_dir(), "the shared test material is not at {}: set INTACT_SHARED", folder.display());
    folder
}

/// Chance that replays from its seed (xorshift64*).
pub struct Chance(u64);

impl Chance {
    /// From `INTACT_SEED`, or the seed given; it is printed, so that a failure can be run again.
    pub fn seeded(default: u64) -> Self {
        let seed = std::env::var("INTACT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
        println!("INTACT_SEED={seed}");
        Self(seed | 1)
    }
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % end
    }
}

/// A number from the environment, for the long runs.
pub fn times(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A device: a vault and the file with its passphrase.
pub struct Device {
    /// The vault's folder.
    pub dir: PathBuf,
    /// The passphrase's file.
    pub passphrase: PathBuf,
}

impl Device {
    /// A device below `root`, without a vault yet.
    pub fn new(root: &Path, name: &str) -> Self {
        let passphrase = root.join(format!("{name}.pass"));
        std::fs::write(&passphrase, format!("correct horse {name} battery\n")).expect("the test folder is writable");
        Self { dir: root.join(name), passphrase }
    }
    /// A command of `intact` on it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries().join("intact"));
        command.arg("--vault").arg(&self.dir).arg("--passphrase-file").arg(&self.passphrase).arg("--json");
        command.args(arguments).stdin(Stdio::null());
        command
    }
    /// Runs it, whatever it says.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }
    /// Runs it; it must succeed. Its report.
    pub fn must(&self, arguments: &[&str]) -> Value {
        let done = self.run(arguments);
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).expect("one JSON document")
    }
    /// Runs it, and measures the most memory that it held, in KiB.
    pub fn measured(&self, arguments: &[&str]) -> (Output, u64) {
        let command = self.command(arguments);
        let script = "import resource,subprocess,sys\n\
            code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL).returncode\n\
            print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n\
            sys.exit(code)";
        let mut python = Command::new("python3");
        python.arg("-c").arg(script).arg(command.get_program()).args(command.get_args());
        let done = python.stdin(Stdio::null()).output().expect("python3 runs");
        let said = String::from_utf8_lossy(&done.stderr);
        let peak = said.lines().rev().find_map(|line| line.strip_prefix("peak ")?.parse().ok());
        let peak = peak.unwrap_or_else(|| panic!("the measure is missing: {said}"));
        (done, peak)
    }
    /// Starts it, to be killed.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs")
    }
    /// Founds an operation of one institution on it.
    pub fn found(&self, root: &Path) {
        let file = root.join("emb.root");
        let file = file.to_str().expect("a plain path");
        self.must(&[
            "init",
            "--operation-name",
            "Test 2026",
            "--agency",
            "emb",
            "--kind",
            "emb",
            "--agency-name",
            "Commission",
            "--operator",
            "Duty",
            "--device",
            "JOC 1",
            "--root-out",
            file,
        ]);
    }
    /// Checks the vault; nothing may be wrong with it.
    pub fn sound(&self) -> u64 {
        let check = self.must(&["check"]);
        assert_eq!(check["problems"], serde_json::json!([]), "the vault verifies");
        check["entries"].as_u64().unwrap_or(0)
    }
}

/// A device that answers on the LAN, until dropped.
pub struct Serving {
    child: Child,
    /// Where it listens.
    pub address: String,
}

impl Serving {
    /// Starts it on a free port, and waits until it listens.
    pub fn start(device: &Device) -> Self {
        let mut command = device.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a process that serves");
        let mut said = BufReader::new(child.stderr.take().expect("a process that serves"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(said.read_line(&mut line).expect("a process that serves") > 0, "it says where it listens");
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split_whitespace().next().expect("a process that serves").to_owned();
            }
        };
        // Its log is read to the end, so that it never waits for a reader.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, address }
    }
    /// The most memory that it held so far, in KiB.
    pub fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join("status"));
        let status = status.expect("a process that serves");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a process that serves");
        line.split_whitespace().nth(1).expect("a process that serves").parse().expect("a process that serves")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The devices of a practice operation: `emb`, `field`, `police`, `cert`, `court`. Their keys are derived
/// cheaply, so that memory measured is the work's own.
pub struct Practice {
    /// The folder.
    pub root: tempfile::TempDir,
}

impl Practice {
    /// Founds one, with the reports of a night.
    pub fn found() -> Self {
        let root = tempfile::tempdir().expect("a folder for tests");
        let passphrase = root.path().join("passphrase");
        std::fs::write(&passphrase, "practice makes the night shorter\n").expect("the test folder is writable");
        let mut command = Command::new(binaries().join("intact"));
        command.arg("--passphrase-file").arg(&passphrase).arg("practice").arg("--out").arg(root.path());
        let done = command.output().expect("the binary runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Self { root }
    }
    /// One of its devices.
    pub fn device(&self, name: &str) -> Device {
        Device { dir: self.root.path().join(name), passphrase: self.root.path().join("passphrase") }
    }
    /// A path in its folder.
    pub fn at(&self, name: &str) -> String {
        self.root.path().join(name).to_str().expect("a plain path").to_owned()
    }
}

/// W(n), as `bench/workload.py` writes it.
pub fn workload(script: &Path, n: usize) -> Vec<Value> {
    let made = Command::new("python3").arg(script).arg(n.to_string()).output().expect("python3 runs");
    assert!(made.status.success(), "the workload is written");
    let text = String::from_utf8(made.stdout).expect("JSON lines");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect()
}
