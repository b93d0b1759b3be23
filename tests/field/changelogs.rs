//! How a changelog is read, and where its history is looked for.

use super::Case;

/// The ids of what a plan has pending.
fn pending(plan: &serde_json::Value) -> Vec<String> {
    let all = plan["changesets"].as_array().unwrap();
    all.iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect()
}

/// liquibase#5607, #6985: the same changelog, read from another folder than before. All of it counts as pending then, and a change of
/// data would run a second time.
#[test]
fn a_history_under_other_paths_is_told_with_the_root() {
    let case = Case::new("history-other-path").with_changelog("repo/db/changelog.xml");
    let root = case.folder().join("repo");
    let root = root.to_str().unwrap();
    for command in ["plan", "compat", "migrate", "drift", "doctor"] {
        let ran = case.run(&[command]).expect(1);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("is in the history as db/changes/001.sql"), "{command}: {said}");
        if command != "doctor" {
            assert!(said.contains(&format!("--changelog-root {root}")), "{command}: {said}");
        }
        assert_eq!(case.column("select max(balance)::text from accounts"), ["1000.00"], "{command}");
    }
    let plan = case.run(&["plan", "--changelog-root", root, "--format", "json"]).expect(0).json();
    assert_eq!(pending(&plan), ["account-note"]);
    case.edit_settings(|text| text.replace("contracts =", "changelog_root = \"repo\"\ncontracts ="));
    case.run(&["migrate"]).expect(0);
    let files = "select distinct filename from databasechangelog order by 1";
    assert_eq!(case.column(files), ["db/changes/001.sql", "db/changes/002.sql"]);
    assert_eq!(case.column("select max(balance)::text from accounts"), ["1000.00"]);
}

/// spring-boot#19926, liquibase#2189: paths begin at the root of the class path.
#[test]
fn spring_boots_layout_needs_no_setting() {
    let case = Case::new("spring-boot")
        .with_changelog("repo/src/main/resources/db/changelog/db.changelog-master.yaml");
    let plan = case.run(&["plan", "--format", "json"]).expect(0).json();
    assert_eq!(pending(&plan), ["account-note"]);
}

/// The same project, whose history is in a schema that its settings name.
#[test]
fn spring_boots_settings_are_read() {
    let case = Case::named("spring-boot-settings", "spring-boot");
    let case = case.with_changelog("repo/src/main/resources/db/changelog/db.changelog-master.yaml");
    case.rows("create schema ops; alter table databasechangelog set schema ops");
    let settings = case.folder().join("repo/src/main/resources/application.yml");
    std::fs::write(settings, "spring:\n  liquibase:\n    liquibase-schema: ${HISTORY_SCHEMA:ops}\n").unwrap();
    let ran = case.run(&["plan", "--format", "json"]).expect(0);
    assert_eq!(pending(&ran.json()), ["account-note"]);
    assert!(ran.err.contains("application.yml"), "{}", ran.err);
}

/// Liquibase's `databaseChangeLogTableName` and its lock's: the whole way goes by them, and they are part of nothing that is compared.
#[test]
fn liquibases_tables_may_have_other_names() {
    let case = Case::named("history-other-table", "history-other-schema");
    let case = case.with_changelog("changelog/changes.sql");
    case.rows("alter table ops.databasechangelog rename to app_history");
    let ran = case.run(&["migrate"]).expect(1);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("is in the history ops.app_history"), "{said}");
    assert!(said.contains("--liquibase-table app_history"), "{said}");
    let names = "liquibaseSchemaName=ops\ndatabaseChangeLogTableName=elsewhere\ndatabaseChangeLogLockTableName=app_lock\n";
    std::fs::write(case.folder().join("changelog/liquibase.properties"), names).unwrap();
    case.edit_settings(|text| text.replace("contracts =", "liquibase_table = \"app_history\"\ncontracts ="));
    let plan = case.run(&["plan", "--format", "json"]).expect(0).json();
    assert_eq!(pending(&plan), ["note"]);
    // The table of the lock is made on the way, which changes nothing of what is compared.
    let summary = case.run(&["migrate", "--format", "json"]).expect(0).json();
    assert_eq!(summary["fingerprint"]["as_expected"], true, "{summary}");
    let applied = "select id from ops.app_history order by orderexecuted";
    assert_eq!(case.column(applied), ["orders", "note"]);

    let held =
        "update ops.app_lock set locked = true, lockgranted = localtimestamp, lockedby = 'gone (192.0.2.1)'";
    case.rows(held);
    let ran = case.run(&["rollback"]).expect(0);
    assert!(ran.err.contains("released Liquibase's lock, whose holder gone"), "{}", ran.err);
    assert_eq!(case.column(applied), ["orders"]);
    assert_eq!(case.column("select locked::text from ops.app_lock"), ["false"]);
    assert_eq!(
        case.column("select relname::text from pg_class where relname ~* 'databasechangelog'"),
        [""; 0]
    );
    case.run(&["verify"]).expect(0);
}

/// liquibase#4129, #3445, #4327: `${schema}` gets its value from `liquibase.properties`, the configuration or the command line. One
/// without a value is named.
#[test]
fn parameters_get_their_values() {
    let case = Case::new("parameters").with_changelog("changelog/changes.sql");
    let plan = case.run(&["plan", "--format", "json"]).expect(0).json();
    assert_eq!(pending(&plan), ["note"]);
    assert!(plan["changesets"][0]["statements"][0]["sql"].as_str().unwrap().contains("app.orders"));
    std::fs::remove_file(case.folder().join("changelog/liquibase.properties")).unwrap();
    let ran = case.run(&["plan"]).expect(2);
    assert!(ran.err.contains("the parameter ${schema} has no value"), "{}", ran.err);
    assert!(ran.err.contains("--parameter schema=VALUE"), "{}", ran.err);
    case.run(&["plan", "--parameter", "schema=app"]).expect(0);
    case.edit_settings(|text| format!("{text}[environments.field.parameters]\nschema = \"app\"\n"));
    case.run(&["migrate"]).expect(0);
    assert_eq!(case.column("select count(note)::text from app.orders"), ["0"]);
}

/// Apache Fineract's changelogs have one changeset for each kind of database under the same identity, told apart by `dbms` or by
/// contexts. Liquibase runs the one that is meant; of two that are meant it runs none. Keycloak's have preconditions for other kinds.
#[test]
fn of_several_with_one_identity_the_one_that_is_meant_runs() {
    let case = Case::new("one-id-for-each-database").with_changelog("changes.xml");
    case.edit_settings(|text| text.replace("contracts = ", "contexts = \"live\"\ncontracts = "));
    let plan = case.run(&["plan", "--format", "json"]).expect(0).json();
    // What a precondition wants for another kind of database needs neither to be read nor an inverse.
    assert_eq!(pending(&plan), ["1", "2", "3", "5", "6"]);
    assert_eq!(plan["filtered"][0]["id"], "4", "{}", plan["filtered"]);
    assert_eq!(plan["filtered"].as_array().map(Vec::len), Some(1), "{}", plan["filtered"]);
    let run = case.run(&["migrate", "--format", "json"]).expect(0).json();
    let columns = "select string_agg(attname, ' ' order by attnum) from pg_attribute where attrelid = 'orders'::regclass and attnum > 0 and not attisdropped";
    assert_eq!(case.column(columns), ["id ref note paid"]);
    // Its turn came, and its precondition kept it from running: it is not on production.
    let outcomes = run["changesets"].as_array().unwrap().iter().map(|c| c["outcome"].as_str().unwrap());
    assert_eq!(outcomes.collect::<Vec<_>>(), ["applied", "applied", "applied", "applied", "left_out"]);
    let history = "select id || ' ' || exectype from databasechangelog order by orderexecuted";
    assert_eq!(case.column(history), ["1 EXECUTED", "2 EXECUTED", "3 MARK_RAN", "5 EXECUTED"]);
    // A checksum is of what is for this kind of database.
    let again = case.run(&["plan", "--format", "json"]).expect(0).json();
    assert_eq!(
        (pending(&again), again["drift"].as_array().map(Vec::len)),
        (vec!["6".to_owned()], Some(0)),
        "{}",
        again["drift"]
    );
    case.run(&["rollback", "--run", run["run"].as_str().unwrap(), "--reason", "a test"]).expect(0);
    assert_eq!(case.column(columns), ["id ref"]);
    assert_eq!(case.column(history), Vec::<String>::new());
    case.edit_settings(|text| text.replace("\"live\"", "\"live,test\""));
    let both = case.run(&["plan"]).expect(2);
    assert!(both.err.contains("changeset \"2\" by shop is there twice"), "{}", both.err);
}

/// Liquibase's `liquibaseSchemaName`: a history in another schema is named, never taken for none.
#[test]
fn a_history_in_another_schema_is_told_with_the_setting() {
    let case = Case::new("history-other-schema").with_changelog("changelog/changes.sql");
    for command in ["plan", "compat", "migrate"] {
        let ran = case.run(&[command]).expect(1);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("is in the history of schema ops"), "{command}: {said}");
        assert!(said.contains("--liquibase-schema ops"), "{command}: {said}");
    }
    let plan = case.run(&["plan", "--liquibase-schema", "ops", "--format", "json"]).expect(0).json();
    assert_eq!(pending(&plan), ["note"]);
    case.edit_settings(|text| text.replace("contracts =", "liquibase_schema = \"ops\"\ncontracts ="));
    case.run(&["migrate"]).expect(0);
    assert_eq!(
        case.column("select id from ops.databasechangelog order by orderexecuted"),
        ["orders", "note"]
    );
    assert_eq!(case.column("select to_regclass('public.databasechangelog')::text"), [""]);
}

/// What people write with Liquibase: changelogs in XML, YAML, JSON and SQL, almost every kind of change, properties, preconditions, files
/// beside them, delimiters, orders. Drydock leaves what Liquibase itself leaves, its history included, and takes all of it back.
#[test]
fn every_kind_of_change_leaves_what_liquibase_leaves() {
    let case = Case::with_remote("every-kind-of-change").with_changelog("changelog/root.xml");
    case.edit_settings(|text| text.replace("contracts = ", "contexts = \"prod\"\ncontracts = "));
    let columns = "select concat_ws(' ', table_name, ordinal_position, column_name, data_type, character_maximum_length, is_nullable,
          column_default, is_identity) from information_schema.columns where table_schema = 'public' order by 1";
    let constraints =
        "select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
          where connamespace = 'public'::regnamespace order by 1";
    let indexes = "select indexdef from pg_indexes where schemaname = 'public' order by 1";
    let remarks = "select objoid::regclass || ' ' || objsubid || ' ' || description from pg_description
          where classoid = 'pg_class'::regclass and objoid >= 16384 order by 1";
    let others = "select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
          union all select viewname || definition from pg_views where schemaname = 'public'
          union all select tgname::text from pg_trigger where not tgisinternal
          union all select concat_ws(' ', sequencename, start_value, increment_by, max_value, cycle) from pg_sequences order by 1";
    let rows = "select table_name || ' ' || (xpath('//row', query_to_xml(format('select * from %I t order by t::text', table_name),
          true, false, '')))::text from information_schema.tables
          where table_schema = 'public' and table_type = 'BASE TABLE' and table_name !~ 'databasechangelog' order by 1";
    let history = "select concat_ws('|', orderexecuted, id, author, filename, exectype, md5sum, description, comments, tag, liquibase,
          contexts, labels) from databasechangelog order by orderexecuted";
    let questions = [columns, constraints, indexes, remarks, others, rows];
    let before: Vec<_> = questions.iter().map(|sql| case.column(sql)).collect();

    let run = case.run(&["migrate", "--format", "json"]).expect(0).json();
    case.update_remote("changelog", "root.xml", "prod");
    for sql in questions.iter().chain([&history]) {
        let here = case.rows(sql);
        assert!(here.len() > 1, "{sql}");
        assert_eq!(here, case.remote().rows(sql), "{sql}");
    }
    case.run(&["rollback", "--run", run["run"].as_str().unwrap(), "--reason", "a test"]).expect(0);
    let after: Vec<_> = questions.iter().map(|sql| case.column(sql)).collect();
    assert_eq!(
        after.concat().into_iter().filter(|line| !line.contains("databasechangelog")).collect::<Vec<_>>(),
        before.concat()
    );
}
