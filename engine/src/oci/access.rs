//! Who asks and where, as Oracle's own tools are told: by the variables of the `oci` command, and by its configuration file.
//!
//! Source: <https://docs.oracle.com/en-us/iaas/Content/API/SDKDocs/clienvironmentvariables.htm>.

use super::config_file::{Profile, in_home};
use super::endpoint::{self, Service};
use super::failure::Failure;
use super::principals::{Credentials, Given, Instance, Key, Principal, Workload};
use crate::error::{Error, Result};
use crate::variables::Variables;

/// The service account of a pod, where Kubernetes puts it.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const METHODS: &str =
    "api_key, security_token, instance_principal, resource_principal or oke_workload_identity";

/// Everything that a client needs to ask a region's services.
pub struct Access {
    pub(super) credentials: Credentials,
    /// `None`: where the instance is.
    region: Option<String>,
    domain: Option<String>,
    /// One root for all services, in place of the region's.
    endpoint: Option<String>,
    /// Certificates in PEM that are trusted besides the system's.
    pub(super) authorities: Option<String>,
}

impl Access {
    /// What the variables and the configuration file say. Nothing is reached yet.
    ///
    /// # Errors
    /// `Input` when something is missing or contradicts itself; no secret is repeated.
    pub fn from_variables(variables: &Variables) -> Result<Self> {
        let profile = Profile::read(variables)?;
        let says = |variable: &str, key: &str| {
            let said = variables.get(variable).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
            said.or_else(|| profile.get(key))
        };
        let needed = |variable: &str, key: &str| {
            says(variable, key).ok_or_else(|| {
                Error::input(format!("OCI's access has no {key}"))
                    .hint(format!("set {variable}, or write {key} into {}", profile.file.display()))
            })
        };
        let key = || -> Result<Key> {
            let content =
                variables.get("OCI_CLI_KEY_CONTENT").map(|pem| Given::Text(pem.replace("\\n", "\n")));
            let file = || needed("OCI_CLI_KEY_FILE", "key_file").map(|f| Given::File(in_home(&f, variables)));
            let pem = content.map_or_else(file, Ok)?;
            Ok(Key { pem, passphrase: says("OCI_CLI_PASSPHRASE", "pass_phrase") })
        };
        let endpoint = variables.get("OCI_CLI_ENDPOINT").map(|url| url.trim_end_matches('/').to_owned());
        let method = says("OCI_CLI_AUTH", "auth").unwrap_or_else(|| {
            let session =
                profile.get("security_token_file").is_some() && says("OCI_CLI_USER", "user").is_none();
            if session { "security_token" } else { "api_key" }.to_owned()
        });
        let mut region = says("OCI_CLI_REGION", "region").or_else(|| variables.get("OCI_REGION"));
        let principal = match method.as_str() {
            "api_key" => Principal::User {
                tenancy: needed("OCI_CLI_TENANCY", "tenancy")?,
                user: needed("OCI_CLI_USER", "user")?,
                fingerprint: needed("OCI_CLI_FINGERPRINT", "fingerprint")?,
                key: key()?,
            },
            "security_token" => Principal::Token {
                token: Given::File(in_home(
                    &needed("OCI_CLI_SECURITY_TOKEN_FILE", "security_token_file")?,
                    variables,
                )),
                key: key()?,
                renew: "begin another session: `oci session authenticate`",
            },
            "instance_principal" => {
                Principal::Instance(Instance::new(variables.get("OCI_METADATA_BASE_URL"), endpoint.clone()))
            }
            "resource_principal" => {
                region = region.or_else(|| variables.get("OCI_RESOURCE_PRINCIPAL_REGION"));
                resource_principal(variables)?
            }
            "oke_workload_identity" => {
                region = region.or_else(|| variables.get("OCI_RESOURCE_PRINCIPAL_REGION"));
                let host = variables.get("KUBERNETES_SERVICE_HOST").ok_or_else(|| {
                    Error::input(
                        "OCI_CLI_AUTH is oke_workload_identity and KUBERNETES_SERVICE_HOST is not set",
                    )
                    .hint("this works in pods of Oracle's Kubernetes only")
                })?;
                let authority = variables.get("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH");
                let authority = authority.unwrap_or_else(|| format!("{ACCOUNT}/ca.crt"));
                Principal::Workload(Workload::in_cluster(
                    &host,
                    Given::File(authority.into()),
                    Given::File(format!("{ACCOUNT}/token").into()),
                ))
            }
            other => {
                return Err(
                    Error::input(format!("OCI_CLI_AUTH is \"{other}\"")).hint(format!("use {METHODS}"))
                );
            }
        };
        if region.is_none() && endpoint.is_none() && !matches!(principal, Principal::Instance(_)) {
            needed("OCI_CLI_REGION", "region")?;
        }
        let authorities = variables.get("OCI_CLI_CERT_BUNDLE").map(|path| {
            std::fs::read_to_string(in_home(&path, variables)).map_err(|e| {
                Error::input(format!("{path}, which OCI_CLI_CERT_BUNDLE names, cannot be read")).because(e)
            })
        });
        Ok(Self {
            credentials: Credentials::of(principal),
            region: region.map(|name| endpoint::region(&name)),
            domain: variables.get("OCI_DEFAULT_REALM"),
            endpoint,
            authorities: authorities.transpose()?,
        })
    }

    /// The region, where it is said.
    pub(super) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The root of a service's URLs.
    pub(super) async fn root(&self, service: Service) -> Result<String, Failure> {
        if let Some(endpoint) = &self.endpoint {
            return Ok(endpoint.clone());
        }
        if let Some(region) = &self.region {
            let domain = endpoint::domain(region, self.domain.clone());
            return Ok(endpoint::url(service, region, &domain));
        }
        match self.credentials.instance() {
            Some(instance) => {
                let place = instance.place().await?;
                Ok(endpoint::url(service, &place.region_identifier, &place.realm_domain_component))
            }
            None => Err(Error::input("OCI's access has no region").hint("set OCI_CLI_REGION").into()),
        }
    }
}

/// What a service of OCI gives what it runs: values, or the files that it keeps them in and renews.
fn resource_principal(variables: &Variables) -> Result<Principal> {
    let version = variables.get("OCI_RESOURCE_PRINCIPAL_VERSION");
    if version.as_deref() != Some("2.2") {
        let found = version.map_or_else(|| "not set".to_owned(), |v| format!("\"{v}\""));
        return Err(Error::input(format!(
            "OCI_CLI_AUTH is resource_principal and OCI_RESOURCE_PRINCIPAL_VERSION is {found}"
        ))
        .hint("version 2.2 is what functions, container instances and build runners have"));
    }
    let given = |name: &str| -> Result<Given> {
        let value = variables.get(name).ok_or_else(|| {
            Error::input(format!("OCI_CLI_AUTH is resource_principal and {name} is not set"))
        })?;
        Ok(if value.starts_with('/') {
            Given::File(value.into())
        } else {
            Given::Text(value.replace("\\n", "\n"))
        })
    };
    let passphrase = variables.get("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE");
    let passphrase = match passphrase {
        Some(path) if path.starts_with('/') => Some(
            std::fs::read_to_string(&path)
                .map(|text| text.trim().to_owned())
                .map_err(|e| Error::input(format!("the passphrase cannot be read from {path}")).because(e))?,
        ),
        other => other,
    };
    Ok(Principal::Token {
        token: given("OCI_RESOURCE_PRINCIPAL_RPST")?,
        key: Key { pem: given("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM")?, passphrase },
        renew: "what runs this process renews it, where it gives files; with values, the process is started anew",
    })
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
