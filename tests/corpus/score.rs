//! What the checker said held against the truth, counted and printed.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use drydock::model::evidence::{Verdict, VerdictKind};

use super::truth::{Effect, Felt};

/// What was found of all changes to one schema. A pair is a query of one version and a change.
#[derive(Default)]
pub struct Score {
    pub changes: usize,
    pub pairs: usize,
    /// Pairs that break.
    pub broken: usize,
    /// Of those: said to be breaking.
    pub caught: usize,
    /// Broken for values that no row holds, or few rows, and said to be risky.
    pub unlikely: Vec<String>,
    /// Surely broken, and said to be risky only.
    pub doubted: Vec<String>,
    pub missed: Vec<String>,
    /// Said to be breaking.
    pub alarms: usize,
    pub false_alarms: Vec<String>,
    /// Risky, and nothing came of it.
    pub warned: Vec<String>,
    pub took: Duration,
}

impl Score {
    pub fn add(&mut self, other: &Self) {
        self.changes += other.changes;
        self.pairs += other.pairs;
        self.broken += other.broken;
        self.caught += other.caught;
        self.unlikely.extend_from_slice(&other.unlikely);
        self.doubted.extend_from_slice(&other.doubted);
        self.missed.extend_from_slice(&other.missed);
        self.alarms += other.alarms;
        self.false_alarms.extend_from_slice(&other.false_alarms);
        self.warned.extend_from_slice(&other.warned);
        self.took = self.took.max(other.took);
    }

    /// One pair: what was said of it, and what is so.
    pub fn take(&mut self, felt: &Felt, said: &[&Verdict], line: impl FnOnce() -> String) {
        let kind = |kind| said.iter().any(|v| v.verdict == kind);
        let (breaking, risky) = (kind(VerdictKind::Breaking), kind(VerdictKind::Risky));
        self.pairs += 1;
        self.alarms += usize::from(breaking);
        if felt.effect == Effect::Same {
            match (breaking, risky) {
                (true, _) => self.false_alarms.push(line()),
                (_, true) => self.warned.push(line()),
                _ => {}
            }
            return;
        }
        self.broken += 1;
        match (breaking, risky) {
            (true, _) => self.caught += 1,
            (_, true) if felt.surely => self.doubted.push(line()),
            (_, true) => self.unlikely.push(line()),
            _ => self.missed.push(line()),
        }
    }
}

/// Everything that is not as it should be, line by line, and a table of the numbers; gives their sum.
pub fn print(scores: &[(&'static str, Score)]) -> Score {
    let mut all = Score::default();
    scores.iter().for_each(|(_, score)| all.add(score));
    for (title, lines) in [
        ("warned", &all.warned),
        ("false alarm", &all.false_alarms),
        ("risky, and rare", &all.unlikely),
        ("only risky", &all.doubted),
        ("missed", &all.missed),
    ] {
        lines.iter().for_each(|line| println!("{title}: {}", line.chars().take(700).collect::<String>()));
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "schema",
        "changes",
        "pairs",
        "breaks",
        "breaking",
        "risky, rare",
        "risky only",
        "missed",
        "recall",
        "alarms",
        "false",
        "precision",
        "other warnings",
        "seconds",
    ]);
    for (name, score) in scores.iter().map(|(n, s)| (*n, s)).chain([("all", &all)]) {
        let wrong = score.missed.len() + score.doubted.len();
        table.add_row([
            name.to_owned(),
            score.changes.to_string(),
            score.pairs.to_string(),
            score.broken.to_string(),
            score.caught.to_string(),
            score.unlikely.len().to_string(),
            score.doubted.len().to_string(),
            score.missed.len().to_string(),
            percent(score.broken.saturating_sub(wrong), score.broken),
            score.alarms.to_string(),
            score.false_alarms.len().to_string(),
            percent(score.alarms - score.false_alarms.len(), score.alarms),
            score.warned.len().to_string(),
            format!("{:.0}", score.took.as_secs_f64()),
        ]);
    }
    table.column_iter_mut().skip(1).for_each(|c| c.set_cell_alignment(CellAlignment::Right));
    println!("{table}");
    all
}

fn percent(part: usize, of: usize) -> String {
    if of == 0 { "-".to_owned() } else { format!("{:.2} %", 100.0 * part as f64 / of as f64) }
}
