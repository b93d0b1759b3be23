//! How clients reach a database.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TlsAuthentication;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionStrings {
    #[serde(default)]
    pub profiles: Vec<ConnectionProfile>,
    #[serde(default)]
    pub all_connection_strings: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionProfile {
    /// The alias that a wallet has for it.
    pub display_name: String,
    /// A descriptor, or a host, port and service.
    pub value: String,
    /// `HIGH`, `MEDIUM`, `LOW`, `TP` or `TPURGENT`.
    #[serde(default)]
    pub consumer_group: Option<String>,
    #[serde(default)]
    pub tls_authentication: Option<TlsAuthentication>,
}
