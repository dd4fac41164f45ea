//! The LAN: iroh between two devices, no relay, no lookup service, a typed address.
//!
//! iroh dials a key, people type an address. So the TCP port of the same number answers with the
//! endpoint's id and its UDP port; the id is believed only if the roster certifies it, and the
//! handshake proves it.

mod door;
mod pipe;
mod server;

use std::net::SocketAddr;
use std::time::Duration;

use iroh::endpoint::presets;
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, SecretKey, TransportAddr};
use tokio::sync::{broadcast, watch};

use crate::conversation::Summary;
use crate::store::{Store, StoreError};
use pipe::{Pipe, converse};
pub use server::Server;

const ALPN: &[u8] = b"intact/exchange/1";
/// Connecting on a LAN takes milliseconds; ten seconds is a network that is not there.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the last bytes may take to arrive, once there is nothing more to say.
const FAREWELL: Duration = Duration::from_secs(5);

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

/// Calls a device at an address. With `live`, stays connected and passes on what is new, until the
/// peer leaves.
///
/// # Errors
/// [`LanError`]; what was acknowledged before it is kept, and the next call goes on from there.
pub async fn call<S: Store>(
    at: SocketAddr,
    seed: &[u8; 32],
    store: &S,
    live: Option<broadcast::Receiver<()>>,
) -> Result<Report, LanError> {
    let (id, port) = door::ask(at).await?;
    let peer = store.peer(&id).ok_or(LanError::Stranger)?;
    let key = EndpointId::from_bytes(&id).map_err(|_| LanError::Stranger)?;
    let any = if at.is_ipv4() { SocketAddr::from(([0, 0, 0, 0], 0)) } else { SocketAddr::from(([0u16; 8], 0)) };
    let local = if at.ip().is_loopback() { SocketAddr::new(at.ip(), 0) } else { any };
    let endpoint = endpoint(seed, local).await?;
    let address = EndpointAddr::from_parts(key, [TransportAddr::Ip(SocketAddr::new(at.ip(), port))]);
    let outcome = async {
        let connection = tokio::time::timeout(CONNECT, endpoint.connect(address, ALPN))
            .await
            .map_err(|_| LanError::Connect("no connection in time".into()))?
            .map_err(|error| LanError::Connect(error.to_string()))?;
        let (send, receive) = connection.open_bi().await.map_err(|error| LanError::Cut(error.to_string()))?;
        let me = pipe::me(store, endpoint.id().as_bytes(), live.is_some());
        // Nobody tells a caller to leave but its own end.
        let (_keep, leave) = watch::channel(false);
        let report = converse(Pipe { send, receive, key: id, leave }, store, me, peer, live).await;
        connection.close(0u32.into(), b"done");
        report
    }
    .await;
    endpoint.close().await;
    outcome
}
