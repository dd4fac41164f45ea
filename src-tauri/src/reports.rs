//! Situation reports and handovers: decode, call the desk, encode.

use std::collections::BTreeMap;

use desk::wire::{ActivityList, EntryReport, ErrorReport, ReportList, ReportShow, ReportStart, ReportWritten};
use tauri::State;

use crate::state::{Window, report};

type Answer<T> = Result<T, ErrorReport>;

#[tauri::command]
pub async fn report_list(window: State<'_, Window>) -> Answer<ReportList> {
    window.open().await?.reports().await.map_err(report)
}

#[tauri::command]
pub async fn report_show(window: State<'_, Window>, reference: String) -> Answer<ReportShow> {
    window.open().await?.report(&reference).await.map_err(report)
}

#[tauri::command]
pub async fn report_start(window: State<'_, Window>, input: ReportStart) -> Answer<ReportShow> {
    window.open().await?.start_report(input).await.map_err(report)
}

/// `base`: the changes that the text on screen ended in.
#[tauri::command]
pub async fn report_write(
    window: State<'_, Window>,
    reference: String,
    section: String,
    base: Vec<String>,
    text: String,
) -> Answer<ReportWritten> {
    window.open().await?.write_report(&reference, &section, &base, &text).await.map_err(report)
}

/// `bases`: of each text, the changes that it ended in on screen.
#[tauri::command]
pub async fn report_sign(
    window: State<'_, Window>,
    reference: String,
    capacity: String,
    bases: BTreeMap<String, Vec<String>>,
) -> Answer<EntryReport> {
    window.open().await?.sign_report(&reference, &capacity, Some(&bases)).await.map_err(report)
}

/// What was done between two times, RFC 3339.
#[tauri::command]
pub async fn activity(window: State<'_, Window>, from: String, to: String) -> Answer<ActivityList> {
    window.open().await?.activity(&from, &to).await.map_err(report)
}
