//! What is slow, and whose doing it is.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::model::catalog::Table;

fn plan(cost: f64, whole: &[&str]) -> PlanShape {
    PlanShape { cost, whole: names(whole) }
}

fn names(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|t| (*t).to_owned()).collect()
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for (name, rows, parent) in [
        ("s.small", 9_000, None),
        ("s.middle", 20_000, None),
        ("s.big", 500_000, None),
        ("s.parts", 180_000, None),
        ("s.parts_1", 90_000, Some("s.parts")),
        ("s.parts_2", 90_000, Some("s.parts")),
        ("s.parts_3", 0, Some("s.parts")),
    ] {
        let parent = parent.map(str::to_owned);
        catalog.tables.insert(name.to_owned(), Table { rows, parent, ..Table::default() });
    }
    catalog
}

#[test]
fn what_counts_as_slow() {
    use VerdictKind::{Breaking, Risky};
    let (none, big) = (&[][..], &["s.big"][..]);
    for (name, before, after, expected) in [
        ("the index of a big table", plan(8.4, none), plan(9_000.0, big), Some((Breaking, "s.big"))),
        ("it was read whole before", plan(900.0, big), plan(9_900.0, big), None),
        ("and gets much dearer", plan(9.0, big), plan(9_900.0, big), Some((Risky, ""))),
        ("another way that costs as much", plan(8_000.0, none), plan(9_000.0, big), None),
        ("some of it was read before", plan(800.0, none), plan(9_000.0, big), Some((Risky, "s.big"))),
        ("a table of some size", plan(8.4, none), plan(900.0, &["s.middle"]), Some((Risky, "s.middle"))),
        ("a materialised view", plan(8.4, none), plan(9_000.0, &["s.totals"]), Some((Risky, "s.totals"))),
        ("a small one", plan(8.4, none), plan(300.0, &["s.small"]), None),
        ("a hundred times, and small to begin with", plan(0.01, none), plan(9.0, big), None),
        (
            "partitions are told as their table",
            plan(8.4, &["s.parts_3"]),
            plan(3_000.0, &["s.parts_1", "s.parts_2", "s.parts_3"]),
            Some((Breaking, "s.parts")),
        ),
        (
            "one partition has its own size",
            plan(8.4, &["s.parts_3"]),
            plan(1_500.0, &["s.parts_1", "s.parts_3"]),
            Some((Risky, "s.parts")),
        ),
        (
            "a table that was read whole is cut into partitions",
            plan(15.0, &["s.parts"]),
            plan(300.0, &["s.parts_1", "s.parts_2"]),
            None,
        ),
    ] {
        let found = slower(&before, &after, &names(&["s.big"]), &catalog(), &ShadowSettings::default());
        let found = found.map(|s| (s.kind, s.table.map(|(t, _)| t).unwrap_or_default()));
        let expected = expected.map(|(kind, table): (VerdictKind, &str)| (kind, table.to_owned()));
        assert_eq!(found, expected, "{name}");
    }
    // A bad join of small tables.
    let uses = names(&["s.small"]);
    assert_eq!(
        slower(&plan(8.4, none), &plan(9_000.0, none), &uses, &catalog(), &ShadowSettings::default()),
        None
    );
}

fn shown(story: &Story) -> String {
    let until = |f: &Found| f.until.as_ref().map(|u| format!(" until {}", u.id)).unwrap_or_default();
    let all = story.all().map(|f| format!("{} {:?}{}", f.changeset.id, f.slower.kind, until(f)));
    all.collect::<Vec<_>>().join(", ")
}

#[test]
fn whose_doing_it_is_and_until_when() {
    use VerdictKind::{Breaking, Risky};
    let key = |id: &str| ChangesetId { id: id.to_owned(), author: "a".to_owned(), path: "p".to_owned() };
    let at = |kind| Slower {
        kind,
        table: Some(("s.big".to_owned(), Some(500_000))),
        before: 8.44,
        after: 9_000.2,
    };
    for (steps, expected) in [
        (vec![None, None], ""),
        (vec![Some(Breaking)], "a Breaking"),
        (vec![Some(Breaking), Some(Breaking)], "a Breaking"),
        (vec![Some(Breaking), None], "a Breaking until b"),
        (vec![Some(Risky), Some(Breaking)], "b Breaking"),
        (vec![Some(Breaking), Some(Risky)], "a Risky"),
        (vec![Some(Risky), None, Some(Breaking)], "a Risky until b, c Breaking"),
    ] {
        let mut story = Story::default();
        for (id, kind) in ["a", "b", "c"].into_iter().zip(steps) {
            story.goes_on(&key(id), kind.map(at));
        }
        assert_eq!(shown(&story), expected);
    }
    // Rows came; what an index is missed for later is told on its own.
    let mut story = Story::default();
    story.has_more_to_do(&key("a"), at(Breaking));
    assert_eq!(shown(&story), "a Risky");
    story.goes_on(&key("b"), None);
    story.goes_on(&key("c"), Some(at(Breaking)));
    assert_eq!(shown(&story), "a Risky, c Breaking");
    assert_eq!(
        at(Breaking).reason(Some(&key("again"))),
        "it reads all of s.big now (500,000 rows), cost 8.4 -> 9,000, until again has run"
    );
    let join = Slower { table: None, ..at(Risky) };
    assert_eq!(join.reason(None), "its plan has cost 8.4 -> 9,000");
}
