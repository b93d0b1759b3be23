//! One request: signed, sent, sent again where that may help, and its answer.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use url::Url;

use super::access::Access;
use super::endpoint::Service;
use super::failure::Failure;
use super::http::{self, Proxy};
use super::retry::Retry;
use super::signature::{Signed, Signer};
use crate::error::{Context, Result};
use crate::model::hex;

/// Asks the services of one region as one principal.
pub struct Client {
    access: Access,
    http: OnceCell<reqwest::Client>,
    retry: Retry,
}

#[derive(Clone)]
pub(super) struct Call<'a> {
    pub service: Service,
    pub method: Method,
    /// From the service's root on, with everything in it encoded.
    pub path: String,
    pub query: Vec<(&'a str, &'a str)>,
    pub headers: Vec<(&'static str, &'a str)>,
    pub body: Body<'a>,
}

/// What is sent with a request.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    None,
    /// The bytes of an object, which Object Storage does not want signed.
    Object(&'a [u8]),
    /// JSON, or nothing where a POST takes no details: signed either way.
    Json(&'a [u8]),
}

impl<'a> Call<'a> {
    pub(super) fn new(service: Service, method: Method, path: String) -> Self {
        Self { service, method, path, query: Vec::new(), headers: Vec::new(), body: Body::None }
    }
    pub(super) fn get(service: Service, path: String) -> Self {
        Self::new(service, Method::GET, path)
    }
    /// `body`: from `json`, or nothing.
    pub(super) fn post(service: Service, path: String, body: &'a [u8]) -> Self {
        Self { body: Body::Json(body), ..Self::new(service, Method::POST, path) }
    }
    pub(super) fn delete(service: Service, path: String) -> Self {
        Self::new(service, Method::DELETE, path)
    }
    /// Left out where there is no value.
    pub(super) fn query(mut self, name: &'a str, value: Option<&'a str>) -> Self {
        self.query.extend(value.map(|value| (name, value)));
        self
    }
    /// All requests with one token make one thing, for 24 hours.
    pub(super) fn retry_token(mut self, token: &'a str) -> Self {
        self.headers.push(("opc-retry-token", token));
        self
    }
    /// Nothing is done if the resource has another tag by then.
    pub(super) fn if_match(mut self, etag: Option<&'a str>) -> Self {
        self.headers.extend(etag.map(|etag| ("if-match", etag)));
        self
    }
}

pub(super) struct Answer {
    pub bytes: Bytes,
    headers: HeaderMap,
}

impl Answer {
    fn header(&self, name: &str) -> Option<String> {
        let text = self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    }
    /// What to give as `if-match`.
    pub(super) fn etag(&self) -> Option<String> {
        self.header("etag")
    }
    /// The work that goes on after the answer.
    pub(super) fn work_request(&self) -> Option<String> {
        self.header("opc-work-request-id")
    }
    /// The value in the body with the tag of the resource.
    pub(super) fn tagged<T: serde::de::DeserializeOwned>(&self) -> Result<Tagged<T>, Failure> {
        Ok(Tagged { value: self.json()?, etag: self.etag(), work_request: self.work_request() })
    }
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.bytes).map_err(|e| {
            Failure::Unexpected(format!("a service answers with something else than was agreed: {e}"))
        })
    }
}

/// A resource, and what comes beside it.
#[derive(Debug, Clone)]
pub struct Tagged<T> {
    pub value: T,
    /// Changes with the resource: what is done with it as `if-match` is done to this very state, or not at all.
    pub etag: Option<String>,
    /// The work that goes on after the answer.
    pub work_request: Option<String>,
}

/// A part of a path, with everything encoded that does not stand for itself (RFC 3986).
pub(super) fn part(text: &str) -> PercentEncode<'_> {
    const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, PART)
}

/// The body of a request.
pub(super) fn json(details: &impl serde::Serialize) -> Result<Vec<u8>, Failure> {
    Ok(serde_json::to_vec(details).context("a request cannot be written")?)
}

/// A token for a call that makes something: whoever says the same parts, in this process or a later one, gets the same thing.
pub fn retry_token(parts: &[&str]) -> String {
    format!("drydock-{:.40}", hex(&Sha256::digest(parts.join("\n").as_bytes())))
}

impl Client {
    pub fn new(access: Access) -> Self {
        Self { access, http: OnceCell::new(), retry: Retry::default() }
    }

    /// One whose waits take milliseconds.
    #[cfg(test)]
    pub(crate) fn hasty(access: Access) -> Self {
        let tick = Duration::from_millis(1);
        Self { access, http: OnceCell::new(), retry: Retry { attempts: 4, first: tick, longest: tick } }
    }

    /// The region that is asked, where it is said rather than found.
    pub fn region(&self) -> Option<&str> {
        self.access.region()
    }

    /// Everything that a list has, page by page.
    pub(super) async fn list<T: serde::de::DeserializeOwned>(
        &self,
        call: &Call<'_>,
    ) -> Result<Vec<T>, Failure> {
        let (mut found, mut pages) = (Vec::new(), Vec::<String>::new());
        loop {
            let mut next = call.clone();
            next.query.extend(pages.last().map(|page| ("page", page.as_str())));
            let answer = self.ask(&next).await?;
            found.extend(answer.json::<Vec<T>>()?);
            match answer.header("opc-next-page") {
                // There would be no end.
                Some(page) if pages.contains(&page) => {
                    return Err(Failure::Unexpected(format!("the list {} does not go on", call.path)));
                }
                Some(page) => pages.push(page),
                None => return Ok(found),
            }
        }
    }

    /// Sends the request until it is answered, cannot be helped, or has been tried often enough. A request that is sent again must mean
    /// the same: those that make something carry a token of their own for that.
    pub(super) async fn ask(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let root = self.access.root(call.service).await?;
        let mut url =
            Url::parse(&format!("{root}{}", call.path)).input(format!("{root} is no URL of a service"))?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut attempts = 0;
        let mut refused = None;
        loop {
            let signer = self.access.credentials.signer(refused.as_ref()).await?;
            let failure = match http::answer(self.request(call, &url, &signer).await?, &url).await {
                Ok((headers, bytes)) => return Ok(Answer { bytes, headers }),
                Err(failure) => failure,
            };
            // A token may end earlier than it says.
            if failure.status() == Some(401) && refused.is_none() && self.access.credentials.renews() {
                refused = Some(signer);
                continue;
            }
            attempts += 1;
            let wait = self.retry.wait(attempts, told(&failure)).filter(|_| failure.is_passing());
            let Some(wait) = wait else { return Err(failure) };
            tracing::debug!(%url, %failure, ?wait, "asked again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn request(&self, call: &Call<'_>, url: &Url, signer: &Signer) -> Result<RequestBuilder, Failure> {
        let authorities = self.access.authorities.as_deref();
        let http = self.http.get_or_try_init(|| async { http::client(Proxy::AsSet, authorities) }).await?;
        let date = http::date(Timestamp::now())?;
        let signed = match call.body {
            Body::Json(bytes) => Signed::Body(bytes),
            Body::None | Body::Object(_) => Signed::Head,
        };
        let headers = signer.headers(call.method.as_str(), url, &date, signed)?;
        let mut request = http.request(call.method.clone(), url.clone());
        for (name, value) in headers.iter().map(|(n, v)| (*n, v.as_str())).chain(call.headers.iter().copied())
        {
            request = request.header(name, value);
        }
        Ok(match call.body {
            Body::None => request,
            Body::Json(bytes) => request.body(bytes.to_vec()),
            Body::Object(bytes) => {
                request.header("content-type", "application/octet-stream").body(bytes.to_vec())
            }
        })
    }
}

/// How long the service asks to wait.
fn told(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Service { retry_after, .. } => *retry_after,
        _ => None,
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
