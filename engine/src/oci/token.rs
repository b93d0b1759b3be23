//! Tokens that stand for a principal: JSON Web Tokens (RFC 7519), of which only the time is read. Whether they are genuine is the services'
//! to judge.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// How long before its end a token is not used any more: clocks differ, and requests take a while.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

#[derive(Deserialize)]
struct Claims {
    exp: Option<i64>,
}

/// When the token ends, if it says so.
pub(super) fn end(token: &str) -> Option<Timestamp> {
    let payload = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&bytes).ok()?;
    Timestamp::from_second(claims.exp?).ok()
}

/// Whether it can be used at `now`. What does not say when it ends can.
pub(super) fn is_good(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_none_or(|end| now + EARLY < end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_says_when_it_ends() {
        // {"exp":1700000000,"iat":1699996400}
        let token = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDAsImlhdCI6MTY5OTk5NjQwMH0.";
        let ends = end(token).unwrap();
        assert_eq!(ends.as_second(), 1_700_000_000);
        for (before, good) in [(3600, true), (61, true), (60, false), (-1, false)] {
            let now = ends - SignedDuration::from_secs(before);
            assert_eq!(is_good(Some(ends), now), good, "{before}");
        }
        for text in ["", "a.b.c", "no token", "a.e30.c"] {
            assert_eq!(end(text), None, "{text}");
        }
        assert!(is_good(None, ends));
    }
}
