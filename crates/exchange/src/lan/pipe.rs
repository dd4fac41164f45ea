//! Frames over a stream: a u32 length and the frame. Reading, writing and deciding are three tasks,
//! so that two peers that both write a page do not wait for each other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use iroh::endpoint::{RecvStream, SendStream};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use super::{FAREWELL, LanError, Report};
use crate::conversation::{Conversation, Effect, Me};
use crate::drive::{act, is_for_transport};
use crate::frame::{Frame, MAX_FRAME};
use crate::store::{Peer, Store};

/// How often a silent peer is counted.
const TICK: Duration = Duration::from_secs(10);
/// Bytes that wait to be written: our largest part of a page, an exhibit's part and words, several times
/// over. A peer that asks on without reading is dropped there.
const MAX_QUEUED: usize = 8 * 1024 * 1024;
/// Frames read ahead of what is decided: 2 MiB.
const READ_AHEAD: usize = 2;

/// An open stream to a peer.
pub(super) struct Pipe {
    pub(super) send: SendStream,
    pub(super) receive: RecvStream,
    /// The peer's endpoint key.
    pub(super) key: [u8; 32],
    /// Turns true when this side must leave.
    pub(super) leave: watch::Receiver<bool>,
}

/// Who this device is, by its own endpoint key.
pub(super) fn me<S: Store>(store: &S, own_key: &[u8; 32], stay: bool) -> Me {
    Me {
        operation: store.operation(),
        device: store.device(),
        store: store.store_id(),
        desk: store.peer(own_key).is_some_and(|me| me.desk),
        reconciles: store.reconciles(),
        stay,
    }
}

/// Reads frames until the stream ends. A length is checked before anything is allocated for it.
async fn read_frames(mut receive: RecvStream, to: mpsc::Sender<Result<Vec<u8>, LanError>>) {
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

/// Writes frames until there are no more, and makes sure that the last one arrived.
async fn write_frames(
    mut send: SendStream,
    mut from: mpsc::UnboundedReceiver<Vec<u8>>,
    queued: Arc<AtomicUsize>,
) -> Result<(), LanError> {
    let cut = |error: iroh::endpoint::WriteError| LanError::Cut(error.to_string());
    while let Some(bytes) = from.recv().await {
        send.write_all(&(bytes.len() as u32).to_be_bytes()).await.map_err(cut)?;
        send.write_all(&bytes).await.map_err(cut)?;
        queued.fetch_sub(bytes.len(), Ordering::Relaxed);
    }
    let _ = send.finish();
    let _ = tokio::time::timeout(FAREWELL, send.stopped()).await;
    Ok(())
}

/// Stops its task when dropped, so that a conversation that is given up leaves nothing behind.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The writing end, and what went through the pipe.
struct Out {
    frames: mpsc::UnboundedSender<Vec<u8>>,
    queued: Arc<AtomicUsize>,
    bytes_in: u64,
    bytes_out: u64,
}

impl Out {
    fn write(&mut self, bytes: Vec<u8>) -> Result<(), LanError> {
        let size = bytes.len();
        if self.queued.fetch_add(size, Ordering::Relaxed) > MAX_QUEUED {
            return Err(LanError::Dropped("it asks on without reading".into()));
        }
        self.bytes_out += size as u64 + 4;
        self.frames.send(bytes).map_err(|_| LanError::Cut("the stream is closed".into()))
    }
}

/// Holds a conversation from hello to bye.
pub(super) async fn converse<S: Store>(
    pipe: Pipe,
    store: &S,
    me: Me,
    peer: Peer,
    live: Option<broadcast::Receiver<()>>,
) -> Result<Report, LanError> {
    let (frames, to_write) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    let mut writer = Task(tokio::spawn(write_frames(pipe.send, to_write, queued.clone())));
    let (to, incoming) = mpsc::channel(READ_AHEAD);
    let _reader = Task(tokio::spawn(read_frames(pipe.receive, to)));
    let mut out = Out { frames, queued, bytes_in: 0, bytes_out: 0 };
    let (mut conversation, effects) = Conversation::start(me, peer);
    let mut inputs = Inputs { incoming, live, leave: pipe.leave };
    let outcome = talk(&mut conversation, effects, store, &pipe.key, &mut out, &mut inputs).await;
    let Out { frames, bytes_in, bytes_out, .. } = out;
    drop(frames);
    // What is queued, a reason for ending among it, is still written.
    let _ = tokio::time::timeout(2 * FAREWELL, &mut writer.0).await;
    outcome.map(|()| Report { summary: conversation.summary().clone(), bytes_in, bytes_out })
}

struct Inputs {
    incoming: mpsc::Receiver<Result<Vec<u8>, LanError>>,
    live: Option<broadcast::Receiver<()>>,
    leave: watch::Receiver<bool>,
}

/// What happened next.
enum Next {
    Frame(Vec<u8>),
    Cut(LanError),
    Changed,
    Silent,
    Leave,
}

impl Inputs {
    async fn next(&mut self) -> Next {
        tokio::select! {
            biased;
            true = left(&mut self.leave) => Next::Leave,
            frame = self.incoming.recv() => match frame {
                Some(Ok(bytes)) => Next::Frame(bytes),
                Some(Err(error)) => Next::Cut(error),
                None => Next::Cut(LanError::Cut("the peer went away".into())),
            },
            () = changed(&mut self.live) => Next::Changed,
            () = tokio::time::sleep(TICK) => Next::Silent,
        }
    }
}

async fn left(leave: &mut watch::Receiver<bool>) -> bool {
    // An error means that nobody can ask us to leave any more.
    if leave.wait_for(|leave| *leave).await.is_err() { std::future::pending().await } else { true }
}

async fn changed(live: &mut Option<broadcast::Receiver<()>>) {
    loop {
        let Some(receiver) = live else { return std::future::pending().await };
        match receiver.recv().await {
            Err(broadcast::error::RecvError::Closed) => *live = None,
            // Lagging means that more than one thing changed.
            _ => {
                // One page carries whatever else was announced meanwhile.
                while receiver.try_recv().is_ok() {}
                return;
            }
        }
    }
}

async fn talk<S: Store>(
    conversation: &mut Conversation,
    effects: Vec<Effect>,
    store: &S,
    key: &[u8; 32],
    out: &mut Out,
    inputs: &mut Inputs,
) -> Result<(), LanError> {
    let mut over = perform(conversation, effects, store, key, out).await?;
    while !over {
        let effects = match inputs.next().await {
            Next::Frame(bytes) => {
                out.bytes_in += bytes.len() as u64 + 4;
                conversation.frame(&bytes)
            }
            Next::Cut(error) if conversation.settled() => {
                // A peer that has everything may leave without a word.
                tracing::debug!(%error, "a settled peer left");
                return Ok(());
            }
            Next::Cut(error) => return Err(error),
            Next::Changed => conversation.changed(),
            Next::Silent => conversation.tick(),
            Next::Leave => conversation.leave(),
        };
        over = perform(conversation, effects, store, key, out).await?;
    }
    Ok(())
}

/// Does what the state machine asks; `true` when the conversation is over.
async fn perform<S: Store>(
    conversation: &mut Conversation,
    effects: Vec<Effect>,
    store: &S,
    key: &[u8; 32],
    out: &mut Out,
) -> Result<bool, LanError> {
    let mut todo: VecDeque<Effect> = effects.into();
    while let Some(effect) = todo.pop_front() {
        match effect {
            Effect::Send(bytes) => out.write(bytes)?,
            Effect::Done => return Ok(true),
            Effect::Ended(reason) => return Err(LanError::Cut(reason)),
            Effect::Drop(reason) => {
                let _ = out.write(Frame::Bye(reason.to_owned()).encode());
                return Err(LanError::Dropped(reason.to_owned()));
            }
            effect => {
                debug_assert!(!is_for_transport(&effect));
                // Answers come before what was asked for later, so that a page's frames stay together.
                for effect in act(store, key, conversation, effect).await?.into_iter().rev() {
                    todo.push_front(effect);
                }
            }
        }
    }
    Ok(false)
}
