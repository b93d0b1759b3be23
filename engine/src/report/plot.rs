//! Pictures of a rollout: the waves over time, and what the traffic waited.

use std::fmt::Write;

use jiff::Timestamp;

use crate::model::evidence::{Applied, Rollout};
use crate::report::escape;

const WIDTH: f64 = 1100.0;
const LEFT: f64 = 60.0;

/// Seconds from the traffic's beginning; its series has the wall time.
fn begin(rollout: &Rollout) -> Option<Timestamp> {
    let first = rollout.traffic.series.iter().find_map(|s| s.at);
    first.or_else(|| rollout.changesets.iter().map(|a| a.started).min())
}

fn offset(from: Timestamp, at: Timestamp) -> f64 {
    at.duration_since(from).as_secs_f64()
}

fn span(rollout: &Rollout, from: Timestamp) -> f64 {
    let last = rollout.changesets.iter().map(|a| offset(from, a.started) + a.seconds).fold(0.0, f64::max);
    let traffic = rollout.traffic.series.last().map_or(0.0, |s| f64::from(s.second) + 1.0);
    last.max(traffic).max(1.0)
}

struct Axis {
    from: Timestamp,
    span: f64,
}

impl Axis {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + (WIDTH - LEFT - 10.0) * (seconds / self.span).clamp(0.0, 1.0)
    }
    fn ticks(&self, out: &mut String, bottom: f64) {
        let step = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0]
            .into_iter()
            .find(|s| self.span / s <= 14.0)
            .unwrap_or(1_800.0);
        let mut at = 0.0;
        while at <= self.span {
            let x = self.x(at);
            let _ = write!(
                out,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"8\" y2=\"{bottom:.1}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{at:.0} s</text>",
                bottom + 16.0
            );
            at += step;
        }
    }
}

/// One bar per changeset, one row per wave, gate readings below.
pub fn waves(rollout: &Rollout) -> String {
    let Some(from) = begin(rollout) else { return String::new() };
    let axis = Axis { from, span: span(rollout, from) };
    let mut waves: Vec<u32> = rollout.changesets.iter().map(|a| a.wave).collect();
    waves.dedup();
    let row = 22.0;
    let bottom = 12.0 + row * (waves.len() as f64 + 1.0);
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Waves over time\">",
        bottom + 24.0
    );
    axis.ticks(&mut out, bottom);
    for (n, wave) in waves.iter().enumerate() {
        let y = 12.0 + row * n as f64;
        let _ = write!(out, "<text x=\"4\" y=\"{:.1}\">wave {wave}</text>", y + 14.0);
        for applied in rollout.changesets.iter().filter(|a| a.wave == *wave) {
            out.push_str(&bar(&axis, applied, y));
        }
    }
    let y = 12.0 + row * waves.len() as f64;
    let _ = write!(out, "<text x=\"4\" y=\"{:.1}\">gates</text>", y + 14.0);
    for gate in &rollout.gates {
        let x = axis.x(offset(axis.from, gate.at));
        let (class, word) = if gate.breaches.is_empty() {
            ("good", "holds".to_owned())
        } else {
            ("bad", gate.breaches.join("; "))
        };
        let _ = write!(
            out,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"5\"><title>{} wave {}: {}</title></circle>",
            y + 10.0,
            gate.when,
            gate.wave,
            escape(&word)
        );
    }
    out.push_str("</svg>");
    out
}

fn bar(axis: &Axis, applied: &Applied, y: f64) -> String {
    let x = axis.x(offset(axis.from, applied.started));
    let width = (axis.x(offset(axis.from, applied.started) + applied.seconds) - x).max(2.0);
    format!(
        "<rect class=\"bar\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"14\"><title>{}: {:.2} s, {} tries, {} rows, others waited {:.0} ms</title></rect>",
        y + 3.0,
        escape(&applied.key.id),
        applied.seconds,
        applied.attempts,
        applied.rows,
        applied.stall_ms
    )
}

/// Per second: median, p99 and longest wait, on a logarithmic scale; the change is shaded.
pub fn latencies(rollout: &Rollout) -> String {
    let Some(from) = begin(rollout) else { return String::new() };
    let axis = Axis { from, span: span(rollout, from) };
    let series = &rollout.traffic.series;
    let top = series.iter().map(|s| s.max_ms).fold(10.0, f64::max).log10().ceil();
    let bottom = 250.0;
    let y = |ms: f64| bottom - (bottom - 12.0) * ((ms.max(0.1).log10() + 1.0) / (top + 1.0)).clamp(0.0, 1.0);
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Latency per second\">",
        bottom + 24.0
    );
    let begun = rollout.changesets.first().map(|a| offset(from, a.started));
    let ended = rollout.changesets.iter().map(|a| offset(from, a.started) + a.seconds).reduce(f64::max);
    if let (Some(begun), Some(ended)) = (begun, ended) {
        let (x, width) = (axis.x(begun), axis.x(ended) - axis.x(begun));
        let _ = write!(
            out,
            "<rect class=\"change\" x=\"{x:.1}\" y=\"8\" width=\"{width:.1}\" height=\"{:.1}\"><title>the change</title></rect>",
            bottom - 8.0
        );
    }
    axis.ticks(&mut out, bottom);
    let mut power = -1.0;
    while power <= top {
        let ms = 10_f64.powf(power);
        let at = y(ms);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{ms} ms</text>",
            LEFT - 6.0,
            at + 4.0
        );
        power += 1.0;
    }
    for (class, value) in [("max", 0), ("p99", 1), ("p50", 2)] {
        let points: Vec<String> = series
            .iter()
            .filter(|s| s.requests > 0)
            .map(|s| {
                let ms = match value {
                    0 => s.max_ms,
                    1 => s.p99_ms,
                    _ => s.p50_ms,
                };
                format!("{:.1},{:.1}", axis.x(f64::from(s.second) + 0.5), y(ms))
            })
            .collect();
        let _ = write!(out, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
    }
    for s in series.iter().filter(|s| s.failed > 0) {
        let x = axis.x(f64::from(s.second) + 0.5);
        let _ = write!(
            out,
            "<text class=\"fail\" x=\"{x:.1}\" y=\"20\" text-anchor=\"middle\">✗ {}<title>{} requests failed in second {}</title></text>",
            s.failed, s.failed, s.second
        );
    }
    out.push_str("</svg><p class=\"legend\"><span class=\"p50\">— median</span> <span class=\"p99\">— p99</span> <span class=\"max\">— longest</span> <span class=\"change\">▮ the change</span></p>");
    out
}
