//! What differs between two fingerprints, as far as somebody may notice whose queries still plan.

use std::collections::BTreeMap;

use drydock::model::change::{Change, Effect, Events, Reason};

use super::dialect::{index, subject};

pub fn between(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Change> {
    let gone = before.iter().filter(|(line, _)| !after.contains_key(*line));
    let new = after.iter().filter(|(line, _)| !before.contains_key(*line));
    let mut changes: Vec<Change> = gone.flat_map(|(line, was)| went(line, was)).collect();
    changes.extend(new.flat_map(|(line, is)| came(line, is)));
    for (line, is) in after {
        if before.get(line).is_some_and(|was| was != is) {
            changes.extend(became(line, is));
        }
    }
    changes
}

fn change(subject: &str, columns: Vec<String>, effect: Effect, reason: String) -> Change {
    Change {
        subject: subject.to_owned(),
        columns,
        on: Events::ALL,
        effect,
        reason: Reason::Predicate(reason),
    }
}

fn went(line: &str, was: &str) -> Vec<Change> {
    let (name, column) = subject(line);
    match (line.split(' ').next(), column, index(was)) {
        (Some("column"), Some(column), _) => {
            vec![change(
                name,
                vec![column.to_owned()],
                Effect::Column,
                format!("has no column {column} any more"),
            )]
        }
        (Some("index"), _, Some((table, columns, unique))) => {
            let reason = format!("has no index {name} any more");
            let mut all = vec![change(&table, columns.clone(), Effect::Slower, reason.clone())];
            if unique {
                all.push(change(&table, columns, Effect::Key, reason));
            }
            all
        }
        (Some("table" | "view"), ..) => {
            vec![change(name, Vec::new(), Effect::Gone, "is gone".to_owned())]
        }
        _ => Vec::new(),
    }
}

fn came(line: &str, is: &str) -> Vec<Change> {
    let (name, column) = subject(line);
    match (line.split(' ').next(), column, index(is)) {
        (Some("column"), Some(column), _) => {
            vec![change(name, vec![column.to_owned()], Effect::Column, format!("has a new column {column}"))]
        }
        (Some("index"), _, Some((table, columns, true))) => {
            vec![change(&table, columns, Effect::Refuses, format!("has a new unique index {name}"))]
        }
        _ => Vec::new(),
    }
}

/// The same name means something else.
fn became(line: &str, is: &str) -> Vec<Change> {
    let (name, column) = subject(line);
    let columns: Vec<String> = column.map(str::to_owned).into_iter().collect();
    match line.split(' ').next() {
        Some("view") => vec![change(name, Vec::new(), Effect::Reads, "is another view now".to_owned())],
        Some("table" | "column") => {
            vec![change(name, columns, Effect::Refuses, format!("is defined as \"{is}\" now"))]
        }
        _ => Vec::new(),
    }
}
