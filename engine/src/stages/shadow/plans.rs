//! The plans of all queries on the clone, before the first changeset and after each one. The clone has production's sizes, so
//! what the planner says there is what it will say on production. Plans are for any values: before and after are alike in that.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use crate::config::ShadowSettings;
use crate::contract::Contract;
use crate::error::{Context, Result};
use crate::model::catalog::Catalog;
use crate::model::changeset::{Changeset, Phase};
use crate::model::error_class::ErrorClass;
use crate::model::evidence::{LockWait, Verdict, VerdictClass, VerdictKind};
use crate::model::query::{PlanShape, QueryError, QueryShape, Usage};
use crate::model::session::HeldLock;
use crate::product::Database;
use crate::stages::contract_queries::{Watched, watched};
use crate::stages::sessions::{Asked, Planned, Sessions};
use crate::stages::shadow::slow::{Found, Slower, Story, slower};
use crate::stages::shadow::waits;
use crate::stages::suppressions;

const CLASS: VerdictClass = VerdictClass::GetsSlow;

struct Text<'a> {
    /// The query, and the role that asks it.
    asked: Asked<'a>,
    usage: Usage,
    /// Before the first changeset, or since data was moved; none for what has no plan.
    first: Option<(QueryShape, PlanShape)>,
    story: Story,
}

/// The plans of all queries, held against those before the first changeset.
pub struct Plans<'a> {
    database: Arc<dyn Database>,
    sessions: Sessions,
    /// Whether the product estimates costs; without them no plan is compared.
    costs: bool,
    limits: ShadowSettings,
    catalog: Catalog,
    watched: Vec<Watched<'a>>,
    texts: Vec<Text<'a>>,
}

impl<'a> Plans<'a> {
    /// Plans every query before anything is changed.
    ///
    /// # Errors
    /// `Failed` when the clone cannot be asked.
    pub async fn begin(
        database: &Arc<dyn Database>,
        contracts: &'a [Contract],
        changesets: &[Changeset],
        application: &str,
        limits: &ShadowSettings,
    ) -> Result<Self> {
        let begun = Instant::now();
        let mut sessions = Sessions::begin(database, contracts, application).await?;
        let catalog = database.catalog().await?;
        let (watched, distinct) = watched(contracts);
        let shapes = sessions.describe_all(database, &distinct).await?;
        let usages = sessions.usages(database, &distinct, &catalog).await;
        let usages = usages.into_iter().collect::<Result<Vec<Usage>>>()?;
        let used: BTreeSet<&String> = usages.iter().flat_map(|u| &u.uses).collect();
        let touched = changesets.iter().flat_map(Changeset::touches).filter(|t| used.contains(t));
        let costs = database.product().capabilities().plan_costs;
        if costs {
            // Later looks may need new statistics: nothing that only they show is a changeset's doing.
            database.refresh_statistics(&tables(touched.collect(), &catalog), &[]).await?;
        }
        let catalog = database.catalog().await?;
        let mut texts = Vec::new();
        let all: Vec<Option<QueryShape>> = shapes.into_iter().map(|s| s.ok().filter(|_| costs)).collect();
        let known = distinct.iter().zip(&all).filter_map(|(asked, shape)| Some((*asked, shape.as_ref()?)));
        let mut plans = sessions.plan_all(database, &known.collect::<Vec<_>>()).await?.into_iter();
        for ((asked, usage), shape) in distinct.into_iter().zip(usages).zip(all) {
            let first = match shape {
                Some(shape) => standing(plans.next())?.map(|plan| (shape, plan)),
                None => None,
            };
            texts.push(Text { asked, usage, first, story: Story::default() });
        }
        tracing::debug!(texts = texts.len(), all = ?begun.elapsed(), "planned before any change");
        let (database, limits) = (Arc::clone(database), limits.clone());
        Ok(Self { database, sessions, costs, limits, catalog, watched, texts })
    }

    /// Who waited, or would have, for what a changeset held. To be asked before `after`.
    pub fn waits(&self, locks: &[HeldLock], budget_ms: u64) -> Vec<LockWait> {
        let usages: Vec<&Usage> = self.texts.iter().map(|t| &t.usage).collect();
        waits::waits(locks, &self.watched, &usages, &self.catalog, budget_ms)
    }

    /// A changeset ran: plans what it may reach once more. `rewritten`: tables that are stored anew; `moved`: rows were changed.
    ///
    /// # Errors
    /// `Failed` when the clone cannot be asked.
    pub async fn after(&mut self, changeset: &Changeset, rewritten: &[String], moved: bool) -> Result<()> {
        let touched: BTreeSet<String> = changeset.touches().into_iter().collect();
        // What touches no table we know of (types, functions, schemas) may reach any query.
        let everything = changeset.statements.iter().any(|s| s.touches.is_empty());
        let reached = |text: &Text<'_>| everything || !text.usage.uses.is_disjoint(&touched);
        let reached: Vec<usize> =
            (0..).zip(&self.texts).filter(|(_, t)| reached(t)).map(|(n, _)| n).collect();
        if reached.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        self.sessions.renew(&self.database).await?;
        self.sessions.accept();
        let before = std::mem::replace(&mut self.catalog, self.database.catalog().await?);
        // What lasts is the plan with statistics of what is there now.
        let moved = moved || changeset.statements.iter().any(|s| s.phase == Phase::Migrate);
        let here = |table: &&String| self.catalog.tables.contains_key(*table);
        let anew: Vec<String> = rewritten.iter().filter(here).cloned().collect();
        let mut other = tables(touched.clone(), &self.catalog);
        other.retain(|t| !anew.contains(t) && (moved || !before.tables.contains_key(t)));
        self.renew(&other, &anew).await?;
        let mut found = self.plan(&reached).await?;
        if found.iter().any(|(.., slower)| slower.is_some()) && other.is_empty() && anew.is_empty() {
            self.renew(&tables(touched, &self.catalog), &[]).await?;
            found = self.plan(&reached).await?;
        }
        // What only moves data is meant to: that the plan follows is no path lost.
        let data_only = changeset.phase == Phase::Migrate;
        for (place, plan, slower) in found {
            let Some(text) = self.texts.get_mut(place) else { continue };
            match slower {
                Some(slower) if data_only && !text.story.is_open() => {
                    text.story.has_more_to_do(&changeset.key, slower);
                    text.first = text.first.take().map(|(shape, _)| (shape, plan));
                }
                slower => text.story.goes_on(&changeset.key, slower),
            }
        }
        tracing::debug!(changeset = %changeset.key, reached = reached.len(), all = ?begun.elapsed(), "planned again");
        let asked: Vec<Asked<'_>> =
            reached.iter().filter_map(|n| self.texts.get(*n)).map(|t| t.asked).collect();
        let usages = self.sessions.usages(&self.database, &asked, &self.catalog).await;
        for (place, usage) in reached.into_iter().zip(usages) {
            // What does not plan any more uses what it used.
            if let (Some(text), Ok(usage)) = (self.texts.get_mut(place), usage) {
                text.usage = usage;
            }
        }
        Ok(())
    }

    async fn renew(&mut self, tables: &[String], rewritten: &[String]) -> Result<()> {
        if self.costs && (!tables.is_empty() || !rewritten.is_empty()) {
            self.database.refresh_statistics(tables, rewritten).await?;
            self.catalog = self.database.catalog().await?;
        }
        Ok(())
    }

    /// What does not plan any more is left out: it is compat's to say.
    async fn plan(&mut self, places: &[usize]) -> Result<Vec<(usize, PlanShape, Option<Slower>)>> {
        let text = |place: &usize| {
            let text = self.texts.get(*place)?;
            text.first.as_ref().map(|(shape, first)| (*place, text, shape, first))
        };
        let known: Vec<_> = places.iter().filter_map(text).collect();
        let asked: Vec<Planned<'_>> = known.iter().map(|(_, text, shape, _)| (text.asked, *shape)).collect();
        let plans = self.sessions.plan_all(&self.database, &asked).await?;
        let mut found = Vec::new();
        for ((place, text, _, first), plan) in known.into_iter().zip(plans) {
            if let Some(now) = standing(Some(plan))? {
                let slower = slower(first, &now, &text.usage.uses, &self.catalog, &self.limits);
                found.push((place, now, slower));
            }
        }
        Ok(found)
    }

    /// Everything that gets slow, with what authors let pass, and the lines of theirs that let nothing pass. `told`: what was
    /// said of it before, without a look at production's sizes.
    pub fn verdicts(self, changesets: &[Changeset], told: &[Verdict]) -> (Vec<Verdict>, Vec<String>) {
        let mut all = Vec::new();
        let mut unused = Vec::new();
        for changeset in changesets {
            let key = &changeset.key;
            let mut verdicts = Vec::new();
            for watched in &self.watched {
                let story = self.texts.get(watched.text).map(|t| &t.story);
                let found = story.into_iter().flat_map(Story::all);
                for Found { slower, until, .. } in found.filter(|f| f.changeset == *key) {
                    let kind = if until.is_some() { VerdictKind::Risky } else { slower.kind };
                    let reason = slower.reason(until.as_ref());
                    verdicts.push(watched.verdict(key, kind, CLASS, reason, None));
                }
            }
            let known = told.iter().filter(|v| v.class == CLASS && v.changeset == *key);
            let passed: Vec<&str> = known.filter_map(|v| v.allowed.as_deref()).collect();
            let lines = suppressions::verdicts(&changeset.suppressions, &mut verdicts).into_iter();
            let lines = lines.filter(|a| a.class() == Some(CLASS) && !passed.contains(&a.reason.as_str()));
            unused.extend(
                lines.map(|a| format!("{}: {}", changeset.place(), suppressions::nothing_to_pass(a))),
            );
            all.extend(verdicts);
        }
        (all, unused)
    }
}

/// Tables among these, without partitions of one that is there too.
fn tables(names: BTreeSet<String>, catalog: &Catalog) -> Vec<String> {
    let within = |name: &String| catalog.tables.get(name).and_then(|t| t.parent.as_ref());
    let wanted = |name: &&String| {
        catalog.tables.contains_key(*name) && within(name).is_none_or(|p| !names.contains(p))
    };
    names.iter().filter(wanted).cloned().collect()
}

fn standing(plan: Option<Result<Option<PlanShape>, QueryError>>) -> Result<Option<PlanShape>> {
    match plan {
        Some(Err(error)) if error.class == ErrorClass::ConnectionLost => {
            Err(error).context("the clone broke the connection")
        }
        Some(Ok(plan)) => Ok(plan),
        Some(Err(_)) | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalog::Table;

    #[test]
    fn statistics_are_renewed_once_for_a_table_and_its_partitions() {
        let names = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect::<BTreeSet<String>>();
        let mut catalog = Catalog::default();
        for (name, parent) in [("s.big", None), ("s.parts", None), ("s.parts_1", Some("s.parts"))] {
            let parent = parent.map(str::to_owned);
            catalog.tables.insert(name.to_owned(), Table { parent, ..Table::default() });
        }
        let wanted = names(&["s.parts", "s.parts_1", "s.big", "s.gone"]);
        assert_eq!(tables(wanted, &catalog), ["s.big", "s.parts"]);
        assert_eq!(tables(names(&["s.parts_1"]), &catalog), ["s.parts_1"]);
    }
}
