#![allow(clippy::unwrap_used)]
//! A cloud of the stand-in for OCI.

use std::sync::{Arc, Mutex};

use super::Cloud;
use crate::oci::fake::Oci;
use crate::oci::testing::{client, pace};

/// What was told, with the per cent.
pub(super) type Told = Arc<Mutex<Vec<(String, Option<u64>)>>>;

pub(super) fn cloud(oci: &Oci) -> Cloud {
    heard(oci).0
}

pub(super) fn heard(oci: &Oci) -> (Cloud, Told) {
    let told = Told::default();
    let tells = Arc::clone(&told);
    let progress = move |text: &str, of: Option<(u64, u64)>| {
        tells.lock().unwrap().push((text.to_owned(), of.map(|(done, _)| done)));
    };
    (Cloud::new(client(oci), pace(20_000), Arc::new(progress)), told)
}
