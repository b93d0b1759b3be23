//! TLS as libpq's `sslmode` means it (<https://www.postgresql.org/docs/current/libpq-ssl.html>).

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Context, Error, Result};

/// # Errors
/// `Input` for a mode that is none of libpq's.
pub fn check_mode(mode: &str) -> Result<()> {
    match mode {
        "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full" => Ok(()),
        _ => Err(Error::input("the database URL has an sslmode that does not exist")
            .hint("use disable, prefer, require, verify-ca or verify-full")),
    }
}

/// `prefer` and `require` encrypt without asking who answers; `verify-ca` and `verify-full` check the certificate and the
/// host name against `root` (a PEM file) or the certificates this machine trusts.
pub fn connector(mode: &str, root: Option<&str>) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?;
    let config = if mode.starts_with("verify") {
        builder.with_root_certificates(roots(root)?).with_no_client_auth()
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider))).with_no_client_auth()
    };
    Ok(MakeRustlsConnect::new(config))
}

fn roots(file: Option<&str>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    match file.filter(|f| *f != "system") {
        Some(file) => {
            let unreadable = || format!("the certificates in sslrootcert {file} cannot be read");
            for certificate in CertificateDer::pem_file_iter(file).input(unreadable())? {
                store.add(certificate.input(unreadable())?).input(unreadable())?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if store.is_empty() {
        return Err(Error::input("there is no certificate to check the database's against")
            .hint("name a PEM file: sslrootcert=/path/to/root.crt"));
    }
    Ok(store)
}

/// Takes any certificate whose handshake is signed with its own key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
