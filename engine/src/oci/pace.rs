//! How often somebody looks whether something has ended, and for how long.

use std::time::{Duration, Instant};

/// Waits between looks, which grow, and when to give up looking. What is looked at goes on regardless.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub first: Duration,
    pub longest: Duration,
    pub limit: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            longest: Duration::from_secs(20),
            limit: Duration::from_secs(4 * 3600),
        }
    }
}

impl Pace {
    pub fn begin(self) -> Looks {
        Looks { wait: self.first, pace: self, since: Instant::now() }
    }
}

/// The looks at one thing.
pub struct Looks {
    pace: Pace,
    wait: Duration,
    since: Instant,
}

impl Looks {
    /// Waits for the next look. `false`: there is none, the time is over.
    pub async fn next(&mut self) -> bool {
        if self.since.elapsed() + self.wait > self.pace.limit {
            return false;
        }
        tokio::time::sleep(self.wait).await;
        self.wait = self.wait.mul_f32(1.5).min(self.pace.longest);
        true
    }

    pub fn limit(&self) -> Duration {
        self.pace.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn looks_end_when_the_time_is_over() {
        let tick = Duration::from_millis(1);
        let mut looks = Pace { first: tick, longest: 3 * tick, limit: 20 * tick }.begin();
        let mut count = 0;
        while looks.next().await {
            count += 1;
        }
        assert!((1..=20).contains(&count), "{count}");
        assert!(!Pace { first: tick, longest: tick, limit: Duration::ZERO }.begin().next().await);
    }
}
