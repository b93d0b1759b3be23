//! What a changeset means for one query that it may reach.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Checker, Reached};
use crate::model::catalog::Catalog;
use crate::model::change::{Change, Effect};
use crate::model::changeset::Changeset;
use crate::model::error_class::ErrorClass;
use crate::model::evidence::{Verdict, VerdictClass, VerdictKind};
use crate::model::query::{QueryError, Reads};
use crate::model::schema::SchemaSnapshot;
use crate::model::schema_action::SchemaAction;
use crate::model::session_defaults::Shut;
use crate::stages::compat::constraint_diff::{Tightened, refused_on_its_behalf, refused_writes};
use crate::stages::compat::impact::{Use, impact, may_affect, on_its_behalf};
use crate::stages::compat::meanings;
use crate::stages::compat::query_cache::{Refused, Text};
use crate::stages::compat::replay_verdicts::condense;
use crate::stages::compat::signature_diff::compare;
use crate::stages::compat::unresolved_column::missing;
use crate::stages::contract_queries::Watched;
use crate::stages::sessions::NewStart;

/// A changeset that was just applied, and what came of it.
pub(super) struct Applied<'c> {
    pub changeset: &'c Changeset,
    pub changes: &'c [Change],
    pub tightened: &'c [Tightened],
    pub after: &'c Catalog,
    pub schema: &'c SchemaSnapshot,
    /// Texts that do not plan any more.
    pub refused: &'c Refused,
    /// What the answers of texts depend on.
    pub reads: &'c HashMap<usize, Reads>,
    /// Whether the product fixes what a prepared query gives.
    pub prepared: bool,
}

impl Checker<'_> {
    /// `at`: the place of the query among the watched.
    pub(super) fn of_query(
        &self,
        at: usize,
        watched: &Watched<'_>,
        text: &Text<'_>,
        applied: &Applied<'_>,
    ) -> Reached {
        let Applied { changeset, after, .. } = *applied;
        let dialect = self.database.as_ref();
        let nothing = Reads::default();
        let mut verdicts = Vec::new();
        let mut only_grows = false;
        let start = self.sessions.new_start(watched.role);
        if let Some(error) = applied.refused.get(&watched.text) {
            let uses = &text.now.usage.uses;
            let column = missing(error, text.sql, uses, &self.catalog, after);
            let mut verdict = does_not_plan(changeset, watched, error, column);
            if let Some(NewStart::Other { was, is, .. }) = start.as_ref().filter(|_| is_path(&start)) {
                let (was, is) = (path(was), path(is));
                let whose = sessions_of(watched.role);
                verdict.reason = format!("{}; {whose} search {is} and not {was} now", verdict.reason);
            }
            verdicts.push(verdict);
        }
        if let Some(start) = &start {
            verdicts.extend(begins_otherwise(changeset, watched, start));
        }
        if let Some(next) = &text.next {
            let mut say = |kind, class, reason, column| {
                verdicts.push(watched.verdict(&changeset.key, kind, class, reason, column));
            };
            let told = compare(&text.now.shape, &next.shape, dialect, applied.prepared);
            if let Some((kind, class, reason, column)) = told {
                say(kind, class, reason, column);
            }
            let usage = &text.now.usage;
            for (kind, reason, column) in refused_writes(&usage.writes, applied.tightened) {
                say(kind, VerdictClass::FailsWhenRun, reason, Some(column));
            }
            let reads = applied.reads.get(&watched.text).unwrap_or(&nothing);
            let by = Use {
                reads,
                roles: &usage.roles,
                query: watched.query,
                role: watched.role,
                names_told: next.names.is_some(),
                uses: &usage.uses,
                still: &next.usage.uses,
                writes: &usage.writes,
            };
            let on_its_behalf = |table: &str| usage.uses.contains(table) && on_its_behalf(&by, table, after);
            for (reason, column) in refused_on_its_behalf(on_its_behalf, applied.tightened) {
                say(VerdictKind::Risky, VerdictClass::FailsWhenRun, reason, Some(column));
            }
            for change in applied.changes {
                if let Some((kind, class, reason, column)) = impact(change, &by, after)
                    && let Some(kind) = weighed(kind, change, changeset)
                {
                    say(kind, class, reason, column);
                }
            }
            for (kind, class, reason, column) in self.bodies.changed(text, changeset, applied.schema) {
                say(kind, class, reason, column);
            }
            if let (Some(was), Some(is)) = (&text.now.names, &next.names)
                && !Arc::ptr_eq(was, is)
            {
                for (kind, class, reason, column) in meanings::changed(was, is, changeset, applied.schema) {
                    say(kind, class, reason, column);
                }
                let before = verdicts.len();
                for (kind, class, reason, column) in meanings::grown_rows(was, is) {
                    verdicts.push(watched.verdict(&changeset.key, kind, class, reason, column));
                }
                only_grows = before == 0 && !verdicts.is_empty();
            }
        }
        if !matches!(start, Some(NewStart::Gone | NewStart::Shut(_))) && !revokes(changeset) {
            for verdict in verdicts.iter_mut().filter(|v| v.class == VerdictClass::LostPrivilege) {
                verdict.grant_to = watched.role.map(str::to_owned);
            }
        }
        condense(&mut verdicts);
        let may_affect =
            applied.changes.iter().any(|change| may_affect(change, &text.now.usage, &self.catalog));
        Reached { at, verdicts, may_affect, only_grows }
    }
}

/// Whether it takes rights away as such, and not with what it makes anew.
pub(super) fn revokes(changeset: &Changeset) -> bool {
    changeset.statements.iter().flat_map(|s| &s.actions).any(|a| matches!(a, SchemaAction::Revoke { .. }))
}

/// Numbers that come again do no harm to a table that is emptied; whether code that ran set them so by the rows that are there
/// does not show where there are none.
fn weighed(kind: VerdictKind, change: &Change, changeset: &Changeset) -> Option<VerdictKind> {
    let Effect::Repeats { same_source } = change.effect else { return Some(kind) };
    let does = |is: fn(&SchemaAction) -> bool| changeset.statements.iter().flat_map(|s| &s.actions).any(is);
    let emptied =
        |a: &SchemaAction| matches!(a, SchemaAction::TruncateTable { table } if *table == change.subject);
    if changeset.statements.iter().flat_map(|s| &s.actions).any(emptied) {
        return None;
    }
    let by_code = same_source
        && does(|a| matches!(a, SchemaAction::RunsCode))
        && !does(|a| matches!(a, SchemaAction::RestartSequence));
    Some(if by_code { kind.min(VerdictKind::Risky) } else { kind })
}

fn is_path(start: &Option<NewStart>) -> bool {
    matches!(start, Some(NewStart::Other { was, is, .. }) if was != is)
}

fn path(schemas: &[String]) -> String {
    if schemas.is_empty() { "no schema".to_owned() } else { schemas.join(", ") }
}

fn sessions_of(role: Option<&str>) -> String {
    role.map_or_else(|| "sessions".to_owned(), |role| format!("sessions of {role}"))
}

/// What it means for a query that sessions of its role begin otherwise, whatever its names mean then.
fn begins_otherwise(changeset: &Changeset, watched: &Watched<'_>, start: &NewStart) -> Option<Verdict> {
    let role = watched.role.unwrap_or_default();
    let (kind, class, reason) = match start {
        NewStart::Gone => {
            let reason = format!("the role {role} is gone: no session of it can begin");
            (VerdictKind::Breaking, VerdictClass::LostPrivilege, reason)
        }
        NewStart::Shut(shut) => {
            let (kind, end) = match shut {
                // Who comes by a certificate has none to begin with.
                Shut::PasswordExpired => (VerdictKind::Risky, ""),
                Shut::NoLogin | Shut::NoConnect | Shut::NoConnections => {
                    (VerdictKind::Breaking, ": no session of it can begin")
                }
            };
            (kind, VerdictClass::LostPrivilege, format!("the role {role} {shut}{end}"))
        }
        NewStart::Other { settings, .. } if settings.is_empty() => return None,
        NewStart::Other { settings, .. } => {
            let whose = sessions_of(watched.role);
            let reason = format!("{whose} begin with {}", settings.join(", "));
            (VerdictKind::Risky, VerdictClass::AnswersDifferently, reason)
        }
    };
    Some(watched.verdict(&changeset.key, kind, class, reason, None))
}

fn does_not_plan(
    changeset: &Changeset,
    watched: &Watched<'_>,
    error: &QueryError,
    column: Option<String>,
) -> Verdict {
    let (kind, class) = (VerdictKind::Breaking, VerdictClass::DoesNotPlan);
    let unique_key_gone = error.class == ErrorClass::UndefinedUniqueKey;
    Verdict { unique_key_gone, ..watched.verdict(&changeset.key, kind, class, error.to_string(), column) }
}
