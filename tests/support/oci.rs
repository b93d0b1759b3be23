//! Oracle Cloud Infrastructure as its clients meet it: a server on a free port that checks signatures, hands out tokens, and keeps the
//! objects of one bucket. Faults come on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use jiff::{SignedDuration, Timestamp};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const KEY: &str = include_str!("../../engine/src/oci/vectors/pkcs8.pem");
const PUBLIC: &str = include_str!("../../engine/src/oci/vectors/public.pem");
pub const TENANCY: &str = "ocid1.tenancy.oc1..t";
pub const USER: &str = "ocid1.user.oc1..u";
pub const FINGERPRINT: &str = "aa:bb";
pub const NAMESPACE: &str = "ns";
pub const BUCKET: &str = "drydock";
const CERTIFICATE: &str = include_str!("../../engine/src/oci/vectors/instance.pem");
const CERTIFICATE_KEY: &str = include_str!("../../engine/src/oci/vectors/instance.key.pem");
const CERTIFICATE_SHA1: &str = include_str!("../../engine/src/oci/vectors/instance.sha1");

/// What goes wrong with the next request that is not of the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with this status and code, and nothing is done.
    Refuse(u16, &'static str),
    /// It is done, and the connection ends without an answer.
    LoseAnswer,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// DER of PKCS#1, by the key's id.
    keys: BTreeMap<String, Vec<u8>>,
    faults: VecDeque<Fault>,
    /// Every request but those for metadata: method and target.
    seen: Vec<String>,
    tokens: u32,
    /// How long tokens are good.
    token_seconds: i64,
    /// The service's clock less the machine's.
    clock: i64,
    page: usize,
}

#[derive(Clone)]
pub struct Oci {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
}

struct Answer {
    status: u16,
    body: Vec<u8>,
}

fn der(public: &RsaPublicKey) -> Vec<u8> {
    public.to_pkcs1_der().unwrap().as_bytes().to_vec()
}

fn fail(status: u16, code: &str, message: &str) -> Answer {
    Answer { status, body: json!({"code": code, "message": message}).to_string().into_bytes() }
}

fn give(body: impl Into<Vec<u8>>) -> Answer {
    Answer { status: 200, body: body.into() }
}

impl Oci {
    /// Serves until the test's process ends.
    pub fn serve() -> Self {
        let user = der(&RsaPublicKey::from_public_key_pem(PUBLIC).unwrap());
        let state = State {
            keys: [(format!("{TENANCY}/{USER}/{FINGERPRINT}"), user)].into(),
            token_seconds: 3600,
            page: 1000,
            ..State::default()
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let oci = Self { endpoint, state: Arc::new(Mutex::new(state)) };
        let served = oci.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((socket, _)) = listener.accept().await {
                    let oci = served.clone();
                    let service = hyper::service::service_fn(move |request| {
                        let oci = oci.clone();
                        async move { oci.answer(request).await }
                    });
                    tokio::spawn(async move {
                        let _ = Builder::new(TokioExecutor::new())
                            .serve_connection(TokioIo::new(socket), service)
                            .await;
                    });
                }
            });
        });
        oci
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What somebody with a key of this fingerprint sets.
    pub fn credentials(&self, fingerprint: &str) -> String {
        format!(
            "OCI_CLI_ENDPOINT={}\nOCI_CLI_TENANCY={TENANCY}\nOCI_CLI_USER={USER}\n\
             OCI_CLI_FINGERPRINT={fingerprint}\nOCI_CLI_KEY_CONTENT='{}'\n",
            self.endpoint,
            KEY.trim().replace('\n', "\\n")
        )
    }

    pub fn faults(&self, faults: &[Fault]) {
        self.state().faults.extend(faults);
    }
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.state().seen)
    }
    pub fn names(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }
    pub fn set_clock(&self, seconds: i64) {
        self.state().clock = seconds;
    }
    /// How many objects a page of a list has at most.
    pub fn set_page(&self, objects: usize) {
        self.state().page = objects;
    }
    pub fn set_token_seconds(&self, seconds: i64) {
        self.state().token_seconds = seconds;
    }
    /// Takes the rights of all tokens and keys away.
    pub fn forget_keys(&self) {
        self.state().keys.clear();
    }

    /// A token that stands for the key, which is the DER of an SPKI in base64.
    fn token(state: &mut State, key: &str) -> String {
        let public = RsaPublicKey::from_public_key_der(&STANDARD.decode(key).unwrap()).unwrap();
        state.tokens += 1;
        let end = Timestamp::now() + SignedDuration::from_secs(state.token_seconds);
        let claims = json!({"exp": end.as_second(), "number": state.tokens}).to_string();
        let token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        state.keys.insert(format!("ST${token}"), der(&public));
        token
    }

    /// A session as `oci session authenticate` begins one: its token, for the key of the vectors.
    pub fn session(&self) -> String {
        let lines: String = PUBLIC.lines().filter(|line| !line.starts_with('-')).collect();
        Self::token(&mut self.state(), &lines)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|b| b.to_bytes().to_vec()).unwrap_or_default();
        let target = parts.uri.path_and_query().unwrap().as_str().to_owned();
        let header = |name: &str| {
            parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let mut state = self.state();
        let clock = state.clock;
        let answer = if target.starts_with("/opc/v2/") {
            metadata(&target, &header("authorization"))
        } else {
            let method = parts.method.as_str();
            state.seen.push(format!("{method} {target}"));
            let fault = state.faults.pop_front();
            let answer = match fault {
                Some(Fault::Refuse(status, code)) => fail(status, code, "as was asked for"),
                _ => Self::act(&mut state, method, &target, &header, &body),
            };
            if fault == Some(Fault::LoseAnswer) {
                return Err(std::io::Error::other("cut off"));
            }
            answer
        };
        let now = Timestamp::now() + SignedDuration::from_secs(clock);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
        Ok(Response::builder()
            .status(answer.status)
            .header("date", date)
            .header("opc-request-id", format!("request{}", state.seen.len()))
            .body(Full::new(answer.body.into()))
            .unwrap())
    }

    fn act(
        state: &mut State,
        method: &str,
        target: &str,
        header: &dyn Fn(&str) -> String,
        body: &[u8],
    ) -> Answer {
        if target == "/resourcePrincipalSessionTokens" {
            if header("authorization") != "Bearer pod" {
                return fail(403, "NotAuthorized", "no");
            }
            let asked: Value = serde_json::from_slice(body).unwrap();
            let token = Self::token(state, asked["podKey"].as_str().unwrap());
            return give(format!(
                "\"{}\"",
                STANDARD.encode(json!({"token": format!("ST${token}")}).to_string())
            ));
        }
        let exchange = target == "/v1/x509";
        if exchange {
            let key = RsaPrivateKey::from_pkcs8_pem(CERTIFICATE_KEY).unwrap().to_public_key();
            state.keys.insert(format!("{TENANCY}/fed-x509/{}", CERTIFICATE_SHA1.trim()), der(&key));
        }
        if let Err(why) = verify(state, method, target, header, body) {
            return fail(401, "NotAuthenticated", &why);
        }
        if exchange {
            let asked: Value = serde_json::from_slice(body).unwrap();
            let sent = asked["certificate"].as_str().unwrap();
            assert!(CERTIFICATE.replace('\n', "").contains(sent) && !sent.is_empty());
            assert_eq!(asked["intermediateCertificates"].as_array().unwrap().len(), 1);
            let token = Self::token(state, asked["publicKey"].as_str().unwrap());
            return give(json!({"token": token}).to_string());
        }
        objects(state, method, target, header, body)
    }
}

fn metadata(target: &str, authorization: &str) -> Answer {
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
fn verify(
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

/// Object Storage, as far as it is asked.
fn objects(
    state: &mut State,
    method: &str,
    target: &str,
    header: &dyn Fn(&str) -> String,
    body: &[u8],
) -> Answer {
    let url = url::Url::parse(&format!("http://fake{target}")).unwrap();
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    if url.path() == "/n/" {
        return give(json!(NAMESPACE).to_string());
    }
    let parts: Vec<String> = url
        .path()
        .split('/')
        .map(|part| percent_encoding::percent_decode_str(part).decode_utf8().unwrap().into_owned())
        .collect();
    let [_, n, namespace, b, bucket, o, name @ ..] = parts.as_slice() else {
        return fail(404, "NotAuthorizedOrNotFound", "there is no such call");
    };
    assert_eq!([n.as_str(), b, o], ["n", "b", "o"]);
    if namespace != NAMESPACE {
        return fail(
            404,
            "NamespaceNotFound",
            "You do not have authorization, or the namespace does not exist",
        );
    }
    if bucket != BUCKET {
        return fail(
            404,
            "BucketNotFound",
            "Either the bucket does not exist in the namespace, or you are not authorized",
        );
    }
    match (method, name) {
        ("GET", []) => list(state, &query),
        ("GET", [name]) => match state.objects.get(name) {
            Some(bytes) => give(bytes.clone()),
            None => fail(404, "ObjectNotFound", "The object was not found"),
        },
        ("PUT", [name]) => {
            if header("if-none-match") == "*" && state.objects.contains_key(name) {
                return fail(
                    412,
                    "IfNoneMatchFailed",
                    "The If-None-Match header is '*' but there is an existing entity",
                );
            }
            state.objects.insert(name.clone(), body.to_vec());
            give("")
        }
        _ => fail(404, "NotAuthorizedOrNotFound", "there is no such call"),
    }
}

fn list(state: &State, query: &BTreeMap<String, String>) -> Answer {
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let start = query.get("start").cloned().unwrap_or_default();
    let (mut found, mut prefixes, mut next) = (Vec::new(), Vec::new(), None);
    for name in state.objects.keys().filter(|name| name.starts_with(&prefix) && **name >= start) {
        let folder = query
            .get("delimiter")
            .and_then(|delimiter| name[prefix.len()..].split_once(delimiter.as_str()))
            .map(|(folder, _)| format!("{prefix}{folder}{}", query["delimiter"]));
        if folder.is_some() && prefixes.last() == folder.as_ref() {
            continue;
        }
        if found.len() + prefixes.len() == state.page {
            next = Some(name.clone());
            break;
        }
        match folder {
            Some(folder) => prefixes.push(folder),
            None => found.push(json!({"name": name})),
        }
    }
    let mut page = json!({"objects": found, "prefixes": prefixes});
    if let Some(next) = next {
        page["nextStartWith"] = json!(next);
    }
    give(page.to_string())
}
