//! Runs queries before and after a changeset, where a plan does not tell.

use std::collections::HashMap;
use std::sync::Arc;

use super::of_query::revokes;
use super::{Checker, Reached};
use crate::error::Result;
use crate::model::change::Change;
use crate::model::changeset::Changeset;
use crate::model::error_class::ErrorClass;
use crate::model::evidence::{Verdict, VerdictClass, VerdictKind};
use crate::model::query::ParameterRole;
use crate::model::schema_action::SchemaAction;
use crate::product::{Database, Dialect};
use crate::stages::compat::query_cache::Known;
use crate::stages::compat::query_replay::{Asked, Outcome, Subject};
use crate::stages::compat::replay_verdicts::settle;
use crate::stages::view_lineage;

impl Checker<'_> {
    /// Runs what still plans, before and after the changeset.
    pub(super) async fn try_out(
        &mut self,
        changeset: &Changeset,
        changes: &[Change],
        reached: &mut [Reached],
    ) -> Result<()> {
        let Some(trial) = self.trial.as_mut() else { return Ok(()) };
        let mut changed: Vec<_> = changes.iter().map(|c| (c.subject.clone(), c.columns.clone())).collect();
        // A partition that goes is a change of its root; its rows are those to try.
        let parts = changeset.touches().into_iter();
        let parts = parts.filter(|name| self.catalog.root(name).is_some_and(|root| root != name));
        changed.extend(parts.map(|name| (name, Vec::new())));
        let open = |r: &&mut Reached| {
            (r.may_affect || !r.verdicts.is_empty())
                && !r.only_grows
                && r.verdicts.iter().all(|v| v.verdict != VerdictKind::Breaking)
        };
        let mut reached: Vec<&mut Reached> = reached.iter_mut().filter(open).collect();
        // What is doubted comes first, as long as there is time.
        reached.sort_by_key(|r| r.verdicts.is_empty());
        let (texts, catalog) = (&self.texts, &self.catalog);
        let dialect: Arc<dyn Dialect> = Arc::<dyn Database>::clone(&self.database);
        // What is written to a view is written to what is behind it.
        let mut roles: HashMap<usize, Vec<ParameterRole>> = HashMap::new();
        let mut places = Vec::new();
        for reached in &reached {
            let Some(watched) = self.watched.get(reached.at) else { continue };
            let Some(text) = texts.get(watched.text) else { continue };
            roles.entry(watched.text).or_insert_with(|| {
                let mut roles = text.now.usage.roles.clone();
                if !text.now.usage.writes.is_empty() {
                    view_lineage::parameters(&mut roles, catalog);
                }
                roles
            });
            places.push((watched, text));
        }
        let subjects: Vec<Subject<'_>> = places
            .iter()
            .map(|(watched, text)| {
                let Known { shape, usage, .. } = &text.now;
                let roles = roles.get(&watched.text).map_or(&[][..], Vec::as_slice);
                let sql = &watched.query.sql;
                let asked = Asked {
                    sql,
                    shape,
                    roles,
                    writes: &usage.writes,
                    changed: &changed,
                    ordered: usage.ordered,
                    run_only: usage.run_only,
                    dialect: &dialect,
                };
                let calls = usage.uses.iter().any(|name| catalog.routines.contains_key(name));
                let (role, sessions) = (watched.role, &self.sessions);
                let (session_before, session_after) = (sessions.before(role), sessions.after(role));
                Subject { asked, role, session_before, session_after, calls }
            })
            .collect();
        let takes_names = changeset.statements.iter().flat_map(|s| &s.actions).any(SchemaAction::takes_name);
        self.tried += u64::try_from(subjects.len()).unwrap_or(0);
        let outcomes = trial.around(changeset, subjects, &self.catalog).await?;
        for (reached, outcome) in reached.into_iter().zip(outcomes) {
            let Some(watched) = self.watched.get(reached.at) else { continue };
            let denied = matches!(&outcome, Outcome::Fails { error, .. } if error.class == ErrorClass::PermissionDenied);
            let grant_to = watched.role.filter(|_| denied && !revokes(changeset));
            let new = |kind, class, reason| Verdict {
                grant_to: grant_to.filter(|_| class == VerdictClass::FailsWhenRun).map(str::to_owned),
                ..watched.verdict(&changeset.key, kind, class, reason, None)
            };
            reached.verdicts = settle(std::mem::take(&mut reached.verdicts), outcome, takes_names, new);
        }
        Ok(())
    }
}
