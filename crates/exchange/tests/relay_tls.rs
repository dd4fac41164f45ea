//! The relay behind a proxy that ends TLS, as it is deployed. The certificates in
//! `relay_common/` are made for this test, are valid for `localhost` and for a hundred years.

mod relay_common;

use std::net::SocketAddr;
use std::sync::Arc;

use exchange::relay::client::{ClientError, ConnectOptions, RelayClient, Roots};
use exchange::relay::limits::Limits;
use exchange::relay::wire::OperationTag;
use relay_common::{Relay, TOKEN, batch, keys};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::tempdir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const AUTHORITY: &[u8] = include_bytes!("relay_common/authority.pem");
const OTHER_AUTHORITY: &[u8] = include_bytes!("relay_common/other_authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("relay_common/localhost.pem");
const KEY: &[u8] = include_bytes!("relay_common/localhost.key");

/// Ends TLS and passes the rest on, until the test ends.
async fn proxy(to: SocketAddr) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut tls) = acceptor.accept(tcp).await else { return };
                let mut relay = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut tls, &mut relay).await;
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_behind_tls_is_used_and_a_false_one_is_not() {
    let dir = tempdir().unwrap();
    let relay = Relay::start(dir.path(), Limits::default()).await;
    let port = proxy(relay.address).await;
    let connect = async |host: &str, roots: &[u8]| {
        let options = ConnectOptions {
            operation_tag: OperationTag::new(TOKEN).unwrap(),
            roots: Roots::Pem(roots.to_vec()),
            ..ConnectOptions::default()
        };
        RelayClient::connect(&format!("wss://{host}:{port}/relay"), &options).await
    };
    let client = connect("localhost", AUTHORITY).await.unwrap();
    let mailbox = keys(1);
    client.post(mailbox.tag(), batch("through TLS ", 300_000)).await.unwrap();
    let page = client.read(&mailbox, 0, 1).await.unwrap();
    assert_eq!(page.items[0].batch, batch("through TLS ", 300_000));
    client.close().await;

    let false_authority = connect("localhost", OTHER_AUTHORITY).await.err().unwrap();
    assert!(matches!(false_authority, ClientError::Connect(_)), "{false_authority}");
    let false_name = connect("127.0.0.1", AUTHORITY).await.err().unwrap();
    assert!(matches!(false_name, ClientError::Connect(_)), "{false_name}");
    relay.stop().await.unwrap();
}
