//! What a device could read: the report for whoever must tell others that it was seized.
//!
//! It follows from keys as they are known here, and says what the device *could* read. Which of it was
//! read, nobody can know.

use logbook::roster::Device;
use seal::EnvelopeId;
use vault::{ReachQuery, Reached, Written};

use crate::error::{DeskError, Result};
use crate::moment;
use crate::session::Desk;
use crate::wire::{ReachOf, ReachReport, ReachRow, WrittenRow};

/// Records in a page at most.
const PAGE: u32 = 1000;
/// Entries beyond the cut that are listed; they are counted whatever their number.
const LISTED: u32 = 100;

impl Desk {
    /// What a device could read, by the keys that are known here, and what it wrote; a page of the records.
    pub async fn reach(&self, device: &str, limit: u32, offset: u32) -> Result<ReachReport> {
        let id = self.find_device(device)?;
        let roster = self.roster();
        let device = roster.device(&id).ok_or_else(|| DeskError::not_found("device", device))?;
        let query = ReachQuery {
            device: id,
            agency: device.agency.clone(),
            agency_key: device.was_desk(),
            until_ms: device.revoked.as_ref().map_or(i64::MAX, |revoked| revoked.at_ms),
            limit: limit.min(PAGE),
            offset,
        };
        let reach = self.vault().reach(&query).await?;
        let mut report = self.wrote(device).await?;
        report.agency_key = query.agency_key;
        report.total = reach.counted.iter().map(|of| of.records).sum();
        report.exhibits = reach.counted.iter().map(|of| of.exhibits).sum();
        let of = |of: vault::ReachedOf| ReachOf {
            why: of.why.code().to_owned(),
            owner: of.owner,
            records: of.records,
            exhibits: of.exhibits,
        };
        report.counted = reach.counted.into_iter().map(of).collect();
        report.items = reach.rows.into_iter().map(reach_row).collect();
        report.later = reach.later;
        report.absent = reach.absent;
        Ok(report)
    }

    /// Who a device is, and what is known here of its chain.
    async fn wrote(&self, device: &Device) -> Result<ReachReport> {
        let vault = self.vault();
        let last = match vault.written_last(&device.id).await? {
            Some(number) => vault.written_at(&device.id, number).await?,
            None => None,
        };
        let revoked = device.revoked.as_ref();
        let cut: Option<Option<(u64, EnvelopeId)>> =
            revoked.map(|revoked| revoked.cut.map(|cut| (cut.number, cut.head)));
        let (entries, beyond) = vault.written_count(&device.id, cut.flatten()).await?;
        let apart = match cut {
            Some(cut) => vault.written_beyond(&device.id, cut, LISTED).await?,
            None => Vec::new(),
        };
        Ok(ReachReport {
            device: device.id.to_string(),
            name: device.name.clone(),
            agency: device.agency.to_string(),
            operator: self.roster().name_of(&device.operator).unwrap_or("").to_owned(),
            roles: device.roles.iter().map(ToString::to_string).collect(),
            status: if revoked.is_some() { "revoked" } else { "active" }.to_owned(),
            revoked_at: revoked.map(|revoked| moment::rfc3339(revoked.at_ms)),
            agency_key: false,
            total: 0,
            exhibits: 0,
            counted: Vec::new(),
            items: Vec::new(),
            later: 0,
            absent: 0,
            entries,
            last: last.map(written_row),
            cut: cut.map(|cut| cut.map_or(0, |(number, _)| number)),
            apart: if cut.is_some() { beyond } else { 0 },
            beyond: apart.into_iter().map(written_row).collect(),
        })
    }
}

fn reach_row(row: Reached) -> ReachRow {
    ReachRow {
        id: row.record.to_string(),
        reference: row.reference,
        summary: row.summary,
        kind: row.kind,
        owner: row.owner,
        exhibits: row.exhibits,
        recorded_at: moment::rfc3339(row.created_ms),
        why: row.why.code().to_owned(),
    }
}

fn written_row(written: Written) -> WrittenRow {
    let (record, reference) = written.record.unzip();
    WrittenRow {
        number: written.number,
        envelope: written.envelope.to_string(),
        record: record.map(|id| id.to_string()),
        reference: reference.filter(|reference| !reference.is_empty()),
        at: written.wall.map(|(ms, offset)| moment::rfc3339_in(ms, offset)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use seal::{KdfCost, Passphrase};

    use super::*;
    use crate::practice::Practice;
    use crate::wire::LogIncident;

    async fn log(desk: &Desk, summary: &str) -> String {
        let incident = serde_json::json!({ "category": "ops:box-tampering", "summary": summary });
        let incident: LogIncident = serde_json::from_value(incident).unwrap();
        desk.log(incident).await.unwrap().reference
    }

    async fn practice(root: &Path) -> Practice {
        let pass = Passphrase::new("practice makes the night shorter".into());
        Practice::found(root, &pass, KdfCost::DRILL).await.unwrap()
    }

    /// Reference and reason of each record within reach, in no order.
    fn told(report: &ReachReport) -> std::collections::BTreeSet<(&str, &str)> {
        report.items.iter().map(|row| (row.reference.as_str(), row.why.as_str())).collect()
    }

    #[tokio::test]
    async fn a_field_device_reads_what_it_wrote_or_was_sent() {
        let root = tempfile::tempdir().unwrap();
        let practice = practice(root.path()).await;
        let (emb, field, police) = (&practice.emb, &practice.field, &practice.police);
        let wrote = log(field, "Ballot box destroyed").await;
        practice.carry(field, "emb", emb, root.path()).await.unwrap();
        let (sent, taken, kept) = (log(emb, "Sent").await, log(emb, "Sent, then ended").await, log(emb, "Kept").await);
        for reference in [&sent, &taken] {
            emb.share(reference, &["Field 12".to_owned()]).await.unwrap();
        }
        emb.unshare(&taken, &["Field 12".to_owned()]).await.unwrap();
        emb.share(&kept, &["police".to_owned()]).await.unwrap();
        practice.carry(emb, "police", police, root.path()).await.unwrap();
        let report = emb.reach("Field 12", 100, 0).await.unwrap();
        // What was ended could be read before.
        let all = [(wrote.as_str(), "wrote"), (&sent, "granted"), (&taken, "granted")];
        assert_eq!(told(&report), all.into_iter().collect());
        assert_eq!((report.total, report.agency_key, report.entries, report.apart), (3, false, 1, 0));
        let last = report.last.as_ref().unwrap();
        assert_eq!((last.number, last.reference.as_deref()), (1, Some(wrote.as_str())));
        assert!(last.at.is_some() && report.cut.is_none());
        // Paged, with the whole counted.
        let page = emb.reach("Field 12", 1, 1).await.unwrap();
        assert_eq!((page.total, page.items.len()), (3, 1));
        assert_eq!(page.counted.iter().map(|of| of.records).sum::<u64>(), 3);
        // The police do not know what the field laptop was sent.
        assert_eq!(police.reach("Field 12", 100, 0).await.unwrap().total, 0);
    }

    #[tokio::test]
    async fn a_desk_reads_all_that_its_institution_reads() {
        let root = tempfile::tempdir().unwrap();
        let practice = practice(root.path()).await;
        let (emb, police, field) = (&practice.emb, &practice.police, &practice.field);
        let own = log(police, "Threats at a station").await;
        let (given, kept) = (log(emb, "For the police").await, log(emb, "Not for the police").await);
        emb.share(&given, &["police".to_owned()]).await.unwrap();
        practice.carry(emb, "police", police, root.path()).await.unwrap();
        let report = police.reach("K2 desk", 100, 0).await.unwrap();
        assert_eq!(told(&report), [(own.as_str(), "wrote"), (&given, "given")].into_iter().collect());
        assert!(report.agency_key);
        // As the commission knows it: what it gave, and nothing of the police's own.
        assert_eq!(
            told(&emb.reach("K2 desk", 100, 0).await.unwrap()),
            [(given.as_str(), "given")].into_iter().collect()
        );
        // A desk that wrote nothing reads its institution's own, the field's reports too.
        let reported = log(field, "From the field").await;
        practice.carry(field, "emb", emb, root.path()).await.unwrap();
        let report = emb.reach("JOC 1", 100, 0).await.unwrap();
        let all = [(given.as_str(), "wrote"), (&kept, "wrote"), (&reported, "own")];
        assert_eq!(told(&report), all.into_iter().collect());
    }

    #[tokio::test]
    async fn what_was_written_after_the_cut_is_counted_and_listed() {
        let root = tempfile::tempdir().unwrap();
        let practice = practice(root.path()).await;
        let (emb, field) = (&practice.emb, &practice.field);
        let before = log(field, "Before").await;
        practice.carry(field, "emb", emb, root.path()).await.unwrap();
        emb.revoke("Field 12", "stolen", None, None).await.unwrap();
        field.note(&before, "Nothing happened here").await.unwrap();
        log(field, "After").await;
        practice.carry(field, "emb", emb, root.path()).await.unwrap();
        let report = emb.reach("Field 12", 100, 0).await.unwrap();
        assert_eq!((report.status.as_str(), report.cut, report.entries, report.apart), ("revoked", Some(1), 3, 2));
        let beyond: Vec<_> = report.beyond.iter().map(|row| (row.number, row.reference.as_deref())).collect();
        assert_eq!(beyond, [(2, Some(before.as_str())), (3, None)]);
        assert!(report.beyond.iter().all(|row| row.record.is_some() && row.at.is_some()));
        // A record that only the thief created is none; it is found under its id, with its entry set apart.
        assert_eq!(told(&report), [(before.as_str(), "wrote")].into_iter().collect());
        let shown = emb.show(report.beyond[1].record.as_deref().unwrap(), None).await.unwrap();
        assert_eq!((shown.entries.len(), shown.entries[0].status.as_str()), (1, "quarantined"));
        assert_eq!(shown.entries[0].why.as_deref(), Some("revoked"));
        let board = serde_json::json!({ "limit": 50, "offset": 0 });
        let board = emb.board(serde_json::from_value(board).unwrap()).await.unwrap();
        let apart: Vec<_> = board.items.iter().map(|row| (row.reference.as_str(), row.apart)).collect();
        assert_eq!(apart, [(before.as_str(), true)]);
        assert_eq!(emb.reach("nobody", 1, 0).await.unwrap_err().code, crate::error::Code::NotFound);
    }
}
