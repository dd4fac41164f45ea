//! What the window has from the system: its file dialog, its notices, and the file that was double-clicked.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use desk::DeskError;
use desk::wire::{ErrorReport, Progress, StationImport, VerdictReport};
use serde::Deserialize;
use tauri::{AppHandle, Emitter, Manager, State};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_window_state::{AppHandleExt, StateFlags};
use tokio::sync::oneshot;

use crate::state::{Window, report};

type Answer<T> = Result<T, ErrorReport>;

/// What the person is asked for.
#[derive(Deserialize)]
pub struct Wanted {
    /// A file to be written, rather than one to be read.
    save: bool,
    /// What stands on the dialog.
    title: String,
    /// The name proposed.
    #[serde(default)]
    name: Option<String>,
    /// How its name ends, without the dot; none: any.
    #[serde(default)]
    extension: Option<String>,
}

/// Asks the person for a file by the system's own dialog; nothing where they changed their mind.
#[tauri::command]
pub async fn choose_file(app: AppHandle, wanted: Wanted) -> Answer<Option<PathBuf>> {
    let mut dialog = app.dialog().file().set_title(&wanted.title);
    if let Some(window) = app.get_webview_window("main") {
        dialog = dialog.set_parent(&window);
    }
    if let Some(name) = &wanted.name {
        dialog = dialog.set_file_name(name);
    }
    if let Some(extension) = &wanted.extension {
        dialog = dialog.add_filter(format!("*.{extension}"), &[extension]);
    }
    let (chosen, choice) = oneshot::channel();
    let answer = move |path: Option<tauri_plugin_dialog::FilePath>| {
        let _ = chosen.send(path);
    };
    if wanted.save {
        dialog.save_file(answer)
    } else {
        dialog.pick_file(answer)
    }
    // A dialog that went with its window chose nothing.
    let Some(path) = choice.await.ok().flatten() else { return Ok(None) };
    path.into_path().map(Some).map_err(|_| report(DeskError::usage("this place is no file of this computer")))
}

/// The file that the window was opened with, once.
#[tauri::command]
pub async fn opened_file(window: State<'_, Window>) -> Answer<Option<PathBuf>> {
    Ok(window.opened.lock().await.take())
}

/// Where the window stands and how large it is; not more.
pub const PLACE: StateFlags = StateFlags::SIZE.union(StateFlags::POSITION).union(StateFlags::MAXIMIZED);

/// Keeps the window's place once it has stayed there for a moment: a machine that is switched off tells
/// no program to end first.
pub fn remember_place(app: &AppHandle) {
    static SOON: AtomicBool = AtomicBool::new(false);
    if SOON.swap(true, Ordering::Relaxed) {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        SOON.store(false, Ordering::Relaxed);
        // A place that cannot be kept is forgotten, as it was before.
        let _ = app.save_window_state(PLACE);
    });
}

/// A second start of the program with the same vault: this window comes to the front, and is told the
/// file, if there was one.
pub fn started_again(app: &AppHandle, arguments: &[String], folder: &str) {
    if let Some(window) = app.get_webview_window("main") {
        let _ = window.unminimize();
        let _ = window.set_focus();
    }
    let mut arguments = arguments.iter().skip(1).map(std::ffi::OsString::from);
    let Some(file) = crate::Options::read(&mut arguments).file else { return };
    let file = Path::new(folder).join(file);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        *app.state::<Window>().opened.lock().await = Some(file);
        let _ = app.emit("opened", ());
    });
}

/// Characters of a notice at most: a sentence, not a record.
const NOTICE: usize = 200;

/// Tells the person by a notice of the system that something came. Its text is the window's; what came
/// is never in it, because others read a screen over the shoulder and the system keeps what it showed.
#[tauri::command]
pub async fn notify(text: String) -> Answer<()> {
    let text: String = text.chars().take(NOTICE).collect();
    let show = move || notify_rust::Notification::new().appname("Intact").summary("Intact").body(&text).show();
    let shown = tauri::async_runtime::spawn_blocking(show).await;
    match shown {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(report(DeskError::usage("this system shows no notices"))),
    }
}

/// What the verifier says of a dossier: by this device's own roster or, where the vault is locked or
/// there is none, by a trust file. A sealed one is opened into the new folder `out`.
#[tauri::command]
pub async fn dossier_read(
    window: State<'_, Window>,
    path: PathBuf,
    out: Option<PathBuf>,
    trust: Option<PathBuf>,
) -> Answer<VerdictReport> {
    match trust {
        Some(trust) => desk::read_dossier_by(&path, &trust).await.map_err(report),
        None => window.open().await?.read_dossier(&path, out.as_deref()).await.map_err(report),
    }
}

/// Brings in a list of stations; how far it is goes out as the event `stations`.
#[tauri::command]
pub async fn station_import(
    app: AppHandle,
    window: State<'_, Window>,
    path: PathBuf,
    day: Option<String>,
) -> Answer<StationImport> {
    let desk = window.open().await?;
    let progress = move |done, total| {
        let _ = app.emit("stations", Progress { task: "stations".into(), done, total });
    };
    desk.import_stations(&path, None, day.as_deref(), std::sync::Arc::new(progress)).await.map_err(report)
}
