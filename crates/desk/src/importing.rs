//! Imports: rows in batches, each batch durable before the next; idempotent on the source's id, so
//! that a run that was killed is simply run again.

use std::path::Path;
use std::sync::Arc;

use logbook::action::RecordKind;
use logbook::roster::Role;
use logbook::{FieldValue, Fields};

use crate::error::{DeskError, Result};
use crate::files;
use crate::import::{Mapping, Rows};
use crate::session::Desk;
use crate::wire::{ImportReport, SkippedRow};

/// Records in one transaction.
const BATCH: usize = 100;

/// Mapped rows that wait for their batch.
#[derive(Default)]
struct Pending {
    rows: Vec<Fields>,
}

impl Desk {
    /// Rows of a CSV file into incidents. `progress` is told (rows done, 0: how many is not known).
    pub async fn import_csv(
        &self,
        file: &Path,
        mapping: &Path,
        progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<ImportReport> {
        let mapping = Mapping::parse(&files::read(mapping)?).map_err(|error| DeskError::usage(error.to_string()))?;
        let table = std::io::BufReader::new(std::fs::File::open(file)?);
        let rows = Rows::open(table, &mapping).map_err(|error| DeskError::usage(error.to_string()))?;
        let role = self.role(&[Role::Desk, Role::Commander, Role::Field])?;
        let mut report = ImportReport { created: 0, updated: 0, skipped: Vec::new() };
        let mut pending = Pending::default();
        let mut done = 0;
        for row in rows {
            done += 1;
            match row {
                Ok(row) if self.vault().known_source(&row.source_id).await?.is_some() => report.updated += 1,
                Ok(row) if pending.holds(&row.source_id) => report.updated += 1,
                Ok(row) => {
                    let mut fields = row.facts;
                    fields.insert("source_id".into(), row.source_id.into());
                    pending.rows.push(fields);
                }
                Err(refused) => {
                    report.skipped.push(SkippedRow { row: refused.row, reason: refused.reason.to_string() })
                }
            }
            if pending.rows.len() >= BATCH {
                report.created += self.keep_rows(std::mem::take(&mut pending), role).await?;
                progress(done, 0);
            }
        }
        report.created += self.keep_rows(pending, role).await?;
        progress(done, done);
        Ok(report)
    }

    async fn keep_rows(&self, pending: Pending, role: Role) -> Result<u64> {
        if pending.rows.is_empty() {
            return Ok(0);
        }
        let prefix = self.reference_prefix(RecordKind::Incident, Some("IMPORT"))?;
        let count = u32::try_from(pending.rows.len()).unwrap_or(u32::MAX);
        let first = self.vault().take_reference_numbers(&prefix, count).await?;
        let mut drafts = Vec::with_capacity(pending.rows.len());
        for (number, fields) in (first..).zip(pending.rows) {
            let reference = format!("{prefix}-{number:04}");
            drafts.push(self.opening_as(RecordKind::Incident, fields, reference, None, role)?.draft);
        }
        Ok(self.append(drafts).await?.len() as u64)
    }
}

impl Pending {
    /// Whether a row with this source id waits already: a file may name one twice.
    fn holds(&self, source_id: &str) -> bool {
        self.rows.iter().any(|fields| fields.get("source_id").and_then(FieldValue::text) == Some(source_id))
    }
}
