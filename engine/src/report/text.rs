//! Results for the terminal. Pure: what is printed, and where, is `cli`'s.

use std::collections::BTreeMap;

use comfy_table::{ContentArrangement, Table, presets};

use crate::model::changeset::{Reverse, Severity};
use crate::model::evidence::{
    ChangesetOutcome, Doctor, Drift, Held, Outcome, Plan, ReverseProof, RunRecord, RunSummary, StageOutcome,
};
use crate::model::preflight::{Fact, Weight};
use crate::report::took::Took;
use crate::report::{kept, rehearsal};

/// `340 ms`, `1.2 s`, `2 min 05 s`.
pub fn duration(seconds: f64) -> String {
    if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1_000.0)
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

/// `1,000,000`
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `512 MiB`
pub fn bytes(n: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let unit = units.get(unit).copied().unwrap_or("B");
    if value < 10.0 && unit != "B" { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

pub(super) fn table(width: u16, head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(head.to_vec());
    table
}

pub(super) fn drawn(table: &Table) -> String {
    table.to_string().lines().map(|l| format!("{}\n", l.trim_end())).collect()
}

pub fn proof(reverse: ReverseProof) -> &'static str {
    match reverse {
        ReverseProof::Proven => "proven",
        ReverseProof::Differs => "differs",
        ReverseProof::Failed => "failed",
        ReverseProof::None => "–",
    }
}

/// Everything a person wants to know at the end of a run.
pub fn closing(summary: &RunSummary, record: &RunRecord, colour: bool, width: u16) -> String {
    let mut out = String::from("\n");
    let mut stages = table(width, &["stage", "", "time", "what came of it"]);
    for stage in &summary.stages {
        let time =
            if stage.outcome == StageOutcome::Skipped { String::new() } else { duration(stage.seconds) };
        stages.add_row([stage.name.clone(), stage.outcome.to_string(), time, stage.detail.clone()]);
    }
    out.push_str(&drawn(&stages));
    if !summary.changesets.is_empty() {
        out.push('\n');
        out.push_str(&changesets(summary, record, width));
    }
    out.push_str(&held(&summary.held, width));
    out.push_str(&rehearsal::text(record.shadow.as_ref(), width));
    out.push_str(&traffic(summary));
    let fingerprint = &summary.fingerprint;
    if !fingerprint.after.is_empty() {
        let short = |s: &str| s.get(..12).unwrap_or(s).to_owned();
        let expected = if fingerprint.as_expected { "as expected" } else { "NOT as expected" };
        out.push_str(&format!(
            "schema    {} before, {} after: {expected}\n",
            short(&fingerprint.before),
            short(&fingerprint.after)
        ));
    }
    out.push_str(&kept::of_run(summary));
    out.push_str(&format!(
        "run       {} on {}, {}\n",
        summary.run,
        named(summary),
        duration(summary.seconds)
    ));
    out.push('\n');
    out.push_str(&paint(&sentence(summary), summary.outcome, colour));
    out.push('\n');
    if let Some(hint) = &summary.hint {
        out.push_str(&format!("hint: {hint}\n"));
    }
    out
}

/// The environment and its database.
fn named(summary: &RunSummary) -> String {
    match &summary.database {
        Some(database) if database != summary.place() => format!("{} ({database})", summary.environment),
        _ => summary.place().to_owned(),
    }
}

fn changesets(summary: &RunSummary, record: &RunRecord, width: u16) -> String {
    let mut lines = table(
        width,
        &["changeset", "phase", "outcome", "inverse", "rehearsed", "rolled out", "tries", "rows", "stall"],
    );
    for line in &summary.changesets {
        let rehearsal = record.shadow.as_ref().and_then(|s| s.changesets.iter().find(|r| r.key == line.key));
        let took = Took::of(record, &line.key);
        lines.add_row([
            line.key.id.clone(),
            line.phase.to_string(),
            line.outcome.to_string(),
            proof(line.reverse).to_owned(),
            rehearsal.map_or(String::new(), |r| duration(r.seconds)),
            took.seconds,
            took.attempts,
            took.rows,
            took.stall,
        ]);
    }
    drawn(&lines)
}

/// Who each held changeset waits for, services once with their queries behind them.
pub(super) fn held(held: &[Held], width: u16) -> String {
    if held.is_empty() {
        return String::new();
    }
    let mut lines = table(width, &["held", "waits for"]);
    for one in held {
        lines.add_row([one.key.id.clone(), waits(one)]);
    }
    format!("\n{}", drawn(&lines))
}

pub fn waits(held: &Held) -> String {
    let mut services: Vec<(String, Vec<String>)> = Vec::new();
    for wait in &held.waits_for {
        let name = format!("{} {}", wait.service, wait.version);
        match services.iter_mut().find(|(n, _)| *n == name) {
            Some((_, queries)) => queries.push(wait.query.clone()),
            None => services.push((name, vec![wait.query.clone()])),
        }
    }
    let mut text: Vec<String> = services
        .into_iter()
        .map(|(name, queries)| {
            let more = if queries.len() > 2 { format!(" +{}", queries.len() - 2) } else { String::new() };
            format!("{name} ({}{more})", queries.into_iter().take(2).collect::<Vec<_>>().join(", "))
        })
        .collect();
    if let Some(other) = &held.because_of {
        text.insert(0, format!("{}, on which it builds", other.id));
    }
    text.join("; ")
}

/// Nothing measured is no speed.
fn milliseconds(ms: f64) -> String {
    if ms > 0.0 { format!("{ms:.0} ms") } else { "–".to_owned() }
}

fn traffic(summary: &RunSummary) -> String {
    let traffic = &summary.traffic;
    if traffic.requests == 0 {
        return String::from("\n");
    }
    let lost = if traffic.acknowledged > 0 {
        format!(", {} of {} acknowledged writes lost", traffic.lost, count(traffic.acknowledged))
    } else {
        String::new()
    };
    format!(
        "\ntraffic   {} requests of {} services, {} failed{lost}\nlatency   longest wait {:.0} ms; p99 {} before, {} during, {} after\n",
        count(traffic.requests),
        traffic.services,
        traffic.failed,
        traffic.longest_wait_ms,
        milliseconds(traffic.p99_ms.before),
        milliseconds(traffic.p99_ms.during),
        milliseconds(traffic.p99_ms.after),
    )
}

pub(super) fn counted(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// The outcome in plain words.
pub fn sentence(summary: &RunSummary) -> String {
    let applied = summary.changesets.iter().filter(|c| c.outcome == ChangesetOutcome::Applied).count();
    let why = summary.reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
    match summary.outcome {
        Outcome::Migrated if applied == 0 => format!("migrated{why}"),
        Outcome::Migrated => {
            format!("migrated: {} on {}", counted(applied, "changeset is", "changesets are"), summary.place())
        }
        Outcome::Held => format!(
            "held: {} on {}; {}",
            counted(applied, "changeset is", "changesets are"),
            summary.place(),
            counted(
                summary.held.len(),
                "waits until no deployed service needs what it changes",
                "wait until no deployed service needs what they change",
            ),
        ),
        Outcome::Refused => format!("refused, production was not touched{why}"),
        Outcome::RolledBack if summary.fingerprint.before == summary.fingerprint.after => {
            format!("rolled back, the schema is as it was{why}")
        }
        Outcome::RolledBack => {
            format!("rolled back, the schema is as it was but for what was accepted or allowed{why}")
        }
        Outcome::Stuck => format!("stuck, a person must decide{why}"),
        Outcome::Unfinished => format!("unfinished{why}"),
    }
}

fn paint(text: &str, outcome: Outcome, colour: bool) -> String {
    use owo_colors::OwoColorize;
    if !colour {
        return text.to_owned();
    }
    match outcome {
        Outcome::Migrated => text.green().bold().to_string(),
        Outcome::Held | Outcome::Unfinished => text.yellow().bold().to_string(),
        Outcome::Refused | Outcome::RolledBack | Outcome::Stuck => text.red().bold().to_string(),
    }
}

/// What is pending.
pub fn plan(plan: &Plan, width: u16) -> String {
    let mut lines = table(width, &["wave", "changeset", "phase", "inverse", "lock", "hazards"]);
    for wave in &plan.waves {
        for key in &wave.changesets {
            let Some(changeset) = plan.changesets.iter().find(|c| c.key == *key) else { continue };
            let hazards: Vec<_> = changeset.statements.iter().flat_map(|s| &s.hazards).collect();
            let lock = hazards.iter().find_map(|h| h.lock.clone()).unwrap_or_default();
            let text: Vec<String> = hazards
                .iter()
                .filter(|h| h.severity > Severity::Note)
                .map(|h| {
                    let rows = h.rows.map(|r| format!(" on {} rows", count(r))).unwrap_or_default();
                    let allowed = if h.allowed.is_some() { " (allowed)" } else { "" };
                    format!("{}{rows}{allowed}", h.name)
                })
                .collect();
            let number =
                if wave.canary { format!("{} canary", wave.number) } else { wave.number.to_string() };
            let inverse = match changeset.reverse {
                Reverse::None => "none",
                Reverse::Inverse if changeset.inverse.is_empty() => "empty",
                Reverse::Inverse => "yes",
            };
            lines.add_row([
                number,
                key.id.clone(),
                changeset.phase.to_string(),
                inverse.to_owned(),
                lock,
                text.join(", "),
            ]);
        }
    }
    let mut out = format!("{}\n\n", target(plan));
    if plan.changesets.is_empty() {
        out.push_str("nothing is pending\n");
    } else {
        out.push_str(&drawn(&lines));
    }
    out.push_str(&notes(plan));
    out.push_str(&suppressions(plan));
    for changeset in &plan.changesets {
        for code in &changeset.code {
            out.push_str(&format!(
                "runs code {}: {code}; what it does is not known before it runs on the clone\n",
                changeset.key.id
            ));
        }
    }
    for filtered in &plan.filtered {
        out.push_str(&format!("left out  {}: {}\n", filtered.key.id, filtered.reason));
    }
    out.push_str(&drift(&plan.drift));
    out.push_str(&warnings(&plan.preflight));
    out.push_str(&format!("applied   {} changesets\nplan      {}\n", plan.applied, plan.hash));
    out
}

/// Which database a plan is for: whoever reads it should see a mistake there first.
fn target(plan: &Plan) -> String {
    match &plan.database {
        Some(database) => format!("database  {database}, {}", plan.server.version),
        None => format!("database  {}", plan.server.version),
    }
}

/// Hazards that are worth knowing, counted: in the table they would hide what weighs more.
fn notes(plan: &Plan) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let all = plan.changesets.iter().flat_map(|c| &c.statements).flat_map(|s| &s.hazards);
    for hazard in all.filter(|h| h.severity == Severity::Note && h.allowed.is_none()) {
        *counts.entry(&hazard.name).or_default() += 1;
    }
    if counts.is_empty() {
        return String::new();
    }
    let each: Vec<String> = counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
    format!("notes     {}; --format json says where\n", each.join(", "))
}

/// What the authors of changesets accept, and why.
fn suppressions(plan: &Plan) -> String {
    let mut out = String::new();
    for changeset in &plan.changesets {
        let id = &changeset.key.id;
        for line in &changeset.suppressions {
            let of = line.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
            let unused =
                if line.unused { "; the changeset does not have this hazard: remove the line" } else { "" };
            out.push_str(&format!("allowed   {id}: {}{of}, because {}{unused}\n", line.what, line.reason));
        }
    }
    out
}

/// Facts that somebody should look at.
fn warnings(facts: &[Fact]) -> String {
    let heavy = facts.iter().filter(|fact| fact.weight >= Weight::Warning);
    heavy.map(|fact| format!("warning   {}{}\n", fact.finding, remedy(fact))).collect()
}

fn remedy(fact: &Fact) -> String {
    fact.remedy.as_ref().map(|remedy| format!("; {remedy}")).unwrap_or_default()
}

/// All facts, one line each, and what does not agree.
pub fn doctor(doctor: &Doctor) -> String {
    let mut out = format!("database  {}\n", doctor.database);
    for fact in &doctor.facts {
        let (mark, what) = match fact.weight {
            Weight::Known => ("ok", String::new()),
            Weight::Warning => ("warning", remedy(fact)),
            Weight::StopsRuns | Weight::StopsPlans | Weight::StopsAll => ("stops", remedy(fact)),
        };
        out.push_str(&format!("{mark:<9} {}{what}\n", fact.finding));
    }
    out.push_str(&drift(&doctor.drift));
    out
}

/// Differences between changelog, history and catalog, one line each.
pub fn drift(drift: &[Drift]) -> String {
    drift.iter().map(|d| format!("drift     {} {}\n", d.subject, d.message)).collect()
}

/// Where a run is.
pub fn status(record: &RunRecord, width: u16) -> String {
    let summary = &record.summary;
    let mut out = format!(
        "run       {} on {}, begun {} by {}\n",
        summary.run,
        named(summary),
        summary.started,
        summary.actor
    );
    let mut stages = table(width, &["stage", "", "time", "what came of it"]);
    for stage in &summary.stages {
        stages.add_row([
            stage.name.clone(),
            stage.outcome.to_string(),
            duration(stage.seconds),
            stage.detail.clone(),
        ]);
    }
    out.push_str(&drawn(&stages));
    if let Some(last) = record.events.last() {
        out.push_str(&format!("last      {} {} {}\n", last.at, last.kind, last.text));
    }
    out.push_str(&held(&summary.held, width));
    out.push_str(&kept::of_run(summary));
    out.push_str(&sentence(summary));
    out
}

/// The runs, oldest first.
pub fn history(runs: &[RunSummary], width: u16) -> String {
    if runs.is_empty() {
        return "no run yet\n".to_owned();
    }
    let mut lines = table(width, &["run", "outcome", "time", "applied", "held", "failed requests", "by"]);
    for run in runs {
        let applied = run.changesets.iter().filter(|c| c.outcome == ChangesetOutcome::Applied).count();
        lines.add_row([
            run.run.clone(),
            run.outcome.name().to_owned(),
            duration(run.seconds),
            applied.to_string(),
            run.held.len().to_string(),
            run.traffic.failed.to_string(),
            run.actor.clone(),
        ]);
    }
    drawn(&lines)
}
