//! Request signatures: <https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use url::Url;

use super::key::PrivateKey;
use crate::error::{Error, Result};

/// Who signs, and with what.
pub(super) struct Signer {
    pub key_id: String,
    pub key: PrivateKey,
}

/// What of a request is signed besides its date, target and host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signed<'a> {
    /// Nothing: a request without a body, or an object that is put, whose body Object Storage leaves out.
    Head,
    /// The body too, if there is nothing in it.
    Body(&'a [u8]),
    /// The body, and not the host: how a token is asked for.
    TokenRequest(&'a [u8]),
}

/// All of a body that is ever sent is JSON or the bytes of an object, and of the latter no type is signed.
pub(super) const JSON: &str = "application/json";

impl Signer {
    /// The headers that make a request a signed one, `authorization` the last. `date` is in the form of RFC 7231.
    ///
    /// # Errors
    /// `Input` for a URL without a host; `Failed` when there is no randomness.
    pub(super) fn headers(
        &self,
        method: &str,
        url: &Url,
        date: &str,
        signed: Signed<'_>,
    ) -> Result<Vec<(&'static str, String)>> {
        let host = url.host_str().ok_or_else(|| Error::input(format!("{url} names no host")))?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let target = format!("{} {}{query}", method.to_lowercase(), url.path());
        let mut headers = vec![("date", date.to_owned())];
        let mut lines = vec![("date", date.to_owned()), ("(request-target)", target)];
        if !matches!(signed, Signed::TokenRequest(_)) {
            lines.push(("host", host));
        }
        if let Signed::Body(body) | Signed::TokenRequest(body) = signed {
            let of_body = [
                ("content-length", body.len().to_string()),
                ("content-type", JSON.to_owned()),
                ("x-content-sha256", STANDARD.encode(Sha256::digest(body))),
            ];
            headers.extend(of_body.clone());
            lines.extend(of_body);
        }
        let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
        let text: Vec<String> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let signature = self.key.sign(&text.join("\n"))?;
        let authorization = format!(
            r#"Signature algorithm="rsa-sha256",headers="{}",keyId="{}",signature="{signature}",version="1""#,
            names.join(" "),
            self.key_id
        );
        headers.push(("authorization", authorization));
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    /// Made with Oracle's Python SDK; `source` says of which version.
    #[derive(Deserialize)]
    struct Vectors {
        source: String,
        fingerprint: String,
        vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        method: String,
        url: String,
        body: Option<String>,
        signs_body: bool,
        date: String,
        headers: BTreeMap<String, String>,
        authorization: String,
    }

    #[test]
    fn signatures_are_those_of_oracles_own_sdk() {
        let vectors: Vectors = serde_json::from_str(include_str!("vectors/signatures.json")).unwrap();
        assert!(vectors.source.contains("Python SDK") && vectors.vectors.len() == 13);
        for vector in &vectors.vectors {
            let key_id = match vector.name.as_str() {
                "security token" => "ST$head.body.signature".to_owned(),
                "request of a token" => "ocid1.tenancy.oc1..t/fed-x509/AA:BB".to_owned(),
                _ => format!("ocid1.tenancy.oc1..t/ocid1.user.oc1..u/{}", vectors.fingerprint),
            };
            let key = PrivateKey::read(include_str!("vectors/pkcs8.pem"), None).unwrap();
            let body = vector.body.as_deref().unwrap_or_default().as_bytes();
            let signed = match (vector.signs_body, vector.name.as_str()) {
                (true, "request of a token") => Signed::TokenRequest(body),
                (true, _) => Signed::Body(body),
                (false, _) => Signed::Head,
            };
            let signer = Signer { key_id, key };
            let url = Url::parse(&vector.url).unwrap();
            let mut headers = signer.headers(&vector.method, &url, &vector.date, signed).unwrap();
            assert_eq!(
                headers.pop().unwrap(),
                ("authorization", vector.authorization.clone()),
                "{}",
                vector.name
            );
            for (name, value) in headers {
                assert_eq!(vector.headers.get(name), Some(&value), "{}: {name}", vector.name);
            }
        }
    }
}
