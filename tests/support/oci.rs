//! Oracle Cloud Infrastructure as its clients meet it: a server on a free port that checks signatures, hands out tokens, keeps the objects
//! of one bucket, databases, their backups, stacks and jobs. What takes a while takes a number of looks. Faults come on demand.

// This file is a module of two crates, at two places of their trees.
#[path = "oci/answer.rs"]
mod answer;
#[path = "oci/database.rs"]
mod database;
#[path = "oci/entry.rs"]
mod entry;
#[path = "oci/faults.rs"]
mod faults;
#[path = "oci/objects.rs"]
mod objects;
#[path = "oci/resource_manager.rs"]
mod resource_manager;
#[path = "oci/terraform.rs"]
pub mod terraform;
#[path = "oci/verify.rs"]
mod verify;
#[path = "oci/wallet.rs"]
mod wallet;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use answer::{Answer, Asked, fail, give};
pub use faults::Fault;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use jiff::{SignedDuration, Timestamp};
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};

pub const KEY: &str = include_str!("../../engine/src/oci/vectors/pkcs8.pem");
const PUBLIC: &str = include_str!("../../engine/src/oci/vectors/public.pem");
pub const TENANCY: &str = "ocid1.tenancy.oc1..t";
pub const USER: &str = "ocid1.user.oc1..u";
pub const FINGERPRINT: &str = "aa:bb";
pub const NAMESPACE: &str = "ns";
pub const BUCKET: &str = "drydock";
pub const DATABASE: &str = "ocid1.autonomousdatabase.oc1..production";
pub const COMPARTMENT: &str = "ocid1.compartment.oc1..c";
const CERTIFICATE: &str = include_str!("../../engine/src/oci/vectors/instance.pem");
const CERTIFICATE_KEY: &str = include_str!("../../engine/src/oci/vectors/instance.key.pem");
const CERTIFICATE_SHA1: &str = include_str!("../../engine/src/oci/vectors/instance.sha1");

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// DER of PKCS#1, by the key's id.
    keys: BTreeMap<String, Vec<u8>>,
    faults: faults::Faults,
    /// Every request but those for metadata: method and target.
    seen: Vec<String>,
    tokens: u32,
    /// How long tokens are good.
    token_seconds: i64,
    /// The service's clock less the machine's.
    clock: i64,
    page: usize,
    /// Whether the last page of a list names an empty next one.
    empty_next: bool,
    databases: database::Databases,
    stacks: resource_manager::Stacks,
}

#[derive(Clone)]
pub struct Oci {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
    cut: Arc<tokio::sync::Notify>,
}

fn der(public: &RsaPublicKey) -> Vec<u8> {
    public.to_pkcs1_der().unwrap().as_bytes().to_vec()
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
        let oci = Self { endpoint, state: Arc::new(Mutex::new(state)), cut: Arc::default() };
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

    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.state().seen)
    }
    pub fn names(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }
    pub fn set_clock(&self, seconds: i64) {
        self.state().clock = seconds;
    }
    /// How much a page of a list has at most.
    pub fn set_page(&self, most: usize) {
        self.state().page = most;
    }
    pub fn name_empty_next_pages(&self) {
        self.state().empty_next = true;
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

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<BoxBody<Bytes, std::io::Error>>, std::io::Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|b| b.to_bytes().to_vec()).unwrap_or_default();
        let target = parts.uri.path_and_query().unwrap().as_str().to_owned();
        let header = |name: &str| {
            parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let (answer, fault, clock, number) = {
            let mut state = self.state();
            let (clock, number) = (state.clock, state.seen.len());
            if target.starts_with("/opc/v2/") {
                (Some(verify::metadata(&target, &header("authorization"))), None, clock, number)
            } else {
                let method = parts.method.as_str();
                let asked = format!("{method} {target}");
                let fault = state.faults.next(&asked);
                state.seen.push(asked);
                let answer = match &fault {
                    Some(Fault::Refuse(status, code)) => Some(fail(*status, code, "as was asked for")),
                    Some(Fault::Hang { done: false }) => None,
                    _ => Some(Self::act(&mut state, method, &target, &header, &body)),
                };
                (answer, fault, clock, number)
            }
        };
        match fault {
            Some(Fault::LoseAnswer) => return Err(std::io::Error::other("cut off")),
            Some(Fault::Slow(wait)) => tokio::time::sleep(Duration::from_millis(wait)).await,
            Some(Fault::Hang { .. }) => {
                self.cut.notify_one();
                std::future::pending::<()>().await;
            }
            _ => {}
        }
        let answer = answer.unwrap();
        let now = Timestamp::now() + SignedDuration::from_secs(clock);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
        let mut response = Response::builder()
            .status(answer.status)
            .header("date", date)
            .header("opc-request-id", format!("request{number}"));
        for (name, value) in &answer.headers {
            response = response.header(*name, value);
        }
        let body = match fault {
            Some(Fault::CutOff) => faults::half(answer.body),
            _ => Full::new(answer.body.into()).map_err(|never| match never {}).boxed(),
        };
        Ok(response.body(body).unwrap())
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
        if let Err(why) = verify::verify(state, method, target, header, body) {
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
        let url = url::Url::parse(&format!("http://fake{target}")).unwrap();
        let decoded =
            |part: &str| percent_encoding::percent_decode_str(part).decode_utf8().unwrap().into_owned();
        let mut path: Vec<String> = url.path().split('/').skip(1).map(decoded).collect();
        let query = url.query_pairs().into_owned().collect();
        match path.first().map(String::as_str) {
            Some(version @ ("20160918" | "20180917")) => {
                let stacks = version == "20180917";
                path.remove(0);
                let body = serde_json::from_slice(body).unwrap_or_default();
                let asked = Asked { method, path, query, header, body };
                if stacks { resource_manager::act(state, &asked) } else { database::act(state, &asked) }
            }
            _ => objects::act(state, method, target, header, body),
        }
    }
}
