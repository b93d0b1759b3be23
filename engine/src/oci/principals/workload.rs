//! The principal of a pod on Oracle's Kubernetes (OKE): the cluster exchanges the service account's token for one of OCI's.
//!
//! Source: <https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contenggrantingworkloadaccesstoresources.htm>, and the Python SDK
//! (`oke_workload_identity_resource_principal_signer.py`), which is what documents the exchange.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Given;
use crate::error::{Context, Error};
use crate::oci::failure::Failure;
use crate::oci::http;
use crate::oci::key::PrivateKey;

/// Where the cluster's service of tokens listens, beside its API.
const PORT: u16 = 12250;

pub(in crate::oci) struct Workload {
    url: String,
    /// The cluster's own authority, in PEM.
    authority: Option<Given>,
    account: Given,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exchange {
    pod_key: String,
}

#[derive(Deserialize)]
struct Answer {
    token: String,
}

impl Workload {
    pub(in crate::oci) fn in_cluster(host: &str, authority: Given, account: Given) -> Self {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        Self { url: format!("https://{host}:{PORT}"), authority: Some(authority), account }
    }

    /// A token for the key.
    pub(in crate::oci) async fn token(&self, key: &PrivateKey) -> Result<String, Failure> {
        let account = self.account.read("the service account's token").await?;
        let authority = match &self.authority {
            Some(authority) => Some(authority.read("the cluster's certificate").await?),
            None => None,
        };
        let url = Url::parse(&format!("{}/resourcePrincipalSessionTokens", self.url))
            .input("the cluster's service of tokens has no URL")?;
        let body = serde_json::to_vec(&Exchange { pod_key: key.public()? })
            .context("the request of a token cannot be written")?;
        let request = http::client(http::Proxy::Never, authority.as_deref())?
            .post(url.clone())
            .bearer_auth(account)
            .header("content-type", "application/json")
            .body(body);
        let (_, bytes) = match http::answer(request, &url).await {
            Err(Failure::Service { status: 403, .. }) => {
                return Err(Error::input("the cluster hands out no tokens to pods")
                    .hint("workload identity needs an enhanced cluster")
                    .into());
            }
            other => other?,
        };
        // JSON in base64, and that in quotes or not.
        let text = String::from_utf8_lossy(&bytes);
        let decoded = STANDARD.decode(text.trim().trim_matches('"')).unwrap_or_else(|_| bytes.to_vec());
        let answer: Option<Answer> = serde_json::from_slice(&decoded).ok();
        let token = answer.map(|a| a.token);
        token.map(|token| token.strip_prefix("ST$").unwrap_or(&token).to_owned()).ok_or_else(|| {
            Failure::Unexpected("the cluster's service of tokens answers without a token".to_owned())
        })
    }
}

#[cfg(test)]
impl Workload {
    pub(in crate::oci) fn at(url: &str, account: &str) -> Self {
        Self { url: url.to_owned(), authority: None, account: Given::Text(account.to_owned()) }
    }
}
