//! What advice says about statements as PostgreSQL's authors write them.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use crate::model::catalog::Catalog;
use crate::model::changeset::{Changeset, ChangesetId, Phase};
use crate::model::verdict::{Verdict, VerdictClass, VerdictKind};
use crate::product::postgres::hazards::analyse::analyse;
use crate::report::advice::advice;

fn key() -> ChangesetId {
    ChangesetId { id: "c".to_owned(), author: "a".to_owned(), path: "p.sql".to_owned() }
}

fn changeset(sql: &str) -> Option<Changeset> {
    let texts: Vec<String> = sql.split("; ").map(str::to_owned).collect();
    Some(Changeset::of_statements(key(), Phase::Contract, analyse(&texts, &Catalog::default()).ok()?))
}

fn verdict(kind: VerdictKind, class: VerdictClass, reason: &str) -> Verdict {
    Verdict {
        changeset: key(),
        service: "driver-app".to_owned(),
        version: "1.8.0".to_owned(),
        query: "Me".to_owned(),
        verdict: kind,
        class,
        reason: reason.to_owned(),
        column: None,
        unique_key_gone: reason.contains("ON CONFLICT"),
        grant_to: reason.contains("for sequence").then(|| "driver_app".to_owned()),
        rows_kept: reason.contains("is kept by rows"),
        file: "q.sql".to_owned(),
        line: 3,
        allowed: None,
    }
}

#[test]
fn the_way_out_names_what_the_statement_takes() {
    use VerdictClass::{
        AnswersDifferently, DoesNotPlan, FailsWhenRun, GetsSlow, LostPrivilege, OtherObject, ParameterType,
        ResultColumns, ResultType,
    };
    use VerdictKind::{Breaking, Risky};
    let cases = [
        (
            Breaking,
            FailsWhenRun,
            "permission denied for sequence numbers",
            "create sequence numbers; alter table drivers alter column id set default nextval('numbers')",
        ),
        (
            Breaking,
            OtherObject,
            "the name settings meant public.settings and means app.settings now",
            "create table app.settings (key text)",
        ),
        (
            Risky,
            OtherObject,
            "the name value means another value",
            "create view app.settings as select 1 as value",
        ),
        (
            Breaking,
            FailsWhenRun,
            "drivers.id gets 1 next and not 31",
            "alter sequence drivers_id_seq restart with 1",
        ),
        (
            Breaking,
            DoesNotPlan,
            "column \"phone\" does not exist",
            "alter table drivers drop column if exists phone cascade",
        ),
        (
            Breaking,
            DoesNotPlan,
            "column \"phone\" does not exist",
            "alter table drivers add column a int, drop fax, drop \"phone\"",
        ),
        (
            Breaking,
            DoesNotPlan,
            "column \"phone\" does not exist",
            "alter table only drivers rename phone to mobile;",
        ),
        (Breaking, DoesNotPlan, "relation \"a\" does not exist", "alter table a rename to b"),
        (Breaking, DoesNotPlan, "relation \"b\" does not exist", "drop table if exists a, b cascade"),
        (Breaking, DoesNotPlan, "relation \"v\" does not exist", "drop materialized view v"),
        (
            Breaking,
            DoesNotPlan,
            "column reference \"id\" is ambiguous",
            "alter table a add column if not exists id bigint",
        ),
        (
            Breaking,
            ResultType,
            "column total is numeric instead of integer",
            "alter table o alter column total set data type numeric(10, 2) using total::numeric",
        ),
        (Breaking, FailsWhenRun, "public.o.ref is required now", "alter table o alter ref set not null"),
        (
            Breaking,
            FailsWhenRun,
            "public.o.ref is required now",
            "alter table o add column ref text not null",
        ),
        (
            Breaking,
            FailsWhenRun,
            "public.task_log.ref is required now",
            "alter table task add column ref text; alter table task_log add ref text; drop index task_log_at; alter table task_log alter ref set not null",
        ),
        (
            Breaking,
            DoesNotPlan,
            "there is no unique or exclusion constraint matching the ON CONFLICT specification (42P10)",
            "drop index o_at; drop index o_ref_key",
        ),
        (Breaking, FailsWhenRun, "the default is gone", "alter table o alter column ref drop default"),
        (Breaking, FailsWhenRun, "violates", "alter table o add constraint o_check check (total > 0)"),
        (Breaking, LostPrivilege, "permission denied", "revoke select on o from driver_app"),
        (Breaking, GetsSlow, "a scan of o", "drop index concurrently o_ref_idx"),
        (Breaking, ParameterType, "?", "create function f() returns int language sql as 'select 1, 2'"),
        (Risky, ResultColumns, "also gives note", "alter table o add column note text default 'a, b'"),
        (Risky, FailsWhenRun, "o.ref no longer accepts NULL", "alter table o alter ref set not null"),
        (
            Risky,
            ResultType,
            "column ref is varchar(9) instead of varchar(99)",
            "alter table o alter ref type varchar(9)",
        ),
        (
            Risky,
            AnswersDifferently,
            "public.v.state may hold 'reserved'",
            "alter type vehicle_state add value if not exists 'reserved' after 'idle'",
        ),
        (
            Risky,
            AnswersDifferently,
            "f has another body now",
            "create or replace function f() returns int language sql as 'select 1'",
        ),
        (
            Risky,
            FailsWhenRun,
            "a trigger may refuse it",
            "create trigger t before insert on o execute function f()",
        ),
        (Risky, GetsSlow, "?", "drop index i"),
        (Risky, LostPrivilege, "?", "select 1"),
        (Risky, ParameterType, "?", "select 1"),
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|(kind, class, reason, sql)| {
            let changeset = changeset(sql).unwrap();
            format!("{sql}\n=> {}\n", advice(&verdict(*kind, *class, reason), Some(&changeset)))
        })
        .chain([format!("(no plan)\n=> {}\n", advice(&verdict(Breaking, GetsSlow, ""), None))])
        .collect();
    insta::with_settings!({snapshot_path => "../../../../../tests/expected", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("advice", said.join("\n"));
    });
}

proptest! {
    #[test]
    fn any_statement_can_be_read(sql in "(alter table |drop |rename |to |add |type |set not null|\\PC|[\"'(),; ]){0,30}") {
        let changeset = changeset(&sql);
        let _ = advice(&verdict(VerdictKind::Breaking, VerdictClass::DoesNotPlan, "x"), changeset.as_ref());
    }
}
