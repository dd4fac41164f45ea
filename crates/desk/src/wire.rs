//! The types that cross to the window, and that the command line prints with `--json`.
//!
//! One set of types for both; members that `--json` promises keep their names. Times are RFC 3339
//! with zone, hashes and ids lower-case hex.

use std::collections::BTreeMap;

use logbook::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::likely::{LikelyList, LikelyRow};

macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }
    )*};
}

wire! {
    /// An error for a person.
    ErrorReport {
        /// What scripts act on.
        code: String,
        /// What happened.
        message: String,
        /// What is safe, what to do next.
        advice: String,
    }
    /// A founded operation.
    InitReport {
        /// The operation's id.
        operation: String,
        /// The institution's id.
        agency: String,
        /// This device's id.
        device: String,
    }
    /// A request that was written.
    RequestReport {
        /// The institution's id.
        agency: String,
        /// This device's id.
        device: String,
    }
    /// A roster epoch in the making.
    EpochReport {
        /// Its number.
        epoch: u64,
        /// Signatures that the next epoch after it will need.
        threshold: usize,
        /// Who signed it.
        signatures: Vec<String>,
        /// Who could still sign, while signatures are missing.
        needed: Vec<String>,
    }
    /// An enrolled or revoked device.
    DeviceReport {
        /// The device's id.
        device: String,
        /// The last accepted number of its chain, where it was revoked.
        cut: Option<u64>,
    }
    /// An institution.
    AgencyRow {
        /// Its id.
        id: String,
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Two of its administrators contradict each other.
        contested: bool,
    }
    /// A device.
    DeviceRow {
        /// Its id.
        id: String,
        /// Its institution.
        agency: String,
        /// Its name.
        name: String,
        /// Who acts on it, where the name is known here.
        operator: String,
        /// Roles.
        roles: Vec<String>,
        /// `active` or `revoked`.
        status: String,
        /// The reason of its revocation.
        reason: Option<String>,
    }
    /// The roster.
    RosterShow {
        /// The operation's id.
        operation: String,
        /// Its name.
        operation_name: String,
        /// Whether it is an exercise.
        exercise: bool,
        /// The number of the current epoch.
        epoch: u64,
        /// Signatures that the next epoch needs.
        threshold: usize,
        /// Institutions.
        agencies: Vec<AgencyRow>,
        /// Devices.
        devices: Vec<DeviceRow>,
    }
    /// Who became part of what.
    JoinReport {
        /// The operation's id.
        operation: String,
        /// The institution.
        agency: String,
    }
    /// What the Log form holds.
    LogIncident {
        /// `scheme:code`.
        category: String,
        /// physical, cyber, information, operational.
        #[serde(default)]
        domains: Vec<String>,
        /// In one line.
        summary: String,
        /// The account.
        #[serde(default)]
        description: Option<String>,
        /// The polling station's code.
        #[serde(default)]
        station: Option<String>,
        /// The place, in words.
        #[serde(default)]
        place: Option<String>,
        /// Latitude, degrees.
        #[serde(default)]
        lat: Option<f64>,
        /// Longitude, degrees.
        #[serde(default)]
        lon: Option<f64>,
        /// When it happened, RFC 3339; absent: now.
        #[serde(default)]
        occurred: Option<String>,
        /// 1 to 4.
        #[serde(default)]
        severity: Option<i64>,
        /// People hurt or in danger.
        #[serde(default)]
        people: Option<String>,
        /// Hazards.
        #[serde(default)]
        hazards: Option<String>,
        /// Services there, or needed.
        #[serde(default)]
        services: Option<String>,
        /// Traffic light protocol.
        #[serde(default)]
        tlp: Option<String>,
    }
    /// What was signed and kept.
    Logged {
        /// The record's id.
        id: String,
        /// Its reference.
        reference: String,
        /// The entry's id.
        entry: String,
        /// When it was recorded.
        recorded_at: String,
    }
    /// An entry that was signed and kept.
    EntryReport {
        /// The entry's id.
        entry: String,
    }
    /// What the board asks for.
    BoardQuery {
        /// `all`, `open`, `new`, `mine`, `waiting`, `overdue`, `critical`.
        #[serde(default)]
        view: Option<String>,
        /// In this state.
        #[serde(default)]
        state: Option<String>,
        /// Of this category.
        #[serde(default)]
        category: Option<String>,
        /// Of this severity.
        #[serde(default)]
        severity: Option<i64>,
        /// Containing these words.
        #[serde(default)]
        search: Option<String>,
        /// At most so many.
        limit: u32,
        /// After so many.
        offset: u32,
    }
    /// Numbers on top of the board.
    Counts {
        /// Not yet triaged.
        new: u64,
        /// Not closed.
        open: u64,
        /// Open and critical.
        critical: u64,
        /// Referrals from here without an answer.
        unanswered: u64,
        /// Referrals whose time is over.
        overdue: u64,
        /// Assigned to this device's operator.
        mine: u64,
    }
    /// A referral in a row.
    RowReferral {
        /// The institution asked.
        to: String,
        /// The state.
        state: String,
        /// By when an answer is expected.
        respond_by: Option<String>,
    }
    /// An incident in a list.
    BoardRow {
        /// The record's id.
        id: String,
        /// Its reference.
        reference: String,
        /// In one line.
        summary: String,
        /// `scheme:code`.
        category: String,
        /// 1 to 4; 0 where none was stated.
        severity: i64,
        /// The state's code.
        state: String,
        /// The owner.
        owner: String,
        /// Fields in dispute.
        disputed: Vec<String>,
        /// The polling station's code.
        station: Option<String>,
        /// The place.
        place: Option<String>,
        /// Domains.
        domains: Vec<String>,
        /// How many exhibits.
        exhibits: u64,
        /// When it was recorded.
        recorded_at: String,
        /// When it last changed.
        last_at: String,
        /// The newest referral.
        referral: Option<RowReferral>,
        /// To whom it is assigned.
        assigned: Option<String>,
    }
    /// A page of the board.
    BoardPage {
        /// How many there are.
        total: u64,
        /// This page.
        items: Vec<BoardRow>,
        /// Numbers on top.
        counts: Counts,
    }
    /// What the map asks for: the same narrowing as the board's.
    MapQuery {
        /// A view of the board; all where none is named.
        #[serde(default)]
        view: Option<String>,
        /// In this state.
        #[serde(default)]
        state: Option<String>,
        /// Of this category.
        #[serde(default)]
        category: Option<String>,
        /// Of this severity.
        #[serde(default)]
        severity: Option<i64>,
        /// Containing these words.
        #[serde(default)]
        search: Option<String>,
    }
    /// An incident on the map.
    MapPoint {
        /// The record's id.
        id: String,
        /// Its reference.
        reference: String,
        /// In one line.
        summary: String,
        /// 1 to 4; 0 where none was stated.
        severity: i64,
        /// The state's code.
        state: String,
        /// Degrees north.
        lat: f64,
        /// Degrees east.
        lon: f64,
        /// Whether the place is in dispute.
        disputed: bool,
        /// When it was recorded.
        recorded_at: String,
    }
    /// What the map shows.
    MapPage {
        /// How many incidents the view has.
        total: u64,
        /// How many of them have coordinates.
        placed: u64,
        /// The newest of those; fewer than `placed` where not all fit.
        points: Vec<MapPoint>,
        /// Numbers on top.
        counts: Counts,
    }
    /// One of several values.
    DisputedValue {
        /// The value.
        value: FieldValue,
        /// Who set it.
        agency: String,
        /// Which operator.
        operator: String,
        /// When, by the author's clock.
        at: String,
        /// By which entry.
        entry: String,
    }
    /// An entry in the trail.
    EntryRow {
        /// The entry's id.
        id: String,
        /// The envelope's id.
        envelope: String,
        /// What kind of action.
        action: String,
        /// In words, English: for whoever has no words of their own for the next three.
        text: String,
        /// The facts that it sets, where it amends.
        set: BTreeMap<String, FieldValue>,
        /// Whom it asks, or to whom it assigns.
        to: Option<String>,
        /// The state, step or ask that it names.
        code: Option<String>,
        /// The reason or outcome that was given with it.
        given: Option<String>,
        /// The author's institution.
        agency: String,
        /// The author device's name.
        device: String,
        /// The operator.
        operator: String,
        /// When, by the author's clock.
        recorded_at: String,
        /// How far that clock is to be trusted.
        clock: String,
        /// The number in the device's chain.
        number: u64,
        /// waiting, rejected, not-authorised, valid, witnessed, quarantined.
        status: String,
        /// Why, where it is not simply valid.
        reason: Option<String>,
    }
    /// A referral.
    ReferralItem {
        /// Its id: the entry that offered it.
        id: String,
        /// The record that holds it.
        record: String,
        /// That record's summary.
        summary: String,
        /// The asker.
        from: String,
        /// The institution asked.
        to: String,
        /// respond, investigate, advise, preserve, provide-evidence.
        ask: String,
        /// The state.
        state: String,
        /// By when an answer is expected.
        respond_by: Option<String>,
        /// Whether that time is over without an answer.
        overdue: bool,
        /// The reason given with the last step.
        reason: Option<String>,
        /// When it was offered.
        offered_at: String,
        /// The steps so far, in words.
        steps: Vec<ReferralStep>,
    }
    /// A step of a referral.
    ReferralStep {
        /// The state reached.
        state: String,
        /// By whom: institution.
        agency: String,
        /// By whom: operator.
        operator: String,
        /// When.
        at: String,
    }
    /// Referrals.
    ReferralList {
        /// The referrals.
        items: Vec<ReferralItem>,
    }
    /// A referral that was offered.
    ReferralReport {
        /// Its id.
        referral: String,
        /// The record that holds it: the incident, or a brief.
        record: String,
    }
    /// An exhibit.
    ExhibitRow {
        /// Its id: the entry that added it.
        id: String,
        /// The file's name as it came.
        name: String,
        /// What it shows.
        description: Option<String>,
        /// Bytes.
        size: u64,
        /// SHA-256 of the original.
        sha256: String,
        /// Who holds it.
        holder: String,
        /// Whether its bytes are on this device.
        here: bool,
        /// The line of custody, in words.
        custody: Vec<String>,
    }
    /// An exhibit that was added.
    ExhibitReport {
        /// Its id.
        exhibit: String,
        /// SHA-256 of the original.
        sha256: String,
        /// SHA-512 of the original.
        sha512: String,
        /// Bytes.
        size: u64,
    }
    /// A link to another record.
    LinkRow {
        /// What it says.
        relation: String,
        /// The other record's id.
        id: String,
        /// Its reference.
        reference: String,
    }
    /// Everything derived about an incident.
    IncidentShow {
        /// The record's id.
        id: String,
        /// Its reference.
        reference: String,
        /// The owner.
        owner: String,
        /// The state's code.
        state: String,
        /// Fields with their values.
        fields: BTreeMap<String, FieldValue>,
        /// Fields in dispute, with every value.
        disputes: BTreeMap<String, Vec<DisputedValue>>,
        /// The trail, in causal order.
        entries: Vec<EntryRow>,
        /// Referrals.
        referrals: Vec<ReferralItem>,
        /// Exhibits.
        exhibits: Vec<ExhibitRow>,
        /// Links.
        links: Vec<LinkRow>,
        /// Who can read it: ids of institutions and devices.
        audience: Vec<String>,
        /// The same in a sentence.
        audience_sentence: String,
        /// What is missing, in words.
        gaps: Vec<String>,
        /// A hash over everything derived.
        digest: String,
    }
    /// Who can read a record.
    AudienceReport {
        /// Ids of institutions and devices.
        audience: Vec<String>,
        /// The same in a sentence.
        sentence: String,
    }
    /// A legal clock that runs.
    DueRow {
        /// The rule.
        rule: String,
        /// When it is due.
        at: String,
        /// How that was counted.
        working: String,
        /// Where the rule stands.
        citation: String,
    }
    /// A complaint.
    ComplaintShow {
        /// The record's id.
        id: String,
        /// Its reference.
        reference: String,
        /// Its docket number.
        docket: String,
        /// The state.
        state: String,
        /// In one line.
        summary: String,
        /// What it is about.
        subject: String,
        /// References of the incidents it relies on.
        incidents: Vec<String>,
        /// Legal clocks.
        due: Vec<DueRow>,
        /// When it was filed.
        filed_at: String,
        /// The outcome, once decided.
        outcome: Option<String>,
        /// The reasons, once decided.
        reasons: Option<String>,
        /// The remedy, sought or ordered.
        remedy: Option<String>,
        /// The trail.
        entries: Vec<EntryRow>,
        /// A hash over everything derived.
        digest: String,
    }
    /// Complaints.
    ComplaintList {
        /// How many there are.
        total: u64,
        /// The complaints.
        items: Vec<ComplaintShow>,
    }
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
        /// The operator's name.
        operator: Option<String>,
        /// Roles.
        roles: Vec<String>,
        /// When something was last exchanged.
        last_sync: Option<String>,
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
