//! Running the relay: it knows no key, no roster and no name.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use exchange::relay::limits::Limits;
use exchange::relay::server::{RelayOptions, serve};
use exchange::relay::store::SqliteStore;
use exchange::relay::wire::OperationTag;

use crate::error::{DeskError, Result};
use crate::moment;

/// Runs a relay until `stop` completes; `ready` is told where it listens.
pub async fn relay(
    listen: SocketAddr,
    store: &str,
    blobs: Option<PathBuf>,
    token: Option<&str>,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let Some(file) = store.strip_prefix("sqlite:") else {
        return Err(DeskError::usage("the store is sqlite:FILE; a relay on PostgreSQL is not part of this release"));
    };
    let file = Path::new(file);
    let blobs = blobs.unwrap_or_else(|| file.with_extension("blobs"));
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let failed = |error: &dyn std::fmt::Display| DeskError::storage(format!("the relay's store failed: {error}"));
    let store = SqliteStore::open(file, Some(&blobs), moment::random()).await.map_err(|error| failed(&error))?;
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .map_err(|error| DeskError::network(format!("cannot listen there: {}", error.kind())))?;
    let at = listener.local_addr().unwrap_or(listen);
    let clock = Arc::new(|| u64::try_from(moment::now().wall_ms).unwrap_or(0));
    let operation_tag = match token {
        Some(token) => OperationTag::new(token).map_err(|_| DeskError::usage("the access token is too long"))?,
        None => OperationTag::none(),
    };
    let options =
        RelayOptions { limits: Limits::default(), operation_tag, clock, random: Arc::new(moment::random::<32>) };
    ready(at);
    serve(listener, Arc::new(store), options, stop)
        .await
        .map_err(|error| DeskError::network(format!("the relay ended: {error}")))
}
