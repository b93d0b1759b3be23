//! The wallet that clients of a database need for mutual TLS.

use bytes::Bytes;
use serde::Serialize;

use super::{autonomous, path};
use crate::model::endpoint::Secret;
use crate::oci::Failure;
use crate::oci::client::{Call, Client, json};
use crate::oci::endpoint::Service;

/// A wallet of one database, as a zip. `password`: at least eight characters; it protects the keys in it. `token`: see `retry_token`.
///
/// # Errors
/// When there is none.
pub async fn generate(client: &Client, id: &str, password: &Secret, token: &str) -> Result<Bytes, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Details<'a> {
        generate_type: &'static str,
        #[serde(serialize_with = "autonomous::expose")]
        password: &'a Secret,
    }
    let body = json(&Details { generate_type: "SINGLE", password })?;
    let path = path("autonomousDatabases", Some(id), "/actions/generateWallet");
    Ok(client.ask(&Call::post(Service::Database, path, &body).retry_token(token)).await?.bytes)
}
