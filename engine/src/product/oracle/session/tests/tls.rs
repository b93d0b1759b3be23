//! Wallets and TLS, through a proxy: the stand-in has no TLS of its own. `tls/` has the certificates of an authority that signs for `localhost`, and
//! the wallet of somebody whose key is encrypted with `wallet-password`. Nothing else knows them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::error::{Error, ErrorKind};
use crate::model::endpoint::Secret;

const AUTHORITY: &str = include_str!("tls/authority.pem");
const SERVER: &str = include_str!("tls/server.pem");
const WALLET: &str = include_str!("tls/wallet.pem");

/// Takes TLS, and hands on what is in it.
async fn proxy(to: SocketAddr) -> u16 {
    let certificate = CertificateDer::from_pem_slice(SERVER.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(SERVER.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (tls, listener) =
        (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let mut client = tls.accept(client).await?;
                let mut server = TcpStream::connect(to).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    port
}

fn login_over_tls(server: &Server, port: u16, host: &str, wallet: Option<&Path>) -> Login {
    let wallet = wallet.map(|folder| format!("?wallet={}", folder.display())).unwrap_or_default();
    let endpoint = parse_url(&format!("oracles://app:{PASSWORD}@{host}:{port}/standin{wallet}")).unwrap();
    Login { endpoint, ..login(server) }
}

async fn refused(login: &Login) -> Error {
    build_program();
    match Session::connect(login).await {
        Ok(_) => panic!("this should have been refused"),
        Err(error) => error,
    }
}

fn wallet(file: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ewallet.pem"), file).unwrap();
    folder
}

/// Both providers of TLS are compiled into the session program, which would panic if it did not choose.
#[tokio::test]
async fn a_session_over_tls_trusts_the_authority_in_the_wallet() {
    for version in VERSIONS {
        let server = start(version, |_, _| Outcome::Changed(3));
        let port = proxy(server.address()).await;
        let wallet = wallet(AUTHORITY);
        build_program();
        let login = login_over_tls(&server, port, "localhost", Some(wallet.path()));
        let mut session = Session::connect(&login).await.unwrap();
        assert_eq!(session.execute(statement("delete from t"), LONG).await.unwrap().count, 3);
        session.close().await;
    }
}

#[tokio::test]
async fn certificates_that_do_not_fit_are_told() {
    let server = start(Version::V19, |_, _| Outcome::Done);
    let port = proxy(server.address()).await;
    let trusted = wallet(AUTHORITY);
    // Nobody known signed it; and it is for another name.
    for (host, folder) in [("localhost", None), ("127.0.0.2", Some(trusted.path()))] {
        let proxied = if host == "localhost" { port } else { proxy_on(server.address(), host).await };
        let error = refused(&login_over_tls(&server, proxied, host, folder)).await;
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ErrorKind::Failed, Some("ORA-29024")),
            "{}",
            error.chain()
        );
        assert!(error.to_string().contains("TLS with"), "{error}");
        assert!(error.chain().contains("certificate"), "{}", error.chain());
    }
}

/// The same on another address of this machine.
async fn proxy_on(to: SocketAddr, host: &str) -> u16 {
    let through = proxy(to).await;
    let listener = TcpListener::bind((host, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(("127.0.0.1", through)).await?;
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
        Ok::<(), std::io::Error>(())
    });
    port
}

#[tokio::test]
async fn wallets_that_cannot_be_used_are_told() {
    let server = start(Version::V19, |_, _| Outcome::Done);
    let port = proxy(server.address()).await;
    let empty = tempfile::tempdir().unwrap();
    let (locked, damaged) = (
        wallet(WALLET),
        wallet("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
    );
    let with = |folder: &Path, password: Option<&str>| Login {
        wallet_password: password.map(Secret::new),
        ..login_over_tls(&server, port, "localhost", Some(folder))
    };
    for (login, said, hint) in [
        (with(empty.path(), None), "the wallet in", "ewallet.pem"),
        (with(locked.path(), None), "the password of the wallet in", "not that of the user"),
        (
            with(locked.path(), Some("Wrong_87654321")),
            "the password of the wallet in",
            "not that of the user",
        ),
        (with(damaged.path(), Some("wallet-password")), "is damaged", "download the wallet"),
    ] {
        let error = refused(&login).await;
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ErrorKind::Input, Some("ORA-28759")),
            "{}",
            error.chain()
        );
        assert!(error.to_string().contains(said), "{}", error.chain());
        assert!(error.hint_text().unwrap().contains(hint));
        assert!(
            !error.chain().contains("Wrong_8") && !error.chain().contains("wallet-password"),
            "{}",
            error.chain()
        );
    }
    // The right password opens it. The driver trusts public authorities alone, once the wallet has a key.
    let error = refused(&with(locked.path(), Some("wallet-password"))).await;
    assert_eq!(error.code.as_deref(), Some("ORA-29024"), "{}", error.chain());
}
