//! Changesets that reach nothing of what services use. The schema is not looked at after each of them: a look takes longer the more there
//! is, and most changesets of a long list are about tables that are new.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::model::changeset::Changeset;
use crate::model::query::Usage;
use crate::model::relation_name::bare;
use crate::model::schema_action::SchemaAction;

/// All that queries and API fields come to use, by name without schema: a new table may take the place of one in another schema.
pub struct UsedNames<'a> {
    names: HashSet<Cow<'a, str>>,
    /// Some query may use anything.
    all: bool,
}

impl<'a> UsedNames<'a> {
    pub fn of(usages: impl Iterator<Item = &'a Usage>, tables: impl Iterator<Item = &'a str>) -> Self {
        let mut all = false;
        let mut names: HashSet<Cow<'_, str>> = tables.map(bare).collect();
        for usage in usages {
            all |= usage.runs_opaque;
            names.extend(usage.uses.iter().map(|name| bare(name)));
        }
        Self { names, all }
    }

    /// Whether it may change anything that is used. What is not sure not to, counts.
    pub fn are_reached_by(&self, changeset: &Changeset) -> bool {
        let named = |name: &str| self.names.contains(&bare(name));
        self.all && !changeset.statements.is_empty()
            || changeset.statements.iter().any(|statement| {
                let mut about =
                    statement.touches.iter().map(String::as_str).chain(statement.created_tables()).peekable();
                about.peek().is_none()
                    || statement.actions.is_empty()
                    || !statement.actions.iter().all(is_about_one_table)
                    || about.any(named)
            })
    }
}

/// It changes the tables that the statement names and nothing else.
fn is_about_one_table(action: &SchemaAction) -> bool {
    use SchemaAction::{
        AddColumn, AddConstraint, ChangeColumnType, CreateIndex, CreateTable, DropConstraint, DropDefault,
        DropIndex, DropNotNull, SetDefault, SetNotNull, ValidateConstraint,
    };
    matches!(
        action,
        AddColumn { .. }
            | AddConstraint { .. }
            | ChangeColumnType { .. }
            | CreateIndex { .. }
            | CreateTable { .. }
            | DropConstraint { .. }
            | DropDefault { .. }
            | DropIndex { .. }
            | DropNotNull { .. }
            | SetDefault { .. }
            | SetNotNull { .. }
            | ValidateConstraint { .. }
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::catalog::Catalog;
    use crate::model::changeset::{ChangesetId, Phase, Reverse};
    use crate::product::test_dialect;

    fn changeset(sql: &str) -> Changeset {
        Changeset {
            reverse: Reverse::Inverse,
            ..Changeset::of_statements(
                ChangesetId { id: "1".into(), author: "a".into(), path: "p".into() },
                Phase::Expand,
                test_dialect().statements(&[sql.to_owned()], &Catalog::default()).unwrap(),
            )
        }
    }

    #[test]
    fn only_what_is_sure_to_reach_nobody_is_passed_over() {
        let usage = Usage { uses: ["public.orders".to_owned()].into(), ..Usage::default() };
        let used = UsedNames::of([&usage].into_iter(), ["public.parcels"].into_iter());
        for (sql, reached) in [
            ("create table boxes (id bigint primary key)", false),
            ("alter table boxes add column size int default 1", false),
            ("create index on boxes (size)", false),
            ("create table boxes (id bigint references orders)", true),
            ("create table shop.orders (id bigint)", true),
            ("alter table parcels add column size int", true),
            ("alter table boxes drop column size cascade", true),
            ("create function f() returns int language sql as 'select 1'", true),
            ("do $$ begin end $$", true),
            ("insert into boxes values (1)", true),
            ("alter role app set search_path = shop", true),
            ("create view v as select 1", true),
        ] {
            assert_eq!(used.are_reached_by(&changeset(sql)), reached, "{sql}");
        }
        let opaque = Usage { runs_opaque: true, ..Usage::default() };
        let used = UsedNames::of([&opaque].into_iter(), std::iter::empty());
        assert!(used.are_reached_by(&changeset("create index on boxes (size)")));
    }
}
