//! Conditions on live signals that must hold before, during and after a wave. No signal means that a gate does not hold.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::GateSettings;
use crate::load::{Traffic, Window};
use crate::model::evidence::{GateMoment, GateReading};
use crate::model::session::Activity;
use crate::product::Database;

/// What the database shows of its sessions.
pub enum Sessions {
    Seen(Activity),
    /// The database did not answer.
    NoSignal,
    /// The product has nothing to show: the traffic alone is the signal.
    NeverShown,
}

/// Reads the signals once.
pub async fn read(
    database: &dyn Database,
    traffic: &Traffic,
    settings: &GateSettings,
    stall: Duration,
    ours: &str,
    when: GateMoment,
    wave: u32,
) -> GateReading {
    let window = traffic.window(Duration::from_secs_f64(settings.window_seconds.max(0.1)));
    let window = (!traffic.is_silent()).then_some(window);
    let capabilities = database.capabilities();
    let sessions = if capabilities.shows_sessions {
        let activity = tokio::time::timeout(Duration::from_secs(5), database.activity(ours)).await;
        activity.ok().and_then(Result::ok).map_or(Sessions::NoSignal, Sessions::Seen)
    } else {
        Sessions::NeverShown
    };
    judge(window.as_ref(), &sessions, settings, capabilities.lock_wait(stall), when, wave)
}

/// What a reading says. Without a window there is no traffic, by the configuration's leave: the sessions are the signal.
pub fn judge(
    window: Option<&Window>,
    sessions: &Sessions,
    settings: &GateSettings,
    stall: Duration,
    when: GateMoment,
    wave: u32,
) -> GateReading {
    let mut breaches = Vec::new();
    match window {
        Some(window) => breaches.extend(of_traffic(window, settings)),
        None if matches!(sessions, Sessions::NeverShown) => {
            breaches.push(
                "no signal: there is no traffic, and the database does not show its sessions".to_owned(),
            );
        }
        None => {}
    }
    let activity = match sessions {
        Sessions::NeverShown => None,
        Sessions::NoSignal => {
            breaches.push("no signal: the database does not show its sessions".to_owned());
            None
        }
        Sessions::Seen(activity) => {
            if activity.blocked > settings.blocked {
                breaches.push(format!(
                    "{} sessions wait for locks, at most {} may",
                    activity.blocked, settings.blocked
                ));
            }
            // A lock wait of ours ends by its own timeout; twice the budget means that we hold something too long.
            if activity.longest_wait_for_us > stall * 2 + Duration::from_millis(400) {
                breaches.push(format!(
                    "a session has waited {} ms for Drydock, the stall budget is {} ms",
                    activity.longest_wait_for_us.as_millis(),
                    stall.as_millis()
                ));
            }
            Some(activity)
        }
    };
    GateReading {
        at: Timestamp::now(),
        when,
        wave,
        requests: window.map_or(0, |w| w.requests),
        failed: window.map_or(0, |w| w.failed),
        p99_ms: window.filter(|w| w.requests > 0).map(|w| w.p99_ms),
        blocked: activity.map(|a| a.blocked),
        longest_block_ms: activity.map(|a| u64::try_from(a.longest_wait.as_millis()).unwrap_or(u64::MAX)),
        breaches,
    }
}

fn of_traffic(window: &Window, settings: &GateSettings) -> Vec<String> {
    if window.requests == 0 {
        return vec!["no signal: no request was seen in the window".to_owned()];
    }
    let mut breaches = Vec::new();
    let share = ratio(window.failed, window.requests);
    if share > settings.error_rate {
        breaches.push(format!(
            "{} of {} requests failed ({:.2}%, at most {:.2}% may)",
            window.failed,
            window.requests,
            share * 100.0,
            settings.error_rate * 100.0
        ));
    }
    if window.p99_ms > settings.p99_ms {
        breaches
            .push(format!("p99 is {:.0} ms, at most {:.0} ms is allowed", window.p99_ms, settings.p99_ms));
    }
    breaches
}

fn ratio(part: u64, whole: u64) -> f64 {
    // Counts of a window are far below 2^52.
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(requests: u64, failed: u64, p99_ms: f64) -> Window {
        Window { requests, failed, p50_ms: 1.0, p99_ms, max_ms: p99_ms }
    }
    fn activity(blocked: u64, for_us_ms: u64) -> Sessions {
        let longest_wait_for_us = Duration::from_millis(for_us_ms);
        Sessions::Seen(Activity { blocked, longest_wait_for_us, ..Activity::default() })
    }

    #[test]
    fn without_traffic_the_sessions_are_the_signal() {
        let settings = GateSettings::default();
        for (sessions, holds) in [
            (activity(0, 0), true),
            (activity(13, 0), false),
            (activity(1, 700), false),
            (Sessions::NoSignal, false),
            (Sessions::NeverShown, false),
        ] {
            let reading =
                judge(None, &sessions, &settings, Duration::from_millis(100), GateMoment::Before, 1);
            assert_eq!(reading.breaches.is_empty(), holds, "{:?}", reading.breaches);
        }
    }

    #[test]
    fn a_gate_holds_only_when_every_signal_is_there_and_good() {
        let settings = GateSettings::default();
        let quiet = || activity(0, 0);
        let cases: [(&str, Window, Sessions, &str); 9] = [
            ("good", window(100, 0, 5.0), quiet(), ""),
            ("silent", window(0, 0, 0.0), quiet(), "no signal"),
            ("failing", window(100, 1, 5.0), quiet(), "1 of 100 requests failed"),
            ("slow", window(100, 0, 1_001.0), quiet(), "p99"),
            ("blind", window(100, 0, 5.0), Sessions::NoSignal, "no signal"),
            ("blocked", window(100, 0, 5.0), activity(13, 0), "wait for locks"),
            ("ours", window(100, 0, 5.0), activity(1, 700), "for Drydock"),
            ("no sessions to show", window(100, 0, 5.0), Sessions::NeverShown, ""),
            ("and no request", window(0, 0, 0.0), Sessions::NeverShown, "no signal"),
        ];
        for (name, window, sessions, expected) in cases {
            let reading =
                judge(Some(&window), &sessions, &settings, Duration::from_millis(100), GateMoment::Before, 1);
            match expected {
                "" => assert_eq!(reading.breaches, Vec::<String>::new(), "{name}"),
                text => assert!(
                    reading.breaches.iter().any(|b| b.contains(text)),
                    "{name}: {:?}",
                    reading.breaches
                ),
            }
        }
    }
}
