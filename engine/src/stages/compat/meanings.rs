//! Names in a query that mean another object after a changeset. Such a query plans as before and may give the same columns.

use std::collections::BTreeMap;

use crate::model::changeset::Changeset;
use crate::model::evidence::{VerdictClass, VerdictKind};
use crate::model::resolved::{Meaning, MeaningKind, Named, NaturalJoin, Place, Resolved, RoutineNames};
use crate::model::schema::SchemaSnapshot;
use crate::model::schema_action::SchemaAction;

/// Kind, class, reason, and the column that it is about.
pub type Found = (VerdictKind, VerdictClass, String, Option<String>);

/// Names that are told of one query and changeset; the rest is counted.
const MOST: usize = 3;

/// The changeset under check, and the schema after it.
pub struct Change<'a> {
    pub changeset: &'a Changeset,
    pub after: &'a SchemaSnapshot,
}

/// What means something else now, each once.
pub fn changed(was: &Resolved, is: &Resolved, changeset: &Changeset, after: &SchemaSnapshot) -> Vec<Found> {
    let change = &Change { changeset, after };
    let mut found: Vec<Found> = Vec::new();
    let substitutes = substitutes(was, is);
    for (place, now) in &is.names {
        let told = match was.names.get(place) {
            Some(before) => other(before, now, place, &substitutes, change),
            // A name that meant a column of the answer means one of a table.
            None if matches!(place, Place::Text { .. })
                && now.means.kind == MeaningKind::Column
                && !is_star(now) =>
            {
                let reason = format!(
                    "the name {} meant a column of the answer and means {} now",
                    now.name, now.means.name
                );
                Some((VerdictKind::Breaking, VerdictClass::OtherObject, reason, Some(now.means.name.clone())))
            }
            None => None,
        };
        found.extend(told.filter(|told| !found.contains(told)));
    }
    for (was, is) in was.natural_joins.iter().zip(&is.natural_joins) {
        found.extend(natural_join(was, is, &substitutes, change));
    }
    condensed(found)
}

/// What a natural join compares now: more columns or fewer, or others under the same names.
fn natural_join(
    was: &NaturalJoin,
    is: &NaturalJoin,
    substitutes: &BTreeMap<&str, &str>,
    change: &Change<'_>,
) -> Vec<Found> {
    let without = |all: &[String], others: &[String]| {
        all.iter().filter(|c| !others.contains(c)).cloned().collect::<Vec<_>>().join(", ")
    };
    let (new, gone) = (without(&is.columns, &was.columns), without(&was.columns, &is.columns));
    let reason = match (new.as_str(), gone.as_str()) {
        ("", "") => {
            let both = was.compared.iter().zip(&is.compared);
            let told = both.filter_map(|(was, is)| other(was, is, &Place::Relation(0), substitutes, change));
            let told = told.map(|(kind, class, reason, column)| {
                (kind, class, format!("in what its NATURAL JOIN compares {reason}"), column)
            });
            return told.collect();
        }
        ("", gone) => format!("its NATURAL JOIN does not compare {gone} any more"),
        (new, _) => format!("its NATURAL JOIN compares {new} too"),
    };
    vec![(VerdictKind::Breaking, VerdictClass::OtherObject, reason, None)]
}

/// Rows taken as one value that have other columns now.
pub fn grown_rows(was: &Resolved, is: &Resolved) -> Vec<Found> {
    let mut found = Vec::new();
    for (place, now) in &is.rows {
        let Some(before) = was.rows.get(place).filter(|before| before.means != now.means) else { continue };
        let list = |all: &[String], without: &[String]| {
            all.iter().filter(|c| !without.contains(c)).cloned().collect::<Vec<_>>().join(", ")
        };
        let (new, gone) = (list(&now.means, &before.means), list(&before.means, &now.means));
        let what = match (new.as_str(), gone.as_str()) {
            ("", "") => "has its columns in another order".to_owned(),
            (new, "") => format!("has {new} besides"),
            ("", gone) => format!("does not have {gone} any more"),
            (new, gone) => format!("has {new} instead of {gone}"),
        };
        let reason = format!("the row {}, which it takes as one value, {what}", now.name);
        let told = (VerdictKind::Risky, VerdictClass::ResultColumns, reason, None);
        found.extend((!found.contains(&told)).then_some(told));
    }
    found
}

/// Names in the body of a routine that mean something else, or nothing, and bodies that the database does not take any more.
pub fn changed_body(routine: &str, was: &RoutineNames, is: &RoutineNames, change: &Change<'_>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let says = |(kind, class, reason, column): Found| {
        let reason = format!("{routine}, which it calls, says {}", reason.trim_start_matches("the name "));
        (kind, class, reason, column)
    };
    if let (None, Some(fault)) = (&was.fault, &is.fault) {
        let reason = format!("{routine}, which it calls, fails: {fault}");
        found.push((VerdictKind::Breaking, VerdictClass::FailsWhenRun, reason, None));
    }
    for (name, before) in &was.names {
        let (Some(before), Some(now)) = (before, is.names.get(name)) else { continue };
        match now {
            None => {
                let reason = format!(
                    "{routine}, which it calls, says {name}, which meant {} and is not found any more",
                    before.name
                );
                found.push((VerdictKind::Breaking, VerdictClass::FailsWhenRun, reason, None));
            }
            Some(now) => found.extend(other_in_body(name, before, now, change).map(says)),
        }
    }
    for (name, before) in &was.columns {
        let Some(now) = is.columns.get(name) else { continue };
        // Those of another relation are told with it.
        if before.relation.as_ref().map(|r| &r.1) == now.relation.as_ref().map(|r| &r.1) {
            let bare = now.column.as_deref().unwrap_or(name);
            found.extend(other_in_body(bare, before, now, change).map(says));
        }
    }
    condensed(found)
}

fn other_in_body(name: &str, before: &Meaning, now: &Meaning, change: &Change<'_>) -> Option<Found> {
    let named = |means: &Meaning| Named { name: name.to_owned(), means: means.clone() };
    other(&named(before), &named(now), &Place::Relation(0), &BTreeMap::new(), change)
}

/// Relations that stand where others stood, by what they are.
fn substitutes<'a>(was: &'a Resolved, is: &'a Resolved) -> BTreeMap<&'a str, &'a str> {
    let relations = was.names.iter().filter(|(place, _)| matches!(place, Place::Relation(_)));
    relations
        .filter_map(|(place, before)| {
            Some((before.means.identity.as_str(), is.names.get(place)?.means.identity.as_str()))
        })
        .filter(|(before, now)| before != now)
        .collect()
}

fn is_star(named: &Named) -> bool {
    named.name.ends_with('*')
}

fn other(
    before: &Named,
    now: &Named,
    place: &Place,
    substitutes: &BTreeMap<&str, &str>,
    change: &Change<'_>,
) -> Option<Found> {
    let (was, is) = (&before.means, &now.means);
    if was.identity == is.identity
        || was.kind == MeaningKind::Own && is.kind == MeaningKind::Own && was.name == is.name
    {
        return None;
    }
    // What is written by its place has another name and is the same, or is another by the name that is told.
    if matches!(place, Place::Target(_)) && before.name != now.name {
        return None;
    }
    match (was.kind, is.kind) {
        (MeaningKind::Routine, MeaningKind::Routine) if same_routine(was, is, change.changeset) => {
            return None;
        }
        // What a view is made of is looked at by itself.
        (MeaningKind::View, MeaningKind::View) if was.name == is.name => return None,
        _ => {}
    }
    let relation = |means: &Meaning| means.relation.as_ref().map(|(_, identity)| identity.clone());
    let (own, theirs) = (relation(was), relation(is));
    // Views over what it was, and tables in parts of which it is one now: their definitions are looked at by themselves.
    let over =
        |means: &Meaning, what: &Option<String>| what.as_ref().is_some_and(|what| means.shows.contains(what));
    let through_view = over(is, &own) || over(was, &theirs);
    if through_view && is.kind != MeaningKind::Column {
        return None;
    }
    // Columns of a relation in the place of another are told with it.
    if let (Some(own), Some(theirs)) = (&own, &theirs)
        && is.kind == MeaningKind::Column
        && substitutes.get(own.as_str()) == Some(&theirs.as_str())
        && was.column == is.column
    {
        return None;
    }
    let column = is.column.is_some().then(|| is.name.clone());
    // What a view makes of the same rows, and what was copied, may be the same: running the query tells more.
    let doubtful = through_view && was.column == is.column || is_copied(was, is, change.changeset);
    let kind = if doubtful { VerdictKind::Risky } else { VerdictKind::Breaking };
    let reason = match was.name == is.name {
        true => {
            let now_called = change.after.objects.iter().find(|(_, o)| o.number == was.identity);
            let became =
                now_called.map_or("is gone".to_owned(), |(identity, _)| format!("is {identity} now"));
            format!("the name {} means another {}; what it meant {became}", now.name, is.name)
        }
        false => format!("the name {} meant {} and means {} now", now.name, meant(was), meant(is)),
    };
    Some((kind, VerdictClass::OtherObject, reason, column))
}

fn meant(means: &Meaning) -> String {
    match means.kind {
        MeaningKind::Own => format!("the query's own {}", means.name),
        _ => means.name.clone(),
    }
}

/// The same under the same name with the same types, two of the product's own, or one that the changeset takes away.
fn same_routine(was: &Meaning, is: &Meaning, changeset: &Changeset) -> bool {
    let bare = |means: &Meaning| means.name.split(['(', ' ']).next().unwrap_or_default().to_owned();
    let dropped =
        |action: &SchemaAction| matches!(action, SchemaAction::DropObject { name, .. } if *name == bare(was));
    was.name == is.name || changeset.statements.iter().flat_map(|s| &s.actions).any(dropped)
}

/// Whether the changeset itself fills what is new from what was there: running the query tells more then.
fn is_copied(was: &Meaning, is: &Meaning, changeset: &Changeset) -> bool {
    let (Some((old, _)), Some((new, _))) = (&was.relation, &is.relation) else { return false };
    // What was there may be called otherwise when it is read.
    let renamed = |action: &SchemaAction| match action {
        SchemaAction::RenameTable { table, to } if table == old => Some(to.clone()),
        _ => None,
    };
    let actions = || changeset.statements.iter().flat_map(|s| &s.actions);
    let names: Vec<String> = actions().filter_map(renamed).chain([old.clone()]).collect();
    let moves = changeset.statements.iter().filter(|s| s.moves_rows());
    let same = is.kind == MeaningKind::Column && old == new;
    moves.into_iter().any(|statement| {
        let reads_old = names.iter().any(|name| statement.touches.contains(name));
        // A column is filled by its own table's UPDATE; a table by a statement that names another one besides.
        reads_old && (same || statement.touches.len() > 1)
    })
}

fn condensed(mut found: Vec<Found>) -> Vec<Found> {
    let all = found.len();
    found.sort_by_key(|(kind, ..)| std::cmp::Reverse(*kind));
    found.truncate(MOST);
    if all > MOST
        && let Some((_, _, reason, _)) = found.last_mut()
    {
        *reason = format!("{reason}; and {} more names", all - MOST);
    }
    found
}
