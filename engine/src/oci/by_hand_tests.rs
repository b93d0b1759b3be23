#![allow(clippy::unwrap_used)]
//! The stand-in for other clients than ours: `tests/oci_by_hand/README.md`.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::fake::{COMPARTMENT, DATABASE, FINGERPRINT, Oci, TENANCY, USER};

#[test]
#[ignore = "by hand: serves until somebody stops it"]
fn serves_others() {
    let folder = PathBuf::from(std::env::var("DRYDOCK_FAKE_OCI").unwrap());
    let oci = Oci::serve();
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/src/oci/vectors/pkcs8.pem");
    let given = json!({"endpoint": oci.endpoint, "key": key, "tenancy": TENANCY, "user": USER, "fingerprint": FINGERPRINT,
        "database": DATABASE, "compartment": COMPARTMENT});
    std::fs::write(folder.join("oci.json"), given.to_string()).unwrap();
    for _ in 0..6000 {
        if folder.join("stop").exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
