//! A hash over everything derived from a record: same envelopes, roster and marks, same digest.
//!
//! Reasons enter by their codes, so that wording and language do not matter. Nothing derived from now, from the local presence of exhibits or from acks enters it.

use seal::Hash32;
use seal::codec::Writer;
use seal::hash::tagged;

use crate::causality::Mark;
use crate::reason::Reason;
use crate::record::Record;
use crate::record_state::{Audience, RecordState};

/// tagged("intact/digest/v1", [what `schemas/spec/entry.md` lists, in its order]).
pub fn digest(record: &Record) -> Hash32 {
    let mut out = Writer::new();
    out.raw(&record.id().0).varint(record.entries().len() as u64);
    for entry in record.entries() {
        out.raw(&entry.opened.id.0).raw(&entry.opened.envelope.0).bytes(entry.status.code().as_bytes());
        out.bytes(entry.why.as_ref().map_or("", Reason::code).as_bytes());
    }
    state(record.state(), &mut out);
    Hash32(tagged("intact/digest/v1", &[&out.finish()]))
}

fn state(state: &RecordState, out: &mut Writer) {
    out.bytes(state.owner.as_ref().map_or("", |owner| owner.as_str()).as_bytes());
    out.bytes(state.reference.as_bytes()).bytes(state.state_code().as_bytes());
    for (name, live) in state.fields() {
        out.bytes(name.as_bytes()).varint(live.len() as u64);
        for held in live {
            // An untagged value has one JSON form; it serialises without failing.
            out.bytes(serde_json::to_string(&held.value).unwrap_or_default().as_bytes());
            mark(&held.mark, out);
        }
    }
    for step in state.incident.current() {
        out.bytes(step.to.code().as_bytes());
        mark(&step.mark, out);
    }
    for step in state.complaint.current() {
        out.bytes(step.to.code().as_bytes());
        mark(&step.mark, out);
    }
    for (id, referral) in &state.referrals {
        out.raw(&id.0).bytes(referral.to.as_str().as_bytes()).bytes(referral.flow.state().code().as_bytes());
        for step in referral.flow.current() {
            mark(&step.mark, out);
        }
    }
    for (id, exhibit) in &state.exhibits {
        out.raw(&id.0).raw(&exhibit.exhibit.sha256.0).bytes(exhibit.holder.as_str().as_bytes());
        out.varint(exhibit.acts.len() as u64);
    }
    for (relation, to, reference) in state.relations() {
        out.bytes(relation.code().as_bytes()).raw(&to.0).bytes(reference.as_bytes());
    }
    for member in state.audience() {
        match member {
            Audience::Agency(id) => out.u8(1).bytes(id.as_str().as_bytes()),
            Audience::Device(id) => out.u8(2).raw(&id.0),
        };
    }
    for note in &state.notes {
        mark(&note.mark, out);
    }
    for (section, writes) in &state.writes {
        out.bytes(section.as_bytes());
        writes.iter().for_each(|written| mark(&written.mark, out));
    }
    for (_, by) in &state.signatures {
        mark(by, out);
    }
    if let Some((_, by)) = &state.decision {
        mark(by, out);
    }
}

fn mark(mark: &Mark, out: &mut Writer) {
    out.raw(&mark.entry.0);
}
