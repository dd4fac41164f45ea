//! The commands of the Exchange screen, and the events that keep the window live.

use std::path::PathBuf;
use std::sync::Arc;

use desk::wire::{Changed, ErrorReport, ExchangeStatus, ParcelReport, SyncReport};
use desk::{Desk, DeskError};
use tauri::{AppHandle, Emitter, Manager, State};
use tokio::sync::{oneshot, watch};

use crate::state::{Link, Stand, Window, report};

type Answer<T> = Result<T, ErrorReport>;

/// Tells the window, in batches, what changed.
pub fn watch_changes(app: AppHandle, desk: &Desk) {
    let mut changes = desk.changes();
    tauri::async_runtime::spawn(async move {
        while let Some(records) = changes.next().await {
            let _ = app.emit("changed", Changed { records });
        }
    });
}

async fn status(window: &Window) -> Answer<ExchangeStatus> {
    let desk = window.open().await?;
    let relay = window.relay.lock().await.as_ref().map(|(link, stand)| (link.place.clone(), *stand.borrow()));
    let relay_state = relay.as_ref().map_or("off", |(_, stand)| stand.name()).to_owned();
    let relay_url = relay.map(|(place, _)| place);
    let lan = window.lan.lock().await.as_ref().map(|(link, id)| (link.place.clone(), id.clone()));
    let refused = window.refused.lock().await.clone();
    desk.exchange_status(relay_url, relay_state, lan, refused).await.map_err(report)
}

/// Says that the exchange stands otherwise than before. How it stands is asked for: an answer given before
/// this was said is never shown after it.
fn tell(app: &AppHandle) {
    let _ = app.emit("exchange", ());
}

async fn keep_refused(window: &Window, refused: &[desk::wire::Refusal]) {
    let mut held = window.refused.lock().await;
    held.extend(refused.iter().cloned());
    // The last hundred are what a person can act on.
    let surplus = held.len().saturating_sub(100);
    held.drain(..surplus);
}

#[tauri::command]
pub async fn exchange_status(window: State<'_, Window>) -> Answer<ExchangeStatus> {
    status(&window).await
}

#[tauri::command]
pub async fn relay_connect(app: AppHandle, window: State<'_, Window>, url: String) -> Answer<()> {
    let desk = window.open().await?;
    let (stop, stopped) = oneshot::channel();
    let (stand, stands) = watch::channel(Stand::Trying);
    let before = window.relay.lock().await.replace((Link { place: url.clone(), stop }, stands));
    if let Some((link, _)) = before {
        let _ = link.stop.send(());
    }
    tauri::async_runtime::spawn(stay(app, desk, url, Arc::new(stand), stopped));
    Ok(())
}

/// Stays with a relay; after a failure it tries again, a little later each time.
async fn stay(
    app: AppHandle,
    desk: Desk,
    url: String,
    stand: Arc<watch::Sender<Stand>>,
    stopped: oneshot::Receiver<()>,
) {
    let mut stopped = std::pin::pin!(stopped);
    let mut wait = 1;
    loop {
        let (to, ended) = oneshot::channel::<()>();
        let connected = {
            let (app, stand) = (app.clone(), stand.clone());
            move |sync: &SyncReport| {
                stand.send_replace(Stand::Connected);
                let (app, refused) = (app.clone(), sync.refused.clone());
                tauri::async_runtime::spawn(async move {
                    keep_refused(&app.state::<Window>(), &refused).await;
                    tell(&app);
                });
            }
        };
        let mut to = Some(to);
        let outcome = {
            let watching = desk.watch_relay(&url, None, connected, async {
                let _ = ended.await;
            });
            tokio::pin!(watching);
            tokio::select! {
                outcome = &mut watching => Some(outcome),
                _ = &mut stopped => {
                    drop(to.take());
                    let _ = watching.await;
                    None
                }
            }
        };
        let Some(outcome) = outcome else { break };
        stand.send_replace(if outcome.is_err() { Stand::Failed } else { Stand::Trying });
        tell(&app);
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_secs(wait)) => {}
            _ = &mut stopped => break,
        }
        wait = (wait * 2).min(60);
    }
    tell(&app);
}

#[tauri::command]
pub async fn relay_disconnect(window: State<'_, Window>) -> Answer<()> {
    window.stop_relay().await;
    Ok(())
}

#[tauri::command]
pub async fn sync_relay(app: AppHandle, window: State<'_, Window>, url: String) -> Answer<SyncReport> {
    let done = window.open().await?.sync_relay(&url, None).await.map_err(report)?;
    keep_refused(&window, &done.refused).await;
    tell(&app);
    Ok(done)
}

#[tauri::command]
pub async fn sync_peer(app: AppHandle, window: State<'_, Window>, address: String) -> Answer<SyncReport> {
    let at = address.parse().map_err(|_| report(DeskError::usage("write the address as 192.0.2.7:4433")))?;
    let done = window.open().await?.sync_peer(at, false).await.map_err(report)?;
    keep_refused(&window, &done.refused).await;
    tell(&app);
    Ok(done)
}

#[tauri::command]
pub async fn lan_serve(app: AppHandle, window: State<'_, Window>, address: String) -> Answer<()> {
    let at: std::net::SocketAddr =
        address.parse().map_err(|_| report(DeskError::usage("write the address as 192.0.2.7:4433")))?;
    let desk = window.open().await?;
    if let Some((link, _)) = window.lan.lock().await.take() {
        let _ = link.stop.send(());
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, is_ready) = oneshot::channel();
    let serving = tauri::async_runtime::spawn(async move {
        let listening = |at: std::net::SocketAddr, id: &str| {
            let _ = ready.send((at.to_string(), id.to_owned()));
        };
        desk.serve(at, listening, async {
            let _ = stopped.await;
        })
        .await
    });
    match is_ready.await {
        Ok((place, id)) => {
            *window.lan.lock().await = Some((Link { place, stop }, id));
            tell(&app);
            Ok(())
        }
        Err(_) => match serving.await {
            Ok(Err(error)) => Err(report(error)),
            _ => Err(report(DeskError::network("the LAN side did not start"))),
        },
    }
}

#[tauri::command]
pub async fn lan_stop(app: AppHandle, window: State<'_, Window>) -> Answer<()> {
    window.stop_lan().await;
    tell(&app);
    Ok(())
}

#[tauri::command]
pub async fn parcel_write(window: State<'_, Window>, to: String, path: PathBuf) -> Answer<ParcelReport> {
    window.open().await?.write_parcel(&to, &path).await.map_err(report)
}

#[tauri::command]
pub async fn parcel_read(app: AppHandle, window: State<'_, Window>, path: PathBuf) -> Answer<ParcelReport> {
    let done = window.open().await?.read_parcel(&path).await.map_err(report)?;
    keep_refused(&window, &done.refused).await;
    tell(&app);
    Ok(done)
}
