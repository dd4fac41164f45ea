//! Incidents, referrals, exhibits and complaints.

use std::collections::BTreeMap;

use logbook::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

wire! {
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
        /// Who reported it, if not whoever logs it: name, function, call sign. Sealed apart from the
        /// incident, for this institution's desks.
        #[serde(default)]
        reporter: Option<String>,
        /// How it came: `radio`, `phone`, `message`, `in-person`.
        #[serde(default)]
        channel: Option<String>,
        /// Where it comes from, in words that may be shared.
        #[serde(default)]
        source: Option<String>,
        /// How far the source is to be relied on, `a` (completely) to `e`; `f`: cannot be judged.
        #[serde(default)]
        source_reliability: Option<String>,
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
        /// The stable code of that reason: `revoked`, `forked` and the like.
        why: Option<String>,
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
        /// Who reported it, where this device can read the part that is sealed apart.
        reporter: Option<String>,
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
}
