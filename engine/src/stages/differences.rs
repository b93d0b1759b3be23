//! What keeps a database from equalling what it was: every difference with its class, its cause, and whether it may stay.
//!
//! A real loss must never pass as harmless, so whatever is not proven is a difference that refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::contract::Contract;
use crate::error::Result;
use crate::model::catalog::Catalog;
use crate::model::changeset::{Changeset, Statement, Suppression};
use crate::model::difference::{DefinitionChange, Difference, DifferenceClass, Doubt, Standing};
use crate::model::relation_name;
use crate::model::row_writer::{Occasion, RowWriter};
use crate::model::schema::{
    DataFingerprint, ObjectChange, SchemaFingerprint, TableChange, TableFingerprint, WriteMark,
};
use crate::model::schema_action::SchemaAction;
use crate::product::Database;
use crate::stages::contract_queries;

/// The differences of two looks at one database's schema, once these changesets and their inverses have run.
pub fn of_schema_here(
    database: &dyn Database,
    before: &SchemaFingerprint,
    after: &SchemaFingerprint,
    changesets: &[&Changeset],
) -> Vec<Difference> {
    before.changes_here(after).filter_map(|change| of_object(database, change, changesets)).collect()
}

/// The same where one look may be at a copy of the other's database.
pub fn of_schema(
    database: &dyn Database,
    before: &SchemaFingerprint,
    after: &SchemaFingerprint,
    changesets: &[&Changeset],
) -> Vec<Difference> {
    before.changes(after).filter_map(|change| of_object(database, change, changesets)).collect()
}

/// `None`: another difference says it.
fn of_object(
    database: &dyn Database,
    change: ObjectChange<'_>,
    changesets: &[&Changeset],
) -> Option<Difference> {
    let read = match (change.before, change.after) {
        (Some(before), Some(after)) => database.definition_change(change.object, before, after),
        _ => DefinitionChange::Other,
    };
    let does = |wanted: SchemaAction| {
        changesets.iter().any(|c| c.statements.iter().any(|s| s.actions.contains(&wanted)))
    };
    let class = match read {
        DefinitionChange::LabelsAdded { enumeration, labels }
            if labels.iter().all(|label| {
                does(SchemaAction::AddEnumLabel { enumeration: enumeration.clone(), label: label.clone() })
            }) =>
        {
            DifferenceClass::LabelKept
        }
        DefinitionChange::Validated { table, constraint }
            if does(SchemaAction::ValidateConstraint { table: table.clone(), name: constraint.clone() }) =>
        {
            DifferenceClass::ValidityKept
        }
        DefinitionChange::Implied => return None,
        DefinitionChange::ColumnsReordered => DifferenceClass::ColumnOrder,
        DefinitionChange::LabelsAdded { .. }
        | DefinitionChange::Validated { .. }
        | DefinitionChange::Other => DifferenceClass::Other,
    };
    Some(Difference {
        class,
        object: change.object.to_owned(),
        columns: Vec::new(),
        writers: Vec::new(),
        doubt: None,
        line: change.to_string(),
        standing: match class {
            DifferenceClass::ColumnOrder => Standing::Told,
            _ => allowed(class, change.object, changesets),
        },
    })
}

/// What the authors of changesets say of a class.
fn allowed(class: DifferenceClass, object: &str, changesets: &[&Changeset]) -> Standing {
    let is =
        |s: &&Suppression| s.difference() == Some(class) && s.of.as_deref().is_none_or(|of| of == object);
    let line = changesets.iter().find_map(|c| Some((c, c.suppressions.iter().find(is)?)));
    match line {
        Some((changeset, line)) => {
            Standing::Allowed { changeset: changeset.key.clone(), reason: line.reason.clone() }
        }
        None => Standing::Refused,
    }
}

/// Reads the differences of rows on a clone, on which nobody but these changesets and their inverses has written.
pub struct RowDifferences<'a> {
    pub database: &'a Arc<dyn Database>,
    pub contracts: &'a [Contract],
    pub changesets: &'a [&'a Changeset],
    /// When they began to run.
    pub since: Option<&'a WriteMark>,
}

impl RowDifferences<'_> {
    /// # Errors
    /// As the database gives them.
    pub async fn read(&self, before: &DataFingerprint, after: &DataFingerprint) -> Result<Vec<Difference>> {
        let changes: Vec<TableChange<'_>> = before.changes(after).collect();
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let writers = self.database.row_writers().await?;
        let catalog = self.database.catalog().await?;
        let mut all = Vec::new();
        for change in changes {
            all.push(match (change.before, change.after) {
                (Some(was), Some(is)) => self.of_table(change, was, is, &writers, &catalog).await?,
                _ => real(change),
            });
        }
        Ok(all)
    }

    async fn of_table(
        &self,
        change: TableChange<'_>,
        was: &TableFingerprint,
        is: &TableFingerprint,
        writers: &[RowWriter],
        catalog: &Catalog,
    ) -> Result<Difference> {
        let table = change.table;
        let fired = fired(writers, self.changesets, catalog);
        if let Some(columns) = was.differ_only_in(is) {
            let setters = fired.iter().filter(|w| {
                matches!(&w.id.occasion, Occasion::Rows { table: of } if catalog.root(of) == Some(table))
                    && columns.iter().any(|c| w.sets.contains(c))
            });
            let writers: Vec<_> = setters.map(|w| w.id.clone()).collect();
            if !writers.is_empty() {
                let class = DifferenceClass::TriggerColumns;
                let standing = allowed(class, table, self.changesets);
                return Ok(Difference { class, columns, writers, standing, ..real(change) });
            }
        }
        // What a changeset writes itself is its inverse's to take back.
        if self.statements().any(|s| s.touches.iter().any(|t| catalog.root(t) == Some(table))) {
            return Ok(real(change));
        }
        if is.rows <= was.rows || !self.is_all_there(table, was).await? {
            return Ok(real(change));
        }
        let class = DifferenceClass::LogRows;
        let loggers: Vec<&RowWriter> =
            fired.into_iter().filter(|w| w.inserts.iter().any(|t| catalog.root(t) == Some(table))).collect();
        let doubt = self.doubt(table, &loggers, catalog).await;
        let standing = match &doubt {
            None => Standing::Harmless,
            Some(_) => allowed(class, table, self.changesets),
        };
        let writers = loggers.into_iter().map(|w| w.id.clone()).collect();
        Ok(Difference { class, writers, doubt, standing, ..real(change) })
    }

    fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.changesets.iter().flat_map(|c| c.statements.iter().chain(&c.inverse))
    }

    /// Whether each row that was there is there, and nobody has written it.
    async fn is_all_there(&self, table: &str, was: &TableFingerprint) -> Result<bool> {
        let Some(since) = self.since else { return Ok(false) };
        let old = self.database.untouched_since(&[table.to_owned()], since).await?;
        Ok(old.tables.get(table).is_some_and(|old| (old.rows, &old.hash) == (was.rows, &was.hash)))
    }

    /// What keeps rows that have come from being a trigger's by proof. No statement writes to the table.
    async fn doubt(&self, table: &str, loggers: &[&RowWriter], catalog: &Catalog) -> Option<Doubt> {
        let runs_code = |s: &Statement| s.actions.contains(&SchemaAction::RunsCode);
        let code =
            |c: &&&Changeset| !c.code.is_empty() || c.statements.iter().chain(&c.inverse).any(runs_code);
        if let Some(changeset) = self.changesets.iter().find(code) {
            return Some(Doubt::Code { changeset: changeset.key.clone() });
        }
        if loggers.is_empty() {
            return Some(Doubt::NoWriter);
        }
        // What logs a change of the schema logs the rehearsal. A table that fills when rows are written may be more than a log.
        if loggers.iter().all(|w| w.id.occasion == Occasion::SchemaChange) {
            return None;
        }
        let (watched, texts) = contract_queries::watched(self.contracts);
        // That a query writes where the trigger is makes nobody a reader of the log.
        let by_itself = Catalog { triggers: BTreeMap::new(), ..catalog.clone() };
        let texts: Vec<&str> = texts.iter().map(|(sql, _)| *sql).collect();
        let usages = contract_queries::usages(self.database, &texts, &by_itself).await;
        // A role may find another table under the same bare name.
        let named = |uses: &BTreeSet<String>| {
            behind(uses, catalog).iter().any(|name| relation_name::bare(name) == relation_name::bare(table))
        };
        for query in watched {
            match usages.get(query.text) {
                Some(Ok(usage)) if !named(&usage.uses) => {}
                Some(Ok(_)) => {
                    let (service, query) = (query.service.to_owned(), query.query.name.clone());
                    return Some(Doubt::Used { service, query });
                }
                _ => return Some(Doubt::UnknownUse),
            }
        }
        None
    }
}

/// A difference that nothing explains.
fn real(change: TableChange<'_>) -> Difference {
    Difference {
        class: DifferenceClass::Other,
        object: change.table.to_owned(),
        columns: Vec::new(),
        writers: Vec::new(),
        doubt: None,
        line: change.to_string(),
        standing: Standing::Refused,
    }
}

/// Relations, what the views among them read, and the tables that partitions are of.
fn behind(uses: &BTreeSet<String>, catalog: &Catalog) -> BTreeSet<String> {
    let (mut all, mut open) = (BTreeSet::new(), uses.iter().cloned().collect::<Vec<_>>());
    while let Some(name) = open.pop() {
        if all.insert(name.clone()) {
            open.extend(catalog.views.get(&name).into_iter().flatten().cloned());
            open.extend(catalog.root(&name).map(str::to_owned));
        }
    }
    all
}

/// The triggers that may have fired: on tables that the changesets write to, on those that other triggers and foreign keys change
/// then, and on a change of the schema.
fn fired<'a>(writers: &'a [RowWriter], changesets: &[&Changeset], catalog: &Catalog) -> Vec<&'a RowWriter> {
    let statements = || changesets.iter().flat_map(|c| c.statements.iter().chain(&c.inverse));
    let is_of_rows = |a: &SchemaAction| matches!(a, SchemaAction::MoveRows { .. } | SchemaAction::RunsCode);
    let changes_schema = statements().any(|s| !s.actions.iter().all(is_of_rows));
    let mut written: BTreeSet<&str> = statements().flat_map(Statement::moved_tables).collect();
    for statement in statements() {
        written.extend(statement.actions.iter().filter_map(|action| match action {
            SchemaAction::TruncateTable { table } => Some(table.as_str()),
            _ => None,
        }));
    }
    let roots = |written: &BTreeSet<&str>| -> BTreeSet<String> {
        written.iter().filter_map(|t| catalog.root(t)).map(str::to_owned).collect()
    };
    let mut reached = roots(&written);
    let fires = |w: &RowWriter, reached: &BTreeSet<String>| match &w.id.occasion {
        Occasion::Rows { table } => catalog.root(table).is_some_and(|root| reached.contains(root)),
        Occasion::SchemaChange => changes_schema,
    };
    loop {
        let before = reached.len();
        for writer in writers {
            if fires(writer, &reached) {
                reached.extend(writer.inserts.iter().filter_map(|t| catalog.root(t)).map(str::to_owned));
            }
        }
        let follow: Vec<String> = reached
            .iter()
            .flat_map(|table| catalog.follow.get(table).into_iter().flatten())
            .map(|(table, _)| table.clone())
            .collect();
        reached.extend(follow);
        if reached.len() == before {
            return writers.iter().filter(|w| fires(w, &reached)).collect();
        }
    }
}

/// The lines of changesets that allow a class of differences, and allow none.
pub fn unused<'a>(changeset: &'a Changeset, found: &[Difference]) -> Vec<&'a Suppression> {
    let used = |line: &Suppression| {
        found.iter().any(|d| {
            Some(d.class) == line.difference()
                && matches!(&d.standing, Standing::Allowed { changeset: by, reason }
                    if *by == changeset.key && *reason == line.reason)
        })
    };
    changeset.suppressions.iter().filter(|s| s.is_of_rehearsal() && !used(s)).collect()
}

/// How to let what refuses pass: for its message, where each of its `lines` is a difference that may be allowed.
pub fn way_out(explained: &[Difference], lines: &[String]) -> Option<String> {
    let of = |line: &String| explained.iter().find(|d| d.is_refused() && d.to_string() == *line);
    let names: Option<BTreeSet<&str>> = lines.iter().map(|line| of(line)?.class.allowance()).collect();
    let line = |name: &str| format!("`-- drydock: allow {name} because REASON`");
    let all: Vec<String> = names?.into_iter().map(line).collect();
    (!all.is_empty()).then(|| format!("write {} into the changeset if it may stay so", all.join(" and ")))
}
