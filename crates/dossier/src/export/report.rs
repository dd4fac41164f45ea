//! `report.html`: the copy for reading. Plain, printable, no scripts, nothing fetched; gaps first.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use logbook::record::Judged;
use logbook::{Entry, Status};

use super::{Case, CaseRecord, who};
use crate::instant;

const STYLE: &str = "\
:root{color-scheme:light}\
body{font:15px/1.5 system-ui,sans-serif;color:#111;background:#fff;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.2rem;border-bottom:1px solid #999}h3{font-size:1.05rem}\
table{border-collapse:collapse;width:100%;margin:.6rem 0}th,td{border:1px solid #bbb;padding:.3rem .5rem;text-align:start;vertical-align:top}\
th{background:#f3f3f3}td{overflow-wrap:anywhere}.n{white-space:nowrap;font-variant-numeric:tabular-nums}\
.w{border-inline-start:.35rem solid #a00;padding:.2rem .8rem;background:#fff4f4}.q td{background:#fff4f4}\
code{font:12px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}ul{padding-inline-start:1.2rem}\
@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}";

/// Leaves that say nothing to a reader: keys, addresses, random bytes.
const TECHNICAL: [&str; 9] =
    ["nonce", "grants", "address", "sealed_size", "identity", "sha512", "wrap", "key", "owner"];

/// The whole page.
pub fn render(case: &Case<'_>) -> String {
    let hash = base64::engine::general_purpose::STANDARD.encode(seal::hash::sha256(STYLE.as_bytes()));
    let mut page = Page(String::with_capacity(64 * 1024));
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw(&format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n"
    ));
    page.raw(
        "<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"referrer\" content=\"no-referrer\">\n",
    );
    page.element("title", &title(case));
    page.raw(&format!("\n<style>{STYLE}</style>\n</head>\n<body>\n"));
    front(case, &mut page);
    missing(case, &mut page);
    for record in case.records {
        self::record(case, record, &mut page);
    }
    people(case, &mut page);
    page.raw("</body>\n</html>\n");
    page.0
}

/// Text that is being built; everything by others passes through [`Page::text`].
struct Page(String);

impl Page {
    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }
    /// Escaped, in an element that keeps its reading direction to itself.
    fn text(&mut self, text: &str) {
        self.raw("<bdi>");
        for c in text.chars() {
            match c {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                '\'' => self.raw("&#39;"),
                '\n' => self.raw("<br>"),
                '\t' => self.raw(" "),
                c if c.is_control() => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self.raw("</bdi>");
    }
    fn element(&mut self, name: &str, text: &str) {
        if name == "title" {
            // No markup can stand in a title.
            let plain: String = text.chars().filter(|c| !c.is_control() && !"<>&".contains(*c)).collect();
            let _ = write!(self.0, "<title>{plain}</title>");
            return;
        }
        let _ = write!(self.0, "<{name}>");
        self.text(text);
        let _ = writeln!(self.0, "</{}>", name.split(' ').next().unwrap_or(name));
    }
    fn row(&mut self, head: &str, text: &str) {
        self.raw("<tr>");
        self.element("th scope=\"row\"", head);
        self.element("td", text);
        self.raw("</tr>\n");
    }
}

fn title(case: &Case<'_>) -> String {
    let first = case.statement.records.first().map_or("", |record| record.reference.as_str());
    match case.statement.records.len() {
        1 => format!("Dossier {first}"),
        count => format!("Dossier {first} and {} more", count - 1),
    }
}

fn front(case: &Case<'_>, page: &mut Page) {
    let statement = case.statement;
    page.element("h1", &title(case));
    if case.roster.exercise() {
        page.raw("<p class=\"w\"><strong>Exercise. None of this happened.</strong></p>\n");
    }
    page.raw("<p>This page was made from the signed entries in this dossier, to be read and printed. The entries count, not this page. \
        That they are unchanged does not make them true. How to check them: <code>data/README.txt</code>.</p>\n<table>\n");
    page.row("Election", case.roster.operation_name());
    let agency = case.roster.device(&statement.exporter).and_then(|device| case.roster.agency(&device.agency));
    page.row("Exported by", &agency.map_or_else(|| statement.agency.clone(), |agency| agency.record.name));
    page.row("Exported at", &instant::utc(statement.at_ms));
    if let Some(addressee) = &statement.addressee {
        page.row("Made for", addressee);
    }
    let entries: usize = case.records.iter().map(|record| record.record.entries().len()).sum();
    page.row("Holds", &format!("{} records, {entries} entries, {} exhibits", case.records.len(), case.originals.len()));
    page.raw("</table>\n");
}

/// What is missing, what was left out, what was withheld: before anything else.
fn missing(case: &Case<'_>, page: &mut Page) {
    page.element("h2", "What is missing or was left out");
    let mut lines: Vec<String> = Vec::new();
    for gap in case.gaps {
        let record = gap.record.as_deref().map(|record| format!("{record}: ")).unwrap_or_default();
        lines.push(format!("Missing: {record}{}", gap.what));
    }
    for other in &case.statement.elsewhere {
        let name = if other.reference.is_empty() { other.record.short() } else { other.reference.clone() };
        let owner = other.owner.as_deref().map(|owner| format!(", owned by {owner}")).unwrap_or_default();
        let ground = if other.ground.is_empty() { "not part of this export" } else { &other.ground };
        lines.push(format!("Left out: {name} ({}{owner}): {ground}", other.relation));
    }
    for redaction in &case.statement.redactions {
        let paths = redaction.paths.iter().filter_map(|path| path.rsplit('/').next()).collect::<BTreeSet<_>>();
        let paths = paths.into_iter().collect::<Vec<_>>().join(", ");
        lines.push(format!("Withheld in entry {}: {paths}: {}", redaction.entry.short(), redaction.ground));
    }
    for absent in case.statement.absent_exhibits.iter().filter(|absent| absent.withheld) {
        lines.push(format!("Withheld: the exhibit {}: {}", absent.exhibit.short(), absent.why));
    }
    if lines.is_empty() {
        page.raw("<p>Nothing, as far as the exporter knows.</p>\n");
        return;
    }
    page.raw("<ul class=\"w\">\n");
    for line in lines {
        page.element("li", &line);
    }
    page.raw("</ul>\n");
}

fn record(case: &Case<'_>, record: &CaseRecord, page: &mut Page) {
    let state = record.record.state();
    page.element("h2", &record.line.reference);
    page.raw("<table>\n");
    page.row("State", state.state_code());
    if let Some(owner) = &state.owner {
        page.row("Owned by", owner.as_str());
    }
    let hidden = hidden_names(case);
    let disputed: BTreeSet<&str> = state.disputes().map(|(name, _)| name).collect();
    for (name, live) in state.fields() {
        if hidden.contains(name) {
            page.row(&label(name), "[withheld]");
        } else if let Some(held) = live.last().filter(|_| !disputed.contains(name)) {
            page.row(&label(name), &value(name, &held.value.to_string()));
        }
    }
    page.raw("</table>\n");
    disputes(case, record, &hidden, page);
    referrals(record, &hidden, page);
    exhibits(case, record, &hidden, page);
    entries(case, record, page);
}

fn disputes(case: &Case<'_>, record: &CaseRecord, hidden: &BTreeSet<String>, page: &mut Page) {
    let state = record.record.state();
    if state.disputes().next().is_none() {
        return;
    }
    page.element("h3", "Disputed");
    page.raw("<p>Stated differently by people who had not seen each other's statement, and not settled since.</p>\n<table>\n");
    page.raw("<tr><th>What</th><th>Stated</th><th>By</th><th>At</th></tr>\n");
    for (name, live) in state.disputes() {
        for held in live {
            page.raw("<tr>");
            page.element("td", &label(name));
            let shown =
                if hidden.contains(name) { "[withheld]".to_owned() } else { value(name, &held.value.to_string()) };
            page.element("td", &shown);
            page.element("td", &who(case.roster, &held.mark.device));
            page.element("td class=\"n\"", &instant::utc(held.mark.wall_ms));
            page.raw("</tr>\n");
        }
    }
    page.raw("</table>\n");
}

fn referrals(record: &CaseRecord, hidden: &BTreeSet<String>, page: &mut Page) {
    let state = record.record.state();
    if state.referrals.is_empty() {
        return;
    }
    let shown = |name: &str, text: Option<&str>| match text {
        Some(_) if hidden.contains(name) => "[withheld]".to_owned(),
        other => other.unwrap_or_default().to_owned(),
    };
    page.element("h3", "Referrals");
    page.raw("<table>\n<tr><th>From</th><th>To</th><th>Asked to</th><th>State</th><th>Offered</th><th>Answer by</th><th>Reason</th></tr>\n");
    for referral in state.referrals.values() {
        page.raw("<tr>");
        page.element("td", referral.from.as_str());
        page.element("td", referral.to.as_str());
        let text = shown("text", referral.text.as_deref());
        page.element("td", &format!("{} {text}", referral.ask.code()));
        page.element("td", referral.flow.state().code());
        page.element("td class=\"n\"", &instant::utc(referral.offered.wall_ms));
        page.element("td class=\"n\"", &referral.respond_by_ms.map(instant::utc).unwrap_or_default());
        page.element("td", &shown("reason", referral.reason()));
        page.raw("</tr>\n");
    }
    page.raw("</table>\n");
}

fn exhibits(case: &Case<'_>, record: &CaseRecord, hidden: &BTreeSet<String>, page: &mut Page) {
    let state = record.record.state();
    if state.exhibits.is_empty() {
        return;
    }
    let shown = |name: &str, text: &str| if hidden.contains(name) { "[withheld]".to_owned() } else { text.to_owned() };
    page.element("h3", "Exhibits");
    page.raw("<table>\n<tr><th>Name</th><th>Description</th><th>Bytes</th><th>Acquired</th><th>Held by</th><th>File and SHA-256</th></tr>\n");
    for (id, exhibit) in &state.exhibits {
        let original = case.originals.get(id).map_or("not in this dossier", String::as_str);
        page.raw("<tr>");
        page.element("td", &shown("name", &exhibit.exhibit.name));
        page.element("td", &shown("description", exhibit.exhibit.description.as_deref().unwrap_or_default()));
        page.element("td class=\"n\"", &exhibit.exhibit.size.to_string());
        page.element("td class=\"n\"", &instant::utc(exhibit.exhibit.acquired_ms));
        page.element("td", exhibit.holder.as_str());
        page.raw("<td>");
        page.element("code", original);
        page.raw("<br>");
        page.element("code", &exhibit.exhibit.sha256.to_string());
        page.raw("</td></tr>\n");
    }
    page.raw("</table>\n");
}

fn entries(case: &Case<'_>, record: &CaseRecord, page: &mut Page) {
    page.element("h3", "Entries, in order");
    page.raw("<table>\n<tr><th>#</th><th>Time</th><th>By</th><th>What</th><th>Counts as</th></tr>\n");
    for (index, entry) in record.record.entries().iter().enumerate() {
        let header = &entry.opened.header;
        page.raw(if entry.status.counts() { "<tr>" } else { "<tr class=\"q\">" });
        page.element("td class=\"n\"", &(index + 1).to_string());
        let clock = if header.clock.code() == "os-synced" {
            String::new()
        } else {
            format!("\nclock: {}", header.clock.code())
        };
        page.element("td class=\"n\"", &format!("{}{clock}", instant::local(header.wall_ms, header.offset_min)));
        let operator = case.roster.name_of(&header.operator).map(|name| format!("{name}, ")).unwrap_or_default();
        page.element("td", &format!("{operator}{}\n{}", who(case.roster, &entry.opened.link.device), header.role));
        let lines = told(case, entry);
        page.element("td", &format!("{}\n{}", kind_of(entry), lines.join("\n")));
        page.element("td", &standing(case, entry));
        page.raw("</tr>\n");
    }
    page.raw("</table>\n");
}

/// The status in words; of a quarantined entry, who revoked its device and why.
fn standing(case: &Case<'_>, entry: &Judged) -> String {
    let mut text = entry.status.code().to_owned();
    if let Some(reason) = &entry.reason {
        let _ = write!(text, ": {reason}");
    }
    if entry.status == Status::Quarantined {
        text.push_str(&revoked(case, &entry.opened.link.device));
    }
    text
}

fn revoked(case: &Case<'_>, device: &seal::DeviceId) -> String {
    let revocation = case.roster.device(device).and_then(|device| device.revoked.as_ref());
    revocation.map_or_else(String::new, |revocation| {
        let by = seal::DeviceId(revocation.by.0);
        let by = case.roster.device(&by).map_or_else(|| "the institution's root".to_owned(), |_| who(case.roster, &by));
        format!(". Revoked by {by}: {}", revocation.reason)
    })
}

fn people(case: &Case<'_>, page: &mut Page) {
    let devices: BTreeSet<_> =
        case.records.iter().flat_map(|record| record.record.entries()).map(|entry| entry.opened.link.device).collect();
    page.element("h2", "Who wrote");
    page.raw("<table>\n<tr><th>Institution</th><th>Device</th><th>Operator</th><th>Roles now</th><th>Key</th></tr>\n");
    for id in devices {
        let Some(device) = case.roster.device(&id) else { continue };
        let agency = case.roster.agency(&device.agency);
        page.raw("<tr>");
        page.element("td", &agency.map_or_else(|| device.agency.to_string(), |agency| agency.record.name));
        page.element("td", &device.name);
        page.element("td", case.roster.name_of(&device.operator).unwrap_or("name not opened"));
        let roles: Vec<_> = device.roles.iter().map(ToString::to_string).collect();
        page.element("td", &roles.join(", "));
        page.raw("<td>");
        page.element("code", &id.to_string());
        page.raw("</td></tr>\n");
    }
    page.raw("</table>\n");
}

/// The kind of an entry's action; empty if it could not be read.
pub fn kind_of(entry: &Judged) -> &'static str {
    entry.entry.as_ref().map_or("", |read| read.action.kind())
}

/// What an entry states, leaf by leaf, without what only machines read; withheld leaves say so. What cannot be
/// read is not guessed at: the names in it have no bound, and may lie about what they name.
pub fn told(case: &Case<'_>, entry: &Judged) -> Vec<String> {
    if entry.entry.is_none() {
        return vec![format!("{} bytes that this software cannot read", entry.opened.entry.len())];
    }
    let leaves = Entry::leaves(&entry.opened.entry).unwrap_or_default();
    let withheld = case.withheld.get(&entry.opened.id);
    let mut lines = Vec::new();
    for (path, json) in leaves {
        // "", "action", the kind, and what it states.
        let parts: Vec<&str> = path.split('/').skip(3).collect();
        let Some(name) = parts.iter().rev().find(|part| part.parse::<usize>().is_err()) else { continue };
        if parts.iter().any(|part| TECHNICAL.contains(part)) || json == "null" || json == "[]" || json == "{}" {
            continue;
        }
        if withheld.is_some_and(|paths| paths.contains(&path)) {
            lines.push(format!("{}: [withheld]", label(name)));
            continue;
        }
        let text = match serde_json::from_str::<serde_json::Value>(&json) {
            Ok(serde_json::Value::String(text)) => text,
            _ => json,
        };
        lines.push(format!("{}: {}", label(name), value(name, &text)));
    }
    lines
}

/// Names of leaves that are withheld somewhere: the facts made from them are then withheld too.
fn hidden_names(case: &Case<'_>) -> BTreeSet<String> {
    let paths = case.withheld.values().flatten();
    paths
        .flat_map(|path| path.split('/').skip(3))
        .filter(|part| part.parse::<usize>().is_err())
        .map(str::to_owned)
        .collect()
}

/// A field's name as people read it: `occurred_from_ms` → `occurred from`.
fn label(name: &str) -> String {
    name.trim_end_matches("_ms").replace('_', " ")
}

/// A field's value as people read it: times as times, coordinates in degrees.
fn value(name: &str, text: &str) -> String {
    let number = || text.parse::<i64>().ok();
    match number() {
        Some(ms) if name.ends_with("_ms") => instant::utc(ms),
        Some(e7) if name.ends_with("_e7") => {
            let sign = if e7 < 0 { "-" } else { "" };
            format!("{sign}{}.{:07}°", e7.unsigned_abs() / 10_000_000, e7.unsigned_abs() % 10_000_000)
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_by_others_stays_text() {
        let mut page = Page(String::new());
        page.text("<script>alert('x')</script>\u{202e}\u{0}\"&");
        assert_eq!(page.0, "<bdi>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\u{202e}\u{fffd}&quot;&amp;</bdi>");
        let mut page = Page(String::new());
        page.element("title", "</title><b>");
        assert_eq!(page.0, "<title>/titleb</title>");
    }

    #[test]
    fn values_for_people() {
        assert_eq!(value("occurred_from_ms", "0"), "1970-01-01T00:00:00Z");
        assert_eq!(value("lat_e7", "-485000000"), "-48.5000000°");
        assert_eq!(value("summary", "12"), "12");
        assert_eq!(label("occurred_from_ms"), "occurred from");
    }
}
