//! What is asked next: the same seed and moment ask the same queries with the same values.

use std::sync::Arc;

use rand::seq::SliceRandom;

use crate::load::types::{Draw, Moment};
use crate::load::values::Maker;
use crate::product::Dialect;

/// A query by its number, and its parameters.
pub type Asked = (usize, Vec<Option<String>>);

/// All queries take their turn, in an order shuffled anew each round: after one round each of them has run once.
pub struct Generator {
    makers: Vec<Vec<Maker>>,
    round: Vec<usize>,
    draw: Draw,
}

impl Generator {
    /// `makers`: those of each query's parameters. Times are counted back from `now`.
    pub fn new(makers: Vec<Vec<Maker>>, seed: u64, now: Moment, dialect: Arc<dyn Dialect>) -> Self {
        Self { makers, round: Vec::new(), draw: Draw::new(seed, now, dialect) }
    }

    /// Values for one query, out of turn.
    pub fn parameters(&mut self, query: usize) -> Vec<Option<String>> {
        let draw = &mut self.draw;
        self.makers.get(query).map(|makers| makers.iter().map(|m| m.make(draw)).collect()).unwrap_or_default()
    }
}

impl Iterator for Generator {
    type Item = Asked;

    fn next(&mut self) -> Option<Asked> {
        if self.round.is_empty() {
            self.round = (0..self.makers.len()).collect();
            self.round.shuffle(&mut self.draw.rng);
        }
        let query = self.round.pop()?;
        Some((query, self.parameters(query)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::column_type::ColumnType;
    use crate::product::test_dialect;

    fn generator(seed: u64) -> Generator {
        let timestamp = ColumnType::Timestamp { zone: true };
        let makers =
            vec![vec![Maker::OfType(ColumnType::Uuid), Maker::Count], vec![], vec![Maker::OfType(timestamp)]];
        Generator::new(makers, seed, Moment::at(1_700_000_000), test_dialect())
    }

    #[test]
    fn the_same_seed_asks_the_same() {
        let ask = |seed| generator(seed).take(300).collect::<Vec<_>>();
        assert_eq!(ask(1), ask(1));
        assert_ne!(ask(1), ask(2));
    }

    #[test]
    fn every_query_runs_once_in_a_round() {
        let mut generator = generator(5);
        for _ in 0..10 {
            let mut round: Vec<usize> = generator.by_ref().take(3).map(|(query, _)| query).collect();
            round.sort_unstable();
            assert_eq!(round, [0, 1, 2]);
        }
    }
}
