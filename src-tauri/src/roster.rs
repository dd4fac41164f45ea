//! The Roster screen's commands: what a device could read, revoking, approving, enrolling.

use std::path::PathBuf;

use desk::wire::{ApprovalLook, DeviceReport, ErrorReport, ReachReport, RequestLook, RevokeLook};
use tauri::State;

use crate::state::{Window, report};

type Answer<T> = Result<T, ErrorReport>;

#[tauri::command]
pub async fn device_reach(window: State<'_, Window>, device: String, limit: u32, offset: u32) -> Answer<ReachReport> {
    window.open().await?.reach(&device, limit, offset).await.map_err(report)
}

/// `since`: from when on its entries are in doubt, RFC 3339.
#[tauri::command]
pub async fn revoke_look(
    window: State<'_, Window>,
    device: String,
    last_good: Option<u64>,
    since: Option<String>,
) -> Answer<RevokeLook> {
    window.open().await?.look_at_revoking(&device, last_good, since.as_deref()).await.map_err(report)
}

#[tauri::command]
pub async fn revoke_ask(
    window: State<'_, Window>,
    device: String,
    reason: String,
    last_good: u64,
    out: PathBuf,
) -> Answer<DeviceReport> {
    window.open().await?.ask_approval(&device, &reason, last_good, &out).await.map_err(report)
}

#[tauri::command]
pub async fn revoke_device(
    window: State<'_, Window>,
    device: String,
    reason: String,
    last_good: u64,
    second: Option<PathBuf>,
) -> Answer<DeviceReport> {
    window.open().await?.revoke(&device, &reason, Some(last_good), second.as_deref()).await.map_err(report)
}

#[tauri::command]
pub async fn approval_look(window: State<'_, Window>, path: PathBuf) -> Answer<ApprovalLook> {
    window.open().await?.look_at_approval(&path).await.map_err(report)
}

#[tauri::command]
pub async fn approval_write(
    window: State<'_, Window>,
    device: String,
    last_good: u64,
    out: PathBuf,
) -> Answer<DeviceReport> {
    window.open().await?.approve_revocation(&device, last_good, &out).await.map_err(report)
}

#[tauri::command]
pub async fn enrol_look(window: State<'_, Window>, path: PathBuf) -> Answer<RequestLook> {
    window.open().await?.look_at_request(&path).map_err(report)
}

#[tauri::command]
pub async fn enrol(window: State<'_, Window>, path: PathBuf, out: PathBuf) -> Answer<DeviceReport> {
    window.open().await?.enrol(&path, &out).await.map_err(report)
}
