//! Measures export and verification of a dossier: `cargo run --release -p dossier --example dossier-cost -- 1000`.
//!
//! Prints one JSON document: CPU seconds of this process, as Linux counts them.
#![allow(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "../tests/support/story.rs"]
mod story;

use dossier::{DossierSource, SourceRecord, export, verify};
use logbook::Action;
use logbook::action::Note;
use story::Story;

/// CPU seconds of the main thread so far.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0);
    nanoseconds / 1e9
}

fn main() {
    let entries: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let mut stories = vec![Story::new()];
    let mut written = stories[0].entries.len();
    while written < entries {
        let count = stories.len();
        let last = stories.last_mut().expect("one at least");
        if last.entries.len() >= 20 {
            let next = last.another_record(count);
            written += next.entries.len();
            stories.push(next);
        } else {
            last.write(true, Action::Note(Note { text: "A note of about two hundred characters. ".repeat(5) }));
            written += 1;
        }
    }
    let temp = tempfile::tempdir().expect("temporary folder");
    let out = temp.path().join("dossier");
    let last = stories.last().expect("one at least");
    let records = stories.iter().map(|story| SourceRecord { id: story.record, entries: story.entries.clone() });
    let source = DossierSource { records: records.collect(), exhibits: stories[0].source().exhibits, ..last.source() };
    let start = cpu();
    let exported = export(source, &out).expect("an export");
    let exporting = cpu() - start;
    let start = cpu();
    let verdict = verify(&out, &last.trust());
    let verifying = cpu() - start;
    println!(
        "{{\"entries\":{},\"verdict\":\"{}\",\"export_cpu_s\":{exporting:.3},\"verify_cpu_s\":{verifying:.3}}}",
        exported.entries,
        verdict.verdict.title()
    );
    if let Some(keep) = std::env::args().nth(2) {
        std::fs::rename(&out, &keep).expect("a new folder on the same disk");
        std::fs::write(format!("{keep}.trust"), last.trust()).expect("a file");
    }
}
