//! The client of the engine, with two things that the crate's own leaves out: what is asked belongs to the function's trace,
//! so that the caller sees what a function does while it does it; and one connection serves every question.

use std::sync::Arc;

use async_trait::async_trait;
use dagger_sdk::core::gql_client::GraphQLErrorMessage;
use dagger_sdk::core::graphql_client::{GraphQLClient, GraphQLError};
use dagger_sdk::{Query, Selection};
use reqwest::header::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::{Failure, Result};

#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

#[derive(Deserialize)]
struct Reply {
    data: Option<Value>,
    errors: Option<Vec<GraphQLErrorMessage>>,
}

/// The session that the engine opened for this call.
pub(crate) fn open() -> Result<Query> {
    let variable = |name: &str| {
        std::env::var(name)
            .map_err(|_| Failure::new(format!("${name} is not set: modules are started by the engine")))
    };
    let mut headers = HeaderMap::new();
    if let Ok(parent) = std::env::var("TRACEPARENT") {
        headers.insert("traceparent", HeaderValue::from_str(&parent)?);
    }
    let client = Client {
        http: reqwest::Client::builder().default_headers(headers).no_proxy().build()?,
        url: format!("http://127.0.0.1:{}/query", variable("DAGGER_SESSION_PORT")?),
        token: variable("DAGGER_SESSION_TOKEN")?,
    };
    Ok(Query { proc: None, selection: Selection::default(), graphql_client: Arc::new(client) })
}

#[async_trait]
impl GraphQLClient for Client {
    async fn query(&self, query: &str) -> Result<Option<Value>, GraphQLError> {
        let told = |e: reqwest::Error| GraphQLError::HttpError(Failure::from(e).message);
        let request = self.http.post(&self.url).basic_auth(&self.token, Some(""));
        let response = request.json(&json!({"query": query, "variables": {}})).send().await.map_err(told)?;
        let status = response.status();
        let body = response.bytes().await.map_err(told)?;
        let reply: Reply = serde_json::from_slice(&body)
            .map_err(|_| GraphQLError::HttpError(format!("{status}: {}", String::from_utf8_lossy(&body))))?;
        match reply.errors {
            Some(fields) => {
                let message = fields.first().map_or_else(|| status.to_string(), |e| e.message.clone());
                Err(GraphQLError::DomainError { message, fields })
            }
            None => Ok(reply.data),
        }
    }
}
