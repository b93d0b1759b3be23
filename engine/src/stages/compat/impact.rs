//! What a change that leaves a query plannable means for that query.

use std::collections::BTreeSet;

use crate::contract::{Arity, Query};
use crate::model::catalog::Catalog;
use crate::model::change::{Change, Effect, Events};
use crate::model::evidence::VerdictKind;
use crate::model::query::{ParameterRole, Reads, Usage, Write};

/// What is known of a query before the change.
pub struct Use<'a> {
    pub query: &'a Query,
    pub role: Option<&'a str>,
    /// Everything it comes to use.
    pub uses: &'a BTreeSet<String>,
    /// What it still uses after the change.
    pub still: &'a BTreeSet<String>,
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

pub type Felt = (VerdictKind, &'static str, String, Option<String>);

/// `None`: the query does not feel it.
pub fn felt(change: &Change, by: &Use<'_>, after: &Catalog) -> Option<Felt> {
    let column = match change.columns.as_slice() {
        [one] => Some(format!("{}.{one}", change.subject)),
        _ => None,
    };
    let told =
        |class: &'static str, reason: String| Some((VerdictKind::Risky, class, reason, column.clone()));
    if !by.uses.contains(&change.subject) {
        return None;
    }
    let written = || by.writes.iter().filter(|w| w.table == change.subject);
    let sentence = || match change.reason.contains(&change.subject) {
        true => change.reason.clone(),
        false => format!("{} {}", change.subject, change.reason),
    };
    match change.effect {
        Effect::Refuses => {
            let by_itself = written().any(|w| gives(w, change));
            // What a trigger or routine writes on its behalf is not seen; that it may is.
            let on_its_behalf = written().next().is_none() && through_routine(by, &change.subject, after);
            (by_itself || on_its_behalf)
                .then(|| told("fails-when-run", format!("it writes there, and {}", sentence())))?
        }
        Effect::Generated => {
            let given = written().any(|w| change.columns.iter().any(|c| w.columns.contains(c)));
            given.then(|| (VerdictKind::Breaking, "fails-when-run", sentence(), column.clone()))
        }
        Effect::Default => {
            let left_out = written().any(|w| {
                w.inserts && !w.columns.is_empty() && !change.columns.iter().all(|c| w.columns.contains(c))
            }) || written().any(|w| w.inserts && w.columns.is_empty());
            left_out.then(|| told("answers-differently", sentence()))?
        }
        Effect::Writes => {
            let felt = written().any(|w| Events::of(w).meet(change.on))
                || written().next().is_none() && through_routine(by, &change.subject, after);
            felt.then(|| told("fails-when-run", format!("it writes there, and {}", sentence())))?
        }
        Effect::Keeps => {
            let felt = written()
                .any(|w| Events::of(w).meet(change.on) && (Events::of(w).delete || gives(w, change)));
            felt.then(|| told("fails-when-run", sentence()))?
        }
        Effect::Reads => {
            let felt = change.columns.is_empty() || mentions(by, change);
            felt.then(|| told("answers-differently", sentence()))?
        }
        Effect::Shows => shows(by, change, after).then(|| told("answers-differently", sentence()))?,
        Effect::Key => (by.query.arity == Arity::One
            && change.columns.iter().all(|c| by.compares(&change.subject, c)))
        .then(|| told("answers-differently", format!("it counts on one row, and {}", sentence())))?,
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
            (!others && (compared || joins())).then(|| told("gets-slow", sentence()))?
        }
        Effect::Column => {
            let words = words(&by.query.sql);
            words.contains("natural").then(|| {
                told(
                    "answers-differently",
                    format!("it joins by all columns of the same name, and {}", sentence()),
                )
            })?
        }
        Effect::Routine => told("answers-differently", sentence()),
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
                    "fails-when-run",
                    format!("{caller}, which it calls, names what is gone: {}", change.reason),
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
                    "fails-when-run",
                    format!("{caller}, which it calls, needs {}, which is gone", change.subject),
                    None,
                )
            })
        }
        Effect::Privilege => {
            let role = change.reason.split(' ').next().unwrap_or_default().trim_matches('"');
            match by.role {
                Some(own) if own == role => {
                    let lost = change.reason.split(" may no longer ").nth(1).unwrap_or_default();
                    let kind = needs(by, &change.subject, lost)?;
                    Some((kind, "lost-privilege", change.reason.clone(), None))
                }
                _ if role == "public" => told("lost-privilege", change.reason.clone()),
                _ => None,
            }
        }
    }
}

/// Whether running the query could show the change at all.
pub fn may_feel(change: &Change, usage: &Usage, catalog: &Catalog) -> bool {
    let by_writing =
        || !usage.writes.is_empty() || usage.uses.iter().any(|u| catalog.routines.contains_key(u));
    usage.uses.contains(&change.subject)
        && match change.effect {
            // What names them is told without running anything.
            Effect::Column | Effect::Slower | Effect::Shows => false,
            Effect::Refuses | Effect::Default | Effect::Writes | Effect::Keeps | Effect::Generated => {
                by_writing()
            }
            Effect::Reads | Effect::Key | Effect::Routine | Effect::Gone | Effect::Privilege => true,
        }
}

/// How sorely a query misses what its role may not do any more; `None`: not at all.
fn needs(by: &Use<'_>, subject: &str, lost: &str) -> Option<VerdictKind> {
    let lost = |right: &str| words(lost).contains(right);
    let table = ["select", "insert", "update", "delete"].into_iter().any(lost);
    let bare = subject.rsplit('.').next().unwrap_or_default().to_lowercase();
    // What stands behind a view or a routine is come to by the rights of others.
    let named = words(&by.query.sql).contains(&bare);
    let done: Vec<Events> = by.writes.iter().filter(|w| w.table == subject).map(Events::of).collect();
    let does = |on: Events| done.iter().any(|e| e.meet(on));
    let only = |insert, update, delete| does(Events { insert, update, delete });
    let written = lost("insert") && only(true, false, false)
        || lost("update") && only(false, true, false)
        || lost("delete") && only(false, false, true);
    match table {
        true if lost("all") => Some(VerdictKind::Risky),
        false => Some(VerdictKind::Breaking),
        true if named && (written || lost("select") && done.is_empty()) => Some(VerdictKind::Breaking),
        // A conflict or a lock may ask for it, and what is written may be looked for first.
        true if named && (lost("select") || lost("update")) => Some(VerdictKind::Risky),
        true if !named => Some(VerdictKind::Risky),
        true => None,
    }
}

fn gives(write: &Write, change: &Change) -> bool {
    if Events::of(write).delete {
        return false;
    }
    change.columns.is_empty()
        || write.columns.is_empty()
        || change.columns.iter().any(|c| write.columns.contains(c))
}

/// Whether a routine that it comes to call names the subject.
fn through_routine(by: &Use<'_>, subject: &str, after: &Catalog) -> bool {
    let bare = subject.rsplit('.').next().unwrap_or_default().to_lowercase();
    let writes =
        |words: &BTreeSet<String>| ["insert", "update", "delete", "merge"].iter().any(|w| words.contains(*w));
    by.uses.iter().any(|r| after.routines.get(r).is_some_and(|words| words.contains(&bare) && writes(words)))
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
