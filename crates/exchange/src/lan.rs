//! The LAN: iroh between two devices, no relay, no lookup service, a typed address.
//!
//! iroh dials a key, people type an address. So the TCP port of the same number answers with the
//! endpoint's id and its UDP port; the id is believed only if the roster certifies it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use iroh::endpoint::{Connection, RecvStream, SendStream, presets};
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, SecretKey, TransportAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

use crate::conversation::{Conversation, Effect, Summary};
use crate::frame::{Frame, Hello, MAX_FRAME, operation_tag};
use crate::store::{Store, StoreError};

const ALPN: &[u8] = b"intact/exchange/1";
/// What the TCP port answers: a magic, the endpoint's id, its UDP port.
const MAGIC: &[u8; 8] = b"INTACT1\n";
const ANSWER: usize = 8 + 32 + 2;
/// A peer that says nothing for this long is dropped: two minutes, a slow disk's worth of work.
const SILENCE: Duration = Duration::from_secs(120);
/// Connecting on a LAN takes milliseconds; ten seconds is a network that is not there.
const CONNECT: Duration = Duration::from_secs(10);
/// Peers served at once.
const PEERS: usize = 64;

/// Why an exchange on the LAN failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LanError {
    /// The address cannot be listened on.
    #[error("cannot listen there: {0}")]
    Listen(String),
    /// Nobody answers there.
    #[error("nobody answers there: {0}")]
    Connect(String),
    /// What answers is not certified by the roster.
    #[error("what answers there is not certified by this operation's roster")]
    Stranger,
    /// The connection ended early.
    #[error("the connection ended early: {0}")]
    Cut(String),
    /// A rule was broken, by the peer or, as it says, by us.
    #[error("the peer was dropped: {0}")]
    Dropped(String),
    /// The store behind failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Numbers of an exchange.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Records and entries.
    pub summary: Summary,
    /// Bytes of frames received.
    pub bytes_in: u64,
    /// Bytes of frames sent.
    pub bytes_out: u64,
}

/// A device that answers on the LAN.
pub struct Server {
    endpoint: Endpoint,
    listener: TcpListener,
}

async fn endpoint(seed: &[u8; 32], at: SocketAddr) -> Result<Endpoint, LanError> {
    let listen = |error: String| LanError::Listen(error);
    Endpoint::builder(presets::Minimal)
        .secret_key(SecretKey::from_bytes(seed))
        .alpns(vec![ALPN.to_vec()])
        .relay_mode(RelayMode::Disabled)
        .clear_address_lookup()
        .clear_ip_transports()
        .bind_addr(at)
        .map_err(|error| listen(error.to_string()))?
        .bind()
        .await
        .map_err(|error| listen(error.to_string()))
}

impl Server {
    /// Listens on an address, TCP and UDP.
    pub async fn bind(at: SocketAddr, seed: &[u8; 32]) -> Result<Self, LanError> {
        let listener = TcpListener::bind(at).await.map_err(|error| LanError::Listen(error.kind().to_string()))?;
        let at = listener.local_addr().map_err(|error| LanError::Listen(error.kind().to_string()))?;
        Ok(Self { endpoint: endpoint(seed, at).await?, listener })
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// The endpoint's id, hex.
    pub fn id(&self) -> String {
        seal::id::to_hex(self.endpoint.id().as_bytes())
    }

    /// Serves until `stop` completes. `live` announces local changes, which connected peers get.
    pub async fn run<S: Store + 'static>(
        self,
        store: Arc<S>,
        live: impl Fn() -> broadcast::Receiver<()> + Send + Sync + 'static,
        stop: impl Future<Output = ()> + Send,
    ) {
        let Self { endpoint, listener } = self;
        let port = endpoint.bound_sockets().first().map_or(0, SocketAddr::port);
        let answer = [MAGIC.as_slice(), endpoint.id().as_bytes(), &port.to_be_bytes()].concat();
        let slots = Arc::new(tokio::sync::Semaphore::new(PEERS));
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                accepted = listener.accept() => {
                    if let Ok((mut stream, _)) = accepted {
                        let answer = answer.clone();
                        tokio::spawn(async move {
                            let _ = tokio::time::timeout(CONNECT, stream.write_all(&answer)).await;
                        });
                    }
                }
                incoming = endpoint.accept() => {
                    let Some(incoming) = incoming else { break };
                    let Ok(slot) = slots.clone().try_acquire_owned() else {
                        incoming.refuse();
                        continue;
                    };
                    let (store, live) = (store.clone(), live());
                    tokio::spawn(async move {
                        let served = async {
                            let connection = tokio::time::timeout(CONNECT, async {
                                incoming.accept().map_err(|e| LanError::Cut(e.to_string()))?.await.map_err(|e| LanError::Cut(e.to_string()))
                            }).await.map_err(|_| LanError::Cut("no handshake".into()))??;
                            answer_peer(connection, store.as_ref(), live).await
                        };
                        if let Err(error) = served.await {
                            tracing::warn!(%error, "a conversation on the LAN ended early");
                        }
                        drop(slot);
                    });
                }
            }
        }
        endpoint.close().await;
    }
}

async fn answer_peer<S: Store>(
    connection: Connection,
    store: &S,
    live: broadcast::Receiver<()>,
) -> Result<(), LanError> {
    let peer = store.peer(connection.remote_id().as_bytes()).ok_or(LanError::Stranger)?;
    let (send, receive) = connection.accept_bi().await.map_err(|error| LanError::Cut(error.to_string()))?;
    let mut pipe = Pipe { send, receive: Some(receive), bytes_in: 0, bytes_out: 0 };
    let outcome = converse(&mut pipe, store, peer, true, Some(live)).await;
    let _ = pipe.send.finish();
    // The last bytes are on their way until the caller closes.
    let _ = tokio::time::timeout(CONNECT, connection.closed()).await;
    outcome.map(|_| ())
}

/// Calls a device at an address. With `live`, stays connected and passes on what is new.
pub async fn call<S: Store>(
    at: SocketAddr,
    seed: &[u8; 32],
    store: &S,
    live: Option<broadcast::Receiver<()>>,
) -> Result<Report, LanError> {
    let (id, port) = tokio::time::timeout(CONNECT, ask(at))
        .await
        .map_err(|_| LanError::Connect("no answer in time".into()))?
        .map_err(|error| LanError::Connect(error.to_string()))?;
    let peer = store.peer(&id).ok_or(LanError::Stranger)?;
    let id = EndpointId::from_bytes(&id).map_err(|_| LanError::Stranger)?;
    let local = if at.is_ipv4() { SocketAddr::from(([0, 0, 0, 0], 0)) } else { SocketAddr::from(([0u16; 8], 0)) };
    let local = if at.ip().is_loopback() { SocketAddr::new(at.ip(), 0) } else { local };
    let endpoint = endpoint(seed, local).await?;
    let address = EndpointAddr::from_parts(id, [TransportAddr::Ip(SocketAddr::new(at.ip(), port))]);
    let outcome = async {
        let connection = tokio::time::timeout(CONNECT, endpoint.connect(address, ALPN))
            .await
            .map_err(|_| LanError::Connect("no connection in time".into()))?
            .map_err(|error| LanError::Connect(error.to_string()))?;
        let (send, receive) = connection.open_bi().await.map_err(|error| LanError::Cut(error.to_string()))?;
        let mut pipe = Pipe { send, receive: Some(receive), bytes_in: 0, bytes_out: 0 };
        let report = converse(&mut pipe, store, peer, live.is_some(), live).await;
        connection.close(0u32.into(), b"done");
        report
    }
    .await;
    endpoint.close().await;
    outcome
}

async fn ask(at: SocketAddr) -> std::io::Result<([u8; 32], u16)> {
    let mut stream = TcpStream::connect(at).await?;
    let mut answer = [0; ANSWER];
    stream.read_exact(&mut answer).await?;
    let bad = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let (magic, rest) = answer.split_first_chunk::<8>().ok_or_else(bad)?;
    let (id, port) = rest.split_first_chunk::<32>().ok_or_else(bad)?;
    if magic != MAGIC {
        return Err(bad());
    }
    Ok((*id, u16::from_be_bytes(port.try_into().map_err(|_| bad())?)))
}

/// Frames over a stream: u32 length, bytes.
struct Pipe {
    send: SendStream,
    receive: Option<RecvStream>,
    bytes_in: u64,
    bytes_out: u64,
}

impl Pipe {
    async fn write(&mut self, frame: &Frame) -> Result<(), LanError> {
        let bytes = frame.encode();
        self.bytes_out += bytes.len() as u64 + 4;
        let cut = |error: iroh::endpoint::WriteError| LanError::Cut(error.to_string());
        self.send.write_all(&(bytes.len() as u32).to_be_bytes()).await.map_err(cut)?;
        self.send.write_all(&bytes).await.map_err(cut)
    }
}

/// Reads frames on a task of its own, so that waiting for one can be given up without losing half of it.
async fn read_frames(mut receive: RecvStream, to: tokio::sync::mpsc::Sender<Result<Vec<u8>, LanError>>) {
    loop {
        let read = async {
            let cut = |error: iroh::endpoint::ReadExactError| LanError::Cut(error.to_string());
            let mut length = [0; 4];
            receive.read_exact(&mut length).await.map_err(cut)?;
            let length = u32::from_be_bytes(length) as usize;
            if length > MAX_FRAME {
                return Err(LanError::Dropped("a frame is over its bound".into()));
            }
            let mut bytes = vec![0; length];
            receive.read_exact(&mut bytes).await.map_err(cut)?;
            Ok(bytes)
        };
        let frame = read.await;
        let over = frame.is_err();
        if to.send(frame).await.is_err() || over {
            return;
        }
    }
}

async fn converse<S: Store>(
    pipe: &mut Pipe,
    store: &S,
    peer: crate::store::Peer,
    stay: bool,
    mut live: Option<broadcast::Receiver<()>>,
) -> Result<Report, LanError> {
    let operation = store.operation();
    let hello = Hello { operation: operation_tag(&operation), device: store.device(), store: store.store_id() };
    let (mut conversation, effects) = Conversation::start(peer, hello, stay);
    let (to, mut frames) = tokio::sync::mpsc::channel(8);
    let receive = pipe.receive.take().ok_or_else(|| LanError::Cut("the stream is in use".into()))?;
    let reader = tokio::spawn(read_frames(receive, to));
    let mut over = perform(pipe, store, &mut conversation, effects).await?;
    while !over {
        let next = tokio::select! {
            frame = frames.recv() => Next::Frame(frame),
            changed = changed(&mut live) => Next::Changed(changed),
            () = tokio::time::sleep(SILENCE), if !stay || !conversation.settled() => Next::Silent,
        };
        let effects = match next {
            Next::Frame(None) => return Err(LanError::Cut("the peer went away".into())),
            Next::Frame(Some(Err(error))) if stay && conversation.settled() => {
                // A peer that has everything may leave without a word.
                tracing::debug!(%error, "a settled peer left");
                break;
            }
            Next::Frame(Some(Err(error))) => return Err(error),
            Next::Frame(Some(Ok(bytes))) => {
                pipe.bytes_in += bytes.len() as u64 + 4;
                match Frame::decode(&bytes, &operation) {
                    Ok(frame) => conversation.frame(frame, bytes.len()),
                    Err(error) => vec![Effect::Drop(name(&error))],
                }
            }
            Next::Changed(true) => conversation.changed(),
            Next::Changed(false) => {
                live = None;
                Vec::new()
            }
            Next::Silent => vec![Effect::Drop("it fell silent")],
        };
        over = perform(pipe, store, &mut conversation, effects).await?;
    }
    reader.abort();
    let _ = pipe.send.finish();
    Ok(Report { summary: conversation.summary().clone(), bytes_in: pipe.bytes_in, bytes_out: pipe.bytes_out })
}

enum Next {
    Frame(Option<Result<Vec<u8>, LanError>>),
    Changed(bool),
    Silent,
}

async fn changed(live: &mut Option<broadcast::Receiver<()>>) -> bool {
    match live {
        None => std::future::pending().await,
        Some(receiver) => !matches!(receiver.recv().await, Err(broadcast::error::RecvError::Closed)),
    }
}

fn name(error: &crate::frame::FrameError) -> &'static str {
    match error {
        crate::frame::FrameError::Malformed => "a malformed frame",
        crate::frame::FrameError::TooLarge => "a frame over its bound",
        crate::frame::FrameError::NotCanonical => "a frame not in its one encoding",
        crate::frame::FrameError::Newer => "it speaks a newer version",
    }
}

/// Does what the state machine asks; `true` when the conversation is over.
async fn perform<S: Store>(
    pipe: &mut Pipe,
    store: &S,
    conversation: &mut Conversation,
    effects: Vec<Effect>,
) -> Result<bool, LanError> {
    let mut todo: std::collections::VecDeque<Effect> = effects.into();
    while let Some(effect) = todo.pop_front() {
        let more = match effect {
            Effect::Send(frame) => {
                pipe.write(&frame).await?;
                Vec::new()
            }
            Effect::LookUp(theirs) => {
                let after = store.cursor(&theirs).await?;
                conversation.known(after, store.heads().await?)
            }
            Effect::Load(after) => conversation.page(store.outgoing(conversation.peer(), after).await?),
            Effect::Take(frames, next) => {
                let taken = store.take(conversation.peer(), frames).await?;
                let theirs = conversation.theirs();
                store.put_cursor(&theirs, next).await?;
                conversation.taken(taken, store.ack(theirs, next))
            }
            Effect::Acked(ack) => {
                store.acked(ack).await?;
                Vec::new()
            }
            Effect::Wanted => conversation.wanted(store.wanted().await?),
            Effect::TakeBlob(part) => conversation.blob_taken(store.take_blob(part).await?),
            Effect::GiveBlob(address, from) => {
                let part = store.blob(conversation.peer(), address, from).await?;
                conversation.blob(address, from, part)
            }
            Effect::Done => return Ok(true),
            Effect::Drop(reason) => {
                let _ = pipe.write(&Frame::Bye(reason.to_owned())).await;
                return Err(LanError::Dropped(reason.to_owned()));
            }
        };
        // Answers come before what was asked for later, so that a page's frames stay together.
        for effect in more.into_iter().rev() {
            todo.push_front(effect);
        }
    }
    Ok(false)
}
