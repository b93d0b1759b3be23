//! Names that come to mean something else, and state beside the schema: nothing that plans shows either.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use serde_json::Value;

use super::Case;
use crate::support::Ran;

/// What compat says of a case, `query kind class: reason`, with its exit code; the services' role is there for all cases.
struct Told {
    ran: Ran,
    verdicts: Vec<Value>,
}

/// The role that services of these cases come as belongs to the server, which all cases share.
fn make_role() {
    let role =
        "do $$ begin create role svc; exception when duplicate_object or unique_violation then null; end $$";
    Case::session_on("postgres").rows(role);
}

fn with_role(name: &str) -> Case {
    make_role();
    Case::new(name)
}

fn compat(case: &Case, exit: i32) -> Told {
    let ran = case.run(&["compat", "--format", "json"]).expect(exit);
    let verdicts = ran.json()["verdicts"].as_array().unwrap().clone();
    Told { ran, verdicts }
}

impl Told {
    /// Every verdict in short: query, kind, class.
    fn short(&self) -> Vec<String> {
        let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
        let mut all: Vec<String> = self
            .verdicts
            .iter()
            .map(|v| format!("{} {} {}", text(v, "query"), text(v, "verdict"), text(v, "class")))
            .collect();
        all.sort();
        all.dedup();
        all
    }

    fn says(&self, what: &str) -> &Self {
        let found = self.verdicts.iter().any(|v| v["reason"].as_str().unwrap_or_default().contains(what));
        assert!(found, "{what}: {:#?}", self.verdicts);
        self
    }
}

/// liquibase#1113, jrvltsql#143: a bare name is found as the service's role finds it.
#[test]
fn names_are_found_through_the_role_s_search_path() {
    let told = compat(&with_role("role-search-path"), 3);
    assert_eq!(told.short(), ["Get breaking does-not-plan"]);
    told.says("column \"note\" does not exist");
}

/// What sessions of a role begin with, and what it has through others, is no part of any schema.
#[test]
fn another_time_zone_and_no_inheritance_break_who_comes_as_the_role() {
    let told = compat(&Case::new("role-state"), 3);
    told.says("sessions of role_state_svc begin with timezone America/New_York");
    let mut expected = vec!["Day breaking answers-differently", "Rooms risky answers-differently"];
    // Since 16 each membership says by itself what is inherited, and NOINHERIT is about those to come.
    if Case::major() < 16 {
        expected.insert(1, "Rooms breaking lost-privilege");
        told.says("role_state_svc may no longer select public.rooms");
    }
    assert_eq!(told.short(), expected);
}

/// A service that may not come any more is broken, whatever its queries mean. What one changeset did to the role, which belongs to the
/// server, the next one does not meet.
#[test]
fn a_role_that_may_not_begin_a_session_breaks_who_comes_as_it() {
    let told = compat(&Case::new("role-shut"), 3);
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let said = |v: &Value| format!("{}: {} {}", text(v, "changeset"), text(v, "verdict"), text(v, "reason"));
    assert_eq!(
        told.verdicts.iter().map(said).collect::<Vec<_>>(),
        [
            "hardened: breaking the role role_shut_svc may not connect to the database: no session of it can begin",
            "no-connections: breaking the role role_shut_svc may have no connection: no session of it can begin",
            "no-login: breaking the role role_shut_svc may not log in: no session of it can begin",
            "old-password: risky the role role_shut_svc has a password that is valid no longer",
        ]
    );
}

/// Rehearsal and gates hear a service whose tables only its role's search path finds.
#[test]
fn traffic_finds_names_as_the_service_does() {
    make_role();
    let case = Case::named("role-traffic", "role-search-path");
    let change = "--liquibase formatted sql\n\n--changeset shop:weight\nalter table app.orders add column weight int;\n\
                  --rollback alter table app.orders drop column weight;\n";
    std::fs::write(case.folder().join("changelog.sql"), change).unwrap();
    case.run(&["migrate"]).expect(0);
    for stage in ["shadow", "rollout"] {
        let traffic = &case.evidence(stage)["traffic"];
        assert_eq!(traffic["skipped"], serde_json::json!([]), "{stage}");
        assert!(traffic["requests"].as_u64().unwrap() > 0 && traffic["failed"] == 0, "{stage}: {traffic}");
    }
}

/// The class of liquibase#1113: a table in a schema that is searched before.
#[test]
fn a_table_that_hides_another_breaks_who_asks_by_the_bare_name() {
    let told = compat(&with_role("shadowed-table"), 3);
    assert_eq!(told.short(), ["Setting breaking other-object"]);
    told.says("the name settings meant public.settings and means app.settings now");
}

/// A table under another schema, and a name that says its schema, are no other objects.
#[test]
fn what_is_the_same_behind_another_name_is_quiet() {
    let case = with_role("same-table-elsewhere");
    let change = |sql: &str| {
        let text = format!("--liquibase formatted sql\n\n--changeset shop:move\n{sql};\n--rollback empty\n");
        std::fs::write(case.folder().join("changelog.sql"), text).unwrap();
    };
    for (sql, expected) in [
        ("alter table public.settings set schema app", vec![]),
        (
            "alter table public.settings rename to settings_base; create view public.settings as select key, value from public.settings_base; grant select on public.settings to svc",
            vec![],
        ),
        (
            "alter table public.settings set schema app; create view public.settings as select key, value from app.settings; grant select on public.settings to svc",
            vec![],
        ),
        ("create table app.other (key text primary key, value text)", vec![]),
        (
            "create view app.settings as select key, value from public.settings; grant select on app.settings to svc",
            vec![],
        ),
        ("create index settings_value on public.settings (value)", vec![]),
        ("alter table public.settings add column note text", vec![]),
        (
            "alter table public.settings rename to settings_old; create table public.settings (key text primary key, value text not null); grant select on public.settings to svc",
            vec!["Setting breaking other-object"],
        ),
        (
            "create view app.settings as select key, trim(value) as value from public.settings; grant select on app.settings to svc",
            vec!["Setting risky other-object"],
        ),
    ] {
        change(sql);
        let ran = case.run(&["compat", "--format", "json"]);
        let verdicts = ran.json()["verdicts"].as_array().unwrap().clone();
        let told = Told { ran, verdicts };
        let breaking: Vec<String> = told.short().into_iter().filter(|v| v.contains("breaking")).collect();
        let due: Vec<&str> = expected.iter().copied().filter(|v| v.contains("breaking")).collect();
        assert_eq!(breaking, due, "{sql}: {:#?}", told.verdicts);
    }
}

/// duckdb#12733, databend#16257: the name goes on, with the query around as its meaning.
#[test]
fn a_column_of_the_query_around_takes_a_name_over() {
    let told = compat(&Case::new("subquery-capture"), 3);
    assert_eq!(told.short(), ["CountOpen breaking other-object", "PurgeBlocked breaking other-object"]);
    told.says(
        "the name customer_id meant public.blocklist.customer_id and means public.orders.customer_id now",
    );
}

/// Renames that exchange two columns: reads, writes and comparisons go on with the other one.
#[test]
fn columns_that_exchange_their_names_break_all_that_say_them() {
    let told = compat(&Case::new("names-swapped"), 3);
    let breaks = ["Bill breaking other-object", "Find breaking other-object", "Put breaking other-object"];
    assert_eq!(told.short(), breaks);
}

/// pgflow#57: new sessions of the role do not find the table.
#[test]
fn another_search_path_of_the_role_breaks_bare_names() {
    let case = with_role("search-path-changed");
    let told = compat(&case, 3);
    assert_eq!(told.short(), ["Get breaking does-not-plan"]);
    told.says("sessions of svc search reports and not").says("relation \"orders\" does not exist");
    // Held, the setting is taken back on the scratch server: what comes after it is judged without it.
    let text = "--liquibase formatted sql\n\n--changeset shop:svc-path\nalter role svc set search_path = reports;\n--rollback empty\n\n\
        --changeset shop:index\ncreate index orders_note on orders (note);\n--rollback drop index orders_note;\n\n\
        --changeset shop:no-note\nalter table orders drop column note;\n--rollback empty\n";
    std::fs::write(case.folder().join("changelog.sql"), text).unwrap();
    let told = compat(&case, 3);
    assert_eq!(told.verdicts.len(), 2, "{:#?}", told.verdicts);
    told.says("sessions of svc search reports").says("column \"note\" does not exist");
}

/// paradedb#477, pg_tle#102: the body is kept as text and finds nothing under the new path.
#[test]
fn a_function_whose_search_path_is_emptied_does_not_find_its_tables() {
    let told = compat(&with_role("function-search-path"), 3);
    assert!(told.short().contains(&"Orders breaking fails-when-run".to_owned()), "{:#?}", told.verdicts);
    told.says(
        "public.orders_of, which it calls, says orders, which meant public.orders and is not found any more",
    );
}

/// pg-schema-diff#285: a function returns rows of the table by place and type.
#[test]
fn a_function_that_returns_rows_of_a_table_breaks_with_a_new_column() {
    let told = compat(&Case::new("row-type-function"), 3);
    assert_eq!(told.short(), ["Old breaking fails-when-run"]);
    told.says("return type mismatch in function declared to return orders");
}

/// The row of a trigger has a column more than the archive.
#[test]
fn a_trigger_that_copies_whole_rows_breaks_with_a_new_column() {
    let told = compat(&Case::new("row-type-trigger"), 3);
    assert_eq!(told.short(), ["Remove breaking fails-when-run"]);
    told.says("INSERT has more expressions than target columns");
}

/// The class of MonetDB#3315: a new column on both sides joins.
#[test]
fn a_natural_join_compares_the_new_column_too() {
    let told = compat(&Case::new("natural-join"), 3);
    assert_eq!(told.short(), ["InvoicesWithNames breaking other-object"]);
    told.says("its NATURAL JOIN compares updated_at too");
}

/// control-layer#1758: a row as one value has a key more, and that is told and holds nothing.
#[test]
fn a_row_taken_as_one_value_is_told_to_grow() {
    let told = compat(&Case::new("whole-row"), 0);
    assert_eq!(told.short(), ["Doc risky result-columns", "Docs risky result-columns"]);
    told.says("has internal_margin besides");
}

/// Numbers that were given out come again.
#[test]
fn a_sequence_that_is_set_back_breaks_who_draws_from_it() {
    let case = Case::new("sequence-restarted");
    let change = |sql: &str| {
        let text =
            format!("--liquibase formatted sql\n\n--changeset shop:numbers\n{sql};\n--rollback empty\n");
        std::fs::write(case.folder().join("changelog.sql"), text).unwrap();
    };
    let told = compat(&case, 3);
    assert_eq!(told.short(), ["Place breaking fails-when-run"]);
    told.says("public.orders.id gets 1 next and not 31");
    for (sql, exit) in [
        ("select setval('orders_id_seq', 1, false)", 3),
        ("create sequence other; alter table orders alter column id set default nextval('other')", 3),
        ("alter sequence orders_id_seq restart with 1000", 0),
        ("alter sequence orders_id_seq cache 5", 0),
        ("truncate table orders restart identity", 0),
        ("select setval('orders_id_seq', coalesce((select max(id) from orders), 1))", 0),
    ] {
        change(sql);
        let ran = case.run(&["compat"]);
        assert_eq!(ran.code, Some(exit), "{sql}: {}{}", ran.out, ran.err);
    }
}

/// carbon#1371, supabase#12475, mymove#7958: what is made anew has no grants; the way out is to grant them in the same changeset.
#[test]
fn grants_that_are_lost_are_to_be_given_in_the_same_changeset() {
    for (case, query) in [("view-without-grants", "Totals"), ("sequence-without-grants", "Place")] {
        let ran = with_role(case).run(&["compat"]).expect(3);
        let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        let way = format!("grant svc what {query} needs in the same changeset");
        assert!(said.contains(&way), "{case}: {}{}", ran.out, ran.err);
    }
}

/// A contract may name a role that only another environment has.
#[test]
fn a_role_that_is_not_there_is_told() {
    let case = Case::new("role-missing");
    let told = compat(&case, 3);
    assert_eq!(told.short(), ["Get breaking does-not-plan"]);
    assert_eq!(told.ran.json()["checked"]["unknown_roles"], serde_json::json!(["shop_ghost"]));
    assert!(
        told.ran.err.contains("the role shop_ghost, which the database does not have"),
        "{}",
        told.ran.err
    );
}

/// What was found in any case is found in its own only, when the type or the collation is another one.
#[test]
fn a_column_that_begins_to_tell_case_is_found_with_the_other_case() {
    let told = compat(&Case::new("case-sensitive"), 3);
    assert_eq!(
        told.short(),
        [
            "ById risky result-type",
            "ByMail breaking answers-differently",
            "ByMail risky parameter-type",
            "ByNick breaking answers-differently"
        ]
    );
    told.says("0 rows instead of 1 for a value in the other case; public.accounts.mail is text instead of public.citext");
}
