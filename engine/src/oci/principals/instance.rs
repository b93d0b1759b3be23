//! An instance's own principal: its certificate, from the metadata service, is exchanged for a token.
//!
//! Source: <https://docs.oracle.com/en-us/iaas/Content/Identity/Tasks/callingservicesfrominstances.htm>, and the Python SDK
//! (`federation_client.py`), which is what documents the exchange.

use jiff::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use url::Url;
use x509_cert::Certificate;
use x509_cert::der::{DecodePem, Encode};

use crate::error::{Context, Error, Result};
use crate::oci::endpoint::{self, Service};
use crate::oci::failure::Failure;
use crate::oci::http;
use crate::oci::key::PrivateKey;
use crate::oci::signature::{Signed, Signer};

const METADATA: &str = "http://169.254.169.254/opc/v2";
const HINT: &str =
    "instance principals work on OCI's compute instances only; elsewhere set OCI_CLI_AUTH to api_key";

pub(in crate::oci) struct Instance {
    metadata: String,
    /// In place of the region's own.
    auth: Option<String>,
    place: OnceCell<Place>,
}

/// Where the instance is, as its metadata says.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::oci) struct Place {
    pub region_identifier: String,
    pub realm_domain_component: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exchange {
    certificate: String,
    public_key: String,
    intermediate_certificates: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    token: String,
}

impl Instance {
    pub(in crate::oci) fn new(metadata: Option<String>, auth: Option<String>) -> Self {
        let metadata = metadata.map(|m| m.trim().trim_end_matches('/').to_owned()).filter(|m| !m.is_empty());
        Self { metadata: metadata.unwrap_or_else(|| METADATA.to_owned()), auth, place: OnceCell::new() }
    }

    async fn ask(&self, path: &str) -> Result<String, Failure> {
        let url = format!("{}/{path}", self.metadata);
        // The metadata service is on the instance's own link, behind no proxy.
        let answer = http::client(http::Proxy::Never, None)?.get(&url).bearer_auth("Oracle").send().await;
        let text = match answer {
            Ok(answer) => answer.error_for_status().map_err(|e| e.without_url()),
            Err(e) => Err(e.without_url()),
        };
        let failed = |e: reqwest::Error| {
            Failure::Access(
                Error::input(format!("the instance's metadata do not give {path}")).because(e).hint(HINT),
            )
        };
        text.map_err(failed)?.text().await.map_err(failed)
    }

    pub(in crate::oci) async fn place(&self) -> Result<&Place, Failure> {
        self.place
            .get_or_try_init(|| async {
                let text = self.ask("instance/regionInfo").await?;
                let place =
                    serde_json::from_str(&text).input("the instance's metadata do not say where it is");
                Ok(place?)
            })
            .await
    }

    /// A token for the key.
    pub(in crate::oci) async fn token(&self, key: &PrivateKey) -> Result<String, Failure> {
        let certificate = self.ask("identity/cert.pem").await?;
        let intermediate = self.ask("identity/intermediate.pem").await?;
        let leaf = PrivateKey::read(&self.ask("identity/key.pem").await?, None)
            .context("the instance's key cannot be used")?;
        let Identity { tenancy, fingerprint } = identity(&certificate)?;
        let exchange = Exchange {
            certificate: base64_of(&certificate),
            public_key: key.public()?,
            intermediate_certificates: vec![base64_of(&intermediate)],
        };
        let body = serde_json::to_vec(&exchange).context("the request of a token cannot be written")?;
        let auth = match &self.auth {
            Some(auth) => auth.clone(),
            None => {
                let place = self.place().await?;
                endpoint::url(Service::Auth, &place.region_identifier, &place.realm_domain_component)
            }
        };
        let url = Url::parse(&format!("{auth}/v1/x509")).input("the service of tokens has no URL")?;
        let signer = Signer { key_id: format!("{tenancy}/fed-x509/{fingerprint}"), key: leaf };
        let date = http::date(Timestamp::now())?;
        let headers = signer.headers("POST", &url, &date, Signed::TokenRequest(&body))?;
        let mut request = http::client(http::Proxy::AsSet, None)?.post(url.clone()).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let (_, bytes) = http::answer(request, &url).await?;
        let answer: Answer = serde_json::from_slice(&bytes)
            .map_err(|_| Failure::Unexpected("the service of tokens answers without a token".to_owned()))?;
        Ok(answer.token)
    }
}

struct Identity {
    tenancy: String,
    fingerprint: String,
}

/// Whose certificate it is: the tenancy stands in its subject.
fn identity(pem: &str) -> Result<Identity> {
    let what = "the instance's certificate cannot be read";
    let certificate = Certificate::from_pem(pem).input(what)?;
    let mut tenancy = None;
    for name in certificate.tbs_certificate.subject.0.iter().flat_map(|names| names.0.iter()) {
        let value = String::from_utf8_lossy(name.value.value()).into_owned();
        let said = value.strip_prefix("opc-tenant:").or_else(|| value.strip_prefix("opc-identity:"));
        tenancy = tenancy.or_else(|| said.map(str::to_owned));
    }
    let der = certificate.to_der().input(what)?;
    let bytes = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
    let fingerprint: Vec<String> = bytes.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let tenancy = tenancy.ok_or_else(|| Error::input("the instance's certificate names no tenancy"))?;
    Ok(Identity { tenancy, fingerprint: fingerprint.join(":") })
}

/// The base64 between the lines that begin and end a certificate.
fn base64_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_certificate_says_whose_it_is() {
        let pem = include_str!("../vectors/instance.pem");
        let found = identity(pem).unwrap();
        assert_eq!(found.tenancy, "ocid1.tenancy.oc1..t");
        // openssl x509 -in instance.pem -noout -fingerprint -sha1
        assert_eq!(found.fingerprint, include_str!("../vectors/instance.sha1").trim());
        assert!(identity("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n").is_err());
        let der = STANDARD.decode(base64_of(pem)).unwrap();
        assert_eq!(der, Certificate::from_pem(pem).unwrap().to_der().unwrap());
    }
}
