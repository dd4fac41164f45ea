//! A device that answers on the LAN.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use iroh::Endpoint;
use iroh::endpoint::Incoming;
use seal::DeviceId;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio::task::JoinSet;

use super::pipe::{Pipe, converse, me};
use super::{CONNECT, FAREWELL, LanError, door, endpoint};
use crate::store::Store;

/// Handshakes at once. Strangers can hold these, for [`CONNECT`], and no more.
const HANDSHAKES: usize = 32;
/// Peers served at once: the devices of an operations centre. At 4 MiB of a page under way, two frames
/// and a page of ours, it bounds memory to about 600 MiB if all of them are hostile.
const PEERS: usize = 64;
/// Conversations with one device: a new one, while an old one has not yet noticed that it is cut.
const PER_DEVICE: usize = 2;

/// A device that answers on the LAN.
pub struct Server {
    endpoint: Endpoint,
    listener: TcpListener,
}

/// Who is being served, by device.
type Seats = Arc<Mutex<HashMap<DeviceId, usize>>>;

/// A place among the peers; given back when dropped.
struct Seat {
    seats: Seats,
    device: DeviceId,
}

impl Seat {
    fn take(seats: &Seats, device: DeviceId) -> Option<Self> {
        // A poisoned lock guards counters that are whole after any panic.
        let mut held = seats.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (held.values().sum::<usize>(), held.get(&device).copied().unwrap_or(0));
        if all >= PEERS || own >= PER_DEVICE {
            return None;
        }
        held.insert(device, own + 1);
        Some(Self { seats: seats.clone(), device })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.device) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(held.remove(&self.device)),
        }
    }
}

impl Server {
    /// Listens on an address, TCP and UDP.
    ///
    /// # Errors
    /// [`LanError::Listen`] where the address is taken or not this machine's.
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

    /// Serves until `stop` completes; then takes leave of its peers and closes. `live` announces local
    /// changes, which connected peers get.
    pub async fn run<S: Store + 'static>(
        self,
        store: Arc<S>,
        live: impl Fn() -> broadcast::Receiver<()> + Send + Sync + 'static,
        stop: impl Future<Output = ()> + Send,
    ) {
        let Self { endpoint, listener } = self;
        let live = Arc::new(live);
        let port = endpoint.bound_sockets().first().map_or(0, SocketAddr::port);
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
        let seats = Seats::default();
        let (leave, leaving) = watch::channel(false);
        let mut conversations = JoinSet::new();
        let id = *endpoint.id().as_bytes();
        let door = door::answer(&listener, &id, port);
        tokio::pin!(stop, door);
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = &mut door => break,
                Some(_) = conversations.join_next(), if !conversations.is_empty() => {}
                incoming = endpoint.accept() => {
                    let Some(incoming) = incoming else { break };
                    let Ok(handshake) = handshakes.clone().try_acquire_owned() else {
                        incoming.refuse();
                        continue;
                    };
                    let guest = Guest { incoming, handshake, seats: seats.clone(), id, leave: leaving.clone() };
                    let (store, live) = (store.clone(), live.clone());
                    conversations.spawn(async move {
                        if let Err(error) = guest.serve(store.as_ref(), live.as_ref()).await {
                            tracing::warn!(%error, "a conversation on the LAN ended early");
                        }
                    });
                }
            }
        }
        leave.send_replace(true);
        let _ = tokio::time::timeout(FAREWELL, async { while conversations.join_next().await.is_some() {} }).await;
        conversations.shutdown().await;
        endpoint.close().await;
    }
}

/// Somebody who wants to come in.
struct Guest {
    incoming: Incoming,
    handshake: OwnedSemaphorePermit,
    seats: Seats,
    id: [u8; 32],
    leave: watch::Receiver<bool>,
}

impl Guest {
    async fn serve<S: Store>(
        self,
        store: &S,
        live: &(impl Fn() -> broadcast::Receiver<()> + Send + Sync),
    ) -> Result<(), LanError> {
        let cut = |error: String| LanError::Cut(error);
        let accepting = async {
            self.incoming
                .accept()
                .map_err(|error| cut(error.to_string()))?
                .await
                .map_err(|error| cut(error.to_string()))
        };
        let connection = tokio::time::timeout(CONNECT, accepting).await.map_err(|_| cut("no handshake".into()))??;
        let key = *connection.remote_id().as_bytes();
        // Nothing is read from, and nothing is said to, whom the roster does not certify.
        let Some(peer) = store.peer(&key) else {
            connection.close(1u32.into(), b"not certified");
            return Err(LanError::Stranger);
        };
        let Some(_seat) = Seat::take(&self.seats, peer.device) else {
            connection.close(2u32.into(), b"too many conversations");
            return Err(LanError::Dropped("too many conversations at once".into()));
        };
        drop(self.handshake);
        let (send, receive) = tokio::time::timeout(CONNECT, connection.accept_bi())
            .await
            .map_err(|_| cut("it says nothing".into()))?
            .map_err(|error| cut(error.to_string()))?;
        let pipe = Pipe { send, receive, key, leave: self.leave };
        let outcome = converse(pipe, store, me(store, &self.id, true), peer, Some(live())).await;
        connection.close(0u32.into(), b"done");
        outcome.map(|_| ())
    }
}
