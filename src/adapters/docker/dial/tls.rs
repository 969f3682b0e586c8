//! Connections with TLS, by the certificates of a folder.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::words::{barred, tls_error};

/// What every TLS connection to the engine begins with.
pub(super) struct Connector {
    connector: TlsConnector,
    address: String,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Connector({})", self.address)
    }
}

impl Connector {
    /// Reads `ca.pem` and, where they are, `cert.pem` and `key.pem` of `folder`.
    pub(super) fn read(folder: &Path, address: &str) -> io::Result<Connector> {
        let unreadable = |file: &str, why: String| {
            let path = folder.join(file).display().to_string();
            barred(
                address,
                format!("{path} cannot be read: {why}"),
                "Set DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem",
            )
        };
        let certificates = |file: &str| -> io::Result<Vec<CertificateDer<'static>>> {
            CertificateDer::pem_file_iter(folder.join(file))
                .and_then(Iterator::collect)
                .map_err(|error| unreadable(file, reason(&error)))
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates("ca.pem")? {
            let added = roots.add(certificate);
            added.map_err(|error| unreadable("ca.pem", error.to_string()))?;
        }
        // An error says that somebody installed one before: as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ClientConfig::builder().with_root_certificates(roots);
        let has_own = folder.join("cert.pem").exists() || folder.join("key.pem").exists();
        let config = if has_own {
            let key = PrivateKeyDer::from_pem_file(folder.join("key.pem"))
                .map_err(|error| unreadable("key.pem", reason(&error)))?;
            config
                .with_client_auth_cert(certificates("cert.pem")?, key)
                .map_err(|error| unreadable("cert.pem", error.to_string()))?
        } else {
            config.with_no_client_auth()
        };
        Ok(Connector {
            connector: TlsConnector::from(Arc::new(config)),
            address: address.to_string(),
        })
    }

    /// Agrees with `host:port` on keys.
    pub(super) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(name.to_string()).map_err(io::Error::other)?;
        let connected = self.connector.connect(name, stream).await;
        connected.map_err(|error| match tls_error(&error, &self.address) {
            Some(known) => io::Error::other(known),
            None => error,
        })
    }
}

fn reason(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error;
    match error {
        Error::Io(error) => error.to_string(),
        Error::NoItemsFound => "there is no certificate or key in it".to_string(),
        other => other.to_string(),
    }
}
