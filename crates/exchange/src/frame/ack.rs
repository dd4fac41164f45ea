//! Acknowledgements: what the receiver's device states with its signature.

use seal::codec::{Reader, Writer};
use seal::{DeviceId, Hash32, Signature, SigningKey};

use super::codec::{heads, put_heads};
use super::{FrameError, Head};

const TAG: &str = "intact/ack/v1";

/// A signed statement of how far a device holds another's store, and of the chains it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The store that is acknowledged, by [`super::store_name`].
    pub store: Hash32,
    /// Up to this commit number of it.
    pub up_to: u64,
    /// By this device.
    pub by: DeviceId,
    /// When, by its clock, milliseconds.
    pub at_ms: i64,
    /// The chains it holds without a gap, ascending by device; empty where it states none.
    pub heads: Vec<Head>,
    /// Its signature.
    pub signature: Signature,
}

impl Ack {
    /// Signs an acknowledgement that states no heads.
    pub fn sign(store: Hash32, up_to: u64, at_ms: i64, by: &SigningKey) -> Self {
        Self::sign_with(store, up_to, Vec::new(), at_ms, by)
    }
    /// Signs an acknowledgement with the heads of the chains held; they are sorted here.
    pub fn sign_with(store: Hash32, up_to: u64, mut heads: Vec<Head>, at_ms: i64, by: &SigningKey) -> Self {
        heads.sort_unstable();
        heads.dedup_by_key(|head| head.0);
        let mut ack = Self { store, up_to, by: by.device_id(), at_ms, heads, signature: Signature([0; 64]) };
        ack.signature = by.sign(TAG, &ack.statement());
        ack
    }
    /// Whether the signature holds.
    pub fn holds(&self) -> bool {
        seal::sign::verify(TAG, &self.statement(), &self.by.0, &self.signature).is_ok()
    }
    fn statement(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(&self.store.0).u64(self.up_to).raw(&self.by.0).i64(self.at_ms);
        put_heads(&mut out, &self.heads);
        out.finish()
    }
    pub(super) fn put(&self, out: &mut Writer) {
        out.raw(&self.statement()).raw(&self.signature.0);
    }
    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, FrameError> {
        Ok(Self {
            store: Hash32(from.array()?),
            up_to: from.u64()?,
            by: DeviceId(from.array()?),
            at_ms: from.i64()?,
            heads: heads(from)?,
            signature: Signature(from.array()?),
        })
    }
}
