//! Sockets that do not wait forever: a peer must say `Hello` in time, must not fall silent, and
//! must take what it asked for. Works below HTTP, so that it also covers peers that never get as
//! far as a WebSocket.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};

use crate::relay::limits::Limits;

/// Sockets above the limit that are still let in to be told so; beyond them they are just closed.
const TOLD: usize = 64;

/// A pause when accepting fails, so that running out of file descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What the layers above know about a connection: a number, for the log.
pub(super) struct Connection {
    /// Counted from 1 since the relay started.
    pub(super) number: u64,
    greeted: AtomicBool,
    open: Arc<AtomicUsize>,
}

impl Connection {
    /// The peer has said `Hello`: from now on the limit on silence counts.
    pub(super) fn greet(&self) {
        self.greeted.store(true, Ordering::Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Clone, Copy)]
struct Waits {
    hello: Duration,
    silence: Duration,
    stall: Duration,
}

/// Accepts up to the limit of connections.
pub(super) struct PatientListener {
    tcp: TcpListener,
    waits: Waits,
    most: usize,
    open: Arc<AtomicUsize>,
    count: AtomicU64,
}

impl PatientListener {
    pub(super) fn new(tcp: TcpListener, limits: &Limits) -> Self {
        Self {
            tcp,
            waits: Waits { hello: limits.hello_wait, silence: limits.silence, stall: limits.stall },
            most: limits.connections.saturating_add(TOLD),
            open: Arc::default(),
            count: AtomicU64::new(0),
        }
    }

    /// The number of open sockets, kept up to date.
    pub(super) fn open(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.open)
    }
}

impl Listener for PatientListener {
    type Io = Patient;
    type Addr = ();

    async fn accept(&mut self) -> (Patient, ()) {
        loop {
            let tcp = match self.tcp.accept().await {
                Ok((tcp, _)) => tcp,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            if self.open.load(Ordering::Relaxed) >= self.most {
                tracing::warn!("a connection was closed unheard: too many are open");
                continue;
            }
            // A batch is one write; waiting to fill packets would only delay the live readers.
            if let Err(error) = tcp.set_nodelay(true) {
                tracing::debug!(%error, "a socket option was not taken");
            }
            self.open.fetch_add(1, Ordering::Relaxed);
            let connection = Arc::new(Connection {
                number: self.count.fetch_add(1, Ordering::Relaxed) + 1,
                greeted: AtomicBool::new(false),
                open: Arc::clone(&self.open),
            });
            return (Patient::new(tcp, connection, self.waits), ());
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection, as the router hands it to the session.
#[derive(Clone)]
pub(super) struct Peer(pub(super) Arc<Connection>);

impl Connected<IncomingStream<'_, PatientListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, PatientListener>) -> Self {
        Self(Arc::clone(&stream.io().connection))
    }
}

/// A TCP stream with the three waits.
pub(super) struct Patient {
    tcp: TcpStream,
    connection: Arc<Connection>,
    waits: Waits,
    /// Runs from accepting until `Hello`, then anew from each byte received.
    read_wait: Pin<Box<Sleep>>,
    greeted: bool,
    /// Runs while the peer takes nothing.
    write_wait: Pin<Box<Sleep>>,
    stalled: bool,
}

impl Patient {
    fn new(tcp: TcpStream, connection: Arc<Connection>, waits: Waits) -> Self {
        Self {
            tcp,
            connection,
            waits,
            read_wait: Box::pin(tokio::time::sleep(waits.hello)),
            greeted: false,
            write_wait: Box::pin(tokio::time::sleep(waits.stall)),
            stalled: false,
        }
    }

    fn give_up(&self, why: &'static str) -> io::Error {
        tracing::info!(connection = self.connection.number, "dropped: {why}");
        io::Error::new(io::ErrorKind::TimedOut, why)
    }

    /// What a write attempt came to: progress ends a stall, no progress may start one.
    fn written(&mut self, context: &mut Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if result.is_ready() {
            self.stalled = false;
            return result;
        }
        if !self.stalled {
            self.stalled = true;
            self.write_wait.as_mut().reset(Instant::now() + self.waits.stall);
        }
        match self.write_wait.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(self.give_up("the peer takes nothing"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.tcp).poll_read(context, buffer);
        let greeted = this.connection.greeted.load(Ordering::Relaxed);
        if greeted && (read.is_ready() || !this.greeted) {
            this.greeted = true;
            this.read_wait.as_mut().reset(Instant::now() + this.waits.silence);
        }
        if read.is_ready() {
            return read;
        }
        match this.read_wait.as_mut().poll(context) {
            Poll::Ready(()) if this.greeted => Poll::Ready(Err(this.give_up("silent for too long"))),
            Poll::Ready(()) => Poll::Ready(Err(this.give_up("no hello in time"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Patient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.tcp).poll_write(context, bytes);
        this.written(context, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.tcp).poll_write_vectored(context, slices);
        this.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(context)
    }
}
