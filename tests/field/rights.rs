//! Who may do what, by whatever gives the right; and what sets of rows and defaults come from something that queries do not name.

use super::Case;

/// A right is lost where nothing gives it any more: no grant, no membership, no ownership. Where something does, nothing is said.
#[test]
fn rights_are_lost_only_where_nothing_gives_them() {
    let ran = Case::new("rights").run(&["compat", "--format", "json"]).expect(3);
    let answer = ran.json();
    let text = |v: &serde_json::Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let mut told: Vec<String> = answer["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|v| v["verdict"] != "compatible")
        .map(|v| ["changeset", "query", "verdict", "class"].map(|key| text(v, key)).join(" "))
        .collect();
    told.sort();
    told.dedup();
    assert_eq!(
        told,
        [
            "definer Secret breaking fails-when-run",
            "definer Secret risky answers-differently",
            "domain-default Coded risky answers-differently",
            "heir-goes Roots breaking answers-differently",
            "heir-leaves Bases breaking answers-differently",
            "no-member Shared breaking lost-privilege",
            "no-owner Own breaking lost-privilege",
            "sequence Ticket breaking lost-privilege",
            "sequence-by-name Number breaking lost-privilege",
            "sequence-of-a-trigger Doc breaking lost-privilege",
            "unbound Hidden breaking answers-differently",
            "view-default Named risky answers-differently",
            "words Found breaking answers-differently",
        ],
        "{:#}",
        answer["verdicts"]
    );
}
