//! What is asked and answered.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A request of one of the services: with its query apart, and everything in it decoded.
pub(super) struct Asked<'a> {
    pub method: &'a str,
    pub path: Vec<String>,
    pub query: BTreeMap<String, String>,
    pub header: &'a dyn Fn(&str) -> String,
    pub body: Value,
}

pub(super) fn fail(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"code": code, "message": message}).to_string().into_bytes();
    Answer { status, body, headers: Vec::new() }
}

pub(super) fn give(body: impl Into<Vec<u8>>) -> Answer {
    Answer { status: 200, body: body.into(), headers: Vec::new() }
}
