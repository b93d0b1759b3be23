//! Why a service did not do what it was asked for.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::error::Error;

/// Further apart than this, services refuse a request's signature.
const SKEW_SECONDS: u64 = 300;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It answered with an error.
    #[error("{message} ({status}, {code}{})", request_id.as_ref().map(|id| format!(", request {id}")).unwrap_or_default())]
    Service {
        status: u16,
        /// The service's own code, as `NotAuthenticated`.
        code: String,
        message: String,
        /// What Oracle's support asks for.
        request_id: Option<String>,
        /// The service's clock less ours, in seconds, where it gave the time.
        clock: Option<i64>,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// It could not be asked, or did not answer in time.
    #[error("{host} does not answer")]
    Unreachable { host: String, source: reqwest::Error },
    /// It answered with something else than was agreed.
    #[error("{0}")]
    Unexpected(String),
    /// What it took on it did not carry out. `details`: in its own words.
    #[error("{what} ended as {state}: {details}")]
    Ended { what: String, state: String, details: String },
    /// What it took on was not carried out in time. It may go on.
    #[error("{what} has not ended after {} min", limit.as_secs().div_ceil(60).max(1))]
    Late { what: String, limit: Duration },
    /// There is nobody to ask as.
    #[error(transparent)]
    Access(#[from] Error),
}

/// The body of every error.
#[derive(Deserialize)]
struct Body {
    code: Option<String>,
    message: Option<String>,
}

impl Failure {
    pub(super) fn of_answer(
        status: u16,
        body: &[u8],
        request_id: Option<String>,
        (date, retry_after): (Option<&str>, Option<&str>),
        now: Timestamp,
    ) -> Self {
        let told: Option<Body> = serde_json::from_slice(body).ok();
        let (code, message) = told.map(|b| (b.code, b.message)).unwrap_or_default();
        let theirs = date.and_then(|d| jiff::fmt::rfc2822::parse(d).ok());
        Self::Service {
            status,
            code: code.unwrap_or_else(|| "no code".to_owned()),
            message: message.unwrap_or_else(|| "the service does not say why".to_owned()),
            request_id,
            clock: theirs.map(|t| t.timestamp().as_second() - now.as_second()),
            retry_after: retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs),
        }
    }

    /// Whether another attempt may have more luck.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Service { status: 409, code, .. } => code == "IncorrectState" || code == "LockConflict",
            Self::Service { status, .. } => *status == 429 || (*status >= 500 && *status != 501),
            Self::Unreachable { source, .. } => !source.is_builder() && !source.is_redirect(),
            Self::Unexpected(_) | Self::Access(_) | Self::Ended { .. } | Self::Late { .. } => false,
        }
    }

    /// The service's own code.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Service { code, .. } => Some(code),
            _ => None,
        }
    }

    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Service { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What somebody can do about it. `policy`: a statement of an IAM policy that would allow what was asked.
    fn hint(&self, policy: &str) -> String {
        match self {
            Self::Service { status: 401, clock: Some(seconds), .. }
                if seconds.unsigned_abs() > SKEW_SECONDS =>
            {
                format!("this machine's clock is {} s {} that of the service: set it", seconds.unsigned_abs(), {
                    if *seconds > 0 { "behind" } else { "ahead of" }
                })
            }
            Self::Service { status: 401, .. } => "see that user, fingerprint, key and region belong together \
                (`oci iam region list` tries them); a session's token is made anew with `oci session authenticate`"
                .to_owned(),
            Self::Service { code, message, .. } if of_limit(code, message).is_some() => {
                of_limit(code, message).unwrap_or_default().to_owned()
            }
            Self::Service { status: 409, .. } => "something else is done to it: try again when that has ended".to_owned(),
            Self::Service { status: 412, .. } => "somebody changed it meanwhile: run the same command again, which looks first".to_owned(),
            Self::Service { status: 403 | 404, .. } => {
                format!("see that it is there, and allow it in a policy: {policy}")
            }
            Self::Service { status: 429, .. } => "Oracle limits the rate of requests: try again later".to_owned(),
            Self::Service { .. } => "Oracle's support asks for the request's id".to_owned(),
            Self::Unreachable { .. } => "see that the region is right (OCI_CLI_REGION) and the network lets it through".to_owned(),
            Self::Unexpected(_) => "see that OCI_CLI_ENDPOINT, if it is set, is a service of OCI".to_owned(),
            Self::Ended { details, .. } => of_text(details, policy).unwrap_or_else(|| "Oracle's console shows it with its log".to_owned()),
            Self::Late { .. } => "run the same command again: it goes on with what has begun".to_owned(),
            Self::Access(error) => error.hint_text().unwrap_or_default().to_owned(),
        }
    }

    /// As an error of the engine, with what to do.
    pub fn into_error(self, message: impl Into<String>, policy: &str) -> Error {
        let hint = self.hint(policy);
        let kind = match &self {
            Self::Access(error) => error.kind,
            _ => crate::error::ErrorKind::Failed,
        };
        Error::new(kind, message).because(self).hint(hint)
    }
}

/// What to do where the tenancy may not have more.
fn of_limit(code: &str, message: &str) -> Option<&'static str> {
    match code {
        "LimitExceeded" => Some(
            "the service limit of the tenancy is reached: ask for a higher one in the console (Governance, Limits), or take away what is \
             not needed; `oci limits resource-availability get` says how much is left",
        ),
        "QuotaExceeded" => Some(
            "a quota of the compartment is reached: its administrator changes the quota policy, or name another compartment",
        ),
        _ if code == "OutOfCapacity" || message.to_lowercase().contains("out of host capacity") => {
            Some("the region has no capacity now: try again later, or ask for fewer ECPUs")
        }
        _ => None,
    }
}

/// The same where a service only tells in its log what another has answered, as Terraform does: `Error: 400-LimitExceeded, …`.
pub fn of_text(text: &str, policy: &str) -> Option<String> {
    let codes = ["LimitExceeded", "QuotaExceeded", "OutOfCapacity"];
    if let Some(code) = codes.iter().find(|code| text.contains(*code)) {
        return of_limit(code, "").map(str::to_owned);
    }
    if text.to_lowercase().contains("out of host capacity") {
        return of_limit("OutOfCapacity", "").map(str::to_owned);
    }
    let denied = ["NotAuthorizedOrNotFound", "NotAuthorized", "NotAuthenticated"];
    denied
        .iter()
        .any(|code| text.contains(code))
        .then(|| format!("see that it is there, and allow it in a policy: {policy}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn failure(status: u16, code: &str, date: Option<&str>) -> Failure {
        let body = format!(r#"{{"code":"{code}","message":"told"}}"#);
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        Failure::of_answer(status, body.as_bytes(), Some("r1".to_owned()), (date, None), now)
    }

    #[test]
    fn what_may_pass_is_told_from_what_does_not() {
        for (status, code, passing) in [
            (429, "TooManyRequests", true),
            (500, "InternalServerError", true),
            (503, "ServiceUnavailable", true),
            (409, "IncorrectState", true),
            (409, "InvalidatedRetryToken", false),
            (501, "MethodNotImplemented", false),
            (412, "IfNoneMatchFailed", false),
            (404, "NotAuthorizedOrNotFound", false),
            (401, "NotAuthenticated", false),
        ] {
            assert_eq!(failure(status, code, None).is_passing(), passing, "{status} {code}");
        }
    }

    #[test]
    fn what_a_log_says_of_limits_and_rights_is_read() {
        for (text, wanted) in [
            ("Error: 400-LimitExceeded, The following service limits were exceeded", Some("service limit")),
            ("Error: 400-QuotaExceeded, adb-ecpu", Some("quota of the compartment")),
            ("Error: 500-InternalError, Out of host capacity.", Some("no capacity now")),
            ("Error: 404-NotAuthorizedOrNotFound, secret", Some("Allow group G to read secrets")),
            ("Error: 400-InvalidParameter, dbName", None),
        ] {
            let hint = of_text(text, "Allow group G to read secrets");
            assert_eq!(hint.is_some(), wanted.is_some(), "{text}");
            assert!(hint.unwrap_or_default().contains(wanted.unwrap_or_default()), "{text}");
        }
    }

    #[test]
    fn errors_say_what_to_do() {
        for (failure, wanted) in [
            (failure(401, "NotAuthenticated", Some("Tue, 14 Nov 2023 22:23:20 GMT")), "600 s behind"),
            (failure(401, "NotAuthenticated", Some("Tue, 14 Nov 2023 22:03:20 GMT")), "600 s ahead of"),
            (failure(401, "NotAuthenticated", Some("Tue, 14 Nov 2023 22:13:21 GMT")), "belong together"),
            (failure(400, "LimitExceeded", None), "service limit of the tenancy"),
            (failure(400, "QuotaExceeded", None), "quota of the compartment"),
            (failure(409, "InvalidatedRetryToken", None), "something else is done to it"),
            (failure(412, "NoEtagMatch", None), "somebody changed it meanwhile"),
            (failure(404, "BucketNotFound", None), "allow it in a policy: Allow group G to read buckets"),
        ] {
            let error = failure.into_error("it cannot be read", "Allow group G to read buckets");
            assert!(error.hint_text().unwrap().contains(wanted), "{:?}", error.hint_text());
            assert!(error.chain().starts_with("it cannot be read: told (4"), "{}", error.chain());
            assert!(error.chain().ends_with(", request r1)"), "{}", error.chain());
        }
        let odd = Failure::of_answer(502, b"<html>", None, (Some("today"), Some("soon")), Timestamp::now());
        assert_eq!(odd.to_string(), "the service does not say why (502, no code)");
    }
}
