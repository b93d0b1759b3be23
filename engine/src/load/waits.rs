//! The longest wait since any moment, however long ago, in little memory.

use std::time::Instant;

/// Answers that no later one outlasts. Whoever asks since when cannot get a longer wait from the others: a later answer
/// with at least the same latency waited at least as long behind any moment.
#[derive(Default)]
pub struct Waits {
    /// When it was answered, ascending, and its latency in microseconds, descending.
    answers: Vec<(Instant, u64)>,
}

impl Waits {
    pub fn answered(&mut self, at: Instant, latency: u64) {
        while self.answers.last().is_some_and(|(_, earlier)| *earlier <= latency) {
            self.answers.pop();
        }
        self.answers.push((at, latency));
    }

    /// In microseconds; of requests that were due before, the part since then.
    pub fn longest_since(&self, since: Instant) -> u64 {
        let behind =
            |at: Instant| u64::try_from(at.saturating_duration_since(since).as_micros()).unwrap_or(u64::MAX);
        self.answers
            .iter()
            .rev()
            .take_while(|(at, _)| *at >= since)
            .map(|(at, l)| behind(*at).min(*l))
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_longer_is_forgotten(
            steps in prop::collection::vec((0u64..50, 1u64..2_000), 1..80),
            since in 0u64..3_000,
        ) {
            let begun = Instant::now();
            let since = begun + Duration::from_micros(since);
            let mut waits = Waits::default();
            let mut at = begun;
            let mut longest = 0;
            for (pause, latency) in steps {
                at += Duration::from_micros(pause);
                waits.answered(at, latency);
                if at >= since {
                    longest = longest.max(latency.min(u64::try_from((at - since).as_micros()).unwrap_or(0)));
                }
            }
            prop_assert_eq!(waits.longest_since(since), longest);
        }
    }
}
