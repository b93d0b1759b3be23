//! The result as JSON: what is kept as evidence, and for each verdict what to do about it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::changeset::ChangesetId;
use crate::model::evidence::{Checked, Compat, Held, Verdict};
use crate::model::isolation::Isolation;
use crate::report::compat::{Findings, Note};

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Json {
    /// Everything that is not `compatible`.
    pub verdicts: Vec<Advised>,
    pub held: Vec<Held>,
    /// What goes on, in order.
    pub accepted: Vec<ChangesetId>,
    pub checked: Checked,
    /// What kept the scratch databases to themselves.
    pub scratch: Option<Isolation>,
    /// All service versions, for the matrix: `(service, version)`.
    pub services: Vec<(String, String)>,
    /// What was not looked at.
    pub notes: Vec<Note>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Advised {
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What to do about it.
    pub advice: String,
}

/// Breaking ones first.
pub fn json(findings: &Findings<'_>) -> Json {
    let Compat { held, accepted, checked, scratch, services, .. } = findings.compat.clone();
    let advised =
        findings.all.iter().map(|f| Advised { verdict: f.verdict.clone(), advice: f.advice.clone() });
    Json {
        verdicts: advised.collect(),
        held,
        accepted,
        checked,
        scratch,
        services,
        notes: findings.notes.clone(),
    }
}
