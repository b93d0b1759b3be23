//! What of a rehearsal keeps a run from going on.

use crate::error::{Error, Result};
use crate::model::changeset::Changeset;
use crate::model::evidence::{Rehearsal, ReverseProof, Shadow, Verdict, VerdictKind};
use crate::report::advice::advice;
use crate::stages::differences;

/// The first of them; the report has all.
fn few(differences: &[String]) -> String {
    const MOST: usize = 3;
    let more = differences.len().saturating_sub(MOST);
    let shown = differences.iter().take(MOST).cloned().collect::<Vec<_>>().join("; ");
    if more > 0 { format!("{shown} … and {more} more") } else { shown }
}

/// Whether the run may go on.
///
/// # Errors
/// `Refused` for what would hurt a service, and for an inverse that is not proven.
pub fn refuse(shadow: &Shadow, changesets: &[Changeset]) -> Result<()> {
    if let Some(failure) = shadow.failures.first() {
        let changeset = failure.changeset.as_ref().map(ToString::to_string).unwrap_or_default();
        let more = if shadow.failures.len() > 1 {
            format!(" (and {} more)", shadow.failures.len() - 1)
        } else {
            String::new()
        };
        return Err(Error::refused(format!(
            "{} {} fails on the clone once {changeset} has run: {} ({}:{}): {}{more}",
            failure.service, failure.version, failure.query, failure.file, failure.line, failure.message
        ))
        .hint(
            "make the change in two steps, expand and contract, so that the deployed version keeps working",
        ));
    }
    let mut slow = shadow.verdicts.iter().filter(|v| v.verdict == VerdictKind::Breaking);
    if let Some(verdict) = slow.next() {
        let Verdict { service, version, query, file, line, changeset, reason, .. } = verdict;
        let more = slow.count();
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        let way = advice(verdict, changesets.iter().find(|c| c.key == *changeset));
        return Err(Error::refused(format!(
            "{service} {version} gets slow once {changeset} has run: {query} ({file}:{line}): {reason}{more}"
        ))
        .hint(format!(
            "{way}; or write `-- drydock: allow {} {service}/{query} because REASON` into the changeset",
            verdict.class
        )));
    }
    // The newest comes first: it was taken back first, and what lies beneath a failed one was never tried.
    let bad = |r: &&Rehearsal| matches!(r.reverse, ReverseProof::Differs | ReverseProof::Failed);
    let count = shadow.changesets.iter().filter(bad).count();
    if let Some(rehearsal) = shadow.changesets.iter().rfind(bad) {
        let what = match rehearsal.reverse {
            ReverseProof::Failed => "fails",
            _ => "does not restore the schema or the data",
        };
        let more = if count > 1 { format!(" (and {} more inverses)", count - 1) } else { String::new() };
        let mend = "correct its --rollback so that schema and data are as before; `drydock report` shows every difference";
        let way_out = differences::way_out(&rehearsal.explained, &rehearsal.differences);
        return Err(Error::refused(format!(
            "the inverse of {} {what}: {}{more}",
            rehearsal.key,
            few(&rehearsal.differences)
        ))
        .hint(way_out.map_or(mend.to_owned(), |way| format!("{mend}; or {way}"))));
    }
    if !shadow.whole_way_back {
        let mend = "one of the inverses does not take back everything that its changeset does";
        return Err(Error::refused(format!(
            "after all inverses the clone differs from its state before: {}",
            few(&shadow.differences)
        ))
        .hint(match differences::way_out(&shadow.explained, &shadow.differences) {
            Some(way) => format!("{mend}; or {way}"),
            None => mend.to_owned(),
        }));
    }
    Ok(())
}
