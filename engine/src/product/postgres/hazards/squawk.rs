//! The rules of squawk, from its own crates. Each is in this table once: some are hazards of ours that say the same and know
//! the table's size, some are no matter where Drydock runs the changeset, and the rest come through as they are.

use pg_query::NodeEnum;
use squawk_linter::{Linter, Rule};
use squawk_syntax::SourceFile;

use crate::model::changeset::{Hazard, Severity};

/// What becomes of one of squawk's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A hazard of ours says it.
    Ours(&'static str),
    /// It cannot happen, or is taken care of, for this reason.
    Drydock(&'static str),
    /// Squawk says it, as a hazard `squawk/RULE`.
    Squawk(Severity),
}
use Answer::{Drydock, Ours, Squawk};

const LIMITS: &str = "Drydock sets the limits of every statement itself, and tries again when one is reached";

const CLIENTS: &str =
    "it is about clients that may notice; compat asks every query of every deployed version";

/// Also rules of newer releases than the one that is built in, which is the last for the workspace's Rust.
pub const RULES: &[(&str, Answer)] = &[
    ("adding-field-with-default", Ours("table-rewrite")),
    ("adding-foreign-key-constraint", Ours("full-scan")),
    ("adding-not-nullable-field", Ours("full-scan")),
    ("adding-required-field", Ours("fails-on-rows")),
    ("adding-serial-primary-key-field", Ours("index-build")),
    ("ban-add-column", Drydock(CLIENTS)),
    ("ban-add-composite-attribute", Drydock(CLIENTS)),
    ("ban-add-enum-value", Drydock(CLIENTS)),
    ("ban-alter-database-options", Ours("instance-wide")),
    ("ban-alter-domain-with-add-constraint", Ours("full-scan")),
    ("ban-alter-extension", Ours("extension-upgrade")),
    ("ban-alter-function-options", Drydock(CLIENTS)),
    ("ban-alter-generated-expression", Ours("table-rewrite")),
    ("ban-alter-identity", Drydock(CLIENTS)),
    ("ban-alter-policy-condition", Drydock(CLIENTS)),
    ("ban-alter-policy-roles", Drydock(CLIENTS)),
    ("ban-alter-role-options", Ours("instance-wide")),
    ("ban-alter-row-level-security", Ours("rows-hidden")),
    ("ban-alter-sequence-values", Drydock(CLIENTS)),
    ("ban-alter-system-options", Ours("instance-wide")),
    ("ban-alter-view-options", Drydock(CLIENTS)),
    ("ban-char-field", Squawk(Severity::Note)),
    ("ban-concurrent-index-creation-in-transaction", Ours("needs-own-transaction")),
    ("ban-create-domain-with-constraint", Squawk(Severity::Note)),
    ("ban-create-policy", Drydock(CLIENTS)),
    ("ban-detach-inheritance", Drydock(CLIENTS)),
    ("ban-disable-trigger", Ours("triggers-off")),
    ("ban-drop-column", Ours("data-loss")),
    ("ban-drop-constraint", Ours("constraint-dropped")),
    ("ban-drop-database", Ours("instance-wide")),
    ("ban-drop-default", Drydock(CLIENTS)),
    ("ban-drop-domain", Drydock(CLIENTS)),
    ("ban-drop-extension", Drydock(CLIENTS)),
    ("ban-drop-function", Drydock(CLIENTS)),
    ("ban-drop-generated-expression", Drydock(CLIENTS)),
    ("ban-drop-index", Ours("drop-index")),
    ("ban-drop-not-null", Squawk(Severity::Warning)),
    ("ban-drop-policy", Drydock(CLIENTS)),
    ("ban-drop-schema", Ours("data-loss")),
    ("ban-drop-sequence", Drydock(CLIENTS)),
    ("ban-drop-table", Ours("data-loss")),
    ("ban-drop-trigger", Drydock(CLIENTS)),
    ("ban-drop-type", Drydock(CLIENTS)),
    ("ban-drop-view", Ours("drop-view")),
    (
        "ban-duplicate-column-assignments",
        Drydock("the server refuses such a statement, so the shadow stage does not get past it"),
    ),
    ("ban-new-write-restriction", Drydock(CLIENTS)),
    ("ban-replace-view-function", Drydock(CLIENTS)),
    ("ban-replica-identity", Ours("replica-identity")),
    ("ban-revoke", Ours("rights-taken")),
    ("ban-set-default", Drydock(CLIENTS)),
    ("ban-set-schema", Ours("rename")),
    ("ban-truncate-cascade", Ours("data-loss")),
    ("ban-uncommitted-transaction", Ours("transaction-control")),
    ("changing-column-type", Ours("table-rewrite")),
    ("constraint-missing-not-valid", Ours("full-scan")),
    ("disallowed-unique-constraint", Ours("index-build")),
    ("identifier-too-long", Ours("name-cut")),
    ("prefer-bigint-over-int", Squawk(Severity::Note)),
    ("prefer-bigint-over-smallint", Squawk(Severity::Note)),
    ("prefer-identity", Squawk(Severity::Note)),
    ("prefer-repack", Ours("table-rewrite")),
    (
        "prefer-robust-stmts",
        Drydock(
            "a changeset and its record are one transaction, and what a failed concurrent build leaves is dropped before the next try",
        ),
    ),
    ("prefer-text-field", Squawk(Severity::Note)),
    ("prefer-timestamp-tz", Squawk(Severity::Note)),
    ("renaming-column", Ours("rename")),
    ("renaming-object", Ours("rename")),
    ("renaming-table", Ours("rename")),
    ("require-concurrent-index-creation", Ours("blocks-writes")),
    ("require-concurrent-index-deletion", Ours("drop-index")),
    ("require-concurrent-partition-detach", Ours("rows-hidden")),
    ("require-concurrent-reindex", Ours("blocks-reads")),
    ("require-enum-value-ordering", Ours("label-at-end")),
    ("require-lock-timeout", Drydock(LIMITS)),
    ("require-statement-timeout", Drydock(LIMITS)),
    (
        "require-table-schema",
        Drydock(
            "names are looked up along the search path that Liquibase runs under, and the plan shows what they mean",
        ),
    ),
    ("require-timeout-settings", Drydock(LIMITS)),
    ("transaction-nesting", Ours("transaction-control")),
    (
        "unused-ignore",
        Drydock("what is let pass is said in the changeset, with a reason; one that matches nothing is told"),
    ),
];

/// The names of the hazards that come from here.
pub fn names() -> impl Iterator<Item = String> {
    RULES.iter().filter(|(_, answer)| matches!(answer, Squawk(_))).map(|(rule, _)| named(rule))
}

fn named(rule: &str) -> String {
    format!("squawk/{rule}")
}

/// What squawk says of a statement. Its rules are about definitions, so it is not asked about rows.
pub fn lint(text: &str, tree: &NodeEnum) -> Vec<Hazard> {
    if !defines(tree) || deep(text) {
        return Vec::new();
    }
    let through: std::collections::HashSet<Rule> = RULES
        .iter()
        .filter(|(_, answer)| matches!(answer, Squawk(_)))
        .filter_map(|(rule, _)| Rule::try_from(*rule).ok())
        .collect();
    let look = || Linter::from(through).lint(&SourceFile::parse(text), text);
    // A fault in its parser is no reason to stop a plan: ours has taken the statement.
    let violations = std::panic::catch_unwind(std::panic::AssertUnwindSafe(look)).unwrap_or_default();
    let mut found: Vec<Hazard> = Vec::new();
    for violation in violations {
        let rule = violation.code.to_string();
        let Some((_, Squawk(severity))) = RULES.iter().find(|(name, _)| *name == rule) else { continue };
        let hazard = Hazard {
            name: named(&rule),
            severity: *severity,
            lock: None,
            table: None,
            rows: None,
            message: sentence(&violation.message, violation.help.as_deref()),
            allowed: None,
        };
        if !found.contains(&hazard) {
            found.push(hazard);
        }
    }
    found
}

fn defines(tree: &NodeEnum) -> bool {
    matches!(tree, NodeEnum::CreateStmt(_) | NodeEnum::AlterTableStmt(_) | NodeEnum::CreateDomainStmt(_))
}

/// Parentheses that add nothing are not in the tree, but squawk's parser goes down into each and could exhaust the stack.
fn deep(text: &str) -> bool {
    const MOST: usize = 200;
    let mut open = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MOST
    })
}

/// Squawk's sentences as one, in the form of ours.
fn sentence(message: &str, help: Option<&str>) -> String {
    let bare =
        |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_string();
    match help {
        Some(help) => format!("{}: {}", bare(message), bare(help)),
        None => bare(message),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::product::postgres::hazards;

    #[test]
    fn every_rule_of_squawk_has_its_answer() {
        let built_in: BTreeSet<String> =
            Linter::with_all_rules().rules.iter().map(ToString::to_string).collect();
        let here: BTreeSet<String> = RULES.iter().map(|(rule, _)| (*rule).to_string()).collect();
        assert_eq!(here.len(), RULES.len(), "a rule is here twice");
        assert_eq!(built_in.difference(&here).collect::<Vec<_>>(), Vec::<&String>::new());
        for (rule, answer) in RULES {
            match answer {
                Ours(hazard) => assert!(hazards::ALL.iter().any(|r| r.name == *hazard), "{rule}: {hazard}"),
                Drydock(reason) => assert!(reason.len() > 20, "{rule}"),
                Squawk(_) => assert!(built_in.contains(*rule), "{rule} is not built in"),
            }
        }
    }
}
