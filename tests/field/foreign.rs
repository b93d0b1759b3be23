//! Databases with what the demo does not have: types of their own, arguments that belong together, code that raises errors, owners.

use super::Case;

/// riverqueue/river: the driver asks for the types of an answer in the same session, while the server waits for somebody to read it.
#[test]
fn a_large_answer_with_a_type_of_its_own_comes() {
    Case::new("enum-in-large-answer").run(&["migrate"]).expect(0);
}

/// riverqueue/river: of two values for a range every other pair ends before it begins. That is no failure of production.
#[test]
fn values_that_a_query_does_not_take_are_no_failures() {
    let case = Case::new("argument-pairs");
    case.run(&["migrate"]).expect(0);
    let traffic = &case.evidence("rollout")["traffic"];
    assert!(traffic["requests"].as_u64().unwrap() > 0 && traffic["failed"] == 0, "{traffic}");
}

/// What would be found out after backup, clone and rehearsal only is told before.
#[test]
fn contracts_without_a_query_that_reads_are_told_at_once() {
    let case = Case::named("only_writes", "argument-pairs");
    let queries = "-- name: Kind :exec\nupdate jobs set kind = $2 where id = $1;\n";
    std::fs::write(case.folder().join("contracts/queries.sql"), queries).unwrap();
    let refused = case.run(&["migrate"]).expect(1);
    assert!(refused.err.contains("no query of the contracts only reads"), "{}", refused.err);
    assert!(!refused.err.contains("backup"), "{}", refused.err);
}

/// Whether a changeset builds on one that is held shows where that one has run.
#[test]
fn what_fails_with_held_changesets_too_does_not_wait_for_them() {
    let case = Case::new("fails-beside-held");
    let refused = case.run(&["compat"]).expect(1);
    assert!(refused.err.contains("does not apply to production's schema"), "{}", refused.err);
    assert!(refused.err.contains("type"), "{}", refused.err);
    let file = case.folder().join("changelog.sql");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.split("--changeset shop:type").next().unwrap()).unwrap();
    let held = case.run(&["compat", "--format", "json"]).expect(3).json();
    assert_eq!(held["held"][1]["id"], "builds", "{held}");
}

/// What code of the database raises may say anything, and the server repeats values.
#[test]
fn no_message_repeats_a_value_of_production() {
    let case = Case::new("values-raised");
    for format in ["text", "json", "markdown"] {
        let ran = case.run(&["compat", "--format", format]).expect(3);
        let said = ran.out + &ran.err;
        assert!(
            said.contains("raises an error") && said.contains("invalid value \\\"…")
                || said.contains("invalid value \"…"),
            "{said}"
        );
        for value in ["secret.example", "PIN-SECRET", "alic"] {
            assert!(!said.contains(value), "{value}: {said}");
        }
    }
}

/// Who owns a routine that runs with its owner's rights, what a search splits a text into, what is published, whether keys are kept.
#[test]
fn an_inverse_that_leaves_such_things_otherwise_is_not_proven() {
    let case = Case::new("owners");
    case.run(&["migrate"]).expect(1);
    let shadow = case.evidence("shadow");
    let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    let lines = |v: &serde_json::Value| v.as_array().map_or(Vec::new(), |all| all.iter().map(text).collect());
    let mut told: Vec<String> = Vec::new();
    for changeset in shadow["changesets"].as_array().unwrap() {
        let (id, reverse) = (text(&changeset["id"]), text(&changeset["reverse"]));
        let object = |line: &String| line.split(": ").next().unwrap_or_default().to_owned();
        let differences: Vec<String> = lines(&changeset["differences"]).iter().map(object).collect();
        told.push(format!("{id} {reverse} {}", differences.join(", ")));
        let explained = changeset["explained"].as_array().into_iter().flatten();
        told.extend(explained.map(|d| format!("{id} {}: {}", text(&d["standing"]), text(&d["line"]))));
    }
    assert_eq!(
        told,
        [
            "order proven ",
            "order told: ~ order of columns of public.t: a, b, c -> a, c, b",
            "owner differs ~ owner of function public.getx(a integer)",
            "words differs ~ text search configuration public.words",
            "news differs ~ publication news",
            "key proven ",
            "off differs + enforcement of constraint public.t t_parent_fkey",
            "told differs + description of type public.mine",
        ]
    );
}
