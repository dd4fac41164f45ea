//! The desktop shell: it decodes what the window asks, calls the desk, and encodes the answer.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod carry;
mod commands;
mod exercise;
mod reports;
mod roster;
mod state;

use std::path::PathBuf;

use state::Window;
use tauri::Manager;

/// What stands on the command line: `--vault DIR` and, for drills and tests, `--passphrase-file FILE`.
struct Options {
    dir: PathBuf,
    passphrase_file: Option<PathBuf>,
}

fn options() -> Options {
    let mut options = Options { dir: default_dir(), passphrase_file: None };
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--vault") => options.dir = arguments.next().map(PathBuf::from).unwrap_or(options.dir),
            Some("--passphrase-file") => options.passphrase_file = arguments.next().map(PathBuf::from),
            _ => {}
        }
    }
    options
}

/// `INTACT_VAULT`, or the place where the desktop keeps data of its programs.
fn default_dir() -> PathBuf {
    let named = std::env::var_os("INTACT_VAULT").map(PathBuf::from);
    let shared = || std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    named.unwrap_or_else(|| shared().or_else(home).unwrap_or_default().join("intact/vault"))
}

/// Opens the vault without asking, where a passphrase file was named.
fn open_early(options: &Options) -> Option<desk::Desk> {
    let file = options.passphrase_file.as_ref()?;
    let text = std::fs::read_to_string(file).ok()?;
    let pass = desk::Passphrase::new(text);
    match tauri::async_runtime::block_on(desk::Desk::open(&options.dir, &pass)) {
        Ok(desk) => Some(desk),
        Err(error) => {
            eprintln!("intact-window: {}\n  {}", error.message, error.advice);
            None
        }
    }
}

fn main() {
    let options = options();
    let early = open_early(&options);
    let window = Window::over(options.dir);
    let outcome = tauri::Builder::default()
        .manage(window)
        .invoke_handler(tauri::generate_handler![
            commands::vault_status,
            commands::start_operation,
            commands::request_agency,
            commands::request_device,
            commands::join_operation,
            commands::unlock,
            commands::lock,
            commands::board,
            commands::map,
            commands::incident_show,
            commands::incident_opened,
            commands::incident_duplicate,
            commands::incident_likely,
            commands::incident_log,
            commands::draft_get,
            commands::draft_put,
            commands::draft_clear,
            commands::incident_note,
            commands::incident_amend,
            commands::incident_state,
            commands::incident_assign,
            commands::audience_preview,
            commands::share,
            commands::refer,
            commands::referral_list,
            commands::referral_answer,
            commands::exhibit_add,
            commands::station_list,
            commands::station_silent,
            commands::roster_show,
            commands::settings_get,
            commands::settings_put,
            reports::report_list,
            reports::report_show,
            reports::report_start,
            reports::report_write,
            reports::report_sign,
            reports::activity,
            exercise::exercise_play,
            exercise::exercise_stop,
            commands::tiles_read,
            carry::exchange_status,
            carry::relay_connect,
            carry::relay_disconnect,
            carry::sync_relay,
            carry::sync_peer,
            carry::lan_serve,
            carry::lan_stop,
            carry::parcel_write,
            carry::parcel_read,
            roster::device_reach,
            roster::revoke_look,
            roster::revoke_ask,
            roster::revoke_device,
            roster::approval_look,
            roster::approval_write,
            roster::enrol_look,
            roster::enrol,
        ])
        .setup(move |app| {
            if let Some(desk) = early {
                carry::watch_changes(app.handle().clone(), &desk);
                let window = app.state::<Window>();
                *tauri::async_runtime::block_on(window.desk.lock()) = Some(desk);
            }
            Ok(())
        })
        .build(tauri::generate_context!());
    let app = match outcome {
        Ok(app) => app,
        Err(error) => {
            eprintln!("intact-window: the window could not be opened: {error}");
            std::process::exit(1);
        }
    };
    app.run(|app, event| {
        if matches!(event, tauri::RunEvent::Exit) {
            tauri::async_runtime::block_on(app.state::<Window>().close());
        }
    });
}
