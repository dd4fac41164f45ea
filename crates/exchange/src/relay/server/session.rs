//! One connection, one task. Its memory is bounded by one frame, one page and its outstanding
//! posts; it answers reads a page at a time between other messages, so that a long read does not
//! keep posts or pings waiting.

mod posts;
mod reads;

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::MissedTickBehavior;

use self::posts::Posts;
use self::reads::Reads;
use super::Shared;
use super::pace::Pace;
use super::patient::Connection;
use crate::relay::VERSION;
use crate::relay::mailbox::{Claim, MailboxTag};
use crate::relay::store::RelayStore;
use crate::relay::wire::{ClientMessage, RefusalCode, RelayMessage, Stated};

/// How long a peer has to take its farewell: one satellite round trip and some.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(2);

/// Why a session ended.
enum Ended {
    /// The client said `Bye` or closed.
    Left,
    /// The relay ends it, and says why.
    Refused(RefusalCode),
    /// The socket failed.
    Socket(axum::Error),
}

struct Session<S> {
    shared: Arc<Shared<S>>,
    connection: Arc<Connection>,
    sink: SplitSink<WebSocket, Message>,
    challenge: [u8; 32],
    asks: Pace,
    failed_proofs: u32,
    posts: Posts,
    reads: Reads,
}

/// Serves one connection until it ends, and logs why.
pub(super) async fn run<S: RelayStore>(socket: WebSocket, shared: Arc<Shared<S>>, connection: Arc<Connection>) {
    let _counted = Counted::new(&shared);
    let number = connection.number;
    let (sink, mut stream) = socket.split();
    let mut session = Session::new(shared, connection, sink);
    let ended = match session.hello(&mut stream).await {
        Ok(()) => session.serve(&mut stream).await,
        Err(ended) => ended,
    };
    match ended {
        Ended::Left => tracing::debug!(connection = number, "the client left"),
        Ended::Socket(error) => tracing::info!(connection = number, %error, "connection lost"),
        Ended::Refused(code) => {
            tracing::info!(connection = number, reason = code.reason(), "connection ended");
            session.farewell(code, &mut stream).await;
        }
    }
}

/// A running session, for the shutdown that waits for all of them.
struct Counted(tokio::sync::watch::Sender<usize>);

impl Counted {
    fn new<S>(shared: &Shared<S>) -> Self {
        shared.sessions.send_modify(|count| *count += 1);
        Self(shared.sessions.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl<S: RelayStore> Session<S> {
    fn new(shared: Arc<Shared<S>>, connection: Arc<Connection>, sink: SplitSink<WebSocket, Message>) -> Self {
        let options = &shared.options;
        let now = (options.clock)();
        Self {
            challenge: (options.random)(),
            asks: Pace::new(options.limits.asks_per_minute, now),
            failed_proofs: 0,
            posts: Posts::new(Pace::new(options.limits.posts_per_minute, now)),
            reads: Reads::new(),
            shared,
            connection,
            sink,
        }
    }

    /// The first message decides whether there is a conversation at all.
    async fn hello(&mut self, stream: &mut SplitStream<WebSocket>) -> Result<(), Ended> {
        let mut closing = self.shared.closing.clone();
        let first = tokio::select! {
            () = super::closed(&mut closing) => {
                return Err(Ended::Refused(RefusalCode::Closing));
            }
            first = next(stream) => first?,
        };
        let Some(ClientMessage::Hello { version, operation_tag }) = first else {
            return Err(Ended::Refused(RefusalCode::OutOfOrder));
        };
        if version != VERSION {
            return Err(Ended::Refused(RefusalCode::Version));
        }
        if !self.shared.options.operation_tag.matches(&operation_tag) {
            return Err(Ended::Refused(RefusalCode::Access));
        }
        if self.shared.crowded() {
            return Err(Ended::Refused(RefusalCode::TooManyConnections));
        }
        self.connection.greet();
        tracing::debug!(connection = self.connection.number, "a client is connected");
        let limits = &self.shared.options.limits;
        let welcome = RelayMessage::Welcome {
            version: VERSION,
            store: self.shared.store.id(),
            challenge: self.challenge,
            limits: Stated {
                batch_bytes: limits.batch_bytes,
                outstanding_bytes: limits.outstanding_bytes,
                posts_per_minute: limits.posts_per_minute,
                mailboxes: limits.mailboxes_per_connection,
                open_reads: limits.open_reads,
                page_items: limits.page_items,
                item_life_s: limits.item_life.as_secs(),
            },
        };
        self.send(welcome).await
    }

    async fn serve(&mut self, stream: &mut SplitStream<WebSocket>) -> Ended {
        match self.converse(stream).await {
            Ok(never) => never,
            Err(ended) => ended,
        }
    }

    async fn converse(&mut self, stream: &mut SplitStream<WebSocket>) -> Result<Ended, Ended> {
        let mut closing = self.shared.closing.clone();
        let mut pings = tokio::time::interval(self.shared.options.limits.ping_every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        let bell = self.reads.bell();
        loop {
            self.posts.start(&self.shared);
            tokio::select! {
                biased;
                () = super::closed(&mut closing) => {
                    self.finish_posts().await?;
                    return Err(Ended::Refused(RefusalCode::Closing));
                }
                answers = self.posts.answers() => {
                    for answer in answers {
                        self.send(answer).await?;
                    }
                }
                _ = pings.tick() => {
                    self.sink.send(Message::Ping(Vec::new().into())).await.map_err(Ended::Socket)?;
                }
                rung = bell.wait() => self.reads.rung(&rung),
                message = next(stream) => match message? {
                    Some(message) => self.handle(message).await?,
                    None => self.ask()?,
                },
                () = std::future::ready(()), if self.reads.ready() => self.deliver().await?,
            }
        }
    }

    async fn handle(&mut self, message: ClientMessage) -> Result<(), Ended> {
        match message {
            ClientMessage::Hello { .. } => Err(Ended::Refused(RefusalCode::OutOfOrder)),
            ClientMessage::Bye => {
                self.finish_posts().await?;
                self.sink.send(Message::Close(None)).await.map_err(Ended::Socket)?;
                Err(Ended::Left)
            }
            ClientMessage::Post { request, tag, hash, batch } => {
                match self.posts.take(&self.shared, request, tag, hash, batch) {
                    Ok(()) => Ok(()),
                    Err((code, wait)) => self.refuse(request, code, wait).await,
                }
            }
            ClientMessage::Read { request, tag, claim, after, most } => {
                self.ask()?;
                match self.open_read(request, tag, &claim, after, most)? {
                    Ok(()) => Ok(()),
                    Err(code) => self.refuse(request, code, 0).await,
                }
            }
            ClientMessage::Status { request, tag, claim } => {
                self.ask()?;
                self.status(request, tag, &claim).await
            }
            ClientMessage::Stop { request } => {
                self.ask()?;
                self.reads.stop(request);
                Ok(())
            }
        }
    }

    /// Counts everything that is no post. Whoever asks that fast is broken or hostile.
    fn ask(&mut self) -> Result<(), Ended> {
        let now = (self.shared.options.clock)();
        self.asks.take(now).map_err(|_| Ended::Refused(RefusalCode::AskRate))
    }

    /// Whether the claim opens the mailbox; too many that do not end the connection.
    fn proves(&mut self, tag: MailboxTag, claim: &Claim) -> Result<bool, Ended> {
        match claim.check(&tag, &self.challenge) {
            Ok(()) => Ok(true),
            Err(error) => {
                self.failed_proofs += 1;
                tracing::info!(connection = self.connection.number, %error, "a read was refused");
                if self.failed_proofs > self.shared.options.limits.failed_proofs {
                    return Err(Ended::Refused(RefusalCode::NotYours));
                }
                Ok(false)
            }
        }
    }

    fn open_read(
        &mut self,
        request: u32,
        tag: MailboxTag,
        claim: &Claim,
        after: u64,
        most: u32,
    ) -> Result<Result<(), RefusalCode>, Ended> {
        if !self.proves(tag, claim)? {
            return Ok(Err(RefusalCode::NotYours));
        }
        let limits = &self.shared.options.limits;
        Ok(self.reads.open(limits, self.shared.store.wakers(), request, tag, after, most))
    }

    async fn status(&mut self, request: u32, tag: MailboxTag, claim: &Claim) -> Result<(), Ended> {
        if !self.proves(tag, claim)? {
            return self.refuse(request, RefusalCode::NotYours, 0).await;
        }
        let now = (self.shared.options.clock)();
        match self.shared.store.stands(tag, now).await {
            Ok(stands) => self.send(RelayMessage::Stands { request, stands }).await,
            Err(error) => {
                tracing::error!(connection = self.connection.number, %error, "a status failed");
                self.refuse(request, RefusalCode::StoreTrouble, posts::TROUBLE_WAIT_MS).await
            }
        }
    }

    /// Sends one page of the read whose turn it is.
    async fn deliver(&mut self) -> Result<(), Ended> {
        let Some(turn) = self.reads.turn(&self.shared.options.limits) else { return Ok(()) };
        let shared = Arc::clone(&self.shared);
        let room = super::kib(turn.limit.bytes.max(shared.options.limits.batch_bytes));
        // More than there is would wait forever; one page at a time then.
        let room = room.min(super::kib(shared.options.limits.held_page_bytes));
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        // The semaphore is never closed; without a permit the page would go uncounted, no more.
        let _held = shared.held_pages.acquire_many(room).await;
        let now = (shared.options.clock)();
        let page = match shared.store.read(turn.tag, turn.after, turn.limit, now).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(connection = self.connection.number, %error, "a read failed");
                self.reads.stop(turn.request);
                let (code, wait) = (RefusalCode::StoreTrouble, posts::TROUBLE_WAIT_MS);
                return self.refuse(turn.request, code, wait).await;
            }
        };
        let end = self.reads.delivered(turn.request, page.next, page.more);
        for item in page.items {
            let (request, seq, batch) = (turn.request, item.seq, item.batch);
            self.send(RelayMessage::Item { request, seq, batch }).await?;
        }
        match end {
            Some(end) => self.send(end).await,
            None => Ok(()),
        }
    }

    /// Lets posts that are on their way to the disk arrive, and says so.
    async fn finish_posts(&mut self) -> Result<(), Ended> {
        while self.posts.pending() {
            self.posts.start(&self.shared);
            for answer in self.posts.answers().await {
                self.send(answer).await?;
            }
        }
        Ok(())
    }

    async fn refuse(&mut self, request: u32, code: RefusalCode, wait: u32) -> Result<(), Ended> {
        tracing::debug!(connection = self.connection.number, reason = code.reason(), "refused");
        self.send(RelayMessage::refused(request, code, wait)).await
    }

    async fn send(&mut self, message: RelayMessage) -> Result<(), Ended> {
        let frame = Message::Binary(message.encode().into());
        self.sink.send(frame).await.map_err(Ended::Socket)
    }

    /// Says why, and closes. What the peer still sends is read and thrown away for a moment,
    /// because closing a socket with unread bytes would take the reason away from it again.
    async fn farewell(&mut self, code: RefusalCode, stream: &mut SplitStream<WebSocket>) {
        let close = Message::Close(Some(CloseFrame {
            code: if code == RefusalCode::Closing { close_code::AWAY } else { close_code::POLICY },
            reason: code.reason().into(),
        }));
        let goodbye = async {
            self.send(RelayMessage::refused(0, code, 0)).await?;
            self.sink.send(close).await.map_err(Ended::Socket)?;
            while let Some(Ok(_)) = stream.next().await {}
            Ok::<(), Ended>(())
        };
        if !matches!(tokio::time::timeout(FAREWELL, goodbye).await, Ok(Ok(()))) {
            tracing::debug!(connection = self.connection.number, "the reason was not delivered");
        }
    }
}

/// The next message; `None` for a control frame that only counts as an ask.
async fn next(stream: &mut SplitStream<WebSocket>) -> Result<Option<ClientMessage>, Ended> {
    match stream.next().await {
        None | Some(Ok(Message::Close(_))) => Err(Ended::Left),
        Some(Err(error)) => Err(Ended::Socket(error)),
        Some(Ok(Message::Binary(frame))) => match ClientMessage::decode(&frame) {
            Ok(message) => Ok(Some(message)),
            Err(error) => {
                tracing::info!(%error, size = frame.len(), "a message could not be read");
                Err(Ended::Refused(RefusalCode::Malformed))
            }
        },
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Text(_))) => Err(Ended::Refused(RefusalCode::Malformed)),
    }
}
