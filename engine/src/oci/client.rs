//! One request: signed, sent, sent again where that may help, and its answer.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder};
use tokio::sync::OnceCell;
use url::Url;

use super::access::Access;
use super::endpoint::Service;
use super::failure::Failure;
use super::http::{self, Proxy};
use super::retry::Retry;
use super::signature::{Signed, Signer};
use crate::error::{Context, Result};

/// Asks the services of one region as one principal.
pub struct Client {
    access: Access,
    http: OnceCell<reqwest::Client>,
    retry: Retry,
}

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
}

pub(super) struct Answer {
    pub bytes: Bytes,
}

impl Answer {
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.bytes).map_err(|e| {
            Failure::Unexpected(format!("a service answers with something else than was agreed: {e}"))
        })
    }
}

impl Client {
    pub fn new(access: Access) -> Self {
        Self { access, http: OnceCell::new(), retry: Retry::default() }
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
                Ok((_, bytes)) => return Ok(Answer { bytes }),
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
        let headers = signer.headers(call.method.as_str(), url, &date, Signed::Head)?;
        let mut request = http.request(call.method.clone(), url.clone());
        for (name, value) in headers.iter().map(|(n, v)| (*n, v.as_str())).chain(call.headers.iter().copied())
        {
            request = request.header(name, value);
        }
        Ok(match call.body {
            Body::None => request,
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
