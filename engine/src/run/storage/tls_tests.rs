//! Two providers of TLS are compiled in, since features are those of the whole workspace and Oracle's driver asks for the second. rustls chooses
//! neither by itself, and panics: whoever sets up TLS has to say which.

use std::process::Command;

use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};

use super::Storage;
use crate::variables::Variables;

#[test]
fn tls_can_be_set_up_by_whoever_comes_first() {
    for alone in [
        "run::storage::tls_tests::a_journal_comes_first",
        "product::postgres::server::tls::tests::a_database_comes_first",
    ] {
        let test = std::env::current_exe().unwrap();
        let output = Command::new(test).args(["--exact", alone, "--ignored"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{alone}: {said}");
    }
}

#[test]
#[ignore = "wants a process of its own, which the test above starts"]
fn a_journal_comes_first() {
    let of = |provider: &CryptoProvider| format!("{:?}", provider.secure_random);
    let ring = ring::default_provider();
    assert_ne!(of(&aws_lc_rs::default_provider()), of(&ring));
    assert!(std::panic::catch_unwind(ClientConfig::builder).is_err(), "rustls chose: the test shows nothing");
    Storage::open("s3://bucket/prefix", "prod", &Variables::default()).unwrap();
    assert_eq!(CryptoProvider::get_default().map(|chosen| of(chosen)), Some(of(&ring)));
}
