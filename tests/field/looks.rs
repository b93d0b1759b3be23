//! Commands that only look run nothing of a changelog.

use std::path::Path;

use super::{Case, java};
use crate::support::repository;

/// Liquibase's jars and one more, which has the case's own class.
fn with_jar(folder: &Path, source: &str) -> String {
    let lib = folder.join("liquibase/lib");
    std::fs::create_dir_all(&lib).unwrap();
    for jar in std::fs::read_dir(repository().join("target/liquibase/lib")).unwrap().flatten() {
        std::os::unix::fs::symlink(jar.path(), lib.join(jar.file_name())).unwrap();
    }
    let classes = folder.join("classes");
    let (classes, source) = (classes.to_str().unwrap(), folder.join(source));
    let classpath = format!("{}/*", lib.display());
    java(
        &["-m", "jdk.compiler/com.sun.tools.javac.Main", "-d", classes, source.to_str().unwrap()],
        &classpath,
    );
    let jar = lib.join("shop.jar");
    java(
        &[
            "-m",
            "jdk.jartool/sun.tools.jar.Main",
            "--create",
            "--file",
            jar.to_str().unwrap(),
            "-C",
            classes,
            ".",
        ],
        &classpath,
    );
    folder.join("liquibase").to_str().unwrap().to_owned()
}

/// liquibase#3945, #4054, #4394: a custom change does its work when Liquibase asks it for its statements, and its inverse too.
#[test]
fn a_custom_change_is_not_run_to_see_what_it_does() {
    let case = Case::new("custom-task-change").with_changelog("changes.xml");
    let liquibase = with_jar(case.folder(), "RecodeOrders.java");
    let never = [("DRYDOCK_LIQUIBASE", liquibase.as_str()), ("NO_SET_UP", "yes")];
    for command in ["plan", "compat", "migrate"] {
        let ran = case.run_with(&[command], &never).expect(1);
        for told in
            ["changes.xml:3", "recode", "customChange com.example.shop.RecodeOrders", "nothing was run"]
        {
            assert!(ran.err.contains(told) || ran.out.contains(told), "{command}: {}{}", ran.out, ran.err);
        }
        assert_eq!(case.column("select sum(cents)::text from orders"), ["50"], "{command}");
        assert_eq!(case.column("select what from custom_runs"), Vec::<String>::new(), "{command}");
    }
    // Keycloak's changes need its own session to be set up, and most of a changelog is long applied.
    case.rows(
        "create table databasechangelog (id varchar(255) not null, author varchar(255) not null, filename varchar(255) not null,
           dateexecuted timestamp not null, orderexecuted int not null, exectype varchar(10) not null, md5sum varchar(35),
           description varchar(255), comments varchar(255), tag varchar(255), liquibase varchar(20), contexts varchar(255),
           labels varchar(255), deployment_id varchar(10));
         insert into databasechangelog (id, author, filename, dateexecuted, orderexecuted, exectype, md5sum)
           values ('recode', 'shop', 'changes.xml', now(), 1, 'EXECUTED', '9:00000000000000000000000000000000')",
    );
    let edited = case.run_with(&["plan"], &never).expect(1);
    let (_, now) = edited.err.split_once(" then, 9:").unwrap();
    let now = now.split_once(" now").unwrap().0;
    case.rows(&format!("update databasechangelog set md5sum = '9:{now}'"));
    case.run_with(&["plan"], &never).expect(0);
}

/// Keycloak's upgrades need their custom changes. With leave they run on the clone and then on production. This one commits by itself, so
/// that a run that dies in the middle of it cannot tell what it did.
#[test]
fn a_custom_change_with_leave_is_rehearsed_and_runs() {
    let case = Case::named("custom_change_with_leave", "custom-task-change").with_changelog("runs.xml");
    let liquibase = with_jar(case.folder(), "RecodeOrders.java");
    let variables = [("DRYDOCK_LIQUIBASE", liquibase.as_str())];
    case.edit_settings(|text| format!("{text}[environments.field.shadow]\nrun_code = true\n"));
    let cents = || case.column("select sum(cents)::text from orders");
    let compat = case.run_with(&["compat", "--format", "json"], &variables).expect(0).json();
    let note = &compat["notes"][0];
    assert_eq!(note["note"], "not-tried", "{compat}");
    assert!(
        note["text"].as_str().unwrap().contains("it runs code, which the rehearsal on the clone does"),
        "{note}"
    );
    assert_eq!(cents(), ["50"]);
    let first = case.run_with(&["migrate", "--format", "json"], &variables).expect(0).json();
    assert_eq!(
        (first["changesets"][0]["reverse"].as_str(), cents()),
        (Some("proven"), vec!["5000".to_owned()])
    );
    let run = first["run"].as_str().unwrap();
    case.run_with(&["rollback", "--run", run, "--reason", "a test"], &variables).expect(0);
    assert_eq!((cents(), case.history()), (vec!["50".to_owned()], Vec::new()));

    let journal = case.folder().join("home/field/runs").join(run).join("journal.jsonl");
    let journal = std::fs::read_to_string(journal).unwrap();
    let of_apply = |line: &str| line.contains("\"intended\"") && line.contains("\"apply\"");
    let begun = journal.lines().position(of_apply).unwrap() + 1;
    let begun = begun.to_string();
    let killed = case.run_with(&["migrate"], &[variables[0], ("DRYDOCK_TEST_KILL_AT", &begun)]);
    assert_eq!(killed.code, None, "{}", killed.err);
    let stuck = case.run_with(&["migrate"], &variables).expect(5);
    assert!(stuck.out.contains("cannot be told: it runs code"), "{}", stuck.out);
    assert_eq!(cents(), ["50"], "it is not run a second time");
}

/// The same issues: a command of the shell.
#[test]
fn a_command_is_not_run_to_see_what_it_does() {
    let case = Case::new("execute-command").with_changelog("changes.xml");
    let told = case.folder().join("told");
    for command in ["plan", "compat", "migrate"] {
        let ran = case.run_with(&[command], &[("TOLD", told.to_str().unwrap())]).expect(1);
        assert!(
            ran.err.contains("executeCommand liquibase.change.core.ExecuteShellCommandChange"),
            "{}",
            ran.err
        );
        assert!(!told.exists(), "{command} ran it");
    }
}

/// A class that is nowhere: the message names it, where it is asked for, and what to do.
#[test]
fn a_class_that_is_missing_is_told() {
    let case = Case::new("custom-class-missing").with_changelog("changes.xml");
    let ran = case.run(&["plan"]).expect(2);
    for told in ["changes.xml:7", "the class com.example.shop.RecodeOrders is not there", "Liquibase's jars"]
    {
        assert!(ran.err.contains(told), "{}", ran.err);
    }
}
