//! The door: a TCP port that tells whoever knocks which endpoint to dial, and nothing else.
//!
//! The answer needs no signature of its own: the id in it is believed only if the device's certificate
//! in the roster names it, and the handshake that follows proves possession of its key. A false answer
//! leads to a failed handshake.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::{CONNECT, LanError};

/// What the TCP port answers: a magic, the endpoint's id, its UDP port.
const MAGIC: &[u8; 8] = b"INTACT1\n";
const ANSWER: usize = 8 + 32 + 2;
/// People who knock at once: every device of a room. More wait their turn in the system's queue.
const KNOCKING: usize = 32;
/// Forty-two bytes fit in any socket's buffer; whoever does not take them goes.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers until dropped.
pub(super) async fn answer(listener: &TcpListener, id: &[u8; 32], port: u16) {
    let answer = [MAGIC.as_slice(), id, &port.to_be_bytes()].concat();
    let places = Arc::new(Semaphore::new(KNOCKING));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((mut stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: breathe, rather than spin.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let answer = answer.clone();
        tokio::spawn(async move {
            let _ = tokio::time::timeout(PATIENCE, async {
                stream.write_all(&answer).await?;
                stream.shutdown().await
            })
            .await;
            drop(place);
        });
    }
}

/// Asks who is behind an address: endpoint id and UDP port.
pub(super) async fn ask(at: SocketAddr) -> Result<([u8; 32], u16), LanError> {
    let asking = async {
        let mut stream = TcpStream::connect(at).await?;
        let mut answer = [0; ANSWER];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(CONNECT, asking)
        .await
        .map_err(|_| LanError::Connect("no answer in time".into()))?
        .map_err(|error| LanError::Connect(error.kind().to_string()))?;
    read(&answer).ok_or_else(|| LanError::Connect("something else answers there".into()))
}

fn read(answer: &[u8; ANSWER]) -> Option<([u8; 32], u16)> {
    let (magic, rest) = answer.split_first_chunk::<8>()?;
    let (id, port) = rest.split_first_chunk::<32>()?;
    let port = u16::from_be_bytes(port.try_into().ok()?);
    (magic == MAGIC && port != 0).then_some((*id, port))
}
