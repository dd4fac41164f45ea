//! A desk's or a field device's side of the relay.
//!
//! One [`RelayClient`] is one connection. Cursors are the caller's, and good for one store id
//! ([`RelayClient::store`]) only: another id means to start from 0. When a connection ends, every
//! call on it returns the reason; the caller connects again and repeats what was not answered,
//! which stores nothing twice.

mod error;
mod live;
mod routes;
mod tls;

pub use error::ClientError;
pub use live::Subscription;
pub use tls::Roots;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Semaphore, oneshot};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use super::VERSION;
use super::mailbox::{Claim, MailboxTag, ReadKeys};
use super::store::Page;
use super::wire::{ClientMessage, MAX_FRAME, OperationTag, RelayMessage, Stands, Stated};
use error::Reason;
use routes::{Route, Routes};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Sink = SplitSink<Socket, Message>;

/// How long a closing may take: one satellite round trip and some.
const FAREWELL: Duration = Duration::from_secs(2);

/// How to connect.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// The access token of the operation at this relay.
    pub operation_tag: OperationTag,
    /// Which certificates a `wss://` relay may show.
    pub roots: Roots,
    /// From the first packet to the relay's `Welcome`: 20 s, two satellite round trips for each
    /// of TCP, TLS, WebSocket and hello, and some.
    pub connect_wait: Duration,
    /// Without any byte from the relay for this long the connection is taken for dead: 100 s,
    /// three of the relay's pings.
    pub silence: Duration,
    /// How long one request may stay unanswered while the connection lives: 120 s. A full batch
    /// at 100 kbit/s takes 84 s.
    pub patience: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            operation_tag: OperationTag::none(),
            roots: Roots::System,
            connect_wait: Duration::from_secs(20),
            silence: Duration::from_secs(100),
            patience: Duration::from_secs(120),
        }
    }
}

/// The relay has made a batch durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// Its place in the mailbox.
    pub seq: u64,
    /// It was there already.
    pub duplicate: bool,
}

/// Bytes of messages since the connection began (WebSocket and TLS framing not counted).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Received.
    pub bytes_in: u64,
    /// Sent.
    pub bytes_out: u64,
}

/// One connection to a relay. Cheap to clone; all clones share it.
#[derive(Clone)]
pub struct RelayClient {
    inner: Arc<Inner>,
}

struct Inner {
    sink: Mutex<Sink>,
    routes: Routes,
    next_request: AtomicU32,
    /// KiB that may still be posted before answers come.
    outstanding: Semaphore,
    outstanding_kib: u32,
    challenge: [u8; 32],
    store: [u8; 16],
    limits: Stated,
    patience: Duration,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    /// The task that reads; it ends with the last clone of the client.
    reading: OnceLock<AbortHandle>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(reading) = self.reading.get() {
            reading.abort();
        }
    }
}

impl RelayClient {
    /// Connects to `ws://…` or `wss://…` and says hello.
    ///
    /// # Errors
    /// [`ClientError`]: the URL, the network, TLS, a refusal, or something that is no relay.
    pub async fn connect(url: &str, options: &ConnectOptions) -> Result<Self, ClientError> {
        tokio::time::timeout(options.connect_wait, Self::connect_now(url, options))
            .await
            .map_err(|_| ClientError::TimedOut("connecting"))?
    }

    async fn connect_now(url: &str, options: &ConnectOptions) -> Result<Self, ClientError> {
        let connector = tls::connector(url, &options.roots)?;
        let config = WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
        let (socket, _) = connect_async_tls_with_config(url, Some(config), true, connector)
            .await
            .map_err(|error| ClientError::Connect(Box::new(error)))?;
        let (mut sink, mut stream) = socket.split();
        let operation_tag = options.operation_tag.clone();
        let hello = ClientMessage::Hello { version: VERSION, operation_tag }.encode();
        let bytes_out = hello.len() as u64;
        sink.send(Message::Binary(hello.into())).await.map_err(|error| ClientError::Connect(Box::new(error)))?;
        let (welcome, bytes_in) = read_message(&mut stream).await?;
        let (store, challenge, limits) = match welcome {
            RelayMessage::Welcome { version: VERSION, store, challenge, limits } => (store, challenge, limits),
            RelayMessage::Welcome { version, .. } => return Err(ClientError::Version(version)),
            RelayMessage::Refused { code, wait_ms, reason, .. } => {
                return Err(ClientError::Refused { code, wait_ms, reason });
            }
            _ => return Err(ClientError::Broken("no welcome")),
        };
        let outstanding_kib = limits.outstanding_bytes / 1024;
        let inner = Arc::new(Inner {
            sink: Mutex::new(sink),
            routes: Routes::default(),
            next_request: AtomicU32::new(1),
            outstanding: Semaphore::new(outstanding_kib as usize),
            outstanding_kib,
            challenge,
            store,
            limits,
            patience: options.patience,
            bytes_in: AtomicU64::new(bytes_in),
            bytes_out: AtomicU64::new(bytes_out),
            reading: OnceLock::new(),
        });
        let reading = tokio::spawn(listen(Arc::downgrade(&inner), stream, options.silence));
        // The cell is new.
        let _ = inner.reading.set(reading.abort_handle());
        Ok(Self { inner })
    }

    /// Which store the relay keeps; a cursor is good for one store only.
    #[must_use]
    pub fn store(&self) -> [u8; 16] {
        self.inner.store
    }

    /// The limits that the relay stated.
    #[must_use]
    pub fn limits(&self) -> Stated {
        self.inner.limits
    }

    /// Bytes so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic {
            bytes_in: self.inner.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.inner.bytes_out.load(Ordering::Relaxed),
        }
    }

    /// Posts a sealed batch; returns when it is durable at the relay. Waits for its turn while
    /// more is outstanding than the relay allows. Any number may be under way at once.
    ///
    /// # Errors
    /// [`ClientError::TooLarge`] without sending anything; otherwise a refusal or the reason for
    /// which the connection ended. Posting the same batch again is always safe.
    pub async fn post(&self, tag: MailboxTag, batch: Vec<u8>) -> Result<Posted, ClientError> {
        let (inner, len) = (&self.inner, batch.len());
        if batch.is_empty() || len > inner.limits.batch_bytes as usize {
            return Err(ClientError::TooLarge { len, max: inner.limits.batch_bytes as usize });
        }
        // `len` is at most 1 MiB here.
        let room = u32::try_from(len.div_ceil(1024)).unwrap_or(u32::MAX).min(inner.outstanding_kib);
        // The semaphore is never closed.
        let _room = inner.outstanding.acquire_many(room).await;
        let hash = seal::hash::sha256(&batch);
        let (answer, answered) = oneshot::channel();
        let request = inner.request();
        let asking = inner.routes.open(request, Route::Post(answer))?;
        inner.send(&ClientMessage::Post { request, tag, hash, batch }).await?;
        let posted = inner.answer(answered, "the answer to a post").await;
        drop(asking);
        posted
    }

    /// What lies in a mailbox after a cursor: at most `most` items, and fewer where the relay's
    /// pages are smaller. Ask again with the page's `next` while there is `more`.
    ///
    /// # Errors
    /// A refusal, or the reason for which the connection ended.
    pub async fn read(&self, keys: &ReadKeys, after: u64, most: u32) -> Result<Page, ClientError> {
        self.inner.read(keys.tag(), self.claim(keys), after, most).await
    }

    /// How a mailbox stands.
    ///
    /// # Errors
    /// A refusal, or the reason for which the connection ended.
    pub async fn status(&self, keys: &ReadKeys) -> Result<Stands, ClientError> {
        let (inner, claim) = (&self.inner, self.claim(keys));
        let (answer, answered) = oneshot::channel();
        let request = inner.request();
        let asking = inner.routes.open(request, Route::Status(answer))?;
        inner.send(&ClientMessage::Status { request, tag: keys.tag(), claim }).await?;
        let stands = inner.answer(answered, "the answer to a status").await;
        drop(asking);
        stands
    }

    /// Follows a mailbox from a cursor on: first what lies there, then what comes, each the
    /// moment it is durable. A consumer that is slower than the mailbox costs bounded memory.
    #[must_use]
    pub fn subscribe(&self, keys: &ReadKeys, after: u64) -> Subscription {
        Subscription::new(Arc::clone(&self.inner), keys.tag(), self.claim(keys), after)
    }

    /// Says `Bye`, lets the relay finish what was posted, and waits until it closes.
    pub async fn close(self) {
        // Both may fail on a connection that is gone, which is what was wanted.
        let _ = self.inner.send(&ClientMessage::Bye).await;
        let _ = tokio::time::timeout(self.inner.patience, self.inner.routes.ended()).await;
    }

    fn claim(&self, keys: &ReadKeys) -> Claim {
        keys.claim(&self.inner.challenge)
    }
}

impl Inner {
    /// A request number that is not zero. After 2^32 requests they come again; none of the
    /// first is open by then.
    fn request(&self) -> u32 {
        loop {
            let request = self.next_request.fetch_add(1, Ordering::Relaxed);
            if request != 0 {
                return request;
            }
        }
    }

    async fn send(&self, message: &ClientMessage) -> Result<(), ClientError> {
        let frame = message.encode();
        self.bytes_out.fetch_add(frame.len() as u64, Ordering::Relaxed);
        let sent = self.sink.lock().await.send(Message::Binary(frame.into())).await;
        sent.map_err(|error| match self.routes.reason() {
            // The relay said why before it closed; that is worth more than a broken pipe.
            Some(reason) => reason.into(),
            None => ClientError::Lost(error.to_string()),
        })
    }

    async fn read(&self, tag: MailboxTag, claim: Claim, after: u64, most: u32) -> Result<Page, ClientError> {
        let most = most.clamp(1, self.limits.page_items);
        let (answer, answered) = oneshot::channel();
        let request = self.request();
        let asking = self.routes.open(request, Route::page(answer, after, most))?;
        self.send(&ClientMessage::Read { request, tag, claim, after, most }).await?;
        let page = self.answer(answered, "a page").await;
        drop(asking);
        page
    }

    async fn answer<T>(
        &self,
        answered: oneshot::Receiver<Result<T, ClientError>>,
        what: &'static str,
    ) -> Result<T, ClientError> {
        match tokio::time::timeout(self.patience, answered).await {
            Err(_) => Err(ClientError::TimedOut(what)),
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(self.routes.reason().unwrap_or_default().into()),
        }
    }
}

/// Reads what the relay says until the connection ends or nobody holds the client any more.
async fn listen(inner: std::sync::Weak<Inner>, mut stream: SplitStream<Socket>, silence: Duration) {
    loop {
        let next = tokio::time::timeout(silence, stream.next()).await;
        let Some(inner) = inner.upgrade() else { return };
        let reason = match next {
            Err(_) => Reason::lost("the relay has fallen silent"),
            Ok(None | Some(Ok(Message::Close(_)))) => Reason::lost("the relay closed the connection"),
            Ok(Some(Err(error))) => Reason::lost(&error.to_string()),
            Ok(Some(Ok(Message::Binary(frame)))) => {
                inner.bytes_in.fetch_add(frame.len() as u64, Ordering::Relaxed);
                match RelayMessage::decode(&frame) {
                    Err(error) => Reason::lost(&error.to_string()),
                    Ok(message) => match inner.routes.dispatch(message) {
                        Ok(overflowed) => {
                            if let Some(request) = overflowed {
                                stop_later(&inner, request);
                            }
                            continue;
                        }
                        Err(reason) => reason,
                    },
                }
            }
            // Pings are answered by the library.
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
            Ok(Some(Ok(_))) => Reason::lost("the relay sent something that is not of this protocol"),
        };
        inner.routes.end(reason);
        // Answers the relay's closing; a relay that is gone is not waited for.
        let _ = tokio::time::timeout(FAREWELL, async { inner.sink.lock().await.close().await }).await;
        return;
    }
}

/// Tells the relay to end a live read, beside the reading: whoever reads must not wait for the
/// chance to write, or both sides could wait for each other.
fn stop_later(inner: &Arc<Inner>, request: u32) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        let inner = Arc::clone(inner);
        runtime.spawn(async move {
            // Where the connection is gone, so is the read.
            let _ = inner.send(&ClientMessage::Stop { request }).await;
        });
    }
}

/// The first message of a connection, and its size.
async fn read_message(stream: &mut SplitStream<Socket>) -> Result<(RelayMessage, u64), ClientError> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Binary(frame))) => {
                return Ok((RelayMessage::decode(&frame)?, frame.len() as u64));
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(_)) | None => return Err(ClientError::Broken("closed without a welcome")),
            Some(Err(error)) => return Err(ClientError::Connect(Box::new(error))),
        }
    }
}
