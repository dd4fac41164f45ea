//! Which certificates a relay may show.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::Connector;

use super::error::ClientError;

/// Most PEM bytes read for own roots: 1 MiB, five times the size of a full public bundle.
const MAX_PEM: usize = 1 << 20;

/// The certificate authorities that a `wss://` relay's certificate may come from.
#[derive(Clone, Debug, Default)]
pub enum Roots {
    /// Those of the operating system.
    #[default]
    System,
    /// Only these, as PEM: for an operation with an authority of its own.
    Pem(Vec<u8>),
}

/// The connector for a URL; plain for `ws://`.
pub(super) fn connector(url: &str, roots: &Roots) -> Result<Option<Connector>, ClientError> {
    match url.split_once("://") {
        Some(("ws", _)) => return Ok(Some(Connector::Plain)),
        Some(("wss", _)) => {}
        _ => return Err(ClientError::Url),
    }
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "a certificate of the system cannot be read");
            }
            store.add_parsable_certificates(found.certs);
        }
        Roots::Pem(pem) => {
            if pem.len() > MAX_PEM {
                return Err(ClientError::Roots("more than 1 MiB of PEM".into()));
            }
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|e| ClientError::Roots(e.to_string()))?;
                store.add(certificate).map_err(|e| ClientError::Roots(e.to_string()))?;
            }
        }
    }
    if store.is_empty() {
        return Err(ClientError::Roots("there are none".into()));
    }
    // The provider is named, so that another one in the build cannot make the choice ambiguous.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| ClientError::Roots(e.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Some(Connector::Rustls(Arc::new(config))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_websocket_addresses_and_usable_roots() {
        assert!(matches!(connector("ws://a", &Roots::System), Ok(Some(Connector::Plain))));
        for url in ["http://a", "relay.example", "", "wss:/a"] {
            assert!(matches!(connector(url, &Roots::System), Err(ClientError::Url)), "{url}");
        }
        for pem in [&b""[..], b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let roots = Roots::Pem(pem.to_vec());
            assert!(matches!(connector("wss://a", &roots), Err(ClientError::Roots(_))));
        }
    }
}
