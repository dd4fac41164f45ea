//! The desktop shell: it decodes what the window asks, calls the desk, and encodes the answer.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod carry;
mod commands;
mod exercise;
mod reports;
mod roster;
mod state;
mod system;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use state::Window;
use tauri::plugin::TauriPlugin;
use tauri::{Manager, RunEvent, WindowEvent, Wry};

/// What stands on the command line: `--vault DIR` and, for drills and tests, `--passphrase-file FILE`;
/// then a file that was double-clicked.
struct Options {
    dir: PathBuf,
    passphrase_file: Option<PathBuf>,
    file: Option<PathBuf>,
}

impl Options {
    fn read(arguments: &mut dyn Iterator<Item = OsString>) -> Self {
        let mut options = Self { dir: default_dir(), passphrase_file: None, file: None };
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--vault") => options.dir = arguments.next().map(PathBuf::from).unwrap_or(options.dir),
                Some("--passphrase-file") => options.passphrase_file = arguments.next().map(PathBuf::from),
                Some(other) if other.starts_with("--") => {}
                _ => options.file = Some(PathBuf::from(argument)),
            }
        }
        options
    }
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

/// One window for one vault. Other vaults of this person have their own.
fn single(dir: &Path) -> TauriPlugin<Wry> {
    tauri_plugin_single_instance::Builder::new()
        .dbus_id(format!("org.intact.desk.v{}", desk::place_tag(dir)))
        .callback(|app, arguments, folder| system::started_again(app, &arguments, &folder))
        .build()
}

/// The file that was double-clicked, by its whole path.
fn opened(options: &Options) -> Option<PathBuf> {
    let file = options.file.as_ref()?;
    Some(std::path::absolute(file).unwrap_or_else(|_| file.clone()))
}

fn main() {
    let options = Options::read(&mut std::env::args_os().skip(1));
    let window = Window::over(options.dir.clone(), opened(&options));
    let outcome = tauri::Builder::default()
        // First: a second start with the same vault ends here, before it looks at the vault.
        .plugin(single(&options.dir))
        .plugin(tauri_plugin_window_state::Builder::new().with_state_flags(system::PLACE).build())
        .plugin(tauri_plugin_dialog::init())
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
            system::choose_file,
            system::opened_file,
            system::notify,
            system::dossier_read,
            system::station_import,
        ])
        .setup(move |app| {
            if let Some(desk) = open_early(&options) {
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
    app.run(|app, event| match event {
        RunEvent::Exit => tauri::async_runtime::block_on(app.state::<Window>().close()),
        RunEvent::WindowEvent { event: WindowEvent::Resized(_) | WindowEvent::Moved(_), .. } => {
            system::remember_place(app);
        }
        _ => {}
    });
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn the_file_that_was_double_clicked_is_found_among_the_options() {
        let read = |line: &str| Options::read(&mut line.split(' ').map(Into::into));
        let options = read("--vault /v --passphrase-file /p /media/stick/night.parcel");
        assert_eq!(options.dir, std::path::Path::new("/v"));
        assert_eq!(options.file.as_deref(), Some(std::path::Path::new("/media/stick/night.parcel")));
        assert!(read("--vault /v --unknown").file.is_none());
    }
}
