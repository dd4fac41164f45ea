//! What the window holds: the vault's folder, the open desk, and the connections that stay.

use std::path::PathBuf;

use desk::wire::{ErrorReport, Refusal};
use desk::{Desk, DeskError};
use tokio::sync::{Mutex, oneshot, watch};

/// A connection that stays until it is told to stop.
pub struct Link {
    /// Where to: a relay's URL, or the address that is listened on.
    pub place: String,
    /// Ends it.
    pub stop: oneshot::Sender<()>,
}

/// How a relay stands that is to be stayed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Not reached yet, or not any more.
    Trying,
    /// Reached.
    Connected,
    /// Not reached; it is tried again.
    Failed,
}

impl Stand {
    /// As the window's page spells it; without a relay it is `off`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trying => "trying",
            Self::Connected => "connected",
            Self::Failed => "failed",
        }
    }
}

/// The window's state.
pub struct Window {
    /// The vault's folder.
    pub dir: PathBuf,
    /// The open desk.
    pub desk: Mutex<Option<Desk>>,
    /// The relay, and how it stands. Each connection says so for itself alone: what an earlier one says
    /// while it ends is nobody's.
    pub relay: Mutex<Option<(Link, watch::Receiver<Stand>)>>,
    /// The LAN side, with its endpoint's id.
    pub lan: Mutex<Option<(Link, String)>>,
    /// Ends the night that is being played.
    pub exercise: Mutex<Option<oneshot::Sender<()>>>,
    /// The file that the window was opened with, until the page asks for it.
    pub opened: Mutex<Option<PathBuf>>,
    /// What was not taken lately.
    pub refused: Mutex<Vec<Refusal>>,
}

impl Window {
    /// A window over a vault's folder, opened with a file or without.
    pub fn over(dir: PathBuf, opened: Option<PathBuf>) -> Self {
        Self {
            dir,
            desk: Mutex::new(None),
            relay: Mutex::new(None),
            lan: Mutex::new(None),
            exercise: Mutex::new(None),
            opened: Mutex::new(opened),
            refused: Mutex::new(Vec::new()),
        }
    }

    /// The open desk.
    pub async fn open(&self) -> Result<Desk, ErrorReport> {
        self.desk.lock().await.clone().ok_or_else(|| ErrorReport {
            code: "locked".into(),
            message: "the vault is locked".into(),
            advice: "Everything in it is safe. Unlock it with the passphrase.".into(),
        })
    }

    /// Stops the relay's connection.
    pub async fn stop_relay(&self) {
        if let Some((link, _)) = self.relay.lock().await.take() {
            let _ = link.stop.send(());
        }
    }

    /// Stops listening on the LAN.
    pub async fn stop_lan(&self) {
        if let Some((link, _)) = self.lan.lock().await.take() {
            let _ = link.stop.send(());
        }
    }

    /// Stops the night that is being played.
    pub async fn stop_exercise(&self) {
        if let Some(stop) = self.exercise.lock().await.take() {
            let _ = stop.send(());
        }
    }

    /// Ends the connections and closes the vault. A process that ends with open connections to the
    /// database takes the cipher's library away from under them.
    pub async fn close(&self) {
        self.stop_relay().await;
        self.stop_lan().await;
        self.stop_exercise().await;
        let desk = self.desk.lock().await.take();
        if let Some(desk) = desk {
            desk.close().await;
        }
    }
}

/// An error as the window shows it.
pub fn report(error: DeskError) -> ErrorReport {
    ErrorReport { code: error.code.name().into(), message: error.message, advice: error.advice }
}
