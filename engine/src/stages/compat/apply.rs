//! How changesets come onto a scratch database, which has production's schema and no rows.
//!
//! On one that is a dictionary only (`ScratchKind::Dictionary`), they are applied from their statements, and Liquibase stays with production.
//!
//! What a precondition asks of rows is asked on production, where they are. A changeset that fails for want of rows comes without the
//! statements that need them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::liquibase::{Failure, Fault, FaultKind, Liquibase, RowAnswer, RowQuestion};
use crate::model::catalog::Catalog;
use crate::model::changeset::{ApplyState, Changeset, ChangesetId, Statement};
use crate::model::endpoint::Limits;
use crate::model::schema_action::SchemaAction;
use crate::product::{Database, ScratchKind};

/// A precondition that takes longer on production is not waited for.
const STATEMENT: Duration = Duration::from_secs(5);
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// How a changeset came onto the scratch database.
#[derive(Debug)]
pub enum Arrival {
    Whole,
    /// Its preconditions ask what cannot be told, and were taken to hold.
    Presumed {
        why: String,
    },
    /// A precondition or a filter keeps it from running.
    Skipped,
    /// It failed for want of rows, and came without what moves them.
    InPart {
        error: Error,
        /// What it left out may change the schema.
        opaque: bool,
    },
    /// It runs code, which came without.
    WithoutCode {
        code: String,
    },
}

pub struct Applier<'a> {
    answers: HashMap<&'a ChangesetId, Vec<RowAnswer>>,
    /// Those that came in part.
    parts: HashSet<&'a ChangesetId>,
    /// One that came in part may have changed the schema, which nobody knows.
    opaque: bool,
    /// Scratch databases are dictionaries.
    by_statements: bool,
}

impl<'a> Applier<'a> {
    /// Asks production what preconditions want to know of rows. `liquibase` is connected to production.
    ///
    /// # Errors
    /// `Failed` where a precondition of the changelog as a whole does not hold there.
    pub async fn begin(
        production: &dyn Database,
        liquibase: &mut Liquibase,
        changesets: &'a [Changeset],
        application: &str,
    ) -> Result<Self> {
        let by_statements = production.product().capabilities().scratch == ScratchKind::Dictionary;
        let mut applier =
            Self { answers: HashMap::new(), parts: HashSet::new(), opaque: false, by_statements };
        let any = changesets.iter().any(|c| !c.preconditions.is_empty());
        let catalog = if any { production.catalog().await? } else { Catalog::default() };
        let mut questions = Vec::new();
        let mut moved = Moved::default();
        for changeset in changesets {
            let mut answers = Vec::new();
            for (at, precondition) in changeset.preconditions.iter().enumerate() {
                let told = match &precondition.sql {
                    None => Some(unknown(format!("{} runs code", precondition.name))),
                    // A dictionary answers nothing, not even what only asks it.
                    Some(sql) => {
                        let told = moved.answer(production, sql, &catalog).await;
                        told.filter(|answer| !(by_statements && matches!(answer, RowAnswer::Here)))
                    }
                };
                if told.is_none() {
                    questions.push(RowQuestion { changeset: &changeset.key, at });
                }
                answers.push(told.unwrap_or(RowAnswer::Here));
            }
            if !answers.is_empty() {
                applier.answers.insert(&changeset.key, answers);
            }
            moved.add(changeset);
        }
        let limits = Limits { lock_wait: Some(LOCK_WAIT), statement: Some(STATEMENT) };
        let session = production.session_setup(&limits, application);
        let told = liquibase.judge(&questions, &session).await?;
        for (question, answer) in questions.iter().zip(told) {
            let answers = applier.answers.get_mut(question.changeset);
            if let Some(slot) = answers.and_then(|answers| answers.get_mut(question.at)) {
                *slot = answer;
            }
        }
        Ok(applier)
    }

    /// Makes `scratch` the database that changesets are applied to.
    ///
    /// # Errors
    /// `Failed` when Liquibase cannot connect to it.
    pub async fn connect(
        &self,
        liquibase: &mut Liquibase,
        scratch: &dyn Database,
        application: &str,
    ) -> Result<()> {
        if self.by_statements {
            return Ok(());
        }
        liquibase.connect(scratch, application).await
    }

    /// Lets go of the database that `connect` was called with: one that is copied must have no sessions.
    ///
    /// # Errors
    /// `Failed` when Liquibase cannot.
    pub async fn disconnect(&self, liquibase: &mut Liquibase) -> Result<()> {
        if self.by_statements {
            return Ok(());
        }
        liquibase.disconnect().await
    }

    /// Applies a changeset to `scratch`, which `connect` was called with.
    ///
    /// # Errors
    /// As Liquibase and the database give them, for what does not fail for want of rows.
    pub async fn apply(
        &mut self,
        liquibase: &mut Liquibase,
        scratch: &dyn Database,
        changeset: &'a Changeset,
    ) -> Result<Arrival, Failure> {
        if self.by_statements {
            return self.apply_statements(scratch, changeset).await;
        }
        if let Some(code) = changeset.code.first() {
            // What of it does not apply without its code is as little known as what the code does.
            let _ = without_rows(scratch, changeset).await;
            liquibase.record(&changeset.key).await?;
            self.parts.insert(&changeset.key);
            self.opaque = true;
            return Ok(Arrival::WithoutCode { code: code.to_string() });
        }
        let failure = match liquibase.apply_to_copy(&changeset.key, self.answers(&changeset.key)).await {
            Ok((ApplyState::Applied, false)) => return Ok(Arrival::Whole),
            Ok((ApplyState::Applied, true)) => {
                return Ok(Arrival::Presumed { why: self.unknown(&changeset.key) });
            }
            Ok(_) => return Ok(Arrival::Skipped),
            Err(failure) => failure,
        };
        let needs_rows =
            lacks_rows(scratch, &failure) && changeset.statements.iter().any(Statement::moves_rows);
        let opaque = match needs_rows {
            true => match without_rows(scratch, changeset).await {
                Some(opaque) => opaque,
                None => return Err(failure),
            },
            // What it builds on may have been left out.
            false if self.opaque => true,
            false => return Err(failure),
        };
        liquibase.record(&changeset.key).await?;
        self.parts.insert(&changeset.key);
        self.opaque |= opaque;
        Ok(Arrival::InPart { error: failure.into(), opaque })
    }

    /// Preconditions are asked where the rows are; those that only Liquibase could tell on a copy are taken to hold.
    async fn apply_statements(
        &mut self,
        scratch: &dyn Database,
        changeset: &'a Changeset,
    ) -> Result<Arrival, Failure> {
        let answers = self.answers(&changeset.key);
        if answers.iter().any(|answer| matches!(answer, RowAnswer::Fails { .. })) {
            return Ok(Arrival::Skipped);
        }
        let doubt = answers.iter().find_map(|answer| match answer {
            RowAnswer::Unknown { message } => Some(message.clone()),
            RowAnswer::Here => Some("it asks for what only a server tells".to_owned()),
            RowAnswer::Holds | RowAnswer::Fails { .. } => None,
        });
        let applied = scratch.execute_script(&script(&changeset.statements)).await;
        let code = changeset.code.first().map(ToString::to_string);
        self.opaque |= code.is_some();
        let whole = applied.is_ok() && code.is_none();
        let arrival = match (applied, code, doubt) {
            // What it builds on may have been left out.
            (Err(error), None, None) if self.opaque => Arrival::InPart { error, opaque: true },
            (Err(error), None, None) => return Err(Failure::Other(error)),
            // It may be just what the precondition asks for.
            (Err(error), None, Some(why)) => {
                Arrival::Presumed { why: format!("{why}, and it does not apply as it is: {}", error.chain()) }
            }
            (_, Some(code), _) => Arrival::WithoutCode { code },
            (Ok(()), None, Some(why)) => Arrival::Presumed { why },
            (Ok(()), None, None) => Arrival::Whole,
        };
        if !whole {
            self.parts.insert(&changeset.key);
        }
        Ok(arrival)
    }

    /// Applies what has been accepted to another scratch database, as it came onto the first one.
    ///
    /// # Errors
    /// As Liquibase gives them.
    pub async fn again(
        &self,
        liquibase: &mut Liquibase,
        scratch: &dyn Database,
        accepted: &[ChangesetId],
        changesets: &[Changeset],
    ) -> Result<()> {
        if self.by_statements {
            for key in accepted {
                let changeset = changesets.iter().find(|c| c.key == *key);
                let skipped = self.answers(key).iter().any(|a| matches!(a, RowAnswer::Fails { .. }));
                let Some(changeset) = changeset.filter(|_| !skipped) else { continue };
                let applied = scratch.execute_script(&script(&changeset.statements)).await;
                // What came in part comes so again.
                if !self.parts.contains(key) {
                    applied?;
                }
            }
            return Ok(());
        }
        let plain = |key: &ChangesetId| !self.parts.contains(key) && !self.answers.contains_key(key);
        for some in accepted.chunk_by(|a, b| plain(a) && plain(b)) {
            match some {
                [key] if self.parts.contains(key) => {
                    if let Some(changeset) = changesets.iter().find(|c| c.key == *key) {
                        let _ = without_rows(scratch, changeset).await;
                    }
                    liquibase.record(key).await?;
                }
                [key] if !plain(key) => drop(liquibase.apply_to_copy(key, self.answers(key)).await?),
                some => liquibase.apply_all_to_copy(some).await?,
            }
        }
        Ok(())
    }

    fn answers(&self, key: &ChangesetId) -> &[RowAnswer] {
        self.answers.get(key).map_or(&[], Vec::as_slice)
    }

    fn unknown(&self, key: &ChangesetId) -> String {
        let why = self.answers(key).iter().find_map(|answer| match answer {
            RowAnswer::Unknown { message } => Some(message.clone()),
            RowAnswer::Holds | RowAnswer::Fails { .. } | RowAnswer::Here => None,
        });
        why.unwrap_or_default()
    }
}

/// The statements as one script. A unit of code ends with a slash, and any other statement may.
fn script(statements: &[Statement]) -> String {
    statements.iter().map(|statement| format!("{}\n/\n", statement.sql.trim_end())).collect()
}

fn unknown(message: String) -> RowAnswer {
    RowAnswer::Unknown { message }
}

/// Whose rows changesets before the one under judgement move.
#[derive(Default)]
struct Moved {
    tables: BTreeSet<String>,
    /// Code that may move any.
    any: bool,
}

impl Moved {
    fn add(&mut self, changeset: &Changeset) {
        for statement in &changeset.statements {
            self.tables.extend(statement.moved_tables().map(str::to_owned));
            if statement.actions.contains(&SchemaAction::RunsCode) {
                self.any |= statement.touches.is_empty();
                self.tables.extend(statement.touches.iter().cloned());
            }
        }
    }

    /// What is known without asking; `None`: production knows.
    async fn answer(&self, production: &dyn Database, sql: &str, catalog: &Catalog) -> Option<RowAnswer> {
        let usage = production.queries(&[sql], catalog).await.into_iter().next().and_then(Result::ok);
        let Some(usage) = usage.filter(|u| u.only_reads) else {
            return Some(unknown("it may do more than read".to_owned()));
        };
        let of_users = |name: &&String| {
            catalog.tables.contains_key(*name)
                || catalog.views.contains_key(*name)
                || catalog.routines.contains_key(*name)
        };
        if let Some(table) = usage.uses.iter().find(|name| self.tables.contains(*name)) {
            return Some(unknown(format!("an earlier changeset changes the rows of {table}")));
        }
        if !usage.uses.iter().any(|name| of_users(&name)) {
            // The catalog, or a table that is new and empty on production too.
            return Some(RowAnswer::Here);
        }
        self.any.then(|| unknown("an earlier changeset runs code that may change rows".to_owned()))
    }
}

/// Why a changeset that does not apply ends the check.
pub fn refusal(changeset: &Changeset, failure: Failure, catalog: &Catalog) -> Error {
    let place = changeset.place();
    let foreign = |table: &&str| catalog.tables.get(*table).is_some_and(|t| t.foreign);
    let moved = changeset.statements.iter().flat_map(Statement::moved_tables).find(foreign);
    if let Some(table) = moved {
        return Error::refused(format!(
            "{place} writes to {table}, whose rows are on another server: a copy reaches no other server, so that this can be neither \
             checked nor rehearsed"
        ))
        .because(Error::from(failure))
        .hint("nothing was written; change the rows there, or run this changeset with Liquibase itself before the others");
    }
    let what = match &failure {
        Failure::Fault(Fault { kind: FaultKind::Precondition, .. }) => "production",
        _ => "production's schema",
    };
    let error = Error::from(failure);
    let kind = if error.kind == ErrorKind::Input { ErrorKind::Input } else { ErrorKind::Refused };
    Error::new(kind, format!("{place} does not apply to {what}"))
        .because(error)
        .hint("production was not touched; correct the changeset")
}

/// Whether a failure may come of tables that are empty.
fn lacks_rows(database: &dyn Database, failure: &Failure) -> bool {
    match failure {
        Failure::Fault(fault) => fault.codes().any(|code| database.error_class(&code).may_lack_rows()),
        Failure::Died(_) | Failure::Other(_) => false,
    }
}

/// Runs what of a changeset does not move rows, which is nothing to a schema. Whether what it left out may change the schema all the
/// same; `None`: it does not apply like that either.
async fn without_rows(scratch: &dyn Database, changeset: &Changeset) -> Option<bool> {
    let code = |s: &Statement| s.actions.contains(&SchemaAction::RunsCode);
    let has_code = changeset.statements.iter().any(code);
    for opaque in if has_code { &[false, true][..] } else { &[false][..] } {
        let kept = changeset.statements.iter().filter(|s| !s.moves_rows() || code(s) && !opaque);
        let own = kept.filter(|s| !s.is_instance_wide());
        let script: Vec<&str> = own.map(|s| s.sql.trim_end().trim_end_matches(';')).collect();
        if script.is_empty() || scratch.execute_script(&script.join(";\n")).await.is_ok() {
            return Some(*opaque);
        }
    }
    None
}
