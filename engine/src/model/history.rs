//! What the migration tool's history says of a changeset: the only witness of what a run did.

use serde::{Deserialize, Serialize};

use super::changeset::ChangesetId;

/// The execution type of a changeset that a precondition kept from running.
pub const MARK_RAN: &str = "MARK_RAN";

/// A row of Liquibase's `DATABASECHANGELOG`, whole, so that it can be put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    #[serde(flatten)]
    pub key: ChangesetId,
    /// The path as the table has it, where it is written another way than in the changelog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_path: Option<String>,
    /// The database's own text of the time.
    pub executed_at: Option<String>,
    pub order: Option<i64>,
    /// `EXECUTED`, `RERAN` or `MARK_RAN`.
    pub exec_type: Option<String>,
    pub checksum: Option<String>,
    pub description: Option<String>,
    pub comments: Option<String>,
    pub tag: Option<String>,
    pub liquibase: Option<String>,
    pub contexts: Option<String>,
    pub labels: Option<String>,
    /// What all rows of one deployment have in common.
    pub deployment: Option<String>,
}

impl HistoryRow {
    /// Whether both rows tell of the same execution. Each execution writes a time, an order and a deployment of its own. The checksum
    /// is left out: Liquibase sets it to null when an older version wrote it, without running anything.
    fn is_same_execution(&self, other: &Self) -> bool {
        // A table that an older version made has no order; Liquibase adds it as -1.
        let order = |row: &Self| row.order.filter(|order| *order >= 0);
        (&self.key, &self.executed_at, order(self), &self.deployment)
            == (&other.key, &other.executed_at, order(other), &other.deployment)
    }
}

/// A history of Liquibase's that is somewhere in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHistory {
    pub schema: String,
    pub table: String,
    pub rows: Vec<OtherHistoryRow>,
}

/// What such a history says of a changeset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHistoryRow {
    pub key: ChangesetId,
    pub checksum: Option<String>,
    /// What all rows of one deployment have in common; `None` too where an older Liquibase made the table.
    pub deployment: Option<String>,
}

/// What the history said of a changeset before an act, and what marks the rows that the act writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryBefore {
    /// Empty: it had never run.
    pub rows: Vec<HistoryRow>,
    pub deployment: String,
}

/// What an act came to, as the history tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActTrace {
    /// Nothing: the history is as it was before the act, or has the changeset no more.
    None,
    /// The act went through.
    Ours,
    /// Somebody else has run the changeset since.
    Others,
}

impl HistoryBefore {
    /// What became of an apply, from the rows that are there now.
    pub fn of_apply(&self, now: &[HistoryRow]) -> ActTrace {
        match now.last() {
            None => ActTrace::None,
            Some(_) if is_same(&self.rows, now) => ActTrace::None,
            Some(last) if last.deployment.as_deref() == Some(&self.deployment) => ActTrace::Ours,
            Some(_) => ActTrace::Others,
        }
    }
}

/// Whether the history tells of the same executions.
pub fn is_same(before: &[HistoryRow], now: &[HistoryRow]) -> bool {
    before.len() == now.len() && before.iter().zip(now).all(|(before, now)| before.is_same_execution(now))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn row(order: i64, deployment: &str, checksum: Option<&str>) -> HistoryRow {
        serde_json::from_value(json!({
            "id": "1", "author": "ann", "path": "a.sql", "executed_at": format!("2026-11-28 00:00:0{order}"),
            "order": order, "exec_type": "EXECUTED", "checksum": checksum, "description": "sql", "comments": "",
            "tag": null, "liquibase": "4.33.0", "contexts": null, "labels": null, "deployment": deployment,
        }))
        .unwrap()
    }

    #[test]
    fn an_act_went_through_when_the_history_has_another_row_of_its_deployment() {
        let first = row(1, "earlier", Some("9:a"));
        let before = HistoryBefore { rows: vec![first.clone()], deployment: "ours".to_owned() };
        let never = HistoryBefore { rows: Vec::new(), deployment: "ours".to_owned() };
        for (before, now, expected) in [
            (&never, vec![], ActTrace::None),
            (&never, vec![row(1, "ours", None)], ActTrace::Ours),
            (&never, vec![row(1, "theirs", None)], ActTrace::Others),
            (&before, vec![first.clone()], ActTrace::None),
            // Liquibase forgets checksums of older versions before it runs anything.
            (&before, vec![row(1, "earlier", None)], ActTrace::None),
            (&before, vec![row(2, "ours", Some("9:a"))], ActTrace::Ours),
            (&before, vec![first.clone(), row(2, "ours", Some("9:a"))], ActTrace::Ours),
            (&before, vec![row(2, "theirs", Some("9:b"))], ActTrace::Others),
            // Somebody took it back.
            (&before, vec![], ActTrace::None),
        ] {
            assert_eq!(before.of_apply(&now), expected, "{before:?} {now:?}");
        }
    }
}
