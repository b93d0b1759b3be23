//! Commands that only look run nothing of a changelog.

use std::path::Path;
use std::process::Command;

use super::Case;
use crate::support::repository;

fn java(arguments: &[&str], classpath: &str) {
    let java = std::env::var("JAVA_HOME").map_or("java".to_owned(), |home| format!("{home}/bin/java"));
    let ran = Command::new(java).args(arguments).env("CLASSPATH", classpath).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

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
    for command in ["plan", "compat", "migrate"] {
        let ran = case.run_with(&[command], &[("DRYDOCK_LIQUIBASE", &liquibase)]).expect(1);
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
    let edited = case.run_with(&["plan"], &[("DRYDOCK_LIQUIBASE", &liquibase)]).expect(1);
    let (_, now) = edited.err.split_once(" then, 9:").unwrap();
    let now = now.split_once(" now").unwrap().0;
    case.rows(&format!("update databasechangelog set md5sum = '9:{now}'"));
    case.run_with(&["plan"], &[("DRYDOCK_LIQUIBASE", &liquibase)]).expect(0);
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
