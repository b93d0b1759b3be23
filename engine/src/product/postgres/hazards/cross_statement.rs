//! Hazards of several statements of one changeset: it is one transaction, so a lock is kept until its last statement.

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableStmt, AlterTableType as At, ObjectType};

use crate::model::changeset::{Hazard, Severity, Statement};
use crate::product::postgres::grammar::names::Names;
use crate::product::postgres::grammar::sql::Parsed;
use crate::product::postgres::hazards::{self, Lock};

/// Hazards of statements that take as long as their table is big.
const SLOW: &[&str] = &[
    "table-rewrite",
    "full-scan",
    "index-build",
    "index-rebuild",
    "blocks-writes",
    "blocks-reads",
    "bulk-change",
    "long-running",
];

/// A lock that an earlier statement took.
struct Held {
    table: String,
    lock: Lock,
}

/// Adds to each statement what it means after those before it. `parsed`: the same statements, as they were read.
pub fn look(statements: &mut [Statement], parsed: &[Parsed], names: &Names) {
    let mut held: Vec<Held> = Vec::new();
    let mut altered: Vec<(String, &AlterTableStmt, bool)> = Vec::new();
    for (statement, parsed) in statements.iter_mut().zip(parsed) {
        let mut found = Vec::new();
        found.extend(kept(statement, &held, names));
        found.extend(several(statement, &held, names));
        let slow = statement.hazards.iter().any(|h| SLOW.contains(&h.name.as_str()));
        match alter(parsed) {
            Some(alter) => {
                let table = alter.relation.as_ref().map(|r| names.range(r)).unwrap_or_default();
                let before = altered.iter().rev().find(|(t, _, _)| *t == table);
                if let Some((_, earlier, was_slow)) = before
                    && !names.is_fresh(&table)
                    && goes_with(earlier, alter)
                {
                    let mut hazard = hazards::MERGEABLE.on(names, Some(&table), Lock::None, "");
                    // Without a pass over the rows there is one brief lock to spare.
                    if !(slow && *was_slow) {
                        hazard.severity = Severity::Note;
                    }
                    found.push(hazard);
                }
                altered.push((table, alter, slow));
            }
            // What comes in between may be what the second one needs.
            None => altered.retain(|(table, _, _)| !statement.touches.contains(table)),
        }
        for hazard in &statement.hazards {
            let lock = hazard.lock.as_deref().map_or(Lock::None, Lock::from_words);
            let Some(table) = hazard.table.clone().filter(|_| lock >= Lock::Share) else { continue };
            match held.iter_mut().find(|h| h.table == table) {
                Some(held) => held.lock = held.lock.max(lock),
                None => held.push(Held { table, lock }),
            }
        }
        statement.hazards.extend(found);
        statement.hazards.sort_by_key(|h| std::cmp::Reverse(h.severity));
    }
}

/// A slow statement under a lock that an earlier one took, and that it would not have held itself.
fn kept(statement: &Statement, held: &[Held], names: &Names) -> Vec<Hazard> {
    let slow = statement.hazards.iter().filter(|h| SLOW.contains(&h.name.as_str()));
    let slowest = slow.max_by_key(|h| (h.severity, h.rows));
    let Some(slowest) = slowest else { return Vec::new() };
    let own = |table: &str| {
        let on = statement.hazards.iter().filter(|h| h.table.as_deref() == Some(table));
        on.filter_map(|h| h.lock.as_deref().map(Lock::from_words)).max().unwrap_or(Lock::None)
    };
    let on = slowest.table.as_deref();
    held.iter()
        .filter(|h| own(&h.table) < h.lock)
        .map(|h| {
            let what = format!("{} of {} goes on", slowest.name, on.unwrap_or("another table"));
            let mut hazard = hazards::LOCK_HELD.on(names, Some(&h.table), h.lock, &what);
            // How long it takes is a matter of the table that is worked on, not of the one that is locked.
            hazard.severity = hazards::LOCK_HELD.severity(on.and_then(|t| names.size(t)));
            hazard
        })
        .collect()
}

/// A second table locked against everybody.
fn several(statement: &Statement, held: &[Held], names: &Names) -> Option<Hazard> {
    let exclusive = |h: &&Hazard| h.lock.as_deref().map(Lock::from_words) == Some(Lock::AccessExclusive);
    let mut taken = statement.hazards.iter().filter(exclusive).filter_map(|h| h.table.as_deref());
    let whole = |table: &str| names.table(table).and_then(|t| t.parent.clone()).unwrap_or(table.to_string());
    taken.find_map(|table| {
        let before =
            held.iter().find(|h| h.lock == Lock::AccessExclusive && whole(&h.table) != whole(table))?;
        if held.iter().any(|h| h.table == table && h.lock == Lock::AccessExclusive) {
            return None;
        }
        Some(hazards::SEVERAL_LOCKS.on(names, Some(table), Lock::AccessExclusive, &before.table))
    })
}

fn alter(parsed: &Parsed) -> Option<&AlterTableStmt> {
    match parsed.tree.as_ref()? {
        NodeEnum::AlterTableStmt(alter) if alter.objtype() == ObjectType::ObjectTable => Some(alter),
        _ => None,
    }
}

/// Whether one ALTER TABLE can do both: validating is for a later changeset, and a partition goes alone.
fn goes_with(one: &AlterTableStmt, other: &AlterTableStmt) -> bool {
    let kinds = one.cmds.iter().chain(&other.cmds).filter_map(|n| match n.node.as_ref() {
        Some(NodeEnum::AlterTableCmd(c)) => Some(c.subtype()),
        _ => None,
    });
    !kinds.into_iter().any(|kind| {
        matches!(
            kind,
            At::AtValidateConstraint
                | At::AtAttachPartition
                | At::AtDetachPartition
                | At::AtDetachPartitionFinalize
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::product::postgres::hazards::analyse::analyse;
    use crate::product::postgres::hazards::analyse::tests::catalog;

    /// The hazards of this file, each with the number of its statement.
    fn found(sql: &[&str]) -> Vec<String> {
        let sql: Vec<String> = sql.iter().map(|s| (*s).to_string()).collect();
        let all = analyse(&sql, &catalog()).unwrap();
        (1..)
            .zip(&all)
            .flat_map(|(n, s)| s.hazards.iter().map(move |h| (n, h)))
            .filter(|(_, h)| ["lock-held", "several-locks", "mergeable-alters"].contains(&h.name.as_str()))
            .map(|(n, h)| format!("{n} {} {:?} {}", h.name, h.severity, h.table.clone().unwrap_or_default()))
            .collect()
    }

    #[test]
    fn a_lock_is_kept_to_the_end() {
        let add = "ALTER TABLE small ADD COLUMN x bigint";
        assert_eq!(found(&[add, "UPDATE big SET note = 'x'"]), ["2 lock-held Danger app.small"]);
        assert_eq!(found(&["UPDATE big SET note = 'x'", add]), [""; 0]);
        assert_eq!(found(&[add, "UPDATE small SET x = 1"]), ["2 lock-held Note app.small"]);
        let not_valid = "ALTER TABLE big ADD CONSTRAINT c CHECK (qty > 0) NOT VALID";
        let validate = "ALTER TABLE big VALIDATE CONSTRAINT c";
        assert_eq!(found(&[not_valid, validate]), ["2 lock-held Danger app.big"]);
        // The second one would have locked it all the same, and says so itself.
        assert_eq!(
            found(&[
                "ALTER TABLE big ADD x int",
                "CREATE INDEX ON mid (email)",
                "ALTER TABLE big SET UNLOGGED"
            ]),
            [
                "2 lock-held Warning app.big",
                "3 lock-held Danger public.mid",
                "3 mergeable-alters Note app.big"
            ]
        );
        assert_eq!(found(&["CREATE TABLE y (a bigint)", "CREATE INDEX ON y (a)"]), [""; 0]);
    }

    #[test]
    fn tables_are_locked_one_at_a_time() {
        let (one, two) = ("ALTER TABLE big ADD x bigint", "ALTER TABLE small ADD x bigint");
        assert_eq!(found(&[one, two]), ["2 several-locks Note app.small"]);
        assert_eq!(found(&[one, "COMMENT ON TABLE small IS 'x'"]), [""; 0]);
        assert_eq!(
            found(&["ALTER TABLE part ADD x bigint", "ALTER TABLE part_1 SET (user_catalog_table = true)"]),
            [""; 0]
        );
    }

    #[test]
    fn two_alters_can_be_one() {
        let one = "ALTER TABLE big ALTER COLUMN note SET NOT NULL";
        let two = "ALTER TABLE big ALTER COLUMN done SET NOT NULL";
        assert_eq!(found(&[one, two]), ["2 mergeable-alters Warning app.big"]);
        assert_eq!(found(&[one, "UPDATE big SET done = true WHERE id = 1", two]).len(), 1);
        assert_eq!(
            found(&["CREATE TABLE y (a int)", "ALTER TABLE y ADD b int", "ALTER TABLE y ADD c int"]),
            [""; 0]
        );
    }
}
