#![allow(clippy::unwrap_used)]
//! A client of the stand-in for OCI whose waits take milliseconds.

use std::time::Duration;

use super::fake::{FINGERPRINT, Oci};
use super::{Access, Client, Pace};
use crate::variables::Variables;

pub(crate) fn client(oci: &Oci) -> Client {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("variables");
    let home = format!("HOME={}\nOCI_CLI_REGION=eu-frankfurt-1\n", folder.path().display());
    std::fs::write(&file, oci.credentials(FINGERPRINT) + &home).unwrap();
    Client::hasty(Access::from_variables(&Variables::read(&file).unwrap()).unwrap())
}

pub(crate) fn pace(limit_ms: u64) -> Pace {
    let tick = Duration::from_millis(1);
    Pace { first: tick, longest: tick, limit: Duration::from_millis(limit_ms) }
}
