//! The saga against a simulated production: at every step it fails, repeats and crashes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn changeset(n: usize) -> ChangesetId {
    ChangesetId { id: n.to_string(), author: "a".into(), path: "p.sql".into() }
}

/// Production as the saga sees it: the changesets on it, and what the next act does.
struct World {
    events: Vec<Event>,
    production: BTreeSet<String>,
    /// Rows of these were moved in batches, and no more. Every second changeset is of that kind.
    in_part: BTreeSet<String>,
    total: usize,
    held: u64,
}

/// What happens to the n-th act.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Works,
    Fails,
    /// The process dies after the intent, before the act.
    DiesBefore,
    /// The process dies when rows were moved, where the act moves any.
    DiesMoving,
    /// The process dies after the act, before its outcome is on record.
    DiesAfter,
}

impl World {
    fn new(total: usize, held: u64) -> Self {
        Self { events: Vec::new(), production: BTreeSet::new(), in_part: BTreeSet::new(), total, held }
    }
    fn log(&mut self, what: EventKind) {
        let seq = self.events.len() as u64 + 1;
        self.events.push(Event {
            seq,
            at: Timestamp::UNIX_EPOCH,
            previous: String::new(),
            what,
            hash: String::new(),
            line: String::new(),
        });
    }
    fn perform(&mut self, action: &Action) -> ActOutcome {
        match action {
            Action::Stage { stage: Stage::Plan } => {
                ActOutcome::Pending { changesets: self.total as u64 + self.held }
            }
            Action::Stage { stage: Stage::Compat } => {
                let waves = (0..self.total).map(|n| (n as u32 / 2 + 1, vec![changeset(n)])).collect();
                ActOutcome::Accepted { waves, held: self.held }
            }
            Action::Apply { changeset, .. } => {
                self.in_part.remove(&changeset.id);
                ActOutcome::Changed { changed: self.production.insert(changeset.id.clone()) }
            }
            Action::Undo { changeset } => {
                let part = self.in_part.remove(&changeset.id);
                ActOutcome::Changed { changed: self.production.remove(&changeset.id) || part }
            }
            _ => ActOutcome::Plain,
        }
    }
    /// What an observation finds, as the driver writes it down.
    fn observe(&mut self, action: &Action) {
        let there = |w: &Self, c: &ChangesetId| w.production.contains(&c.id);
        let happened = match action {
            Action::Apply { changeset, .. } => there(self, changeset),
            // The record that an undo takes away is made before it, also for a part.
            Action::Undo { changeset } => !there(self, changeset) && !self.in_part.contains(&changeset.id),
            _ => panic!("{action} is not observed"),
        };
        if !happened && matches!(action, Action::Apply { .. }) && is_unwinding(&self.events) {
            let (action, error, kind) = (action.clone(), "cut off".into(), FailureKind::Crashed);
            return self.log(EventKind::Failed { action, error, kind, hint: None });
        }
        if happened {
            let outcome = ActOutcome::Changed { changed: true };
            self.log(EventKind::Done {
                action: action.clone(),
                outcome,
                evidence: None,
                text: String::new(),
            });
        } else {
            self.act(action, Fate::Works);
        }
    }
    fn act(&mut self, action: &Action, fate: Fate) {
        self.log(EventKind::Intended { action: action.clone(), before: None, log: None });
        if let Action::Apply { changeset, .. } = action
            && changeset.id.parse().is_ok_and(|n: usize| n % 2 == 1)
            && fate != Fate::DiesBefore
        {
            self.log(EventKind::Moving { changeset: changeset.clone() });
            self.in_part.insert(changeset.id.clone());
        }
        match fate {
            Fate::Works => {
                let outcome = self.perform(action);
                self.log(EventKind::Done {
                    action: action.clone(),
                    outcome,
                    evidence: None,
                    text: String::new(),
                });
            }
            Fate::Fails => {
                let kind = FailureKind::Failed;
                self.log(EventKind::Failed { action: action.clone(), error: "no".into(), kind, hint: None });
            }
            Fate::DiesBefore | Fate::DiesMoving => {}
            Fate::DiesAfter => {
                self.perform(action);
            }
        }
    }
    /// Runs to the end; `fates` are used up one per act, then everything works.
    fn run(&mut self, fates: &[Fate]) -> Outcome {
        let mut fates = fates.iter().copied();
        for _ in 0..1_000 {
            match next(&self.events) {
                Decision::Do(action) => self.act(&action, fates.next().unwrap_or(Fate::Works)),
                Decision::Observe(action) => self.observe(&action),
                Decision::Unwind { reason } => self.log(EventKind::Unwinding { reason, automatic: true }),
                Decision::Finish { outcome, reason } => self.log(EventKind::Finished { outcome, reason }),
                Decision::Over(outcome) => return outcome,
            }
        }
        panic!("it does not end: {:?}", self.events.last());
    }
}

/// Every position of the way × every fate: it ends all or nothing, and a failure never leaves anything on production.
#[test]
fn fail_here_and_crash_here_at_every_step() {
    let total = 5;
    let steps = 5 + total + 1;
    for held in [0, 2] {
        for position in 0..steps {
            for fate in [Fate::Fails, Fate::DiesBefore, Fate::DiesMoving, Fate::DiesAfter] {
                let mut fates = vec![Fate::Works; position];
                fates.push(fate);
                let mut world = World::new(total, held);
                let outcome = world.run(&fates);
                let expected = match (fate, position) {
                    (Fate::Fails, 0..5) => Outcome::Refused,
                    (Fate::Fails, _) => Outcome::RolledBack,
                    _ if held > 0 => Outcome::Held,
                    _ => Outcome::Migrated,
                };
                assert_eq!(outcome, expected, "{fate:?} at {position}");
                let left = if matches!(expected, Outcome::Migrated | Outcome::Held) { total } else { 0 };
                assert_eq!(world.production.len(), left, "{fate:?} at {position}");
                assert!(world.in_part.is_empty(), "{fate:?} at {position}");
            }
        }
    }
}

/// A failure followed by a crash or a failure at every step of the way back.
#[test]
fn crash_and_fail_at_every_step_of_going_back() {
    let total = 4;
    for failing in 5..5 + total {
        for position in 0..=(failing - 5) {
            for fate in [Fate::DiesBefore, Fate::DiesAfter, Fate::Fails] {
                let mut fates = vec![Fate::Works; failing];
                fates.push(Fate::Fails);
                fates.extend(std::iter::repeat_n(Fate::Works, position));
                fates.push(fate);
                let mut world = World::new(total, 0);
                let outcome = world.run(&fates);
                if fate == Fate::Fails {
                    assert_eq!(outcome, Outcome::Stuck);
                } else {
                    assert_eq!(
                        (outcome, world.production.len() + world.in_part.len()),
                        (Outcome::RolledBack, 0),
                        "{failing} {position} {fate:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn going_back_by_hand_after_the_end_takes_everything_back_newest_first() {
    let mut world = World::new(3, 0);
    assert_eq!(world.run(&[]), Outcome::Migrated);
    world.log(EventKind::Unwinding { reason: "by hand".into(), automatic: false });
    assert_eq!(world.run(&[]), Outcome::RolledBack);
    assert!(world.production.is_empty());
    let undone: Vec<&str> = world
        .events
        .iter()
        .filter_map(|e| match &e.what {
            EventKind::Done { action: Action::Undo { changeset }, .. } => Some(changeset.id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(undone, ["2", "1", "0"]);
}

/// A changeset that was edited while the run was interrupted is not applied any more, wherever the crash had cut it off.
#[test]
fn nothing_is_applied_after_the_run_has_turned_back() {
    for at in 0..4 {
        for fate in [Fate::DiesBefore, Fate::DiesMoving, Fate::DiesAfter] {
            let mut world = World::new(4, 0);
            for n in 0..5 + at {
                let Decision::Do(action) = next(&world.events) else { panic!("step {n}") };
                world.act(&action, Fate::Works);
            }
            let Decision::Do(action) = next(&world.events) else { panic!("no apply") };
            world.act(&action, fate);
            world.log(EventKind::Unwinding { reason: "edited".into(), automatic: true });
            let begun = world.events.len();
            assert_eq!(world.run(&[]), Outcome::RolledBack, "{fate:?} at {at}");
            assert!(world.production.is_empty() && world.in_part.is_empty(), "{fate:?} at {at}");
            let applies =
                |e: &Event| matches!(&e.what, EventKind::Intended { action: Action::Apply { .. }, .. });
            assert!(!world.events[begun..].iter().any(applies), "{fate:?} at {at}");
        }
    }
}

#[test]
fn a_crashed_shadow_gets_a_new_clone() {
    let mut world = World::new(1, 0);
    world.run(&[Fate::Works, Fate::Works, Fate::Works, Fate::Works, Fate::DiesAfter]);
    let clones = world
        .events
        .iter()
        .filter(|e| {
            matches!(&e.what, EventKind::Intended { action: Action::Stage { stage: Stage::Clone }, .. })
        })
        .count();
    assert_eq!(clones, 2);
}

proptest! {
    /// Any sequence of crashes and failures ends, and ends all or nothing unless it is stuck.
    #[test]
    fn whatever_happens_it_ends_all_or_nothing(
        total in 0usize..6,
        held in 0u64..2,
        fates in prop::collection::vec(
            prop_oneof![4 => Just(Fate::Works), 1 => Just(Fate::Fails), 2 => Just(Fate::DiesBefore), 1 => Just(Fate::DiesMoving), 2 => Just(Fate::DiesAfter)],
            0..40,
        ),
    ) {
        let mut world = World::new(total, held);
        let outcome = world.run(&fates);
        match outcome {
            Outcome::Migrated | Outcome::Held => {
                prop_assert_eq!((world.production.len(), world.in_part.len()), (total, 0));
            }
            Outcome::Refused | Outcome::RolledBack => {
                prop_assert_eq!((world.production.len(), world.in_part.len()), (0, 0));
            }
            Outcome::Stuck => {}
            Outcome::Unfinished => prop_assert!(false, "a run that is over is finished"),
        }
        // Nothing is decided any more once it is over, however often it is asked.
        prop_assert_eq!(next(&world.events), Decision::Over(outcome));
    }
}
