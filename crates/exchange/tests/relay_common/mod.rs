//! A relay on a loopback socket, with a clock that the test turns.

#![allow(dead_code)] // each test binary uses a part of it

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use exchange::relay::client::{ClientError, ConnectOptions, RelayClient};
use exchange::relay::limits::Limits;
use exchange::relay::mailbox::ReadKeys;
use exchange::relay::server::{RelayError, RelayOptions, serve};
use exchange::relay::store::SqliteStore;
use exchange::relay::wire::OperationTag;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const NOW: u64 = 1_800_000_000_000;
pub const DAY: u64 = 24 * 3600 * 1000;
pub const TOKEN: &str = "the operation's access token";

pub struct Relay {
    pub address: SocketAddr,
    pub clock: Arc<AtomicU64>,
    pub store: Arc<SqliteStore>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), RelayError>>,
}

impl Relay {
    pub async fn start(dir: &Path, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let blobs = dir.join("blobs");
        let store = SqliteStore::open(&database(dir), Some(&blobs), [1; 16]).await;
        let store = Arc::new(store.unwrap());
        let clock = Arc::new(AtomicU64::new(NOW));
        let (count, hands) = (AtomicU64::new(1), Arc::clone(&clock));
        let options = RelayOptions {
            limits,
            operation_tag: OperationTag::new(TOKEN).unwrap(),
            clock: Arc::new(move || hands.load(Ordering::SeqCst)),
            random: Arc::new(move || {
                let number = count.fetch_add(1, Ordering::SeqCst).to_be_bytes();
                seal::hash::tagged("test/challenge", &[&number])
            }),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, Arc::clone(&store), options, async {
            let _ = stopped.await;
        }));
        Self { address, clock, store, stop, serving }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/any/path", self.address)
    }

    pub async fn connect(&self) -> RelayClient {
        self.try_connect(TOKEN).await.unwrap()
    }

    pub async fn try_connect(&self, token: &str) -> Result<RelayClient, ClientError> {
        let operation_tag = OperationTag::new(token).unwrap();
        let options = ConnectOptions { operation_tag, ..ConnectOptions::default() };
        RelayClient::connect(&self.url(), &options).await
    }

    pub fn turn_clock(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// Waits until this many live reads are open.
    pub async fn live_reads(&self, count: usize) {
        use exchange::relay::store::RelayStore;
        while self.store.wakers().waiting() != count {
            tokio::task::yield_now().await;
        }
    }

    pub async fn stop(self) -> Result<(), RelayError> {
        let _ = self.stop.send(());
        let result = self.serving.await.unwrap();
        self.store.close().await;
        result
    }
}

pub fn database(dir: &Path) -> PathBuf {
    dir.join("relay.sqlite")
}

pub fn keys(seed: u8) -> ReadKeys {
    let recipient = format!("age1{}", seal::id::to_hex(&[seed; 29]));
    ReadKeys::new(recipient, seal::SigningKey::from_seed(&[seed; 32]))
}

pub fn batch(text: &str, len: usize) -> Vec<u8> {
    text.bytes().cycle().take(len).collect()
}
