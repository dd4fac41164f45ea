//! The JSON Schemas of what crosses a border: entries, roster objects, and the types of the window
//! and the command line. Generated from the Rust types; checked for drift.

use schemars::{Schema, schema_for};

use crate::wire;

/// Every schema: path below `schemas/`, and its text.
pub fn all() -> Vec<(&'static str, String)> {
    macro_rules! list {
        ($($path:literal: $type:ty,)*) => { vec![$(($path, text(&schema_for!($type)))),*] };
    }
    list! {
        "entry/v1/entry.json": logbook::Entry,
        "entry/v1/epoch.json": logbook::roster::Epoch,
        "entry/v1/signed-epoch.json": logbook::roster::SignedEpoch,
        "entry/v1/chain-entry.json": logbook::roster::ChainEntry,
        "entry/v1/signed-chain-entry.json": logbook::roster::SignedChainEntry,
        "entry/v1/name-opening.json": logbook::roster::NameOpening,
        "entry/v1/rules.json": logbook::clock::Rules,
        "desk/all.json": Everything,
    }
}

/// Every type that crosses to the window, in one schema.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Everything {
    error_report: wire::ErrorReport,
    init_report: wire::InitReport,
    request_report: wire::RequestReport,
    epoch_report: wire::EpochReport,
    device_report: wire::DeviceReport,
    roster_show: wire::RosterShow,
    join_report: wire::JoinReport,
    request_look: wire::RequestLook,
    revoke_look: wire::RevokeLook,
    approval_look: wire::ApprovalLook,
    reach_report: wire::ReachReport,
    log_incident: wire::LogIncident,
    logged: wire::Logged,
    entry_report: wire::EntryReport,
    board_query: wire::BoardQuery,
    board_page: wire::BoardPage,
    likely_list: wire::LikelyList,
    map_page: wire::MapPage,
    incident_show: wire::IncidentShow,
    audience_report: wire::AudienceReport,
    referral_list: wire::ReferralList,
    referral_report: wire::ReferralReport,
    exhibit_report: wire::ExhibitReport,
    complaint_list: wire::ComplaintList,
    report_start: wire::ReportStart,
    report_list: wire::ReportList,
    report_show: wire::ReportShow,
    report_written: wire::ReportWritten,
    activity_list: wire::ActivityList,
    play_report: wire::PlayReport,
    sync_report: wire::SyncReport,
    parcel_report: wire::ParcelReport,
    dossier_report: wire::DossierReport,
    trust_report: wire::TrustReport,
    verdict_report: wire::VerdictReport,
    import_report: wire::ImportReport,
    check_report: wire::CheckReport,
    vault_status: wire::VaultStatus,
    exchange_status: wire::ExchangeStatus,
    log_draft: wire::LogDraft,
    station_query: wire::StationQuery,
    station_page: wire::StationPage,
    station_import: wire::StationImport,
    silent_query: wire::SilentQuery,
    silent_page: wire::SilentPage,
    changed: wire::Changed,
    progress: wire::Progress,
}

fn text(schema: &Schema) -> String {
    // A schema is plain JSON; it serialises without failing.
    let mut text = serde_json::to_string_pretty(schema).expect("a schema serialises");
    text.push('\n');
    text
}
