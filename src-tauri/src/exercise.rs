//! The inject player in the window of an exercise.

use desk::exercise::{NIGHT, Script};
use desk::wire::{ErrorReport, Progress};
use tauri::{AppHandle, Emitter, Manager, State};
use tokio::sync::oneshot;

use crate::state::{Window, report};

type Answer<T> = Result<T, ErrorReport>;

/// Plays what this institution reports in the night that comes with the program; how far it is goes
/// out as the event `exercise`, and its end as one whose `done` is its `total`, or as an error.
#[tauri::command]
pub async fn exercise_play(app: AppHandle, window: State<'_, Window>, speed: f64, anew: bool) -> Answer<()> {
    let desk = window.open().await?;
    let script = Script::parse(NIGHT).map_err(report)?;
    let (stop, stopped) = oneshot::channel::<()>();
    if let Some(before) = window.exercise.lock().await.replace(stop) {
        let _ = before.send(());
    }
    tauri::async_runtime::spawn(async move {
        let told = app.clone();
        let progress = move |done, total| {
            let _ = told.emit("exercise", Progress { task: "play".into(), done, total });
        };
        let stopped = async {
            // Dropped by a window that closes: that stops it too.
            let _ = stopped.await;
        };
        let played = desk.play(&script, speed, anew, stopped, progress).await;
        let _ = match played {
            Ok(played) => app.emit("exercise-ended", played),
            Err(error) => app.emit("exercise-failed", report(error)),
        };
    });
    Ok(())
}

#[tauri::command]
pub async fn exercise_stop(app: AppHandle) -> Answer<()> {
    app.state::<Window>().stop_exercise().await;
    Ok(())
}
