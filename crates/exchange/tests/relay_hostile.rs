//! Peers that lie, flood, stall and send junk.

mod relay_common;

use std::time::Duration;

use exchange::relay::limits::Limits;
use exchange::relay::mailbox::{Claim, MailboxTag};
use exchange::relay::wire::{ClientMessage, MAX_FRAME, OperationTag, RefusalCode, RelayMessage, WireError};
use exchange::relay::{MAX_BATCH, VERSION};
use futures_util::{SinkExt, StreamExt};
use relay_common::{Relay, TOKEN, batch, keys};
use tempfile::tempdir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A connection on which a test says what it likes.
struct Raw(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Raw {
    async fn open(relay: &Relay) -> Self {
        Self(connect_async(relay.url()).await.unwrap().0)
    }

    /// Open, and past the hello; yields the challenge.
    async fn greeted(relay: &Relay) -> (Self, [u8; 32]) {
        let mut raw = Self::open(relay).await;
        raw.say(&hello(VERSION)).await;
        match raw.hear().await {
            Some(RelayMessage::Welcome { challenge, .. }) => (raw, challenge),
            other => panic!("no welcome but {other:?}"),
        }
    }

    async fn say(&mut self, message: &ClientMessage) {
        self.send(message.encode()).await;
    }

    /// The relay may have closed by now; that shows in what it says.
    async fn send(&mut self, frame: Vec<u8>) {
        let _ = self.0.send(Message::Binary(frame.into())).await;
    }

    /// What the relay says next; nothing once it has closed.
    async fn hear(&mut self) -> Option<RelayMessage> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Binary(frame))) => return RelayMessage::decode(&frame).ok(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }

    /// The reason for which the whole connection ends.
    async fn ending(&mut self) -> Option<RefusalCode> {
        let mut code = None;
        while let Some(message) = self.hear().await {
            if let RelayMessage::Refused { request: 0, code: number, .. } = message {
                code = RefusalCode::from_number(number);
            }
        }
        code
    }
}

fn hello(version: u16) -> ClientMessage {
    ClientMessage::Hello { version, operation_tag: OperationTag::new(TOKEN).unwrap() }
}

fn post(request: u32, batch: Vec<u8>) -> ClientMessage {
    let hash = seal::hash::sha256(&batch);
    ClientMessage::Post { request, tag: keys(1).tag(), hash, batch }
}

fn refusal(message: Option<RelayMessage>) -> Option<(u32, RefusalCode)> {
    match message {
        Some(RelayMessage::Refused { request, code, .. }) => RefusalCode::from_number(code).map(|code| (request, code)),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_signature_or_a_foreign_tag_reads_nothing() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let (mine, other) = (keys(1), keys(2));
    relay.connect().await.post(mine.tag(), batch("secret", 500)).await.unwrap();
    let (mut raw, challenge) = Raw::greeted(&relay).await;
    let right = mine.claim(&challenge);
    let mut flipped = right.clone();
    flipped.signature[5] ^= 1;
    // The same scalar plus the group order: strict verification takes one form only.
    let mut malleable = right.clone();
    malleable.signature[63] |= 0xe0;
    let claims: Vec<(MailboxTag, Claim)> = vec![
        (mine.tag(), flipped),
        (mine.tag(), malleable),
        (mine.tag(), mine.claim(&[0; 32])),
        (mine.tag(), other.claim(&challenge)),
        (other.tag(), right.clone()),
        (mine.tag(), Claim { recipient: "age1else".into(), ..right.clone() }),
        (mine.tag(), Claim { signature: other.claim(&challenge).signature, ..right.clone() }),
    ];
    for (index, (tag, claim)) in claims.into_iter().enumerate() {
        let request = index as u32 + 1;
        let message = if index % 2 == 0 {
            ClientMessage::Read { request, tag, claim, after: 0, most: 5 }
        } else {
            ClientMessage::Status { request, tag, claim }
        };
        raw.say(&message).await;
        assert_eq!(refusal(raw.hear().await), Some((request, RefusalCode::NotYours)));
    }
    // The owner reads on the same connection; a claim made for another one does not.
    let read = |request, claim| ClientMessage::Read { request, tag: mine.tag(), claim, after: 0, most: 5 };
    raw.say(&read(20, right.clone())).await;
    assert!(matches!(raw.hear().await, Some(RelayMessage::Item { request: 20, seq: 1, .. })));
    assert!(matches!(raw.hear().await, Some(RelayMessage::End { request: 20, next: 1, more: false })));
    let (mut replay, _) = Raw::greeted(&relay).await;
    replay.say(&read(1, right)).await;
    assert_eq!(refusal(replay.hear().await), Some((1, RefusalCode::NotYours)));
    // And whoever goes on trying is sent away.
    for request in 2..=9 {
        replay.say(&read(request, other.claim(&[0; 32]))).await;
    }
    assert_eq!(replay.ending().await, Some(RefusalCode::NotYours));
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oversize_frames_are_refused_and_the_relay_lives_on() {
    let dir = tempdir().unwrap();
    let limits = Limits { batch_bytes: 10_000, ..Limits::default() };
    let relay = Relay::start(dir.path(), limits).await;
    let (mut raw, _) = Raw::greeted(&relay).await;
    raw.say(&post(1, vec![1; 10_001])).await;
    assert_eq!(refusal(raw.hear().await), Some((1, RefusalCode::BatchTooLarge)));
    raw.say(&post(2, vec![1; 10_000])).await;
    assert!(matches!(raw.hear().await, Some(RelayMessage::Posted { request: 2, seq: 1, .. })));
    // Above the wire's own bound the frame is not even read.
    raw.send(vec![2; MAX_FRAME + 1]).await;
    assert_eq!(raw.ending().await, None);
    // A frame that fits but holds too large a batch is malformed.
    let (mut raw, _) = Raw::greeted(&relay).await;
    raw.say(&post(1, vec![1; MAX_BATCH + 1])).await;
    assert_eq!(raw.ending().await, Some(RefusalCode::Malformed));
    let client = relay.connect().await;
    assert!(client.post(keys(1).tag(), vec![1; 10_001]).await.is_err());
    assert_eq!(client.status(&keys(1)).await.unwrap().items, 1);
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_that_announces_a_huge_frame_costs_nothing() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let mut raw = Raw::open(&relay).await;
    let MaybeTlsStream::Plain(tcp) = raw.0.get_mut() else { panic!("not plain") };
    // A binary frame, masked, that says it has 2^62 bytes.
    let mut header = vec![0x82, 0xff];
    header.extend_from_slice(&(1u64 << 62).to_be_bytes());
    header.extend_from_slice(&[1, 2, 3, 4]);
    tcp.write_all(&header).await.unwrap();
    assert_eq!(raw.ending().await, None);
    relay.connect().await.close().await;
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_and_disorder_end_the_connection_with_a_reason() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let malformed = [
        vec![],
        vec![0x00],
        vec![0x81, 0, 1],
        vec![0x01, 0, 1, 200],
        vec![0x02, 0, 0, 0, 1],
        [ClientMessage::Bye.encode(), vec![0]].concat(),
    ];
    for frame in malformed {
        let (mut raw, _) = Raw::greeted(&relay).await;
        raw.send(frame).await;
        assert_eq!(raw.ending().await, Some(RefusalCode::Malformed));
    }
    let mut raw = Raw::open(&relay).await;
    raw.say(&post(1, vec![1])).await;
    assert_eq!(raw.ending().await, Some(RefusalCode::OutOfOrder));
    let (mut raw, _) = Raw::greeted(&relay).await;
    raw.say(&hello(VERSION)).await;
    assert_eq!(raw.ending().await, Some(RefusalCode::OutOfOrder));
    let mut raw = Raw::open(&relay).await;
    raw.say(&hello(VERSION + 1)).await;
    assert_eq!(raw.ending().await, Some(RefusalCode::Version));
    let (mut raw, _) = Raw::greeted(&relay).await;
    let _ = raw.0.send(Message::Text("hello".into())).await;
    assert_eq!(raw.ending().await, Some(RefusalCode::Malformed));
    // A batch that is not what its hash says is refused, and only it.
    let (mut raw, _) = Raw::greeted(&relay).await;
    let tag = keys(1).tag();
    raw.say(&ClientMessage::Post { request: 7, tag, hash: [0; 32], batch: vec![1] }).await;
    assert_eq!(refusal(raw.hear().await), Some((7, RefusalCode::HashMismatch)));
    raw.say(&post(8, vec![1])).await;
    assert!(matches!(raw.hear().await, Some(RelayMessage::Posted { request: 8, .. })));
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_are_slowed_or_ended() {
    let dir = tempdir().unwrap();
    let limits = Limits {
        posts_per_minute: 3,
        asks_per_minute: 10,
        mailbox_items: 5,
        mailboxes_per_connection: 2,
        open_reads: 2,
        ..Limits::default()
    };
    let relay = Relay::start(dir.path(), limits).await;
    let (mut raw, challenge) = Raw::greeted(&relay).await;
    for n in 1..=3 {
        raw.say(&post(n, vec![1, n as u8])).await;
        assert!(matches!(raw.hear().await, Some(RelayMessage::Posted { .. })));
    }
    raw.say(&post(4, vec![1, 4])).await;
    match raw.hear().await {
        Some(RelayMessage::Refused { request: 4, code, wait_ms, .. }) => {
            assert_eq!(RefusalCode::from_number(code), Some(RefusalCode::PostRate));
            assert_eq!(wait_ms, 20_000);
        }
        other => panic!("not refused but {other:?}"),
    }
    relay.turn_clock(60_000);
    for n in 4..=5 {
        raw.say(&post(n, vec![1, n as u8])).await;
        assert!(matches!(raw.hear().await, Some(RelayMessage::Posted { .. })));
    }
    raw.say(&post(6, vec![1, 6])).await;
    assert_eq!(refusal(raw.hear().await), Some((6, RefusalCode::MailboxFull)));

    let live = |request, seed| {
        let keys = keys(seed);
        let claim = keys.claim(&challenge);
        ClientMessage::Read { request, tag: keys.tag(), claim, after: 9, most: 0 }
    };
    for (request, seed) in [(11, 1), (12, 2)] {
        raw.say(&live(request, seed)).await;
        assert!(matches!(raw.hear().await, Some(RelayMessage::End { .. })));
    }
    raw.say(&live(12, 2)).await;
    assert_eq!(refusal(raw.hear().await), Some((12, RefusalCode::RequestInUse)));
    raw.say(&live(13, 2)).await;
    assert_eq!(refusal(raw.hear().await), Some((13, RefusalCode::TooManyReads)));
    raw.say(&ClientMessage::Stop { request: 12 }).await;
    raw.say(&live(13, 3)).await;
    assert_eq!(refusal(raw.hear().await), Some((13, RefusalCode::TooManyMailboxes)));
    for request in 20..40 {
        raw.say(&ClientMessage::Stop { request }).await;
    }
    assert_eq!(raw.ending().await, Some(RefusalCode::AskRate));
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_is_told_and_a_place_becomes_free() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits { connections: 2, ..Limits::default() }).await;
    let (first, _second) = (relay.connect().await, relay.connect().await);
    let refused = relay.try_connect(TOKEN).await.err().unwrap();
    assert_eq!(refused.code(), Some(RefusalCode::TooManyConnections), "{refused}");
    first.close().await;
    // The relay counts a socket until its task has ended; ask until it has.
    while relay.try_connect(TOKEN).await.is_err() {
        tokio::task::yield_now().await;
    }
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_stall_are_dropped() {
    let dir = tempdir().unwrap();
    let limits = Limits {
        hello_wait: Duration::from_millis(300),
        silence: Duration::from_millis(300),
        stall: Duration::from_millis(300),
        ping_every: Duration::from_secs(3600),
        ..Limits::default()
    };
    let relay = Relay::start(dir.path(), limits).await;
    // Never gets as far as HTTP; dribbles half a header; upgrades but says nothing.
    let mut mute = TcpStream::connect(relay.address).await.unwrap();
    let mut dribble = TcpStream::connect(relay.address).await.unwrap();
    dribble.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-").await.unwrap();
    let mut buffer = Vec::new();
    let _ = mute.read_to_end(&mut buffer).await;
    let _ = dribble.read_to_end(&mut buffer).await;
    let mut silent = Raw::open(&relay).await;
    assert_eq!(silent.ending().await, None);
    let (mut silent, _) = Raw::greeted(&relay).await;
    assert_eq!(silent.ending().await, None);
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_take_nothing_are_dropped() {
    let dir = tempdir().unwrap();
    let limits = Limits {
        stall: Duration::from_millis(300),
        ping_every: Duration::from_secs(3600),
        silence: Duration::from_secs(3600),
        ..Limits::default()
    };
    let relay = Relay::start(dir.path(), limits).await;
    // Asks for far more than a socket buffers, and takes none of it.
    let (mut greedy, challenge) = Raw::greeted(&relay).await;
    let mailbox = keys(1);
    for n in 0..24u8 {
        greedy.say(&post(u32::from(n) + 1, vec![n; MAX_BATCH])).await;
        assert!(matches!(greedy.hear().await, Some(RelayMessage::Posted { .. })));
    }
    let (claim, tag) = (mailbox.claim(&challenge), mailbox.tag());
    greedy.say(&ClientMessage::Read { request: 99, tag, claim, after: 0, most: 0 }).await;
    relay.live_reads(1).await;
    // The read ends by itself: nothing but the stall can end this session.
    relay.live_reads(0).await;
    relay.stop().await.unwrap();
}

#[test]
fn the_decoder_says_what_is_wrong() {
    assert_eq!(ClientMessage::decode(&[9]), Err(WireError::UnknownKind(9)));
    let frame = vec![0; MAX_FRAME + 1];
    assert!(matches!(ClientMessage::decode(&frame), Err(WireError::TooLong { what: "frame", .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn web_pages_are_not_served_and_health_is() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let ask = async |request: &str| {
        let mut tcp = TcpStream::connect(relay.address).await.unwrap();
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let health = ask("GET /relay/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(health.starts_with("HTTP/1.1 200") && health.ends_with("ok\n"), "{health}");
    let page = format!("GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\n{upgrade}\r\n");
    assert!(ask(&page).await.starts_with("HTTP/1.1 403"));
    let plain = ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(plain.starts_with("HTTP/1.1 4"), "{plain}");
    relay.stop().await.unwrap();
}
