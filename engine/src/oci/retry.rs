//! When a request is sent again: as long as it may have more luck, further apart each time, and never all clients at once.
//!
//! Source: <https://docs.oracle.com/en-us/iaas/Content/API/Concepts/sdkretries.htm>; and on jitter,
//! <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.

use std::time::Duration;

use rand::Rng;

/// How often a request is sent in all, and how long the waits between grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retry {
    pub attempts: u32,
    pub first: Duration,
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 8, first: Duration::from_millis(250), longest: Duration::from_secs(20) }
    }
}

impl Retry {
    /// How long to wait after this many attempts; `None`: no more. `told` is what the service asks for.
    pub(super) fn wait(&self, attempts: u32, told: Option<Duration>) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
        let bound = doubled.min(self.longest);
        let jittered = bound.mul_f64(rand::rng().random_range(0.5..=1.0));
        Some(told.map_or(jittered, |told| told.min(self.longest).max(jittered)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_end() {
        let retry = Retry::default();
        for _ in 0..100 {
            for (attempts, least, most) in [(1, 125, 250), (2, 250, 500), (7, 8_000, 16_000)] {
                let wait = retry.wait(attempts, None).unwrap().as_millis();
                assert!((least..=most).contains(&wait), "{attempts}: {wait}");
            }
        }
        assert_eq!(retry.wait(8, None), None);
        assert_eq!(retry.wait(1, Some(Duration::from_secs(3))), Some(Duration::from_secs(3)));
        assert_eq!(
            retry.wait(1, Some(Duration::from_secs(3600))),
            Some(Duration::from_secs(20)),
            "not for ever"
        );
    }
}
