//! How requests leave: one place that makes clients, and reads answers.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use reqwest::header::HeaderMap;
use reqwest::{Certificate, ClientBuilder, RequestBuilder, redirect};
use url::Url;

use super::failure::Failure;
use crate::error::{Context, Result};

const CONNECT: Duration = Duration::from_secs(10);
/// As in Oracle's SDKs.
const ANSWER: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proxy {
    /// What the usual variables say (`HTTPS_PROXY`, `NO_PROXY`).
    AsSet,
    Never,
}

/// A client. `authorities`: certificates in PEM that are trusted besides the system's.
///
/// # Errors
/// `Input` when the certificates cannot be read.
pub(super) fn client(proxy: Proxy, authorities: Option<&str>) -> Result<reqwest::Client> {
    // Whoever else installed one meant it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = ClientBuilder::new()
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("drydock/", env!("CARGO_PKG_VERSION")));
    if proxy == Proxy::Never {
        builder = builder.no_proxy();
    }
    if let Some(pem) = authorities {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes());
        builder =
            builder.tls_certs_merge(certificates.input("the certificates of authorities cannot be read")?);
    }
    builder.build().context("requests cannot be made")
}

/// A moment as HTTP writes it (RFC 9110).
///
/// # Errors
/// `Failed` for a moment that it cannot write.
pub(super) fn date(at: Timestamp) -> Result<String> {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).context("the date cannot be written")
}

/// Sends a request and reads its whole answer.
pub(super) async fn answer(request: RequestBuilder, url: &Url) -> Result<(HeaderMap, Bytes), Failure> {
    let host = url.host_str().unwrap_or("the service").to_owned();
    let unreachable =
        |e: reqwest::Error| Failure::Unreachable { host: host.clone(), source: e.without_url() };
    let answer = request.send().await.map_err(unreachable)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await.map_err(unreachable)?;
    if status.is_success() {
        return Ok((headers, bytes));
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Err(Failure::of_answer(
        status.as_u16(),
        &bytes,
        text("opc-request-id").map(str::to_owned),
        (text("date"), text("retry-after")),
        Timestamp::now(),
    ))
}
