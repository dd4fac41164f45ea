//! The files of a dossier, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use logbook::roster::RosterObject;
use logbook::{AgencyId, Roster};
use seal::id::to_hex;
use seal::{EntryId, Hash32};

use super::{CaseRecord, DossierSource, ExportError, Stamped, readme, redact};
use crate::bag::BagWriter;
use crate::chains::Chains;
use crate::instant;
use crate::layout::{self, EnvelopeLine, RosterLine, Statement};
use crate::sshsig::{self, NAMESPACE, SshSig};

/// Epochs and chains whole; of views only those that links here cite; of names only the authors'.
pub fn write_roster(
    bag: &mut BagWriter,
    source: &DossierSource<'_>,
    chains: &Chains,
    records: &[CaseRecord],
) -> Result<Roster, ExportError> {
    let cited: BTreeSet<_> = chains
        .devices()
        .flat_map(|device| chains.links(device).map(|(_, (link, _))| link.roster))
        .chain(source.roster.current_view().map(|view| view.hash()))
        .collect();
    let operators: BTreeSet<_> =
        records.iter().flat_map(|record| record.record.entries()).map(|entry| entry.opened.header.operator).collect();
    let objects = source.roster.objects().into_iter().chain(source.roster.current_view().map(RosterObject::View));
    let mut seen = BTreeSet::new();
    let lines: Vec<RosterLine> = objects
        .filter(|object| match object {
            RosterObject::View(view) => cited.contains(&view.hash()),
            RosterObject::Name(name) => source.open_names && operators.contains(&name.operator),
            RosterObject::Card(_) => false,
            RosterObject::Epoch(_) | RosterObject::Chain(_) => true,
        })
        .filter(|object| seen.insert(object.id()))
        .filter_map(RosterLine::new)
        .collect();
    bag.add_bytes(layout::ROSTER, &layout::encode_lines(&lines))?;
    crate::trust::build(&lines).map_err(ExportError::Source)
}

pub fn write_entries(
    bag: &mut BagWriter,
    records: &[CaseRecord],
    withheld: &BTreeMap<EntryId, BTreeSet<String>>,
) -> Result<(), ExportError> {
    for record in records {
        let folder = format!("data/case/{}", record.line.folder);
        let (mut lines, mut redacted) = (Vec::new(), Vec::new());
        for (index, entry) in record.record.entries().iter().enumerate() {
            let opened = &entry.opened;
            if let Some(paths) = withheld.get(&opened.id) {
                redacted.push(redact::line(opened, paths).map_err(|e| ExportError::Source(e.to_string()))?);
                continue;
            }
            let file = format!("{:05}-{}.json", index + 1, opened.id.short());
            bag.add_bytes(&format!("{folder}/{file}"), &opened.entry)?;
            lines.push(EnvelopeLine {
                file,
                envelope: opened.envelope,
                entry: opened.id,
                link: to_hex(&opened.link.encode()),
                signature: opened.signature,
                header: to_hex(&opened.header.encode()),
                ciphertext: Hash32(opened.ciphertext_hash),
            });
        }
        bag.add_bytes(&format!("{folder}/{}", layout::ENVELOPES), &layout::encode_lines(&lines))?;
        if !redacted.is_empty() {
            bag.add_bytes(&format!("{folder}/{}", layout::REDACTED), &layout::encode_lines(&redacted))?;
        }
    }
    Ok(())
}

/// The links that no entry file here belongs to.
pub fn write_chains(bag: &mut BagWriter, chains: &Chains, records: &[CaseRecord]) -> Result<(), ExportError> {
    let here: BTreeSet<_> =
        records.iter().flat_map(|record| record.record.entries()).map(|entry| entry.opened.envelope).collect();
    for device in chains.devices() {
        let others = chains.links(device).filter(|(id, _)| !here.contains(*id)).map(|(_, link)| link);
        let bytes = layout::encode_links(others);
        if !bytes.is_empty() {
            bag.add_bytes(&layout::chain_file(device), &bytes)?;
        }
    }
    Ok(())
}

pub fn write_texts(bag: &mut BagWriter, source: &DossierSource<'_>, statement: &Statement) -> Result<(), ExportError> {
    let references: Vec<_> = statement.records.iter().take(20).map(|record| record.reference.as_str()).collect();
    let more = statement.records.len().saturating_sub(20);
    let mut records = references.join(", ");
    if more > 0 {
        records.push_str(&format!(" + {more}"));
    }
    let naming = readme::Naming {
        operation: &statement.operation.to_string(),
        agency: &statement.agency,
        fingerprint: &sshsig::fingerprint(&statement.exporter.0),
        at: &instant::utc(statement.at_ms),
        records: &records,
        stamped: source.stamp.is_some(),
    };
    bag.add_bytes("data/README.txt", readme::english(&naming).as_bytes())?;
    bag.add_bytes("data/LISEZMOI.txt", readme::french(&naming).as_bytes())?;
    for (name, bytes) in &source.schemas {
        bag.add_bytes(&format!("data/schemas/{name}"), bytes)?;
    }
    for (name, bytes) in &source.interop {
        bag.add_bytes(&format!("data/interop/{name}"), bytes)?;
    }
    if !source.interop.is_empty() {
        let text = "These files are made from the entries, for other software. They decide nothing.\n\
            Ces fichiers sont tirés des entrées, pour d'autres logiciels. Ils ne font pas foi.\n";
        bag.add_bytes("data/interop/README.txt", text.as_bytes())?;
    }
    Ok(())
}

pub fn bag_fields(statement: &Statement, roster: &Roster) -> Vec<(String, String)> {
    let name = roster.device(&statement.exporter).and_then(|device| roster.agency(&device.agency));
    let organisation = name.map_or_else(|| statement.agency.clone(), |agency| agency.record.name);
    let date = instant::utc(statement.at_ms);
    let field = |label: &str, value: String| (label.to_owned(), value);
    vec![
        field("Source-Organization", organisation),
        field("Bagging-Date", date.split('T').next().unwrap_or_default().to_owned()),
        field("External-Identifier", statement.operation.to_string()),
        field("Internal-Sender-Description", "Dossier: see data/README.txt, data/LISEZMOI.txt".to_owned()),
        field("Bag-Software-Agent", format!("intact {}", env!("CARGO_PKG_VERSION"))),
    ]
}

pub fn signatures(
    source: &mut DossierSource<'_>,
    agency: &AgencyId,
    tagmanifest: &[u8],
) -> Result<Stamped, ExportError> {
    let signature = SshSig::sign(source.exporter, NAMESPACE, &sshsig::sha512(tagmanifest));
    let signer = sshsig::allowed_signer(agency.as_str(), &source.exporter.public());
    let mut files = vec![
        (layout::signature_file(agency.as_str()), signature.armor().into_bytes()),
        (layout::ALLOWED_SIGNERS.to_owned(), signer.into_bytes()),
    ];
    if let Some(stamp) = source.stamp.as_mut() {
        files.extend(stamp(tagmanifest).map_err(ExportError::Source)?);
    }
    Ok(files)
}
