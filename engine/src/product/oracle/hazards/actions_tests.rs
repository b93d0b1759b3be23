//! What statements do, as facts, and which texts are statements.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::analyse;
use super::analyse_tests::shop;
use crate::model::changeset::Statement;
use crate::product::oracle::dictionary::Version;

/// Kind and fields of each action, as in JSON: `drop_column column=B table=SHOP.A`.
fn actions(statement: &Statement) -> String {
    let one = |action| {
        let value = serde_json::to_value(action).unwrap();
        let fields = value.as_object().unwrap().iter().filter(|(name, _)| *name != "action");
        let fields = fields.map(|(name, value)| format!(" {name}={}", value.to_string().replace('"', "")));
        format!("{}{}", value["action"].as_str().unwrap(), fields.collect::<String>())
    };
    statement.actions.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[test]
fn each_statement_says_what_it_does() {
    let mut wrong = Vec::new();
    for (sql, expected) in [
        ("create table a (b number primary key)", "create_table table=SHOP.A"),
        ("create table x.a as select 1 b from dual", "create_table table=X.A"),
        ("drop table a cascade constraints purge", "drop_table table=SHOP.A"),
        ("truncate table a", "truncate_table table=SHOP.A"),
        ("rename a to b", "rename_table table=SHOP.A to=SHOP.B"),
        ("alter table x.a rename to b", "rename_table table=X.A to=X.B"),
        ("alter table a add (b number)", "add_column column=B required=false table=SHOP.A"),
        ("alter table a add (b number not null)", "add_column column=B required=true table=SHOP.A"),
        (
            "alter table a add (b number default 1 not null)",
            "add_column column=B required=false table=SHOP.A",
        ),
        (
            "alter table a set unused (b, c)",
            "drop_column column=B table=SHOP.A; drop_column column=C table=SHOP.A",
        ),
        ("alter table a drop unused columns", "other"),
        ("alter table a rename column b to \"c\"", "rename_column column=B table=SHOP.A to=c"),
        ("alter table a modify (b varchar2(9))", "change_column_type column=B table=SHOP.A"),
        ("alter table a modify (b not null)", "set_not_null column=B table=SHOP.A"),
        ("alter table a modify (b null)", "drop_not_null column=B table=SHOP.A"),
        ("alter table a modify (b default 1)", "set_default column=B table=SHOP.A"),
        ("alter table a modify (b default null)", "drop_default column=B table=SHOP.A"),
        ("alter table a modify (b invisible)", "other"),
        ("alter table a modify (b encrypt)", "other"),
        (
            "alter table a add constraint k check (b > 0) enable novalidate",
            "add_constraint kind=check name=K table=SHOP.A valid=false",
        ),
        (
            "alter table a add constraint k foreign key (b) references c (d)",
            "add_constraint kind=foreign_key name=K table=SHOP.A valid=true",
        ),
        ("alter table a modify constraint k validate", "validate_constraint name=K table=SHOP.A"),
        ("alter table a drop constraint k online", "drop_constraint name=K table=SHOP.A"),
        ("create unique index i on a (b) online", "create_index index=SHOP.I table=SHOP.A unique=true"),
        ("alter index i rebuild online", "other"),
        ("drop index i", "drop_index index=SHOP.I table=null"),
        (
            "alter table a exchange partition p with table b",
            "detach_partition partition=P table=SHOP.A; attach_partition partition=SHOP.B table=SHOP.A",
        ),
        ("alter table a drop partition p", "other"),
        ("update a set b = 1", "move_rows kind=update table=SHOP.A"),
        ("delete a where b = 1", "move_rows kind=delete table=SHOP.A"),
        ("insert into a (b) values (1)", "move_rows kind=insert table=SHOP.A"),
        ("create view v as select b from a", "create_view view=SHOP.V"),
        ("drop materialized view v", "drop_view view=SHOP.V"),
        ("drop function f", "drop_object kind=function name=SHOP.F"),
        ("grant select on a to b", "grant relations=[SHOP.A]"),
        ("revoke select on a from b", "revoke relations=[SHOP.A]"),
        ("alter sequence s restart start with 1", "restart_sequence"),
        ("begin p; end;", "runs_code"),
        ("select f(1) from dual", "runs_code"),
        ("select b from a for update", "other"),
        (
            "insert into a@far (b) values (1)",
            "move_rows kind=insert table=A@FAR; reaches_out to=other_server",
        ),
        ("alter system flush shared_pool", "server"),
    ] {
        let statements = analyse(&[sql.to_owned()], &shop(), Version::V19);
        let found = statements.map_or_else(|e| e.chain(), |all| actions(&all[0]));
        if found != expected {
            wrong.push(format!("{sql}\n  {found}\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_newer_version_has_is_no_statement_of_an_older_one() {
    let sql = ["DROP TABLE IF EXISTS customers".to_owned()];
    assert!(analyse(&sql, &shop(), Version::V19).is_err());
    let all = analyse(&sql, &shop(), Version::V23).unwrap();
    assert_eq!(actions(&all[0]), "drop_table table=SHOP.CUSTOMERS");
}

#[test]
fn texts_are_split_as_the_grammar_says() {
    let sql = [
        "INSERT INTO countries (code, name) VALUES ('FR', 'a;b');\nBEGIN NULL; END;\n/\n".to_owned(),
        "CREATE INDEX i ON customers (email) ONLINE".to_owned(),
    ];
    let all = analyse(&sql, &shop(), Version::V19).unwrap();
    let kinds: Vec<&str> = all.iter().map(|s| s.kind.as_str()).collect();
    assert_eq!(kinds, ["INSERT", "BEGIN", "CREATE INDEX ONLINE"]);
    assert_eq!(all[2].sql, sql[1]);
}
