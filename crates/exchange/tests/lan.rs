//! Two endpoints on loopback: a conversation over real sockets, live news, strangers and liars.

mod memory;

use std::net::SocketAddr;
use std::sync::Arc;

use exchange::lan::{LanError, Server, call};
use memory::{Members, Memory};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;

const ANYWHERE: &str = "127.0.0.1:0";

/// A store that is served, and how to tell its peers that something changed.
struct Served {
    at: SocketAddr,
    news: broadcast::Sender<()>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

async fn serve(store: &Memory, seed: u8) -> Served {
    let server = Server::bind(ANYWHERE.parse().unwrap(), &Memory::network_seed(seed)).await.unwrap();
    let at = server.address().unwrap();
    let (news, _) = broadcast::channel(16);
    let (stop, stopped) = oneshot::channel();
    let (store, live) = (Arc::new(store.clone()), news.clone());
    let running = tokio::spawn(server.run(store, move || live.subscribe(), async { drop(stopped.await) }));
    Served { at, news, stop, running }
}

impl Served {
    async fn end(self) {
        let _ = self.stop.send(());
        self.running.await.unwrap();
    }
}

/// Comes back once a condition holds; the test's own time limit is the only clock.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

fn two() -> (Members, Memory, Memory) {
    let members = Members::new();
    let (a, b) = (Memory::new(1, "a", true, &members), Memory::new(2, "b", true, &members));
    (members, a, b)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_have_everything_afterwards() {
    let (_, a, b) = two();
    (0..1500).for_each(|n: u32| {
        a.append(3, &vec![n as u8; 300], n.is_multiple_of(500).then_some(&[n as u8; 9000][..]));
    });
    (0..700).for_each(|n: u32| {
        b.append(3, &vec![n as u8; 300], None);
    });
    let served = serve(&a, 1).await;
    let report = call(served.at, &Memory::network_seed(2), &b, None).await.unwrap();
    assert_eq!((report.summary.received.entries, report.summary.sent_entries), (1500, 700));
    assert!(report.bytes_in > 1500 * 300 && report.bytes_out > 700 * 300);
    let all = [a.clone(), b.clone()];
    assert_eq!((a.is_complete(&all), b.is_complete(&all)), (Ok(()), Ok(())));
    let again = call(served.at, &Memory::network_seed(2), &b, None).await.unwrap();
    assert_eq!((again.summary.received.entries, again.summary.sent_entries), (0, 0));
    assert!(again.bytes_in + again.bytes_out < 4000, "{} and {}", again.bytes_in, again.bytes_out);
    served.end().await;
}

/// Pages of several megabytes cross: neither side may wait for the other to read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_pages_in_both_directions_do_not_block_each_other() {
    let (_, a, b) = two();
    for n in 0..150u32 {
        a.append(3, &vec![n as u8; 60_000], None);
        b.append(3, &vec![n as u8; 60_000], None);
    }
    let served = serve(&a, 1).await;
    let report = call(served.at, &Memory::network_seed(2), &b, None).await.unwrap();
    assert_eq!((report.summary.received.entries, report.summary.sent_entries), (150, 150));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_stays_hears_what_is_new_until_the_server_leaves() {
    let (_, a, b) = two();
    a.append(3, b"first", None);
    let served = serve(&a, 1).await;
    let (own_news, live) = broadcast::channel(16);
    let (caller, at) = (b.clone(), served.at);
    let calling = tokio::spawn(async move { call(at, &Memory::network_seed(2), &caller, Some(live)).await });
    until(|| b.entries() == 1).await;
    let second = a.append(3, b"second", Some(&[9; 5000]));
    served.news.send(()).unwrap();
    until(|| b.holds(&second) && b.is_complete(std::slice::from_ref(&a)).is_ok()).await;
    let third = b.append(3, b"third", None);
    own_news.send(()).unwrap();
    until(|| a.holds(&third) && a.lock().acks.get(&b.me.device).is_some_and(|up_to| *up_to >= 2)).await;
    served.end().await;
    let report = calling.await.unwrap().unwrap();
    assert_eq!((report.summary.received.entries, report.summary.sent_entries), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_gets_nothing() {
    let (_, a, _) = two();
    a.append(3, b"not for strangers", None);
    let served = serve(&a, 1).await;
    // It knows a's roster, but nobody certified it: a refuses.
    let stranger = Memory::new(9, "b", true, &Members::new());
    stranger.members.enrol(a.network, a.me.clone());
    let refused = call(served.at, &Memory::network_seed(9), &stranger, None).await.unwrap_err();
    assert!(matches!(refused, LanError::Cut(_) | LanError::Connect(_)), "{refused:?}");
    assert_eq!(stranger.commits(), 0);
    // And it does not talk to whom it does not know.
    let ignorant = Memory::new(8, "b", true, &Members::new());
    let refused = call(served.at, &Memory::network_seed(8), &ignorant, None).await.unwrap_err();
    assert_eq!(refused, LanError::Stranger);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_answer_at_the_door_leads_nowhere() {
    let (_, a, b) = two();
    let served = serve(&a, 1).await;
    // Somebody on the LAN answers with a's endpoint id, but is not a.
    let door = tokio::net::TcpListener::bind(ANYWHERE).await.unwrap();
    let at = door.local_addr().unwrap();
    let own = Server::bind(ANYWHERE.parse().unwrap(), &[77; 32]).await.unwrap();
    let port = own.address().unwrap().port();
    let (store, network) = (Arc::new(a.clone()), a.network);
    let liar = tokio::spawn(own.run(store, move || broadcast::channel(1).1, std::future::pending()));
    let door = tokio::spawn(async move {
        while let Ok((mut stream, _)) = door.accept().await {
            let _ = stream.write_all(&[b"INTACT1\n".as_slice(), &network, &port.to_be_bytes()].concat()).await;
        }
    });
    let refused = call(at, &Memory::network_seed(2), &b, None).await.unwrap_err();
    assert!(matches!(refused, LanError::Connect(_)), "{refused:?}");
    assert_eq!(b.commits(), 0);
    liar.abort();
    door.abort();
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_or_something_else_is_said_so() {
    let (_, _, b) = two();
    let free = tokio::net::TcpListener::bind(ANYWHERE).await.unwrap().local_addr().unwrap();
    let refused = call(free, &Memory::network_seed(2), &b, None).await.unwrap_err();
    assert!(matches!(refused, LanError::Connect(_)), "{refused:?}");
    let web = tokio::net::TcpListener::bind(ANYWHERE).await.unwrap();
    let at = web.local_addr().unwrap();
    let web = tokio::spawn(async move {
        let (mut stream, _) = web.accept().await.unwrap();
        let _ = stream.write_all(&[b'H'; 200]).await;
        let _ = stream.read(&mut [0; 1]).await;
    });
    let refused = call(at, &Memory::network_seed(2), &b, None).await.unwrap_err();
    assert_eq!(refused, LanError::Connect("something else answers there".into()));
    web.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_device_takes_two_seats_at_most() {
    let (_, a, b) = two();
    let served = serve(&a, 1).await;
    let stay = |store: Memory, at| {
        let (keep, live) = broadcast::channel(1);
        tokio::spawn(async move {
            let outcome = call(at, &Memory::network_seed(2), &store, Some(live)).await;
            drop(keep);
            outcome
        })
    };
    let (first, second) = (stay(b.clone(), served.at), stay(b.clone(), served.at));
    let marker = a.append(3, b"marker", None);
    served.news.send(()).ok();
    until(|| b.holds(&marker)).await;
    let mut refused = 0;
    // The two may still be on their way in; one too many is refused in any order.
    let third = stay(b.clone(), served.at);
    let calls = [first, second, third];
    until(|| calls.iter().any(JoinHandle::is_finished)).await;
    let mut open = Vec::new();
    for call in calls {
        if call.is_finished() { refused += u32::from(call.await.unwrap().is_err()) } else { open.push(call) }
    }
    assert_eq!((refused, open.len()), (1, 2));
    served.end().await;
    for call in open {
        // One that was still in the middle of its pages says that it was cut; none hangs.
        let ended = call.await.unwrap();
        assert!(matches!(ended, Ok(_) | Err(LanError::Cut(_))), "{ended:?}");
    }
}
