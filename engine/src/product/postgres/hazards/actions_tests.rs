//! What statements do, as facts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::analyse;
use crate::model::catalog::Catalog;
use crate::model::changeset::Statement;

/// Kind and fields of each action, as in JSON: `drop_column column=b table=public.a`.
fn actions(statement: &Statement) -> Vec<String> {
    let one = |action| {
        let value = serde_json::to_value(action).unwrap();
        let fields = value.as_object().unwrap().iter().filter(|(name, _)| *name != "action");
        let fields = fields.map(|(name, value)| format!(" {name}={}", value.to_string().replace('"', "")));
        format!("{}{}", value["action"].as_str().unwrap(), fields.collect::<String>())
    };
    statement.actions.iter().map(one).collect()
}

#[test]
fn each_statement_says_what_it_does() {
    for (sql, expected) in [
        ("create table a (b int primary key)", "create_table table=public.a"),
        ("create table s.a as select 1", "create_table table=s.a"),
        (
            "create table p1 partition of p for values in (1)",
            "create_table table=public.p1; attach_partition partition=public.p1 table=public.p",
        ),
        ("copy a to program 'curl -T - host'", "reaches_out to=program"),
        ("copy a from '/srv/a.csv'", "reaches_out to=server_file; move_rows kind=copy table=public.a"),
        ("copy a from stdin", "move_rows kind=copy table=public.a"),
        ("select lo_import('/srv/a')", "reaches_out to=server_file; runs_code"),
        (
            "insert into a select dblink_exec('host=b', 'delete from a')",
            "reaches_out to=other_server; move_rows kind=insert table=public.a",
        ),
        ("create view v as select * from dblink('b', 'select 1') as t (n int)", "create_view view=public.v"),
        ("create subscription s connection 'host=b' publication p", "reaches_out to=other_server"),
        ("import foreign schema s from server b into public", "reaches_out to=other_server"),
        ("drop table a, s.b cascade", "drop_table table=public.a; drop_table table=s.b"),
        ("drop foreign table a", "drop_table table=public.a"),
        ("truncate a", "truncate_table table=public.a"),
        ("alter table a rename to b", "rename_table table=public.a to=public.b"),
        ("alter materialized view a rename to b", "rename_table table=public.a to=public.b"),
        ("alter table a set schema s", "rename_table table=public.a to=s.a"),
        ("alter sequence a rename to b", "other"),
        ("alter table a rename constraint b to c", "other"),
        ("alter view a rename column b to \"C d\"", "rename_column column=b table=public.a to=C d"),
        ("alter table a add b int", "add_column column=b required=false table=public.a"),
        ("alter table a add b int not null", "add_column column=b required=true table=public.a"),
        ("alter table a add b int not null default null", "add_column column=b required=true table=public.a"),
        ("alter table a add b int not null default 1", "add_column column=b required=false table=public.a"),
        ("alter table a add b bigserial not null", "add_column column=b required=false table=public.a"),
        ("alter table a add b int primary key", "add_column column=b required=true table=public.a"),
        (
            "alter table a drop b, alter c drop not null, alter d set default 1, alter e drop default",
            "drop_column column=b table=public.a; drop_not_null column=c table=public.a; \
             set_default column=d table=public.a; drop_default column=e table=public.a",
        ),
        (
            "alter table a alter b type text, alter c set not null",
            "change_column_type column=b table=public.a; set_not_null column=c table=public.a",
        ),
        (
            "alter table a add constraint b check (c > 0) not valid",
            "add_constraint kind=check name=b table=public.a valid=false",
        ),
        (
            "alter table a add foreign key (b) references c",
            "add_constraint kind=foreign_key name=null table=public.a valid=true",
        ),
        (
            "alter table a add constraint b primary key using index c",
            "add_constraint kind=primary_key name=b table=public.a valid=true",
        ),
        ("alter table a add unique (b)", "add_constraint kind=unique name=null table=public.a valid=true"),
        (
            "alter table a add exclude using gist (b with &&)",
            "add_constraint kind=exclude name=null table=public.a valid=true",
        ),
        ("alter table a validate constraint b", "validate_constraint name=b table=public.a"),
        ("alter table a drop constraint b", "drop_constraint name=b table=public.a"),
        (
            "alter table a attach partition b for values in (1)",
            "attach_partition partition=public.b table=public.a",
        ),
        (
            "alter table a detach partition b concurrently",
            "detach_partition partition=public.b table=public.a",
        ),
        ("create unique index concurrently i on s.a (b)", "create_index index=s.i table=s.a unique=true"),
        ("create index on a (b)", "create_index index=null table=public.a unique=false"),
        ("drop index i", "drop_index index=public.i table=null"),
        ("create or replace view v as select 1", "create_view view=public.v"),
        ("create materialized view v as select 1", "create_view view=public.v"),
        ("drop materialized view v", "drop_view view=public.v"),
        ("create type e as enum ('a')", "other"),
        ("alter type e add value 'a' before 'b'", "add_enum_label enumeration=public.e label=a"),
        ("alter type e rename value 'a' to 'b'", "rename_enum_label enumeration=public.e label=a to=b"),
        ("drop type e", "drop_object kind=type name=public.e"),
        (
            "drop function f(int), s.g",
            "drop_object kind=function name=public.f; drop_object kind=function name=s.g",
        ),
        ("drop trigger t on s.a", "drop_object kind=trigger name=t"),
        ("drop schema s", "drop_object kind=schema name=s"),
        ("grant select on a, s.b to r", "grant relations=[public.a,s.b]"),
        ("revoke select on a from r", "revoke relations=[public.a]"),
        ("revoke q from r", "revoke relations=[]"),
        ("insert into a select * from b", "move_rows kind=insert table=public.a"),
        ("with x as (select 1) update a set b = 1", "move_rows kind=update table=public.a"),
        ("delete from a", "move_rows kind=delete table=public.a"),
        ("copy a from stdin", "move_rows kind=copy table=public.a"),
        ("copy a to stdout", "other"),
        ("select f()", "runs_code"),
        ("select 1 into a", "runs_code; create_table table=public.a"),
        ("call p()", "runs_code"),
        ("do $$ begin update a set b = 1; end $$", "runs_code; move_rows kind=update table=public.a"),
        ("do $$ begin create role r; end $$", "runs_code; server"),
        ("create role r", "server"),
        ("drop role r, q", "server; drop_object kind=role name=r; drop_object kind=role name=q"),
        ("comment on table a is 'b'", "other"),
    ] {
        let [statement] = analyse(&[sql.to_owned()], &Catalog::default()).unwrap().try_into().unwrap();
        assert_eq!(actions(&statement).join("; "), expected, "{sql}");
    }
}
