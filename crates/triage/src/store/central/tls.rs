//! TLS with the server: always with a certificate that is checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::error::CentralProblem;

/// A connector that accepts certificates of the authorities in the file, else of those that
/// the web knows.
pub(super) fn connector(roots: Option<&Path>) -> Result<MakeRustlsConnect, CentralProblem> {
    let mut store = RootCertStore::empty();
    match roots {
        Some(path) => read(path, &mut store)?,
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| CentralProblem::Tls(error.to_string()))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn read(path: &Path, store: &mut RootCertStore) -> Result<(), CentralProblem> {
    let wrong = |problem: String| CentralProblem::Address(format!("{}: {problem}", path.display()));
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        store.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if store.is_empty() { Err(wrong("has no certificate".to_owned())) } else { Ok(()) }
}

/// Where PostgreSQL's own clients look for authorities if none are named.
pub(super) fn usual_roots() -> Option<PathBuf> {
    let named = std::env::var_os("PGSSLROOTCERT").map(PathBuf::from);
    let usual = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".postgresql/root.crt"));
    named.or_else(|| usual().filter(|path| path.is_file()))
}
