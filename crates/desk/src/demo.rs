//! The story of an election night, told in the terminal with real vaults.

use std::io::Write;
use std::path::Path;

use seal::{KdfCost, Passphrase};

use crate::complaint::Filing;
use crate::error::{DeskError, Result};
use crate::moment;
use crate::practice::{Practice, night};

/// Writes lines as they happen.
struct Voice<'a>(&'a mut dyn Write);

impl Voice<'_> {
    fn say(&mut self, text: &str) -> Result<()> {
        Ok(writeln!(self.0, "{text}")?)
    }
    fn scene(&mut self, title: &str) -> Result<()> {
        Ok(writeln!(self.0, "\n── {title}")?)
    }
}

/// Tells the story; vaults go to `keep`, or to a temporary folder that is removed.
pub async fn tell(keep: Option<&Path>, out: &mut dyn Write) -> Result<()> {
    let temporary = std::env::temp_dir().join(format!("intact-demo-{}", seal::id::to_hex(&moment::random::<4>())));
    let root = keep.unwrap_or(&temporary);
    let mut voice = Voice(out);
    let told = story(root, &mut voice).await;
    if keep.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    told
}

async fn story(root: &Path, voice: &mut Voice<'_>) -> Result<()> {
    let pass = Passphrase::new(seal::id::to_hex(&moment::random::<16>()));
    voice.scene("Four institutions found an exercise; a field laptop is enrolled")?;
    let practice = Practice::found(root, &pass, KdfCost::DRILL).await?;
    let roster = practice.emb.roster_show().await?;
    for agency in &roster.agencies {
        voice.say(&format!("   {:<8} {}", agency.id, agency.name))?;
    }
    voice.say(&format!(
        "   The next change of this list needs {} of {} roots.",
        roster.threshold,
        roster.agencies.len()
    ))?;
    voice.scene("Election night: ten reports, and one from a station without signal")?;
    night(&practice, root).await?;
    let emb = &practice.emb;
    let query = || crate::wire::BoardQuery {
        view: Some("open".into()),
        state: None,
        category: None,
        severity: None,
        search: None,
        since: None,
        until: None,
        references: Vec::new(),
        limit: 50,
        offset: 0,
    };
    let board = emb.board(query()).await?;
    for row in &board.items {
        let word = ["", "Minor", "Moderate", "Serious", "Critical"].get(row.severity as usize).copied().unwrap_or("");
        voice.say(&format!("   {word:<9} {:<15} {:<12} {}", row.reference, row.state, row.summary))?;
    }
    let ballot_box = emb.board(crate::wire::BoardQuery { search: Some("acid".into()), ..query() }).await?;
    let ballot_box = ballot_box.items.first().map(|row| row.reference.clone()).unwrap_or_default();
    voice.scene("The ballot box: who wrote what, in which order")?;
    let shown = emb.show(&ballot_box, None).await?;
    voice.say(&format!("   {}", shown.audience_sentence))?;
    for entry in &shown.entries {
        voice.say(&format!("   {:<9} {:<8} {:<10} {}", entry.status, entry.agency, entry.device, entry.text))?;
    }
    for (field, values) in &shown.disputes {
        let values: Vec<String> =
            values.iter().map(|value| format!("{} says \"{}\"", value.agency, value.value)).collect();
        voice.say(&format!("   disputed, {field}: {}", values.join("; ")))?;
    }
    for referral in &shown.referrals {
        voice.say(&format!("   referral to {}: {}", referral.to, referral.state))?;
    }
    verdict(&practice, root, &ballot_box, voice).await?;
    seized(&practice, root, &ballot_box, voice).await
}

async fn verdict(practice: &Practice, root: &Path, ballot_box: &str, voice: &mut Voice<'_>) -> Result<()> {
    voice.scene("The court: a complaint, the incident, a decision, a dossier")?;
    practice.emb.share(ballot_box, &["court".to_owned()]).await?;
    practice.carry(&practice.emb, "court", &practice.court, root).await?;
    let complaint = practice
        .court
        .file_complaint(Filing {
            subject: "election-day".into(),
            summary: "Ballots destroyed at station 0421".into(),
            complainant: None,
            challenges: None,
            remedy: Some("annul-station".into()),
            incidents: vec![ballot_box.to_owned()],
        })
        .await?;
    for due in &complaint.due {
        voice.say(&format!("   {} due {}: {}", complaint.docket, due.at, due.working))?;
    }
    for state in ["admissibility-review", "admitted", "assigned", "evidence", "deliberation"] {
        practice.court.move_complaint(&complaint.docket, state, Some("in order".into())).await?;
    }
    practice
        .court
        .decide(
            &complaint.docket,
            "upheld",
            "The vote was halted and ballots were destroyed.",
            Some("annul-station".into()),
        )
        .await?;
    let (folder, trust) = (root.join("dossier"), root.join("trust.json"));
    let report = practice.court.export_dossier(&[ballot_box.to_owned()], &folder, Some("court"), false).await?;
    practice.court.export_trust(&trust).await?;
    let trust = std::fs::read(&trust)?;
    let found = dossier::verify(&folder, &trust);
    voice.say(&format!(
        "   {} entries, {} exhibit: the verifier says {}",
        report.entries,
        report.exhibits,
        found.verdict.title()
    ))?;
    let entries = folder.join(dossier::layout::STATEMENT);
    let mut bytes = std::fs::read(&entries)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&entries, &bytes)?;
    let found = dossier::verify(&folder, &trust);
    let problem =
        found.problems.first().map(|problem| format!("{}: {}", problem.path, problem.what)).unwrap_or_default();
    voice.say(&format!("   one bit flipped: {} — {problem}", found.verdict.title()))
}

async fn seized(practice: &Practice, root: &Path, ballot_box: &str, voice: &mut Voice<'_>) -> Result<()> {
    voice.scene("The field laptop is seized: what it writes afterwards stands apart")?;
    practice.emb.revoke("Field 12", "laptop stolen 21:10", None, None).await?;
    practice.field.note(ballot_box, "written by the thief").await?;
    practice.carry(&practice.field, "emb", &practice.emb, root).await?;
    let shown = practice.emb.show(ballot_box, None).await?;
    for entry in shown.entries.iter().filter(|entry| entry.status == "quarantined") {
        voice.say(&format!("   quarantined: \"{}\" ({})", entry.text, entry.reason.as_deref().unwrap_or("")))?;
    }
    voice.scene("Every vault verifies itself again")?;
    for (name, desk) in practice.all() {
        let check = desk.check(false, std::sync::Arc::new(|_, _| {})).await?;
        voice.say(&format!("   {name:<8} {} entries, {} problems", check.entries, check.problems.len()))?;
        if !check.problems.is_empty() {
            return Err(DeskError::integrity(check.problems.join("; ")));
        }
    }
    Ok(())
}
