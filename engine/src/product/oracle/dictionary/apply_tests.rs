//! What statements make of a dictionary, and what is refused. What is right was decided from the SQL Language Reference and Database Error
//! Messages.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::objects::Dictionary;
use crate::product::oracle::offline::apply;

fn made(statements: &[&str]) -> Dictionary {
    let mut dictionary = Dictionary { schema: "APP".to_owned(), ..Dictionary::default() };
    for sql in statements {
        apply(&mut dictionary, sql).unwrap_or_else(|e| panic!("{sql}: {}", e.chain()));
    }
    dictionary
}

const SCHEMA: &[&str] = &[
    "create table p (id number constraint p_pk primary key, a varchar2(10), b varchar2(10), constraint p_ab unique (a, b))",
    "create table t (id number constraint t_pk primary key, p_id number constraint t_fk references p, a varchar2(10) not null, b number)",
    "create index t_b on t (b)",
    "create sequence s",
    "create view v as select id, a from t",
    "create or replace package k as procedure x; end;",
    "create or replace trigger g before insert on t for each row begin :new.b := 1; end;",
    "create synonym y for t",
];

#[test]
fn what_oracle_refuses_is_refused_and_changes_nothing() {
    let cases = [
        ("create table t (id number)", "ORA-00955"),
        ("create view s as select 1 x from dual", "ORA-00955"),
        ("create sequence k", "ORA-00955"),
        ("create synonym v for t", "ORA-00955"),
        ("create table n (id number references nothing)", "ORA-00942"),
        ("create table n (b number references t (b))", "ORA-02270"),
        ("drop table nothing", "ORA-00942"),
        ("drop table p", "ORA-02449"),
        ("truncate table p", "ORA-02266"),
        ("alter table t add a number", "ORA-01430"),
        ("alter table nothing add a number", "ORA-00942"),
        ("alter table t drop column nothing", "ORA-00904"),
        ("alter table p drop column a", "ORA-12991"),
        ("alter table p drop column id", "ORA-12992"),
        ("alter table t rename column a to b", "ORA-00957"),
        ("alter table t modify a not null", "ORA-01442"),
        ("alter table t modify b null", "ORA-01451"),
        ("alter table t add constraint t_2 primary key (b)", "ORA-02260"),
        ("alter table t add constraint t_fk check (b > 0)", "ORA-02264"),
        ("alter table p add constraint p_2 unique (a, b)", "ORA-02261"),
        ("alter table t add constraint t_3 check (b > 0) check_nothing", ""),
        ("alter table t drop constraint nothing", "ORA-02443"),
        ("alter table p drop primary key", "ORA-02273"),
        ("alter table t enable constraint nothing", "ORA-02430"),
        ("create index t_b on t (a)", "ORA-00955"),
        ("create index t_b2 on t (b)", "ORA-01408"),
        ("create index t_n on t (nothing)", "ORA-00904"),
        ("drop index nothing", "ORA-01418"),
        ("drop index t_pk", "ORA-02429"),
        ("create view n as select nothing from t", "ORA-00904"),
        ("create view n as select 1 x from nothing", "ORA-00942"),
        ("drop view nothing", "ORA-00942"),
        ("drop sequence nothing", "ORA-02289"),
        ("drop synonym nothing", "ORA-01434"),
        ("drop trigger nothing", "ORA-04080"),
        ("create trigger g before insert on t begin null; end;", "ORA-04081"),
        ("drop package nothing", "ORA-04043"),
        ("rename nothing to n", "ORA-04043"),
        ("create or replace package body k as procedure z is begin null; end; end;", "ORA-24344"),
        ("update t set nothing = 1", "ORA-00904"),
        ("insert into nothing values (1)", "ORA-00942"),
    ];
    let before = made(SCHEMA);
    for (sql, code) in cases {
        let mut dictionary = before.clone();
        let Err(refused) = apply(&mut dictionary, sql) else { panic!("{sql}: it is not refused") };
        assert_eq!(refused.code.as_deref().unwrap_or_default(), code, "{sql}: {}", refused.chain());
        assert_eq!(dictionary, before, "{sql}");
    }
}

#[test]
fn rows_forbid_what_they_would_not_fit() {
    let mut dictionary = made(SCHEMA);
    dictionary.tables.get_mut("APP.T").unwrap().rows = 5;
    for (sql, code) in [
        ("alter table t add c number not null", Some("ORA-01758")),
        ("alter table t add c number default 1 not null", None),
        ("alter table t modify b varchar2(9)", Some("ORA-01439")),
        ("alter table t modify a varchar2(99)", None),
    ] {
        let refused = apply(&mut dictionary.clone(), sql).err();
        assert_eq!(refused.and_then(|e| e.code).as_deref(), code, "{sql}");
    }
}

/// What is undone leaves the schema as it was, in everything that is compared.
#[test]
fn there_and_back_again() {
    let cases = [
        ("alter table t add c number", "alter table t drop column c"),
        ("alter table t rename column a to c", "alter table t rename column c to a"),
        ("alter table t modify b not null", "alter table t modify b null"),
        ("alter table t add constraint c check (b > 0) enable novalidate", "alter table t drop constraint c"),
        ("alter table t modify b default 5", "alter table t modify b default null"),
        ("create unique index i on t (a, b) online", "drop index i"),
        ("alter index t_b invisible", "alter index t_b visible"),
        ("create table n (id number primary key)", "drop table n"),
        ("rename t to n", "rename n to t"),
        ("grant select on t to u", "revoke select on t from u"),
        ("alter trigger g disable", "alter trigger g enable"),
        ("alter table t disable constraint t_fk", "alter table t enable constraint t_fk"),
        ("create or replace synonym y for p", "create or replace synonym y for t"),
        ("alter sequence s cache 100", "alter sequence s cache 20"),
        ("alter table t modify a varchar2(20)", "alter table t modify a varchar2(10)"),
        ("create materialized view m as select b, count(*) n from t group by b", "drop materialized view m"),
        ("comment on column t.a is 'x'", "comment on column t.a is ''"),
        ("alter table t read only", "alter table t read write"),
    ];
    let before = made(SCHEMA);
    for (forward, back) in cases {
        let mut dictionary = before.clone();
        apply(&mut dictionary, forward).unwrap_or_else(|e| panic!("{forward}: {}", e.chain()));
        assert_ne!(dictionary.fingerprint(), before.fingerprint(), "{forward}");
        apply(&mut dictionary, back).unwrap_or_else(|e| panic!("{back}: {}", e.chain()));
        let left = before
            .fingerprint()
            .changes_here(&dictionary.fingerprint())
            .map(|c| c.to_string())
            .collect::<Vec<_>>();
        assert_eq!(left, [] as [&str; 0], "{forward}, {back}");
    }
}

/// What Oracle keeps of a default that was taken away is `NULL`: it is no default.
#[test]
fn an_inverse_that_leaves_something_is_seen() {
    let mut dictionary = made(SCHEMA);
    let before = dictionary.fingerprint();
    for sql in ["alter table t drop column b", "alter table t add b number"] {
        apply(&mut dictionary, sql).unwrap();
    }
    let left: Vec<String> = before.changes_here(&dictionary.fingerprint()).map(|c| c.to_string()).collect();
    assert_eq!(left, ["- index APP.T_B"]);
}
