//! Links and envelopes, without what the receiver can recompute.
//!
//! The operation comes from the context. Devices, roster hashes and key ids stand once, and then by
//! their place among those that the batch has named; number and predecessor are left out where the link
//! follows the last one of its device in the batch. What can be left out must be, so a batch has
//! one encoding.

use std::collections::HashMap;

use seal::codec::{Reader, Writer};
use seal::{DeviceId, Envelope, EnvelopeId, KeyId, Link, OperationId, RosterHash, Signature};

use super::FrameError;

/// Envelopes in one batch; with the smallest link they fill a seventh of a frame.
pub const MAX_BATCH: usize = 1024;

/// The link's device is the one of the link before.
const SAME_DEVICE: u8 = 1;
/// Its roster hash is the one of the link before.
const SAME_ROSTER: u8 = 2;
/// It follows the last link of its device in this batch.
const FOLLOWS: u8 = 4;
/// A body stands behind it.
const BODY: u8 = 8;
/// Of the body, the key's id stands by its place: every body of 16 bytes and more begins with one.
const KEYED: u8 = 16;
/// Anything beyond is malformed.
const FLAGS: u8 = 31;
/// Bytes of the smallest link: flags, commitment, signature.
const SMALLEST: usize = 1 + 32 + 64;

/// Named things of one kind, by place.
struct Names<T> {
    places: HashMap<T, usize>,
    names: Vec<T>,
    last: Option<usize>,
}

impl<T: Copy + Eq + std::hash::Hash> Names<T> {
    fn new() -> Self {
        Self { places: HashMap::new(), names: Vec::new(), last: None }
    }
    /// The place of a name; a new one gets the next place.
    fn place(&mut self, name: T) -> (usize, bool) {
        let next = self.names.len();
        let place = *self.places.entry(name).or_insert(next);
        if place == next {
            self.names.push(name);
        }
        (place, place == next)
    }
}

/// What earlier envelopes of the batch tell about the next.
struct Before {
    devices: Names<DeviceId>,
    rosters: Names<RosterHash>,
    keys: Names<KeyId>,
    /// By place of the device: number and id of its last link in the batch.
    last: Vec<(u64, EnvelopeId)>,
}

impl Before {
    fn new() -> Self {
        Self { devices: Names::new(), rosters: Names::new(), keys: Names::new(), last: Vec::new() }
    }
    fn follows(&self, place: usize, number: u64, prev: &EnvelopeId) -> bool {
        self.last.get(place).is_some_and(|(last, id)| last + 1 == number && id == prev)
    }
    fn take(&mut self, device: usize, roster: usize, number: u64, id: EnvelopeId) {
        self.devices.last = Some(device);
        self.rosters.last = Some(roster);
        match self.last.get_mut(device) {
            Some(last) => *last = (number, id),
            None => self.last.push((number, id)),
        }
    }
}

fn put_name<const N: usize>(out: &mut Writer, place: usize, new: bool, bytes: &[u8; N]) {
    out.varint(place as u64);
    if new {
        out.raw(bytes);
    }
}

/// Bytes of a key's id.
const KEY: usize = 16;

fn put_body(out: &mut Writer, keys: &mut Names<KeyId>, body: &[u8]) {
    let Some((key, rest)) = body.split_first_chunk::<KEY>() else {
        out.bytes(body);
        return;
    };
    let (place, new) = keys.place(KeyId(*key));
    put_name(out, place, new, key);
    out.bytes(rest);
}

fn body(from: &mut Reader<'_>, keys: &mut Names<KeyId>, keyed: bool) -> Result<Vec<u8>, FrameError> {
    if !keyed {
        // A longer one would have its key named.
        return Ok(from.bytes(KEY - 1)?.to_vec());
    }
    let (_, key) = name(from, keys, KeyId)?;
    let rest = from.bytes(seal::record_key::MAX_BODY - KEY)?;
    Ok([key.0.as_slice(), rest].concat())
}

/// Encodes a batch.
pub(super) fn put(out: &mut Writer, envelopes: &[Envelope]) {
    let mut before = Before::new();
    out.varint(envelopes.len() as u64);
    for envelope in envelopes {
        let link = &envelope.link;
        let (device, new_device) = before.devices.place(link.device);
        let (roster, new_roster) = before.rosters.place(link.roster);
        let same_device = before.devices.last == Some(device);
        let same_roster = before.rosters.last == Some(roster);
        let follows = before.follows(device, link.number, &link.prev);
        let mut flags = 0;
        for (set, bit) in [
            (same_device, SAME_DEVICE),
            (same_roster, SAME_ROSTER),
            (follows, FOLLOWS),
            (envelope.body.is_some(), BODY),
            (envelope.body.as_ref().is_some_and(|body| body.len() >= KEY), KEYED),
        ] {
            flags |= if set { bit } else { 0 };
        }
        out.u8(flags);
        if !same_device {
            put_name(out, device, new_device, &link.device.0);
        }
        if !same_roster {
            put_name(out, roster, new_roster, &link.roster.0);
        }
        if !follows {
            out.varint(link.number);
            if link.number != 1 {
                out.raw(&link.prev.0);
            }
        }
        out.raw(&link.body).raw(&envelope.signature.0);
        if let Some(body) = &envelope.body {
            put_body(out, &mut before.keys, body);
        }
        before.take(device, roster, link.number, link.id());
    }
}

/// A name by its place, or anew; a name that stands already must not stand again.
fn name<const N: usize, T: Copy + Eq + std::hash::Hash>(
    from: &mut Reader<'_>,
    names: &mut Names<T>,
    make: fn([u8; N]) -> T,
) -> Result<(usize, T), FrameError> {
    let place = from.count(MAX_BATCH)?;
    if names.last == Some(place) {
        return Err(FrameError::NotCanonical);
    }
    if let Some(held) = names.names.get(place) {
        return Ok((place, *held));
    }
    let new = make(from.array()?);
    match names.place(new) {
        (at, true) if at == place => Ok((place, new)),
        _ => Err(FrameError::NotCanonical),
    }
}

fn same<T: Copy>(names: &Names<T>) -> Result<(usize, T), FrameError> {
    let place = names.last.ok_or(FrameError::Malformed)?;
    names.names.get(place).map(|name| (place, *name)).ok_or(FrameError::Malformed)
}

/// Decodes a batch up to the reader's end.
pub(super) fn read(from: &mut Reader<'_>, operation: &OperationId) -> Result<Vec<Envelope>, FrameError> {
    let mut before = Before::new();
    let count = from.count(MAX_BATCH)?;
    // A count alone allocates nothing: as many as there are bytes for.
    let mut envelopes = Vec::with_capacity(count.min(from.remaining() / SMALLEST));
    for _ in 0..count {
        let flags = from.u8()?;
        if flags > FLAGS || flags & (BODY | KEYED) == KEYED {
            return Err(FrameError::Malformed);
        }
        let (at, device) = match flags & SAME_DEVICE {
            0 => name(from, &mut before.devices, DeviceId)?,
            _ => same(&before.devices)?,
        };
        let (roster_at, roster) = match flags & SAME_ROSTER {
            0 => name(from, &mut before.rosters, RosterHash)?,
            _ => same(&before.rosters)?,
        };
        let (number, prev) = place_in_chain(from, &before, at, flags & FOLLOWS != 0)?;
        let link = Link { operation: *operation, device, number, prev, roster, body: from.array()? };
        let signature = Signature(from.array()?);
        let body = match flags & BODY {
            0 => None,
            _ => Some(body(from, &mut before.keys, flags & KEYED != 0)?),
        };
        before.take(at, roster_at, number, link.id());
        envelopes.push(Envelope { link, signature, body });
    }
    Ok(envelopes)
}

/// Number and predecessor, under the rules of a link's own encoding.
fn place_in_chain(
    from: &mut Reader<'_>,
    before: &Before,
    device: usize,
    follows: bool,
) -> Result<(u64, EnvelopeId), FrameError> {
    if follows {
        let (last, id) = before.last.get(device).ok_or(FrameError::Malformed)?;
        return if *last < i64::MAX as u64 { Ok((last + 1, *id)) } else { Err(FrameError::Malformed) };
    }
    let number = from.varint()?;
    if number == 0 || number > i64::MAX as u64 {
        return Err(FrameError::Malformed);
    }
    let prev = if number == 1 { EnvelopeId([0; 32]) } else { EnvelopeId(from.array()?) };
    if number != 1 && prev.0 == [0; 32] {
        return Err(FrameError::Malformed);
    }
    if before.follows(device, number, &prev) { Err(FrameError::NotCanonical) } else { Ok((number, prev)) }
}
