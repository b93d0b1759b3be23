//! A run for people: one self-contained HTML file, and text for the terminal.

pub mod advice;
pub mod compat;
pub mod kept;
mod matrix;
mod plot;
pub mod rehearsal;
pub mod restored_production;
pub mod text;
mod took;

use std::fmt::Write;

use crate::model::changeset::{Hazard, Severity};
use crate::model::evidence::{Outcome, RunRecord, StageOutcome};
use text::{bytes, count, duration, proof, sentence, waits};
use took::Took;

const STYLE: &str = include_str!("report/style.css");

/// Text from outside, made harmless.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// A page about one run, with everything it needs inside.
pub fn html(record: &RunRecord) -> String {
    let summary = &record.summary;
    let mut page = String::new();
    let title = format!("Drydock: {} on {}", summary.outcome.name(), summary.place());
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>",
        escape(&title)
    );
    header(&mut page, record);
    stages(&mut page, record);
    held(&mut page, record);
    let changesets_of_plan = record.plan.as_ref().map(|p| p.changesets.as_slice()).unwrap_or_default();
    let matrix = record.compat.as_ref().map(|compat| {
        matrix::html(&compat::Findings::new(compat, changesets_of_plan, &compat::Places::default()))
    });
    section(&mut page, "Compatibility", "compat", matrix);
    section(&mut page, "Changesets", "plan", record.plan.as_ref().map(|_| changesets(record)));
    rehearsal::html(&mut page, record.shadow.as_ref());
    rehearsal::differences_html(&mut page, record.shadow.as_ref());
    let waves = record.rollout.as_ref().filter(|r| !r.changesets.is_empty());
    section(&mut page, "Waves", "rollout", waves.map(plot::waves));
    let traffic = record.rollout.as_ref().filter(|r| !r.traffic.series.is_empty());
    section(
        &mut page,
        "Latency of the services' traffic",
        "rollout",
        traffic.map(|r| plot::latencies(r) + &around(record)),
    );
    section(&mut page, "Backup and clone", "backup", record.backup.as_ref().map(|_| proofs(record)));
    rollback(&mut page, record);
    trail(&mut page, record);
    page.push_str("</main></body></html>\n");
    page
}

fn section(page: &mut String, title: &str, stage: &str, body: Option<String>) {
    let body = body.unwrap_or_else(|| {
        format!("<p class=\"none\">The {stage} stage has given no evidence for this in this run.</p>")
    });
    let _ = write!(page, "<section><h2>{}</h2>{body}</section>", escape(title));
}

fn mark(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Migrated => ("good", "✓"),
        Outcome::Held | Outcome::Unfinished => ("wait", "◐"),
        Outcome::Refused | Outcome::RolledBack => ("bad", "↩"),
        Outcome::Stuck => ("bad", "!"),
    }
}

fn header(page: &mut String, record: &RunRecord) {
    let summary = &record.summary;
    let (class, sign) = mark(summary.outcome);
    let facts = [
        ("environment", summary.environment.clone()),
        ("run", summary.run.clone()),
        ("begun", summary.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
        ("took", duration(summary.seconds)),
        ("by", summary.actor.clone()),
        ("commit", summary.commit.as_deref().map_or("–".to_owned(), |c| c.get(..12).unwrap_or(c).to_owned())),
        (
            "plan",
            record
                .plan
                .as_ref()
                .map_or("–".to_owned(), |p| p.hash.get(..12).unwrap_or_default().to_owned()),
        ),
        ("server", record.plan.as_ref().map_or("–".to_owned(), |p| p.server.version.clone())),
    ];
    let _ = write!(
        page,
        "<header class=\"{class}\"><h1><span aria-hidden=\"true\">{sign}</span> {}</h1>",
        escape(&sentence(summary))
    );
    if let Some(hint) = &summary.hint {
        let _ = write!(page, "<p class=\"hint\">hint: {}</p>", escape(hint));
    }
    page.push_str("<dl>");
    for (name, value) in facts {
        let _ = write!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value));
    }
    page.push_str("</dl></header>");
}

fn stages(page: &mut String, record: &RunRecord) {
    page.push_str("<section><h2>Stages</h2><ol class=\"strip\">");
    for stage in &record.summary.stages {
        let class = match stage.outcome {
            StageOutcome::Done => "good",
            StageOutcome::Failed => "bad",
            StageOutcome::Interrupted | StageOutcome::Skipped => "none",
        };
        let time =
            if stage.outcome == StageOutcome::Skipped { "–".to_owned() } else { duration(stage.seconds) };
        let _ = write!(
            page,
            "<li class=\"{class}\"><b>{}</b> <span>{}</span> <em>{time}</em><p>{}</p></li>",
            escape(&stage.name),
            stage.outcome,
            escape(&stage.detail)
        );
    }
    page.push_str("</ol></section>");
}

fn held(page: &mut String, record: &RunRecord) {
    if record.summary.held.is_empty() {
        return;
    }
    page.push_str("<section><h2>Held</h2><table><thead><tr><th scope=\"col\">changeset</th><th scope=\"col\">waits for</th></tr></thead><tbody>");
    for held in &record.summary.held {
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            escape(&held.key.id),
            escape(&waits(held))
        );
    }
    page.push_str("</tbody></table><p>They go out by themselves on the first run after these versions are gone.</p></section>");
}

fn changesets(record: &RunRecord) -> String {
    let mut out = String::from(
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">changeset</th><th scope=\"col\">phase</th><th scope=\"col\">outcome</th>\
         <th scope=\"col\">inverse</th><th scope=\"col\">rehearsed</th><th scope=\"col\">rolled out</th><th scope=\"col\">tries</th>\
         <th scope=\"col\">rows</th><th scope=\"col\">stall</th><th scope=\"col\">strongest lock held</th><th scope=\"col\">hazards</th></tr></thead><tbody>",
    );
    for line in &record.summary.changesets {
        let planned = record.plan.as_ref().and_then(|p| p.changesets.iter().find(|c| c.key == line.key));
        let rehearsal = record.shadow.as_ref().and_then(|s| s.changesets.iter().find(|r| r.key == line.key));
        let took = Took::of(record, &line.key);
        let sql: Vec<String> =
            planned.iter().flat_map(|c| c.statements.iter().map(|s| s.sql.clone())).collect();
        let hazards: Vec<String> =
            planned.iter().flat_map(|c| &c.statements).flat_map(|s| &s.hazards).map(hazard).collect();
        let lock = rehearsal.and_then(|r| r.locks.iter().max_by_key(|l| (l.blocks, l.held_ms)));
        let lock =
            lock.map(|l| format!("{} on {} for {} ms", l.mode, l.relation, l.held_ms)).unwrap_or_default();
        let rewrites = rehearsal.map(|r| r.rewrites.join(", ")).filter(|r| !r.is_empty());
        let rewrites = rewrites
            .map(|r| format!(" <span class=\"bad\">rewrote {}</span>", escape(&r)))
            .unwrap_or_default();
        let _ = write!(
            out,
            "<tr class=\"{}\"><th scope=\"row\"><details><summary>{}</summary><p>{}</p><pre>{}</pre></details></th><td>{}</td><td>{}</td><td>{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td>{}{rewrites}</td><td>{}</td></tr>",
            line.outcome,
            escape(&line.key.id),
            escape(&planned.map(|p| p.place()).unwrap_or_default()),
            escape(&sql.join(";\n")),
            line.phase,
            line.outcome,
            proof(line.reverse),
            rehearsal.map(|r| duration(r.seconds)).unwrap_or_default(),
            took.seconds,
            took.attempts,
            took.rows,
            took.stall,
            escape(&lock),
            hazards.join(" "),
        );
    }
    out.push_str("</tbody></table></div>");
    out
}

fn hazard(hazard: &Hazard) -> String {
    let (class, mark, why) = match &hazard.allowed {
        Some(reason) => ("none", " (allowed)", format!("allowed because {reason}. ")),
        None if hazard.severity == Severity::Danger => ("bad", "", String::new()),
        None => ("none", "", String::new()),
    };
    let title = escape(&format!("{why}{}", hazard.message));
    format!("<span class=\"{class}\" title=\"{title}\">{}{mark}</span>", escape(&hazard.name))
}

fn around(record: &RunRecord) -> String {
    let t = &record.summary.traffic;
    let cell = |ms: f64| if ms > 0.0 { format!("<td>{ms:.1} ms</td>") } else { "<td>–</td>".to_owned() };
    let row = |name: &str, a: f64, b: f64, c: f64| {
        format!("<tr><th scope=\"row\">{name}</th>{}{}{}</tr>", cell(a), cell(b), cell(c))
    };
    format!(
        "<table><thead><tr><th></th><th scope=\"col\">before</th><th scope=\"col\">during</th><th scope=\"col\">after</th></tr></thead><tbody>{}{}</tbody></table>\
         <p>{} requests of {} services at {:.0} a second, open loop; <b>{} failed</b>; longest wait {:.0} ms; {} acknowledged writes, <b>{} lost</b>.</p>",
        row("median", t.p50_ms.before, t.p50_ms.during, t.p50_ms.after),
        row("p99", t.p99_ms.before, t.p99_ms.during, t.p99_ms.after),
        count(t.requests),
        t.services,
        t.rate,
        t.failed,
        t.longest_wait_ms,
        count(t.acknowledged),
        t.lost,
    )
}

fn proofs(record: &RunRecord) -> String {
    let mut out = String::from("<ul>");
    if let Some(b) = &record.backup {
        let _ = write!(
            out,
            "<li>{:?} backup, {}, at {} ({}), verified by {}.{}</li>",
            b.method,
            bytes(b.bytes),
            escape(b.moment.name.as_deref().unwrap_or("a log position")),
            escape(&b.moment.position),
            escape(&b.verified_by),
            b.note.as_deref().map(|n| format!(" {}", escape(n))).unwrap_or_default()
        );
    }
    if let Some(c) = &record.clone {
        let equal = if c.equal { "equal to the source" } else { "NOT equal to the source" };
        let _ = write!(
            out,
            "<li>Clone restored in {}, {equal}: {} schema objects, {} tables, {} rows.</li>",
            duration(c.restore_seconds),
            count(c.objects),
            c.tables,
            count(c.rows)
        );
        let network = c.isolation.network.map(|network| network.to_string());
        for line in network.into_iter().chain(c.isolation.lines()) {
            let _ = write!(out, "<li>On the clone, {}.</li>", escape(&line));
        }
    }
    let f = &record.summary.fingerprint;
    if !f.after.is_empty() {
        let expected = if f.as_expected { "as expected" } else { "not as expected" };
        let _ = write!(
            out,
            "<li>Schema before <code>{}</code>, after <code>{}</code>: {expected}.</li>",
            escape(&f.before),
            escape(&f.after)
        );
    }
    out.push_str("</ul>");
    out
}

fn rollback(page: &mut String, record: &RunRecord) {
    let Some(back) = &record.rollback else { return };
    let how = if back.automatic { "by itself" } else { "by hand" };
    let _ = write!(
        page,
        "<section><h2>Rollback</h2><p>Taken back {how} in {}: {}. Lost: <b>{}</b>.</p><ol>",
        duration(back.seconds),
        escape(&back.reason),
        escape(&back.lost)
    );
    for undone in &back.undone {
        let _ = write!(
            page,
            "<li>{} – {} in {}, {} tries</li>",
            escape(&undone.key.id),
            undone.state,
            duration(undone.seconds),
            undone.attempts
        );
    }
    page.push_str("</ol>");
    for line in kept::lines(&back.kept) {
        let _ = write!(page, "<p>{}.</p>", escape(&line));
    }
    for difference in &back.explained {
        let _ = write!(page, "<p>The schema is not as before: {}.</p>", escape(&difference.to_string()));
    }
    page.push_str("</section>");
}

fn trail(page: &mut String, record: &RunRecord) {
    let intact = if record.journal_intact {
        "The chain is intact."
    } else {
        "<b>The chain is broken: somebody changed the journal.</b>"
    };
    let _ = write!(
        page,
        "<section><h2>Audit trail</h2><p>{} events, each with the hash of the one before. {intact}</p><div class=\"scroll tall\"><table><thead><tr>\
         <th scope=\"col\">#</th><th scope=\"col\">time (UTC)</th><th scope=\"col\">event</th><th scope=\"col\">what</th><th scope=\"col\">hash</th></tr></thead><tbody>",
        record.events.len()
    );
    for event in &record.events {
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
            event.seq,
            event.at.strftime("%H:%M:%S%.3f"),
            escape(&event.kind),
            escape(&event.text),
            escape(event.hash.get(..12).unwrap_or_default())
        );
    }
    page.push_str("</tbody></table></div></section>");
}

#[cfg(test)]
mod tests;
