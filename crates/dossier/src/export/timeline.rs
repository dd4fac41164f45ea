//! `timeline.csv`: all entries in order, for a spreadsheet.

use super::{Case, who};
use crate::export::report::{kind_of, told};
use crate::instant;

/// The CSV, RFC 4180 with line feeds; one line an entry, in the order in which the records are folded.
pub fn render(case: &Case<'_>) -> String {
    let mut out = String::from(
        "record,order,recorded_at_utc,recorded_at_local,clock,institution,device,operator,role,action,status,what,entry,envelope\n",
    );
    for record in case.records {
        for (index, entry) in record.record.entries().iter().enumerate() {
            let header = &entry.opened.header;
            let cells = [
                record.line.reference.clone(),
                (index + 1).to_string(),
                instant::utc(header.wall_ms),
                instant::local(header.wall_ms, header.offset_min),
                header.clock.code().to_owned(),
                entry.agency.as_ref().map(ToString::to_string).unwrap_or_default(),
                who(case.roster, &entry.opened.link.device),
                case.roster.name_of(&header.operator).unwrap_or_default().to_owned(),
                header.role.clone(),
                kind_of(entry).to_owned(),
                entry.status.code().to_owned(),
                told(case, entry).join("; "),
                entry.opened.id.to_string(),
                entry.opened.envelope.to_string(),
            ];
            out.push_str(&cells.map(|cell| quoted(&cell)).join(","));
            out.push('\n');
        }
    }
    out
}

/// A cell that no spreadsheet takes for a formula: a leading `= + - @` or control character gets an apostrophe.
fn quoted(cell: &str) -> String {
    let risky = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if risky { format!("'{cell}") } else { cell.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_and_quotes_are_plain_text() {
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("plain"), "plain");
    }
}
