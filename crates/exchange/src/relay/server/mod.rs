//! The relay process: WebSocket connections on one side, a store on the other.
//!
//! It speaks plain HTTP; TLS is put in front of it by a reverse proxy on 443. Any path upgrades
//! to the relay's protocol, so that a proxy may mount it anywhere; `GET …/health` answers 200 for
//! whoever watches it.

mod pace;
mod patient;
mod session;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::limits::Limits;
use super::store::RelayStore;
use super::wire::{MAX_FRAME, OperationTag};
use super::{Clock, Random};
use patient::{PatientListener, Peer};

/// Buffers per connection: 8 KiB each way holds a page of small messages; the library's own
/// 128 KiB would cost 1.2 GB for the connections the relay is made for.
const BUFFER: usize = 8 * 1024;

/// What a relay needs beside its listener and its store.
#[derive(Clone)]
pub struct RelayOptions {
    /// The quotas.
    pub limits: Limits,
    /// The access token that clients must show; [`OperationTag::none`] admits everyone.
    pub operation_tag: OperationTag,
    /// The time, for expiry and rates.
    pub clock: Clock,
    /// Unpredictable bytes, for the challenges.
    pub random: Random,
}

/// Why a relay ended other than by its shutdown signal.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The listener failed.
    #[error("the relay can no longer accept connections")]
    Listener(#[from] io::Error),
}

/// What all sessions share.
struct Shared<S> {
    store: Arc<S>,
    options: RelayOptions,
    /// KiB of posts that are not yet durable.
    held_posts: Arc<Semaphore>,
    /// KiB of pages being sent.
    held_pages: Semaphore,
    /// Sockets that are open.
    open: Arc<AtomicUsize>,
    closing: watch::Receiver<bool>,
    /// Sessions that run.
    sessions: watch::Sender<usize>,
}

/// Serves until `shutdown` completes; then finishes posts on their way to the disk, tells every
/// client, and returns. Answers on the listener's address from the first poll on.
///
/// # Errors
/// [`RelayError`] if the listener fails.
pub async fn serve<S: RelayStore>(
    listener: TcpListener,
    store: Arc<S>,
    options: RelayOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), RelayError> {
    let (close, closing) = watch::channel(false);
    let (sessions, mut running) = watch::channel(0);
    let closing_wait = options.limits.closing_wait;
    let listener = PatientListener::new(listener, &options.limits);
    let shared = Arc::new(Shared {
        store,
        held_posts: Arc::new(Semaphore::new(kib(options.limits.held_post_bytes))),
        held_pages: Semaphore::new(kib(options.limits.held_page_bytes)),
        open: listener.open(),
        options,
        closing: closing.clone(),
        sessions,
    });
    let sweeping = tokio::spawn(sweep(Arc::clone(&shared)));
    let router = Router::new()
        .route("/health", any(|| async { "ok\n" }))
        .fallback(any(upgrade::<S>))
        .with_state(shared)
        .into_make_service_with_connect_info::<Peer>();
    let mut stop = closing;
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        closed(&mut stop).await;
    });
    tokio::pin!(shutdown);
    let mut serving = std::pin::pin!(serving.into_future());
    let result = tokio::select! {
        result = &mut serving => result,
        () = &mut shutdown => {
            tracing::info!("the relay is shutting down");
            let _ = close.send(true);
            // Plain HTTP connections that idle are not waited for longer than sessions.
            tokio::time::timeout(closing_wait, &mut serving).await.unwrap_or(Ok(()))
        }
    };
    let _ = close.send(true);
    sweeping.abort();
    // Ended by the line above, or before it; either way it no longer uses the store.
    let _ = sweeping.await;
    if tokio::time::timeout(closing_wait, running.wait_for(|count| *count == 0)).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    Ok(result?)
}

/// Completes when the relay shuts down; that nobody can say so any more means the same.
async fn closed(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Removes what has expired, now and then. Failing once is logged and tried again.
async fn sweep<S: RelayStore>(shared: Arc<Shared<S>>) {
    let limits = &shared.options.limits;
    let mut ticks = tokio::time::interval(limits.sweep_every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = (shared.options.clock)();
        match shared.store.sweep(limits.item_life_ms(), now).await {
            Ok(swept) if swept.items > 0 || swept.mailboxes > 0 => {
                tracing::info!(swept.items, swept.bytes, swept.mailboxes, "expired items removed");
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "expired items could not be removed"),
        }
    }
}

async fn upgrade<S: RelayStore>(
    State(shared): State<Arc<Shared<S>>>,
    ConnectInfo(Peer(connection)): ConnectInfo<Peer>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if uri.path().ends_with("/health") {
        return "ok\n".into_response();
    }
    // Browsers always send it, our clients never: a web page must not talk to a relay on the
    // visitor's own machine or network.
    if headers.contains_key(header::ORIGIN) {
        return (StatusCode::FORBIDDEN, "this relay does not serve web pages\n").into_response();
    }
    match upgrade {
        Ok(upgrade) => upgrade
            .max_message_size(MAX_FRAME)
            .max_frame_size(MAX_FRAME)
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER)
            // A frame being written and one pong behind it; more means that nobody reads.
            .max_write_buffer_size(2 * MAX_FRAME)
            .on_upgrade(move |socket| session::run(socket, shared, connection)),
        Err(rejection) => rejection.into_response(),
    }
}

/// Bytes to KiB, rounded up: the unit of the memory semaphores, whose counts are 32 bits wide.
fn kib(bytes: u32) -> usize {
    bytes.div_ceil(1024) as usize
}

impl<S> Shared<S> {
    fn crowded(&self) -> bool {
        self.open.load(Ordering::Relaxed) > self.options.limits.connections
    }
}
