//! What the names in a query mean: the objects that the database finds for them.

use std::collections::{BTreeMap, BTreeSet};

/// What the names of one query mean in one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// By where the query says them. The same text has the same places before and after a change of the schema.
    pub names: BTreeMap<Place, Named>,
    /// The columns of each row that the query takes as one value.
    pub rows: BTreeMap<Place, Named<Vec<String>>>,
    /// In the order of the joins.
    pub natural_joins: Vec<NaturalJoin>,
}

impl Resolved {
    /// Whether a name means one of these objects, or a column of one.
    pub fn mean_any(&self, identities: &BTreeSet<String>) -> bool {
        self.names.values().any(|named| {
            let relation =
                named.means.relation.as_ref().is_some_and(|(_, identity)| identities.contains(identity));
            relation
                || identities.contains(&named.means.identity)
                || !named.means.shows.is_disjoint(identities)
        })
    }
}

/// Where a query says a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At this byte of its text, and which of several things that stand for it: `*` stands for many columns.
    Text { at: usize, nth: usize },
    /// The relation that comes as the nth, counted over the query and its parts.
    Relation(usize),
    /// The nth column that it writes.
    Target(usize),
}

/// A join over the columns that two relations have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NaturalJoin {
    pub columns: Vec<String>,
    /// The columns of both sides that are compared, in their order.
    pub compared: Vec<Named>,
}

/// A name as the query says it, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T = Meaning> {
    pub name: String,
    pub means: T,
}

/// The object that a name means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    pub kind: MeaningKind,
    /// The same as long as it is the same object, whatever it is called. What a view passes on as it is, is what stands behind
    /// the view.
    pub identity: String,
    /// For people, with its schema.
    pub name: String,
    /// The relation it is, or is a column of: `schema.name`, and its identity.
    pub relation: Option<(String, String)>,
    /// The column's bare name.
    pub column: Option<String>,
    /// Identities of relations whose rows it gives: those behind a view, or behind a column that a view makes, and parts of a table.
    pub shows: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MeaningKind {
    /// A table, or a view that passes on what a table has.
    Table,
    /// A view that does more.
    View,
    Column,
    /// A function, an aggregate or an operator.
    Routine,
    /// Something that the query itself makes.
    #[default]
    Own,
}

/// What names in the body of a routine mean, in sessions of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutineNames {
    /// Relations and, with brackets behind their names, routines by what the body says; `None`: there is none.
    pub names: BTreeMap<String, Option<Meaning>>,
    /// Columns of those relations, and of the tables that set a trigger's routine off, whose names the body says; by `relation.column`.
    pub columns: BTreeMap<String, Meaning>,
    /// Why the database does not take the body, for people.
    pub fault: Option<String>,
}
