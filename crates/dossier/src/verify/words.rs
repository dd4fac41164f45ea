//! The verdict in plain language.

use std::fmt::Write as _;

use super::{Outcome, Quarantined, Verdict};

/// More of a kind are only counted; `--json` has them all.
const SHOWN: usize = 20;

/// The whole answer; the first line is the verdict.
pub fn text(verdict: &Verdict) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}\n", verdict.verdict.title());
    let _ = writeln!(out, "{}\n", meaning(verdict));
    list(
        &mut out,
        "What is wrong",
        verdict.problems.iter().map(|problem| {
            if problem.path.is_empty() { problem.what.clone() } else { format!("{}: {}", problem.path, problem.what) }
        }),
    );
    list(
        &mut out,
        "What is missing",
        verdict.gaps.iter().map(|gap| match &gap.record {
            Some(record) => format!("{record}: {}", gap.what),
            None => gap.what.clone(),
        }),
    );
    if verdict.verdict != Outcome::Unreadable {
        checked(&mut out, verdict);
    }
    list(
        &mut out,
        "Left out by the exporter, by its own statement (left out is not missing)",
        verdict.elsewhere.iter().map(|left| {
            let owner = left.owner.as_deref().map(|owner| format!(", owned by {owner}")).unwrap_or_default();
            let ground = if left.ground.is_empty() { "no ground stated" } else { &left.ground };
            format!("{}{owner}: {ground}", left.what)
        }),
    );
    for (head, entries) in [
        ("In quarantine: shown, but counting for nothing", &verdict.quarantined),
        ("Not the author's to state, counting for nothing", &verdict.not_authorised),
        ("Rejected after others had cited them, counting for nothing", &verdict.rejected),
    ] {
        list(&mut out, head, entries.iter().map(without_effect));
    }
    list(
        &mut out,
        "Disputed in the records themselves",
        verdict
            .disputes
            .iter()
            .map(|dispute| format!("{}: {} ({} statements)", dispute.record, dispute.field, dispute.statements)),
    );
    list(&mut out, "Remarks", verdict.notes.iter().cloned());
    out
}

/// An entry that counts for nothing, and why.
fn without_effect(entry: &Quarantined) -> String {
    let revoked = entry.revoked.as_deref().map(|revoked| format!("; revoked {revoked}")).unwrap_or_default();
    let id = entry.entry.get(..8).unwrap_or_default();
    format!("{}, entry {id}, by {}: {}{revoked}", entry.record, entry.device, entry.why)
}

fn meaning(verdict: &Verdict) -> &'static str {
    match verdict.verdict {
        Outcome::Intact => {
            "Unchanged since it was signed, and complete to the heads that its exporter states. \
             That does not make its content true."
        }
        Outcome::WithGaps => {
            "What is here is unchanged since it was signed, but something that ought to be here is not. \
             That does not make its content true."
        }
        Outcome::NotIntact => {
            "Do not rely on it. It was changed, or it is not signed by those whom your trust file knows."
        }
        Outcome::Unreadable => "This could not be checked at all.",
    }
}

fn checked(out: &mut String, verdict: &Verdict) {
    out.push_str("What was checked\n");
    let line = |out: &mut String, head: &str, text: &str| {
        let _ = writeln!(out, "  {head:<12}{}", plain(text));
    };
    if let Some(name) = &verdict.operation_name {
        line(out, "Election", name);
    }
    line(out, "Records", &verdict.records.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", "));
    let counts = format!(
        "{} ({} with parts withheld), by {} devices of {} institutions",
        verdict.entries, verdict.redacted, verdict.devices, verdict.agencies
    );
    line(out, "Entries", &counts);
    line(out, "Exhibits", &format!("{} originals, as acquired", verdict.exhibits));
    line(out, "Chains", &format!("{} further links of the same authors, without content", verdict.other_links));
    if let Some((from, to)) = &verdict.written {
        line(out, "Written", &format!("{from} to {to}, by the authors' clocks"));
    }
    if let (Some(by), Some(at)) = (&verdict.exported_by, &verdict.exported_at) {
        line(out, "Exported", &format!("{at} by {by}"));
    }
    if let Some(fingerprint) = &verdict.fingerprint {
        line(out, "Signed with", fingerprint);
    }
    if let Some(as_of) = &verdict.as_of {
        line(out, "Judged by", &format!("the roster as known on {as_of}"));
    }
    for author in &verdict.authors {
        let operator = author.operator.as_deref().map(|name| format!(", {name}")).unwrap_or_default();
        line(out, "Author", &format!("{} ({}{operator}): {} entries", author.name, author.agency, author.entries));
    }
    out.push('\n');
}

fn list(out: &mut String, head: &str, lines: impl ExactSizeIterator<Item = String>) {
    let count = lines.len();
    if count == 0 {
        return;
    }
    let _ = writeln!(out, "{head}");
    for text in lines.take(SHOWN) {
        let _ = writeln!(out, "  - {}", plain(&text));
    }
    if count > SHOWN {
        let _ = writeln!(out, "  and {} more; --json lists them", count - SHOWN);
    }
    out.push('\n');
}

/// What others wrote must not steer a terminal, add a line or turn the reading direction.
fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_by_others_becomes_a_line() {
        let mut verdict = Verdict::empty();
        verdict.verdict = Outcome::NotIntact;
        verdict.records.push("x\nINTACT\u{1b}[2J\u{202e}".to_owned());
        verdict.notes.push("a\r\nINTACT".to_owned());
        let text = text(&verdict);
        assert!(text.starts_with("NOT INTACT\n"));
        assert!(text.lines().skip(1).all(|line| !line.starts_with("INTACT")));
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    }
}
