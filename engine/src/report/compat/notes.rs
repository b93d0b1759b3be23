//! What the result does not know, for every format: a check that checks nothing must not look like one that found nothing.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::changeset::{Changeset, ChangesetId};
use crate::model::evidence::{Compat, NotTriedWhy};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// No service is known.
    NoContract,
    /// A precondition was taken to hold.
    PreconditionUnknown,
    /// A changeset was not tried as production will run it.
    NotTried,
    /// Queries were planned and not run.
    NotRun,
}

impl NoteKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::NoContract => "no-contract",
            Self::PreconditionUnknown => "precondition-unknown",
            Self::NotTried => "not-tried",
            Self::NotRun => "not-run",
        }
    }
}

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Note {
    pub note: NoteKind,
    pub text: String,
    /// The changeset that it is about; `None`: the check as a whole.
    pub changeset: Option<String>,
    /// The changelog's file, and the line in it.
    pub file: String,
    pub line: u64,
    /// The result is no pass because of it.
    pub fails: bool,
}

/// Whether the result says nothing because nobody is known, and nobody has said that this is right.
pub fn knows_nobody(compat: &Compat) -> bool {
    compat.services.is_empty() && !compat.without_contracts && compat.checked.changesets > 0
}

/// `contracts`: their folder, as people know it; `place`: file and line of a changeset.
pub(super) fn notes(
    compat: &Compat,
    changesets: &[Changeset],
    contracts: &str,
    place: impl Fn(&ChangesetId) -> (String, u64),
) -> Vec<Note> {
    let start = || changesets.first().map_or_else(|| (String::new(), 1), |c| place(&c.key));
    let whole = |note, text| {
        let (file, line) = start();
        Note { note, text, changeset: None, file, line, fails: false }
    };
    let mut all = Vec::new();
    if compat.services.is_empty() {
        let text = format!(
            "no service is known: there is no contract in {contracts}, so nothing was held against {} changesets; \
             `drydock contracts harvest` writes contracts of what the database has seen, and without_contracts = true in the \
             environment's [compat] goes on without any",
            compat.checked.changesets
        );
        all.push(Note { fails: knows_nobody(compat), ..whole(NoteKind::NoContract, text) });
    }
    for not_tried in &compat.not_tried {
        let id = &not_tried.key.id;
        let message = &not_tried.message;
        let (note, text) = match not_tried.why {
            NotTriedWhy::PreconditionUnknown => (
                NoteKind::PreconditionUnknown,
                format!(
                    "whether the precondition of {id} holds cannot be told, and it was taken to hold: {message}"
                ),
            ),
            NotTriedWhy::NeedsRows => (
                NoteKind::NotTried,
                format!(
                    "{id} was not tried: it needs rows that only production has, and the rehearsal on the clone runs it: {message}"
                ),
            ),
            NotTriedWhy::RunsCode => (
                NoteKind::NotTried,
                format!(
                    "{id} was not tried, and what it does to the schema is not known: it runs code, which the rehearsal on the clone \
                     does: {message}"
                ),
            ),
            NotTriedWhy::NeedsRowsOpaque => (
                NoteKind::NotTried,
                format!(
                    "{id} was not tried, and what it does to the schema is not known: it needs rows that only production has, \
                     and the rehearsal on the clone runs it: {message}"
                ),
            ),
        };
        let (file, line) = place(&not_tried.key);
        all.push(Note { note, text, changeset: Some(id.clone()), file, line, fails: false });
    }
    if let Some(why) = &compat.checked.untried {
        all.push(whole(NoteKind::NotRun, format!("queries were planned and not run: {why}")));
    }
    all
}
