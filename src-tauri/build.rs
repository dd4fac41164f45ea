//! Generates the permissions of each command and the window's context.

fn main() {
    let commands = &[
        "vault_status",
        "start_operation",
        "request_agency",
        "request_device",
        "join_operation",
        "unlock",
        "lock",
        "board",
        "incident_show",
        "incident_log",
        "draft_get",
        "draft_put",
        "draft_clear",
        "incident_note",
        "incident_amend",
        "incident_state",
        "incident_assign",
        "audience_preview",
        "share",
        "refer",
        "referral_list",
        "referral_answer",
        "exhibit_add",
        "roster_show",
        "exchange_status",
        "relay_connect",
        "relay_disconnect",
        "sync_relay",
        "sync_peer",
        "lan_serve",
        "lan_stop",
        "parcel_write",
        "parcel_read",
        "settings_get",
        "settings_put",
    ];
    let manifest = tauri_build::AppManifest::new().commands(commands);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)).expect("the window's context");
}
