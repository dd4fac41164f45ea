//! One function per command: decode, call the desk, encode. Authorisation is the desk's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use desk::found::{AgencyInput, DeviceInput};
use desk::wire::{
    AudienceReport, BoardPage, BoardQuery, EntryReport, ErrorReport, ExhibitReport, IncidentShow, InitReport,
    JoinReport, LikelyList, LogDraft, LogIncident, Logged, MapPage, ReferralList, ReferralReport, RequestReport,
    RosterShow, SilentPage, SilentQuery, StationPage, StationQuery, VaultStatus,
};
use desk::{Desk, Passphrase};
use serde::Deserialize;
use tauri::ipc::{InvokeBody, Request, Response};
use tauri::{AppHandle, State};

use crate::carry::watch_changes;
use crate::state::{Window, report};

type Answer<T> = Result<T, ErrorReport>;

/// Bytes of a photo through the window; larger files go in on the command line, as streams.
const MAX_PHOTO: usize = 64 * 1024 * 1024;

/// Starting an operation.
#[derive(Deserialize)]
pub struct StartInput {
    operation_name: String,
    agency: String,
    kind: String,
    agency_name: String,
    operator: String,
    device: String,
    passphrase: String,
    #[serde(default)]
    exercise: bool,
}

/// Asking to take part.
#[derive(Deserialize)]
pub struct RequestInput {
    agency: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    agency_name: String,
    operator: String,
    device: String,
    passphrase: String,
    out: PathBuf,
    #[serde(default)]
    roles: Vec<String>,
}

#[tauri::command]
pub async fn vault_status(window: State<'_, Window>) -> Answer<VaultStatus> {
    let desk = window.desk.lock().await.clone();
    match desk {
        Some(desk) => desk.status().await.map_err(report),
        None => Ok(desk::closed_status(&window.dir)),
    }
}

async fn take(app: AppHandle, window: &Window, desk: Desk) {
    watch_changes(app, &desk);
    *window.desk.lock().await = Some(desk);
}

#[tauri::command]
pub async fn start_operation(app: AppHandle, window: State<'_, Window>, input: StartInput) -> Answer<InitReport> {
    let root_out = window.dir.with_extension("root");
    let agency = AgencyInput {
        id: input.agency,
        kind: input.kind,
        name: input.agency_name,
        operator: input.operator,
        device: input.device,
        root_out,
    };
    let pass = Passphrase::new(input.passphrase);
    let (desk, done) =
        Desk::init(&window.dir, &pass, &input.operation_name, agency, None, input.exercise).await.map_err(report)?;
    take(app, &window, desk).await;
    Ok(done)
}

#[tauri::command]
pub async fn request_agency(app: AppHandle, window: State<'_, Window>, input: RequestInput) -> Answer<RequestReport> {
    let agency = AgencyInput {
        id: input.agency,
        kind: input.kind,
        name: input.agency_name,
        operator: input.operator,
        device: input.device,
        root_out: window.dir.with_extension("root"),
    };
    let pass = Passphrase::new(input.passphrase);
    let (desk, done) = Desk::request_agency(&window.dir, &pass, agency, &input.out).await.map_err(report)?;
    take(app, &window, desk).await;
    Ok(done)
}

#[tauri::command]
pub async fn request_device(app: AppHandle, window: State<'_, Window>, input: RequestInput) -> Answer<RequestReport> {
    let device = DeviceInput {
        agency: input.agency,
        operator: input.operator,
        device: input.device,
        roles: input.roles,
        unit: None,
    };
    let pass = Passphrase::new(input.passphrase);
    let (desk, done) = Desk::request_device(&window.dir, &pass, device, &input.out).await.map_err(report)?;
    take(app, &window, desk).await;
    Ok(done)
}

#[tauri::command]
pub async fn join_operation(window: State<'_, Window>, path: PathBuf) -> Answer<JoinReport> {
    let desk = window.open().await?;
    let done = desk.join(&path, None).await.map_err(report)?;
    let fresh = desk.reopened().await.map_err(report)?;
    *window.desk.lock().await = Some(fresh);
    Ok(done)
}

#[tauri::command]
pub async fn unlock(app: AppHandle, window: State<'_, Window>, passphrase: String) -> Answer<VaultStatus> {
    let desk = Desk::open(&window.dir, &Passphrase::new(passphrase)).await.map_err(report)?;
    let status = desk.status().await.map_err(report)?;
    take(app, &window, desk).await;
    Ok(status)
}

#[tauri::command]
pub async fn lock(window: State<'_, Window>) -> Answer<()> {
    window.close().await;
    Ok(())
}

#[tauri::command]
pub async fn board(window: State<'_, Window>, query: BoardQuery) -> Answer<BoardPage> {
    window.open().await?.board(query).await.map_err(report)
}

#[tauri::command]
pub async fn map(window: State<'_, Window>, query: BoardQuery) -> Answer<MapPage> {
    window.open().await?.map(query).await.map_err(report)
}

/// `as_of`: as this device knew it then, RFC 3339.
#[tauri::command]
pub async fn incident_show(
    window: State<'_, Window>,
    reference: String,
    as_of: Option<String>,
) -> Answer<IncidentShow> {
    window.open().await?.show(&reference, as_of.as_deref()).await.map_err(report)
}

/// An operator opened the record: what a referral calls "seen".
#[tauri::command]
pub async fn incident_opened(window: State<'_, Window>, reference: String) -> Answer<()> {
    window.open().await?.opened(&reference).await.map_err(report)
}

/// Open incidents that are likely the same matter.
#[tauri::command]
pub async fn incident_likely(window: State<'_, Window>, reference: String) -> Answer<LikelyList> {
    window.open().await?.likely(&reference).await.map_err(report)
}

#[tauri::command]
pub async fn incident_duplicate(
    window: State<'_, Window>,
    reference: String,
    of: Option<String>,
    undo: bool,
) -> Answer<EntryReport> {
    window.open().await?.duplicate(&reference, of.as_deref(), undo).await.map_err(report)
}

#[tauri::command]
pub async fn incident_log(window: State<'_, Window>, input: LogIncident) -> Answer<Logged> {
    window.open().await?.log(input).await.map_err(report)
}

#[tauri::command]
pub async fn draft_get(window: State<'_, Window>) -> Answer<Option<LogDraft>> {
    window.open().await?.draft_kept().await.map_err(report)
}

#[tauri::command]
pub async fn draft_put(window: State<'_, Window>, form: BTreeMap<String, String>) -> Answer<LogDraft> {
    window.open().await?.keep_draft(form).await.map_err(report)
}

#[tauri::command]
pub async fn draft_clear(window: State<'_, Window>) -> Answer<()> {
    window.open().await?.drop_draft().await.map_err(report)
}

#[tauri::command]
pub async fn incident_note(window: State<'_, Window>, reference: String, text: String) -> Answer<EntryReport> {
    window.open().await?.note(&reference, &text).await.map_err(report)
}

#[tauri::command]
pub async fn incident_amend(
    window: State<'_, Window>,
    reference: String,
    set: BTreeMap<String, String>,
    settles: bool,
) -> Answer<EntryReport> {
    window.open().await?.amend(&reference, set.into_iter().collect(), settles).await.map_err(report)
}

#[tauri::command]
pub async fn incident_state(
    window: State<'_, Window>,
    reference: String,
    state: String,
    reason: Option<String>,
) -> Answer<EntryReport> {
    window.open().await?.move_incident(&reference, &state, reason).await.map_err(report)
}

#[tauri::command]
pub async fn incident_assign(window: State<'_, Window>, reference: String, to: String) -> Answer<EntryReport> {
    window.open().await?.assign(&reference, &to).await.map_err(report)
}

#[tauri::command]
pub async fn audience_preview(
    window: State<'_, Window>,
    reference: String,
    with: Vec<String>,
) -> Answer<AudienceReport> {
    window.open().await?.audience_preview(&reference, &with).await.map_err(report)
}

#[tauri::command]
pub async fn share(window: State<'_, Window>, reference: String, with: Vec<String>) -> Answer<AudienceReport> {
    window.open().await?.share(&reference, &with).await.map_err(report)
}

#[tauri::command]
pub async fn refer(
    window: State<'_, Window>,
    reference: String,
    to: String,
    ask: String,
    respond_by: Option<String>,
) -> Answer<ReferralReport> {
    window.open().await?.refer(&reference, &to, &ask, respond_by.as_deref(), None).await.map_err(report)
}

#[tauri::command]
pub async fn referral_list(window: State<'_, Window>, inbox: bool) -> Answer<ReferralList> {
    window.open().await?.referrals(inbox, !inbox).await.map_err(report)
}

#[tauri::command]
pub async fn referral_answer(
    window: State<'_, Window>,
    id: String,
    step: String,
    reason: Option<String>,
) -> Answer<EntryReport> {
    window.open().await?.answer(&id, &step, reason, None).await.map_err(report)
}

/// The bytes come as they are; what describes them comes in headers, percent-encoded, because
/// headers hold ASCII only.
#[tauri::command]
pub async fn exhibit_add(window: State<'_, Window>, request: Request<'_>) -> Answer<ExhibitReport> {
    let InvokeBody::Raw(bytes) = request.body() else {
        return Err(report(desk::DeskError::usage("an exhibit comes as bytes")));
    };
    if bytes.len() > MAX_PHOTO {
        return Err(report(desk::DeskError::usage(
            "this file is too large for the window; add it with `intact exhibit add`",
        )));
    }
    let reference = header(&request, "reference")?;
    let name = header(&request, "name")?;
    let description = Some(header(&request, "description")?).filter(|text| !text.is_empty());
    let bytes = std::io::Cursor::new(bytes.clone());
    window.open().await?.add_exhibit(&reference, &name, description, bytes).await.map_err(report)
}

/// A header's text. Its length is bounded by the webview; the desk bounds each field again.
fn header(request: &Request<'_>, name: &str) -> Answer<String> {
    let coded = request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    decoded(coded).ok_or_else(|| report(desk::DeskError::usage("a header of the exhibit cannot be read")))
}

/// Undoes percent-encoding; `None` for a broken escape or for what is no UTF-8.
fn decoded(coded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(coded.len());
    let mut rest = coded.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// The stations that may be meant by what was typed.
#[tauri::command]
pub async fn station_list(window: State<'_, Window>, query: StationQuery) -> Answer<StationPage> {
    window.open().await?.stations(query).await.map_err(report)
}

/// Stations that were not heard of when they were expected to be.
#[tauri::command]
pub async fn station_silent(window: State<'_, Window>, query: SilentQuery) -> Answer<SilentPage> {
    window.open().await?.silent(query).await.map_err(report)
}

#[tauri::command]
pub async fn roster_show(window: State<'_, Window>) -> Answer<RosterShow> {
    window.open().await?.roster_show().await.map_err(report)
}

#[tauri::command]
pub async fn settings_get(window: State<'_, Window>, name: String) -> Answer<Option<String>> {
    window.open().await?.window_setting(&name).await.map_err(report)
}

#[tauri::command]
pub async fn settings_put(window: State<'_, Window>, name: String, value: String) -> Answer<()> {
    window.open().await?.put_window_setting(&name, &value).await.map_err(report)
}

/// A piece of the map file that the setting `tiles` names, as bytes.
#[tauri::command]
pub async fn tiles_read(window: State<'_, Window>, offset: u64, length: u32) -> Answer<Response> {
    window.open().await?.ground_piece(offset, length).await.map(Response::new).map_err(report)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn percent_encoding_is_undone_and_nonsense_refused() {
        assert_eq!(decoded("photo%20de%20l%E2%80%99entr%C3%A9e.jpg").as_deref(), Some("photo de l’entrée.jpg"));
        assert_eq!(decoded("plain-0421.jpg").as_deref(), Some("plain-0421.jpg"));
        for broken in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decoded(broken), None, "{broken}");
        }
    }
}
