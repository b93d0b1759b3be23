//! TLS as libpq's `sslmode` means it (<https://www.postgresql.org/docs/current/libpq-ssl.html>).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
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
/// host name against `sslrootcert` (a PEM file) or the certificates this machine trusts. `sslcert` and `sslkey` say who we are.
///
/// # Errors
/// `Input` for a file that cannot be read.
pub fn connector(mode: &str, options: &BTreeMap<String, String>) -> Result<MakeRustlsConnect> {
    let option = |name: &str| options.get(name).map(String::as_str);
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?;
    let builder = if mode.starts_with("verify") {
        builder.with_root_certificates(roots(option("sslrootcert"))?)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    };
    let config = match (option("sslcert"), option("sslkey")) {
        (Some(certificate), Some(key)) => {
            let unreadable = || format!("the certificate in sslcert {certificate} cannot be read");
            let chain = CertificateDer::pem_file_iter(certificate).input(unreadable())?;
            let chain = chain.collect::<Result<Vec<_>, _>>().input(unreadable())?;
            let key = PrivateKeyDer::Pkcs8(private_key(Path::new(key))?);
            builder.with_client_auth_cert(chain, key).input("sslcert and sslkey do not fit together")?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

/// A private key in the one form that this program, libpq and the JDBC driver read.
fn private_key(file: &Path) -> Result<PrivatePkcs8KeyDer<'static>> {
    let unusable = format!("the private key in sslkey {} cannot be used", file.display());
    let hint =
        "it must be PKCS #8 in PEM without a passphrase: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW";
    match PrivateKeyDer::from_pem_file(file).input(&unusable).map_err(|e| e.hint(hint))? {
        PrivateKeyDer::Pkcs8(key) => Ok(key),
        _ => Err(Error::input(unusable).hint(hint)),
    }
}

/// # Errors
/// `Input` when a private key cannot be used.
pub fn check_key(file: &Path) -> Result<()> {
    private_key(file).map(|_| ())
}

/// What Java calls the algorithm of a private key: its driver wants to be told.
pub fn key_algorithm(file: &Path) -> &'static str {
    // The identifier of elliptic curves, id-ecPublicKey (RFC 5480).
    const CURVE: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let curve = |key: PrivatePkcs8KeyDer<'_>| {
        key.secret_pkcs8_der().windows(CURVE.len()).take(32).any(|bytes| bytes == CURVE)
    };
    if private_key(file).is_ok_and(curve) { "EC" } else { "RSA" }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "wants a process of its own, which run/storage/tls_tests.rs starts"]
    fn a_database_comes_first() {
        assert!(
            std::panic::catch_unwind(ClientConfig::builder).is_err(),
            "rustls chose: the test shows nothing"
        );
        for mode in ["prefer", "require"] {
            connector(mode, &BTreeMap::new()).unwrap();
        }
        // There may be no certificate on this machine.
        let _ = connector("verify-full", &BTreeMap::new());
        assert!(CryptoProvider::get_default().is_none(), "one connection chose for all");
    }
}
