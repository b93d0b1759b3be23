//! Whether a request is signed as the services want it, and the metadata of an instance.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Answer, CERTIFICATE, CERTIFICATE_KEY, State, fail, give};

pub(super) fn metadata(target: &str, authorization: &str) -> Answer {
    if authorization != "Bearer Oracle" {
        return fail(401, "NotAuthenticated", "metadata of version 2 are asked for with a header");
    }
    match target {
        "/opc/v2/instance/regionInfo" => give(
            json!({"realmDomainComponent": "oraclecloud.com", "realmKey": "oc1",
                "regionIdentifier": "eu-frankfurt-1", "regionKey": "FRA"})
            .to_string(),
        ),
        "/opc/v2/identity/cert.pem" | "/opc/v2/identity/intermediate.pem" => give(CERTIFICATE),
        "/opc/v2/identity/key.pem" => give(CERTIFICATE_KEY),
        _ => fail(404, "NotFound", target),
    }
}

/// Checks a request as the services do: the key, the date, what is signed, the body's hash.
pub(super) fn verify(
    state: &State,
    method: &str,
    target: &str,
    header: &dyn Fn(&str) -> String,
    body: &[u8],
) -> Result<(), String> {
    let authorization = header("authorization");
    let part = |name: &str| {
        let after = authorization.split(&format!("{name}=\"")).nth(1)?;
        after.split('"').next().map(str::to_owned)
    };
    let (Some(id), Some(signature), Some(names)) = (part("keyId"), part("signature"), part("headers")) else {
        return Err("the request is not signed".to_owned());
    };
    let date = jiff::fmt::rfc2822::parse(&header("date")).map_err(|e| e.to_string())?.timestamp();
    let now = Timestamp::now() + SignedDuration::from_secs(state.clock);
    if date.duration_since(now).unsigned_abs().as_secs() > 300 {
        return Err(format!("Date '{}' is not within allowed clock skew", header("date")));
    }
    let signed: Vec<&str> = names.split(' ').collect();
    let exchange = target == "/v1/x509";
    let mut wanted =
        if exchange { vec!["date", "(request-target)"] } else { vec!["date", "(request-target)", "host"] };
    // Object Storage leaves the body of an object out.
    if method == "POST" || (method == "PUT" && !target.contains("/o/")) {
        wanted.extend(["content-length", "content-type", "x-content-sha256"]);
        if header("x-content-sha256") != STANDARD.encode(Sha256::digest(body)) {
            return Err("the body is another than was signed".to_owned());
        }
    }
    if signed != wanted {
        return Err(format!("{names} is signed, and {} is to be", wanted.join(" ")));
    }
    let line = |name: &&str| match *name {
        "(request-target)" => format!("(request-target): {} {target}", method.to_lowercase()),
        name => format!("{name}: {}", header(name)),
    };
    let text: Vec<String> = signed.iter().map(line).collect();
    let key = state.keys.get(&id).ok_or("the key is not known")?;
    let signature = STANDARD.decode(signature).map_err(|e| e.to_string())?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
        .verify(text.join("\n").as_bytes(), &signature)
        .map_err(|_| "the signature is wrong".to_owned())
}
