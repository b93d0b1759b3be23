//! Stacks: a configuration of Terraform, its variables and its state.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::path;
use crate::oci::Failure;
use crate::oci::client::{Call, Client, Tagged, json, part};
use crate::oci::database::Deleted;
use crate::oci::endpoint::Service;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StackState {
    Creating,
    Active,
    Deleting,
    Deleted,
    Failed,
    /// One that came later than this program.
    #[serde(untagged)]
    Other(String),
}

impl fmt::Display for StackState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    pub id: String,
    pub compartment_id: String,
    #[serde(default)]
    pub display_name: Option<String>,
    pub lifecycle_state: StackState,
    #[serde(default)]
    pub time_created: Option<Timestamp>,
    /// Lists leave them out.
    #[serde(default)]
    pub variables: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub freeform_tags: Option<BTreeMap<String, String>>,
}

impl Stack {
    /// The value of a freeform tag.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.freeform_tags.as_ref()?.get(name).map(String::as_str)
    }
}

/// A stack. Whoever may read stacks can read all of it: there are no secrets in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStack<'a> {
    pub compartment: &'a str,
    pub display_name: &'a str,
    pub description: &'a str,
    /// The configuration's files.
    pub zip: &'a [u8],
    pub variables: &'a BTreeMap<String, String>,
    pub freeform_tags: &'a BTreeMap<String, String>,
    /// As `1.5.x`.
    pub terraform_version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    config_source_type: &'static str,
    zip_file_base64_encoded: String,
}

impl Source {
    fn of(zip: &[u8]) -> Self {
        Self { config_source_type: "ZIP_UPLOAD", zip_file_base64_encoded: STANDARD.encode(zip) }
    }
}

/// `token`: see `retry_token`.
///
/// # Errors
/// When it is not made, or not known whether it is.
pub async fn create(client: &Client, new: &NewStack<'_>, token: &str) -> Result<Tagged<Stack>, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Details<'a> {
        compartment_id: &'a str,
        display_name: &'a str,
        description: &'a str,
        config_source: Source,
        variables: &'a BTreeMap<String, String>,
        freeform_tags: &'a BTreeMap<String, String>,
        terraform_version: &'a str,
    }
    let body = json(&Details {
        compartment_id: new.compartment,
        display_name: new.display_name,
        description: new.description,
        config_source: Source::of(new.zip),
        variables: new.variables,
        freeform_tags: new.freeform_tags,
        terraform_version: new.terraform_version,
    })?;
    let call = Call::post(Service::ResourceManager, path("stacks"), &body).retry_token(token);
    client.ask(&call).await?.tagged()
}

/// # Errors
/// When it cannot be read.
pub async fn get(client: &Client, id: &str) -> Result<Tagged<Stack>, Failure> {
    client.ask(&Call::get(Service::ResourceManager, path(&format!("stacks/{}", part(id))))).await?.tagged()
}

/// Those of a compartment that are called so, in any state.
///
/// # Errors
/// When they cannot be listed.
pub async fn list(client: &Client, compartment: &str, display_name: &str) -> Result<Vec<Stack>, Failure> {
    let call = Call::get(Service::ResourceManager, path("stacks"))
        .query("compartmentId", Some(compartment))
        .query("displayName", Some(display_name));
    client.list(&call).await
}

/// Gives a stack another configuration and other variables.
///
/// # Errors
/// When it is not changed; 412 when it is not the one of this tag any more.
pub async fn update(
    client: &Client,
    id: &str,
    zip: &[u8],
    variables: &BTreeMap<String, String>,
    etag: Option<&str>,
) -> Result<Tagged<Stack>, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Details<'a> {
        config_source: Source,
        variables: &'a BTreeMap<String, String>,
    }
    let body = json(&Details { config_source: Source::of(zip), variables })?;
    let mut call = Call::post(Service::ResourceManager, path(&format!("stacks/{}", part(id))), &body);
    call.method = reqwest::Method::PUT;
    client.ask(&call.if_match(etag)).await?.tagged()
}

/// Deletes a stack and its state. What it made stays.
///
/// # Errors
/// Any failure but that it is not there.
pub async fn delete(client: &Client, id: &str, etag: Option<&str>) -> Result<Deleted, Failure> {
    let call = Call::delete(Service::ResourceManager, path(&format!("stacks/{}", part(id)))).if_match(etag);
    crate::oci::database::deleted(client.ask(&call).await)
}
