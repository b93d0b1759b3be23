//! What a change that leaves a query plannable means for that query.

use std::collections::BTreeSet;

use crate::contract::{Arity, Query};
use crate::model::catalog::Catalog;
use crate::model::change::{Change, Effect, Events, Revoked, Right};
use crate::model::evidence::{VerdictClass, VerdictKind};
use crate::model::query::{ParameterRole, Reads, Usage, Write};

/// What is known of a query before the change.
pub struct Use<'a> {
    pub query: &'a Query,
    pub role: Option<&'a str>,
    /// Everything it comes to use.
    pub uses: &'a BTreeSet<String>,
    /// What it still uses after the change.
    pub still: &'a BTreeSet<String>,
    /// The product tells what its names mean.
    pub names_told: bool,
    /// What it writes, through views too.
    pub writes: &'a [Write],
    /// What stands behind its parameters.
    pub roles: &'a [ParameterRole],
    /// The columns its answer depends on.
    pub reads: &'a Reads,
}

impl Use<'_> {
    fn compares(&self, of: &str, by: &str) -> bool {
        let meant = |role: &ParameterRole| matches!(role, ParameterRole::Column { table, column } if table == of && column == by);
        self.roles.iter().any(meant)
    }
}

/// How a change affects a query: kind, class, reason, and the column that it is about.
pub type Impact = (VerdictKind, VerdictClass, String, Option<String>);

/// `None`: the change does not affect the query.
pub fn impact(change: &Change, by: &Use<'_>, after: &Catalog) -> Option<Impact> {
    let column = match change.columns.as_slice() {
        [one] => Some(format!("{}.{one}", change.subject)),
        _ => None,
    };
    let told =
        |class: VerdictClass, reason: String| Some((VerdictKind::Risky, class, reason, column.clone()));
    if !by.uses.contains(&change.subject) {
        return None;
    }
    let written = || by.writes.iter().filter(|w| w.table == change.subject);
    let sentence = || change.sentence();
    match &change.effect {
        Effect::Refuses => {
            let by_itself = written().any(|w| gives(w, change));
            // What a trigger or routine writes on its behalf is not seen; that it may is.
            (by_itself || on_its_behalf(by, &change.subject, after))
                .then(|| told(VerdictClass::FailsWhenRun, format!("it writes there, and {}", sentence())))?
        }
        Effect::Generated => {
            let given = written().any(|w| change.columns.iter().any(|c| w.columns.contains(c)));
            given.then(|| (VerdictKind::Breaking, VerdictClass::FailsWhenRun, sentence(), column.clone()))
        }
        Effect::Default => {
            let left_out = written().any(|w| {
                w.inserts && !w.columns.is_empty() && !change.columns.iter().all(|c| w.columns.contains(c))
            }) || written().any(|w| w.inserts && w.columns.is_empty());
            left_out.then(|| told(VerdictClass::AnswersDifferently, sentence()))?
        }
        Effect::Repeats { .. } => {
            let left_out = written().any(|w| {
                w.inserts && (w.columns.is_empty() || !change.columns.iter().all(|c| w.columns.contains(c)))
            }) || on_its_behalf(by, &change.subject, after);
            let unique = after.tables.get(&change.subject).is_some_and(|t| {
                t.unique.iter().any(|key| !key.is_empty() && key.iter().all(|c| change.columns.contains(c)))
            });
            let kind = if unique { VerdictKind::Breaking } else { VerdictKind::Risky };
            left_out.then(|| (kind, VerdictClass::FailsWhenRun, sentence(), column.clone()))
        }
        Effect::Writes => {
            let affected =
                written().any(|w| sets_off(w, change)) || on_its_behalf(by, &change.subject, after);
            affected
                .then(|| told(VerdictClass::FailsWhenRun, format!("it writes there, and {}", sentence())))?
        }
        Effect::Keeps => {
            let affected = written()
                .any(|w| Events::of(w).meet(change.on) && (Events::of(w).delete || gives(w, change)));
            affected.then(|| told(VerdictClass::FailsWhenRun, sentence()))?
        }
        Effect::Reads => {
            let affected = change.columns.is_empty() || mentions(by, change);
            affected.then(|| told(VerdictClass::AnswersDifferently, sentence()))?
        }
        Effect::Shows => {
            shows(by, change, after).then(|| told(VerdictClass::AnswersDifferently, sentence()))?
        }
        Effect::Key => {
            let one = by.query.arity == Arity::One
                && change.columns.iter().all(|c| by.compares(&change.subject, c));
            let conflict = written().any(|w| w.inserts && w.handles_conflicts);
            let counts = if one { "expects one row" } else { "counts on conflicts" };
            (one || conflict)
                .then(|| told(VerdictClass::AnswersDifferently, format!("it {counts}, and {}", sentence())))?
        }
        Effect::Slower => {
            let others = after.tables.get(&change.subject).is_some_and(|t| {
                change.columns.first().is_some_and(|c| t.unique.iter().any(|u| u.first() == Some(c)))
            });
            let joins = || {
                let sql = by.query.sql.to_lowercase();
                sql.contains("join")
                    && change.columns.iter().any(|c| sql.matches(&c.to_lowercase()).count() > 1)
            };
            let compared = change.columns.iter().any(|c| by.compares(&change.subject, c));
            (!others && (compared || joins())).then(|| told(VerdictClass::GetsSlow, sentence()))?
        }
        // Where the product tells what names mean, this is told by what joins compare.
        Effect::Column => {
            let words = words(&by.query.sql);
            (words.contains("natural") && !by.names_told).then(|| {
                told(
                    VerdictClass::AnswersDifferently,
                    format!("it joins by all columns of the same name, and {}", sentence()),
                )
            })?
        }
        Effect::Routine => told(VerdictClass::AnswersDifferently, sentence()),
        // A view goes with the column it shows; a routine stays, and does not find it.
        Effect::Gone if !change.columns.is_empty() => {
            let bare = change.subject.rsplit('.').next().unwrap_or_default().to_lowercase();
            let set_off = |r: &String| {
                after.triggers.get(&change.subject).is_some_and(|all| all.iter().any(|(own, _)| own == r))
            };
            let named = |routine: &&String| {
                after.routines.get(*routine).is_some_and(|words| {
                    change.columns.iter().any(|c| words.contains(&c.to_lowercase()))
                        && (words.contains(&bare) || set_off(routine))
                })
            };
            let caller = by.still.iter().find(named).filter(|_| after.tables.contains_key(&change.subject));
            caller.and_then(|caller| {
                told(
                    VerdictClass::FailsWhenRun,
                    format!("{caller}, which it calls, uses a dropped object: {}", sentence()),
                )
            })
        }
        Effect::Gone => {
            if after.tables.contains_key(&change.subject) || after.views.contains_key(&change.subject) {
                return None;
            }
            // What names it is called still, and does not find it.
            let named = |routine: &String| {
                let bare = change.subject.rsplit('.').next().unwrap_or_default().to_lowercase();
                after.routines.get(routine).is_some_and(|words| words.contains(&bare))
            };
            let caller = by.still.iter().find(|r| named(r));
            caller.map(|caller| {
                (
                    VerdictKind::Breaking,
                    VerdictClass::FailsWhenRun,
                    format!("{caller}, which it calls, needs {}, which is gone", change.subject),
                    None,
                )
            })
        }
        // What one changeset did to a role is done on the whole server: running a query cannot show it.
        Effect::RowSecurity { role } => {
            let comes = by.role == Some(role.as_str());
            comes.then(|| (VerdictKind::Breaking, VerdictClass::AnswersDifferently, sentence(), None))
        }
        Effect::Privilege(revoked) => match &revoked.role {
            Some(role) if by.role == Some(role.as_str()) => {
                let kind = needs(by, &change.subject, revoked)?;
                Some((kind, VerdictClass::LostPrivilege, sentence(), None))
            }
            Some(_) => None,
            None if by.role.is_some_and(|role| revoked.kept_by.contains(role)) => None,
            None => told(VerdictClass::LostPrivilege, sentence()),
        },
    }
}

/// Whether running the query could show the change at all.
pub fn may_affect(change: &Change, usage: &Usage, catalog: &Catalog) -> bool {
    let by_writing =
        || !usage.writes.is_empty() || usage.uses.iter().any(|u| catalog.routines.contains_key(u));
    if usage.runs_opaque {
        return true;
    }
    usage.uses.contains(&change.subject)
        && match &change.effect {
            _ if usage.run_only => true,
            // What names them is told without running anything, and a body does when it runs.
            Effect::Column => usage.uses.iter().any(|u| catalog.routines.contains_key(u)),
            Effect::Slower | Effect::Shows | Effect::RowSecurity { .. } => false,
            Effect::Refuses
            | Effect::Repeats { .. }
            | Effect::Default
            | Effect::Writes
            | Effect::Keeps
            | Effect::Generated => by_writing(),
            Effect::Reads | Effect::Key | Effect::Routine | Effect::Gone | Effect::Privilege(_) => true,
        }
}

/// How sorely a query misses what its role may not do any more; `None`: not at all.
fn needs(by: &Use<'_>, subject: &str, revoked: &Revoked) -> Option<VerdictKind> {
    let lost = |right| revoked.rights.contains(&right);
    let table = [Right::Read, Right::Insert, Right::Update, Right::Delete].into_iter().any(lost);
    let bare = subject.rsplit('.').next().unwrap_or_default().to_lowercase();
    // What stands behind a view or a routine is come to by the rights of others.
    let named = words(&by.query.sql).contains(&bare);
    let done: Vec<Events> = by.writes.iter().filter(|w| w.table == subject).map(Events::of).collect();
    let does = |on: Events| done.iter().any(|e| e.meet(on));
    let only = |insert, update, delete| does(Events { insert, update, delete });
    let written = lost(Right::Insert) && only(true, false, false)
        || lost(Right::Update) && only(false, true, false)
        || lost(Right::Delete) && only(false, false, true);
    match table {
        true if revoked.columns_left => Some(VerdictKind::Risky),
        false => Some(VerdictKind::Breaking),
        true if named && (written || lost(Right::Read) && done.is_empty()) => Some(VerdictKind::Breaking),
        // A conflict or a lock may ask for it, and what is written may be looked for first.
        true if named && (lost(Right::Read) || lost(Right::Update) && (!done.is_empty() || locks(by))) => {
            Some(VerdictKind::Risky)
        }
        true if !named => Some(VerdictKind::Risky),
        true => None,
    }
}

/// Whether it may take locks on rows: `FOR UPDATE` and the like.
fn locks(by: &Use<'_>) -> bool {
    let words = words(&by.query.sql);
    words.contains("for") && ["update", "share"].iter().any(|word| words.contains(*word))
}

/// Whether a write is of the events of a change; of an update, of its columns too.
fn sets_off(write: &Write, change: &Change) -> bool {
    let events = Events::of(write);
    let Events { update, .. } = change.on;
    events.meet(Events { update: false, ..change.on })
        || update && events.meet(Events { insert: false, update, delete: false }) && gives(write, change)
}

fn gives(write: &Write, change: &Change) -> bool {
    if Events::of(write).delete {
        return false;
    }
    change.columns.is_empty()
        || write.columns.is_empty()
        || change.columns.iter().any(|c| write.columns.contains(c))
}

/// Whether others write to the subject for it, and not it itself: a routine that it comes to call and that names the subject, or a rule of
/// what it writes.
pub fn on_its_behalf(by: &Use<'_>, subject: &str, after: &Catalog) -> bool {
    if by.writes.iter().any(|write| write.table == subject) {
        return false;
    }
    let rules = by.writes.iter().flat_map(|write| {
        let all = after.rules.get(&write.table).into_iter().flatten();
        all.filter(|(_, on)| on.meet(Events::of(write)))
    });
    if rules.into_iter().any(|(behind, _)| behind == subject) {
        return true;
    }
    let bare = subject.rsplit('.').next().unwrap_or_default().to_lowercase();
    let writes =
        |words: &BTreeSet<String>| ["insert", "update", "delete", "merge"].iter().any(|w| words.contains(*w));
    // What a routine is known to write is among what the query writes.
    let told = |routine: &&String| !after.routine_writes.contains_key(*routine);
    let mut routines = by.uses.iter().filter(told).filter_map(|routine| after.routines.get(routine));
    routines.any(|words| words.contains(&bare) && writes(words))
}

/// Whether the query itself, or a routine that it comes to call, shows or compares these columns. Views are told of on their own.
fn shows(by: &Use<'_>, change: &Change, after: &Catalog) -> bool {
    let bare = change.subject.rsplit('.').next().unwrap_or_default().to_lowercase();
    // A trigger's routine has the row, and names the column only.
    let said = |words: &BTreeSet<String>| {
        words.contains(&bare) || change.columns.iter().any(|c| words.contains(&c.to_lowercase()))
    };
    let routine = by.uses.iter().any(|r| after.routines.get(r).is_some_and(said));
    let plain = bare.chars().all(|c| c.is_alphanumeric() || c == '_');
    let partition = after.tables.get(&change.subject).is_some_and(|t| t.parent.is_some());
    let named = !plain || partition || words(&by.query.sql).contains(&bare);
    routine || named && (by.reads.all || change.columns.iter().any(|c| by.reads.names.contains(c)))
}

fn words(sql: &str) -> BTreeSet<String> {
    sql.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_lowercase).collect()
}

/// Whether the query, or what stands between it and the table, may show these columns.
fn mentions(by: &Use<'_>, change: &Change) -> bool {
    let words = words(&by.query.sql);
    let table = change.subject.rsplit('.').next().unwrap_or_default().to_lowercase();
    !words.contains(&table)
        || by.query.sql.contains('*')
        || words.contains("natural")
        || change.columns.iter().any(|c| words.contains(&c.to_lowercase()))
}
