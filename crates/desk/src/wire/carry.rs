//! What is carried, handed over, brought in and verified; how this device stands.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

wire! {
    /// How much was taken or given.
    Moved {
        /// Records touched.
        records: u64,
        /// Entries.
        entries: u64,
    }
    /// Something that was not taken, and why.
    Refusal {
        /// Why.
        reason: String,
    }
    /// Bytes on the way.
    Bytes {
        /// Received.
        r#in: u64,
        /// Sent.
        out: u64,
    }
    /// A conversation.
    SyncReport {
        /// What came in.
        received: Moved,
        /// What went out.
        sent: Moved,
        /// What was not taken.
        refused: Vec<Refusal>,
        /// Bytes.
        bytes: Bytes,
    }
    /// A parcel that was written, read or looked at.
    ParcelReport {
        /// What came in; zeros for one that was written.
        received: Moved,
        /// What is in it; zeros for one that was read.
        sent: Moved,
        /// What was not taken.
        refused: Vec<Refusal>,
        /// Bytes of the file.
        size: u64,
    }
    /// A dossier.
    DossierReport {
        /// Its folder or file.
        dossier: String,
        /// Entries in it.
        entries: u64,
        /// Exhibits in it.
        exhibits: u64,
    }
    /// A trust file.
    TrustReport {
        /// The operation's id.
        operation: String,
        /// The number of the current epoch.
        epoch: u64,
        /// When it was written.
        as_of: String,
    }
    /// What the verifier says of a dossier.
    VerdictReport {
        /// Its folder or file.
        dossier: String,
        /// `INTACT`, `INTACT, WITH GAPS`, `NOT INTACT` or `CANNOT BE READ`; `SEALED` where it is sealed
        /// and was not opened: nothing was judged.
        verdict: String,
        /// Up to when the roster that judged is known.
        as_of: Option<String>,
        /// The verifier's answer in plain language, line by line; the first is the verdict.
        lines: Vec<String>,
    }
    /// A row that was not imported.
    SkippedRow {
        /// Its number, from 1.
        row: u64,
        /// Why.
        reason: String,
    }
    /// An import.
    ImportReport {
        /// New records.
        created: u64,
        /// Records already here.
        updated: u64,
        /// Rows that were refused.
        skipped: Vec<SkippedRow>,
    }
    /// A check of the whole vault.
    CheckReport {
        /// Entries verified.
        entries: u64,
        /// Records folded.
        records: u64,
        /// What does not hold.
        problems: Vec<String>,
    }
    /// Where the vault stands.
    VaultStatus {
        /// `first-run`, `waiting` (a request was written, no welcome yet), `locked` or `open`.
        state: String,
        /// The operation's name.
        operation: Option<String>,
        /// Whether it is an exercise.
        exercise: bool,
        /// The institution's id.
        agency: Option<String>,
        /// The institution's name.
        agency_name: Option<String>,
        /// The device's name.
        device: Option<String>,
        /// This device's id, once its vault is open.
        device_id: Option<String>,
        /// The operator's name.
        operator: Option<String>,
        /// Roles.
        roles: Vec<String>,
        /// When something was last exchanged.
        last_sync: Option<String>,
        /// Whom to call when someone is in danger, by the operation's rules.
        emergency_number: Option<String>,
    }
    /// Another institution, as the Exchange screen shows it.
    PeerRow {
        /// The institution's id.
        agency: String,
        /// Its name.
        name: String,
        /// When something of it last came in.
        last_contact: Option<String>,
        /// Own entries that it has not acknowledged.
        not_reached: u64,
    }
    /// The Exchange screen.
    ExchangeStatus {
        /// The relay.
        relay_url: Option<String>,
        /// `off`, `connected`, `trying` or `failed`.
        relay_state: String,
        /// The address on the LAN, while serving.
        lan_address: Option<String>,
        /// The endpoint's id.
        endpoint: Option<String>,
        /// The other institutions.
        peers: Vec<PeerRow>,
        /// Entries that have not left this device.
        waiting: u64,
        /// What was not taken lately.
        refused: Vec<Refusal>,
    }
    /// The draft of the Log form, kept at every keystroke.
    LogDraft {
        /// What the form holds, as the window keeps it.
        form: BTreeMap<String, String>,
        /// When it was kept.
        kept_at: String,
    }
    /// Records changed.
    Changed {
        /// Their ids.
        records: Vec<String>,
    }
    /// Long work goes on.
    Progress {
        /// What.
        task: String,
        /// Done so far.
        done: u64,
        /// Of how much.
        total: u64,
    }
}
