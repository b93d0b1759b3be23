//! What going back takes is kept aside, and comes back when it is asked for.

use std::os::unix::fs::PermissionsExt;

use super::Case;
use crate::support::{Ran, matches_schema};

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn says(text: &str, all: &[&str]) {
    for told in all {
        assert!(text.contains(told), "{told}: {text}");
    }
}

/// The latest run that went back.
fn run_of(back: &Ran) -> String {
    let out = flat(&back.out);
    let (_, rest) = out.split_once("restore-data --run ").unwrap_or_else(|| panic!("nothing is kept: {out}"));
    rest.split([' ', '`']).next().unwrap().to_owned()
}

/// The schema of what is kept, while there is one.
const SCHEMA: &str = "select nspname::text from pg_namespace where nspname = 'drydock_kept'";
const WRITTEN: &str = "update customers set phone = '030 ' || id where id <= 150; \
    insert into consents (customer_id) select i from generate_series(1, 70) i";

/// migrate#254: what services wrote into a column and a table that go is there again once the change is.
#[test]
fn values_and_rows_come_back_after_migrating_again() {
    let case = Case::named("kept_comes_back", "rollback-takes-data");
    case.run(&["migrate"]).expect(0);
    case.rows(WRITTEN);
    let consents = "select t::text from consents t order by id";
    let before = case.column(consents);
    let back = case.run(&["rollback", "--accept-loss"]).expect(0);
    let out = flat(&back.out);
    says(
        &out,
        &[
            "70 rows of public.consents are kept until 20",
            "150 values of public.customers.phone are kept until 20",
        ],
    );
    assert!(!out.contains("as of"), "it was copied in the inverse's own transaction: {out}");
    let run = run_of(&back);
    assert!(
        flat(&case.run(&["status"]).expect(0).out).contains("150 values of public.customers.phone are kept")
    );

    let status = case.run(&["status", "--format", "json"]).expect(0).json();
    matches_schema(&case.home, "migrate", &status);
    assert_eq!(status["kept"]["kept"][0]["rows"], 70, "{status}");

    // Nothing is where it could be put.
    let refused = case.run(&["restore-data", "--run", &run]).expect(1);
    assert!(refused.err.contains("there is no column public.customers.phone"), "{}", refused.err);
    assert!(refused.err.contains("migrate the change again first"), "{}", refused.err);
    case.run(&["restore-data", "--run", "20200101T000000-0000"]).expect(2);

    // What is kept is no drift, and no part of a backup's comparison.
    case.run(&["drift"]).expect(0);
    case.run(&["plan"]).expect(0);
    case.run(&["migrate"]).expect(0);
    case.rows("update customers set phone = 'new' where id = 7; delete from customers where id = 8; update customers set phone = '030 9' where id = 9");
    let restored = case.run(&["restore-data", "--run", &run]).expect(0);
    says(
        &restored.out,
        &[
            "150 values of public.customers.phone: 147 put back, 1 there already, 1 written since, which stay as they are, 1 of rows that are not there any more",
            "70 rows of public.consents: 70 put back",
        ],
    );
    assert_eq!(
        case.column("select phone from customers where id in (7, 150, 151) order by id"),
        ["new", "030 150", ""]
    );
    assert_eq!(case.column(consents), before);
    // The numbers that are back do not come again.
    assert_eq!(case.column("insert into consents (customer_id) values (1) returning id::text"), ["71"]);

    case.rows("delete from consents where id = 3; update customers set phone = null where id = 10");
    let again = case.run(&["restore-data", "--run", &run, "--format", "json"]).expect(0);
    assert!(again.out.contains("done_before"), "{}", again.out);
    matches_schema(&case.home, "restore-data", &again.json());
    assert_eq!(case.column("select count(*)::text from consents where id = 3"), ["0"]);
    case.run(&["verify"]).expect(0);

    let stays = case.run(&["clean"]).expect(0);
    assert!(stays.out.contains("stays") && !stays.out.contains("dropped"), "{}", stays.out);
    let cleaned = case.run(&["clean", "--run", &run, "--format", "json"]).expect(0);
    matches_schema(&case.home, "clean", &cleaned.json());
    assert_eq!(cleaned.json()["dropped"].as_array().map(Vec::len), Some(2), "{}", cleaned.out);
    assert_eq!(case.column(SCHEMA), Vec::<String>::new());
    let none = case.run(&["clean"]).expect(0);
    assert!(none.out.contains("nothing is kept"), "{}", none.out);
    case.run(&["restore-data", "--run", &run]).expect(2);
}

/// What a type that gets narrower rounds and cuts, what goes with a schema or a type, and NULL where the default is something else.
#[test]
fn what_goes_without_being_named_is_kept_too() {
    let case = Case::new("kept-beside");
    case.run(&["migrate"]).expect(0);
    case.rows(
        "update cust set rate = 1.2345, note = repeat('x', 50), seen = '2024-03-01 12:00', mood = 'bad', flag = null where id <= 40;
         insert into crm.note select i, 'b' || i from generate_series(1, 70) i",
    );
    let rows = "select t::text from (select id, rate, note, seen, mood, flag from cust) t order by id";
    let notes = "select t::text from crm.note t order by id";
    let before = (case.column(rows), case.column(notes));
    let refused = case.run(&["rollback"]).expect(1);
    let lost = [
        "40 values of public.cust.rate that its other type does not hold",
        "40 values of public.cust.note that its other type does not hold",
        "40 values of public.cust.seen that its other type does not hold",
        "70 rows of crm.note",
        "40 values of public.cust.mood",
        "40 values of public.cust.flag",
    ];
    says(&flat(&refused.err), &lost);
    assert_eq!((case.column(rows), case.column(notes)), before);

    let back = case.run(&["rollback", "--accept-loss"]).expect(0);
    let run = run_of(&back);
    says(&flat(&back.out), &lost.map(|lost| lost.split(" that ").next().unwrap_or_default()));
    let still = case.run(&["restore-data", "--run", &run]).expect(1);
    assert!(still.err.contains("migrate the change again first"), "{}", still.err);
    case.run(&["migrate"]).expect(0);
    case.run(&["restore-data", "--run", &run]).expect(0);
    assert_eq!((case.column(rows), case.column(notes)), before);
}

/// Rows that a DELETE finds, values that an UPDATE overwrites, a table whose type goes with it, and rows without a key.
#[test]
fn whatever_an_inverse_takes_is_kept() {
    let case = Case::new("kept-kinds");
    case.run(&["migrate"]).expect(0);
    case.rows(
        "update products set status = 'open' where sku in ('s60', 's61', 's62');
         insert into products values ('outlet-1', 'draft', 9.50, E'a\\tb\\\\c\\nd'), ('outlet-2', 'sold', 3, null);
         insert into \"Moods\" select 's' || i, '2026-11-20', 'bad', '2026-11-20 10:00:00.123456+02' from generate_series(1, 9) i;
         update products set \"Note\" = 'mine' where sku = 's100';
         update visits set referrer = 'ads' where page in ('p1', 'p2')",
    );
    let moods = "set datestyle = 'ISO, YMD'; select t::text from \"Moods\" t order by product";
    let (of_products, of_moods) = (
        case.column("select t::text from products t where sku like 'outlet%' order by sku"),
        case.column(moods),
    );
    // Values of the session are no reason to read others back.
    case.rows("alter database kept_kinds set datestyle = 'SQL, DMY'; alter database kept_kinds set intervalstyle = 'iso_8601'");
    let back = case.run(&["rollback", "--accept-loss"]).expect(0);
    let out = flat(&back.out);
    says(
        &out,
        &[
            "9 rows of public.Moods are kept until",
            "3 rows deleted from public.products are kept until",
            "53 rows of public.products overwritten (status) are kept until",
            "1 row of public.products overwritten (Note) is kept until",
            "2 values of public.visits.referrer are kept until",
            "without a key, so that it cannot be put back by itself",
        ],
    );
    let run = run_of(&back);
    case.run(&["migrate"]).expect(0);
    case.rows("update products set status = 'lost' where sku = 's62'");
    let restored = case.run(&["restore-data", "--run", &run]).expect(0);
    says(
        &restored.out,
        &[
            "9 rows of public.Moods: 9 put back",
            "3 rows deleted from public.products: 2 put back, 1 there already",
            // The inverse left them as 'live', and the change has made them 'open' again; one was written since.
            "53 rows of public.products overwritten (status): 0 put back, 52 there already, 1 written since",
            // It is as the change fills it.
            "1 row of public.products overwritten (Note): 1 put back",
            "there is no key to put them back by; they are in drydock_kept.run_",
        ],
    );
    assert_eq!(case.column(moods), of_moods);
    assert_eq!(
        case.column("select t::text from products t where sku like 'outlet%' order by sku"),
        of_products
    );
}

/// Overwritten values also come back where the inverse's own are still there.
#[test]
fn values_come_back_in_the_place_of_what_the_inverse_wrote() {
    let case = Case::named("kept_overwritten", "kept-kinds");
    case.run(&["migrate"]).expect(0);
    case.rows("update products set status = 'open' where sku = 's60'");
    let run = run_of(&case.run(&["rollback", "--accept-loss"]).expect(0));
    case.rows("update products set status = 'lost' where sku = 's1'");
    let restored = case.run(&["restore-data", "--run", &run, "--format", "json"]).expect(0).json();
    matches_schema(&case.home, "restore-data", &restored);
    let thing = &restored["things"][0];
    assert_eq!((&thing["put_back"], &thing["written_since"]), (&50.into(), &1.into()), "{restored}");
    assert_eq!(
        case.column("select status from products where sku in ('s1', 's60') order by sku"),
        ["lost", "open"]
    );
}

/// What the change itself fills was written by nobody since.
#[test]
fn values_come_back_where_the_change_has_filled_the_column_again() {
    let case = Case::named("kept_filled", "rollback-own-data");
    case.run(&["migrate"]).expect(0);
    case.rows("update orders set region = 'asia' where id in (7, 8)");
    let back = case.run(&["rollback", "--accept-loss"]).expect(0);
    case.run(&["migrate"]).expect(0);
    assert_eq!(case.column("select distinct region from orders"), ["eu"]);
    case.rows("update orders set region = 'us' where id = 8");
    let restored = case.run(&["restore-data", "--run", &run_of(&back)]).expect(0);
    let told = "20000 values of public.orders.region: 1 put back, 19998 there already, 1 written since";
    assert!(restored.out.contains(told), "{told}: {}", restored.out);
    assert_eq!(case.column("select region from orders where id in (7, 8) order by id"), ["asia", "us"]);
}

/// Where no schema of ours may be made, files of the run hold what goes.
#[test]
fn without_the_right_to_make_a_schema_it_is_kept_in_files() {
    let case = Case::new("kept-in-files");
    case.edit("drydock.toml", |text| {
        let (before, after) = text.split_once("//").unwrap();
        let (_, after) = after.split_once('@').unwrap();
        format!("{before}//keeper_of_files:secret@{after}")
    });
    case.run(&["migrate"]).expect(0);
    case.rows(WRITTEN);
    let back = case.run(&["rollback", "--accept-loss"]).expect(0);
    let out = flat(&back.out);
    assert!(
        out.contains("150 values of public.customers.phone are kept until")
            && out.contains("in the file 2.copy of the run"),
        "{out}"
    );
    assert!(out.contains("as of 20"), "services may have written since: {out}");
    assert_eq!(case.column(SCHEMA), Vec::<String>::new());
    let run = run_of(&back);
    let folder = case.folder().join("home/field/runs").join(&run).join("kept");
    let mut files: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap().flatten() {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        files.push(entry.file_name().to_string_lossy().into_owned());
    }
    files.sort();
    assert_eq!(files, ["1.copy", "2.copy", "kept.json"]);
    case.run(&["restore-data", "--run", &run]).expect(1);
    case.run(&["migrate"]).expect(0);
    let restored = case.run(&["restore-data", "--run", &run]).expect(0);
    assert!(restored.out.contains("150 values of public.customers.phone: 150 put back"), "{}", restored.out);
    assert_eq!(case.column("select count(phone)::text from customers"), ["150"]);
    assert_eq!(case.column("select count(*)::text from consents"), ["70"]);
    assert!(case.run(&["restore-data", "--run", &run]).expect(0).out.contains("there already, put back"));
    assert!(case.run(&["clean", "--run", &run]).expect(0).out.contains("dropped"));
    assert!(!folder.exists());
}

/// What is written while the run goes back is kept too.
#[test]
fn what_is_written_until_the_inverse_runs_is_kept() {
    let case = Case::named("kept_to_the_end", "rollback-takes-data");
    case.run(&["migrate"]).expect(0);
    case.rows("insert into consents (customer_id) select i from generate_series(1, 50) i");
    let mut run = case.start(&["rollback", "--accept-loss"]);
    let service = case.session();
    let mut written = 50;
    while service.tries("insert into consents (customer_id) values (1)") {
        written += 1;
        if written == 60 {
            // A row that is not there any more when the table goes is nothing to keep.
            service.rows("delete from consents where id = 7");
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(run.try_wait().unwrap().is_none(), "it ended without the table");
    }
    let back = Ran::of(run.wait_with_output().unwrap()).expect(0);
    let told = format!("{} rows of public.consents are kept until", written - 1);
    assert!(flat(&back.out).contains(&told), "{told}: {}", back.out);
}

/// By itself a run keeps what it may lose; nothing is kept where the settings say so.
#[test]
fn a_run_that_goes_back_by_itself_keeps_what_it_takes() {
    for (days, kept) in [("7", true), ("0", false)] {
        let case = Case::named(&format!("kept_by_itself_{days}"), "rollback-by-itself");
        case.edit("drydock.toml", |text| {
            format!(
                "{}[environments.field.rollback]\nkeep_days = {days}\n",
                text.replace("blocked = 60\n", "blocked = 60\nmay_lose = 5\n")
            )
        });
        let back = super::rollbacks::goes_back_by_itself(&case, super::rollbacks::WRITTEN).expect(4);
        let out = flat(&back.out);
        assert_eq!(out.contains("5 values of public.orders.region are kept until"), kept, "{out}");
        assert_eq!(
            out.contains("not kept: 5 values of public.orders.region: [rollback] keep_days = 0"),
            !kept,
            "{out}"
        );
        let schemas = "select count(*)::text from pg_namespace where nspname = 'drydock_kept'";
        assert_eq!(case.column(schemas), [if kept { "1" } else { "0" }]);
    }
}

/// Default privileges show what is kept to nobody who could not see it before.
#[test]
fn what_is_kept_is_shown_to_nobody_else() {
    let case = Case::named("kept_is_private", "rollback-takes-data");
    case.rows("create role kept_reader; alter default privileges grant usage on schemas to kept_reader; alter default privileges grant select on tables to public");
    case.run(&["migrate"]).expect(0);
    case.rows(WRITTEN);
    case.run(&["rollback", "--accept-loss"]).expect(0);
    let visible = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'drydock_kept' and c.relkind = 'r'
        and (has_schema_privilege('kept_reader', n.oid, 'usage') or has_table_privilege('kept_reader', c.oid, 'select'))";
    assert_eq!(case.column(visible), Vec::<String>::new());
    case.rows("alter default privileges revoke usage on schemas from kept_reader; alter default privileges revoke select on tables from public; drop role kept_reader");
}

/// A rollback that is killed goes on with what it has kept, and with what was written until then.
#[test]
fn a_rollback_that_was_killed_keeps_what_it_takes() {
    let case = Case::named("kept_though_killed", "rollback-takes-data");
    case.run(&["migrate"]).expect(0);
    case.rows(WRITTEN);
    let mut run = case.start(&["rollback", "--accept-loss"]);
    case.wait_for(&mut run, "\"undo\"");
    run.kill().unwrap();
    run.wait().unwrap();
    let is_there = case.session().tries("update customers set phone = 'late' where id = 200");
    let back = case.run(&["rollback", "--accept-loss"]).expect(0);
    let out = flat(&back.out);
    let values = if is_there { 151 } else { 150 };
    for told in
        [format!("{values} values of public.customers.phone"), "70 rows of public.consents".to_owned()]
    {
        assert!(out.contains(&format!("{told} are kept until")), "{told}: {out}");
    }
    case.run(&["migrate"]).expect(0);
    let restored = case.run(&["restore-data", "--run", &run_of(&back)]).expect(0);
    assert!(restored.out.contains(&format!("phone: {values} put back")), "{}", restored.out);
    assert!(restored.out.contains("public.consents: 70 put back"), "{}", restored.out);
}

/// Subscribers of all tables would get ours, and stop at them.
#[test]
fn a_publication_of_all_tables_gets_nothing_of_it() {
    let case = Case::named("kept_not_published", "rollback-takes-data");
    case.rows("create publication everything for all tables with (publish = 'insert')");
    case.run(&["migrate"]).expect(0);
    case.rows(WRITTEN);
    let back = case.run(&["rollback", "--accept-loss"]).expect(0);
    assert!(flat(&back.out).contains("in the file 1.copy of the run"), "{}", back.out);
    assert_eq!(case.column(SCHEMA), Vec::<String>::new());
}

/// Services never wait longer than they may for a copy to be complete: the text then says as of when it is.
#[test]
fn a_copy_that_would_hold_services_up_says_as_of_when_it_is() {
    let case = Case::named("kept_as_of", "rollback-takes-data");
    case.run(&["migrate"]).expect(0);
    case.rows(WRITTEN);
    case.edit_settings(|text| text.replace("stall_ms = 300", "stall_ms = 1"));
    let back = case.run(&["rollback", "--accept-loss"]).expect(0);
    let out = flat(&back.out);
    assert!(out.contains("70 rows of public.consents are kept until") && out.contains("(as of 20"), "{out}");
}

/// By hand nothing is taken that could not be kept, unless the settings say that nothing is to be.
#[test]
fn what_cannot_be_kept_is_not_taken_by_hand() {
    let case = Case::named("kept_refused", "rollback-takes-data");
    case.rows(
        "create function no_copies() returns event_trigger language plpgsql as $$ begin raise exception 'no copies here'; end $$;
         create event trigger no_copies on ddl_command_start when tag in ('CREATE TABLE AS') execute function no_copies()",
    );
    case.run(&["migrate"]).expect(0);
    case.rows(WRITTEN);
    let refused = case.run(&["rollback", "--accept-loss"]).expect(1);
    says(
        &refused.err,
        &["70 rows of public.consents: cannot keep what an inverse takes: no copies here", "keep_days = 0"],
    );
    assert_eq!(case.history().len(), 2);
    case.run(&["status"]).expect(0);
    case.edit_settings(|text| format!("{text}[environments.field.rollback]\nkeep_days = 0\n"));
    case.run(&["rollback", "--accept-loss"]).expect(0);
    assert_eq!(case.history(), Vec::<String>::new());
}
