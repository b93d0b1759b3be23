//! What a product cannot do, as the stages say it to the person.

use crate::config::LimitSettings;
use crate::model::changeset::Changeset;
use crate::model::schema_action::SchemaAction;
use crate::product::Database;

/// What a rehearsal does not measure.
pub fn of_shadow(database: &dyn Database) -> Vec<String> {
    let (name, can) = (database.product().name(), database.capabilities());
    let mut said = Vec::new();
    if !can.shows_sessions {
        said.push(format!(
            "the locks of the changesets were not watched, because {name} does not show them; the waits of the traffic were measured"
        ));
    }
    if !can.plan_costs {
        said.push(format!(
            "plans were not compared, because {name} does not estimate what they cost: only the traffic shows a query that gets slow"
        ));
    }
    said
}

/// What a rollout does without, or does otherwise than the configuration asks for.
pub fn of_rollout(database: &dyn Database, limits: &LimitSettings, changesets: &[Changeset]) -> Vec<String> {
    let (name, can) = (database.product().name(), database.capabilities());
    let (budget, wait) = (limits.stall(), can.lock_wait(limits.stall()));
    let mut said = Vec::new();
    if wait > budget {
        said.push(format!(
            "a statement waits for a lock for up to {} ms, and the stall budget is {} ms: {name} takes no shorter limit",
            wait.as_millis(),
            budget.as_millis()
        ));
    }
    if !can.statement_limit {
        said.push(format!(
            "a statement may run longer than {} s: {name} does not end it",
            limits.statement_seconds
        ));
    }
    let makes_index = changesets
        .iter()
        .flat_map(|c| &c.statements)
        .flat_map(|s| &s.actions)
        .any(|action| matches!(action, SchemaAction::CreateIndex { .. }));
    if !can.concurrent_index && makes_index {
        said.push(format!(
            "nobody writes to a table while its index is built: {name} has no concurrent builds"
        ));
    }
    if !can.shows_sessions {
        said.push(format!("the gates judge by the traffic alone: {name} does not show its sessions"));
    }
    if !can.transactional_ddl {
        said.push(format!(
            "a changeset and its record are two transactions: {name} has no transactional DDL"
        ));
    }
    said
}
