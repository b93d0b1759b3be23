//! Runs that fail half-way where a changeset and its record are two transactions.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use drydock::error::ErrorKind;
use drydock::model::event::{Action, Event, EventKind};
use drydock::model::evidence::Outcome;
use drydock::run::RunOptions;
use drydock::run::drive::Until;
use drydock::run::journal::AfterRecord;
use drydock::stages::plan;
use drydock::watcher::Silent;

use super::shop::{Shop, WITHOUT_FAX, ended, environment_of, operations};

const NOTE: &str = "
--changeset shop:order-note
ALTER TABLE orders ADD COLUMN note TEXT;
--rollback ALTER TABLE orders DROP COLUMN note;
";
const UNIQUE_NAME: &str = "
--changeset shop:unique-name
CREATE UNIQUE INDEX customers_name ON customers (name);
--rollback DROP INDEX customers_name;
";
const PARCELS: &str = "
--changeset shop:parcels
CREATE TABLE parcels (id INTEGER PRIMARY KEY);
--rollback DROP TABLE parcels;
";
const REPRICE: &str = "
--changeset shop:reprice
UPDATE orders SET total = total * 2;
--rollback UPDATE orders SET total = total / 2;
";
/// The folder of the shop that the killed process works on.
const FOLDER: &str = "DRYDOCK_ADAPTER_SHOP";
/// `forward` or `back`.
const WAY: &str = "DRYDOCK_ADAPTER_WAY";

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_on_production_alone_is_taken_back() {
    let shop = Shop::new("unique", &[NOTE, UNIQUE_NAME].concat(), WITHOUT_FAX).await;
    let (schema, data) = shop.fingerprints().await;
    shop.after_shadow("INSERT INTO customers (id, name) VALUES (99, 'customer 1')");
    let run = shop.migrate().await;
    ended(&run, Outcome::RolledBack);
    let reason = run.record.summary.reason.clone().unwrap();
    assert!(reason.contains("unique-name") && reason.contains("UNIQUE constraint failed"), "{reason}");
    let rollback = run.record.rollback.as_ref().unwrap();
    assert!(rollback.automatic && rollback.fingerprint.as_expected);
    assert_eq!(rollback.undone.iter().map(|u| u.key.id.as_str()).collect::<Vec<_>>(), ["order-note"]);
    let (schema_now, data_now) = shop.fingerprints().await;
    assert_eq!(schema, schema_now);
    // What somebody wrote in the meantime is still there, and nothing else differs.
    assert_eq!(data.differences(&data_now, 10), ["main.customers: 40 rows -> 41"]);
    shop.operations().verify(&shop.environment, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changeset_that_could_stay_half_done_is_refused() {
    let several = "
--changeset shop:two
ALTER TABLE orders ADD COLUMN note TEXT;
ALTER TABLE orders ADD COLUMN mark TEXT;
--rollback ALTER TABLE orders DROP COLUMN note;
";
    let shop = Shop::new("several", several, WITHOUT_FAX).await;
    let before = shop.fingerprints().await;
    let run = shop.migrate().await;
    ended(&run, Outcome::Refused);
    let summary = &run.record.summary;
    let reason = summary.reason.clone().unwrap();
    assert!(
        reason.contains("changes.sql:3: changeset \"two\" runs 2 statements outside a transaction"),
        "{reason}"
    );
    assert_eq!(summary.hint.as_deref(), Some("give each statement a changeset of its own"));
    assert_eq!(shop.fingerprints().await, before);

    let inverse = "--liquibase formatted sql

--changeset shop:one
ALTER TABLE orders ADD COLUMN note TEXT;
--rollback UPDATE orders SET note = NULL;
--rollback ALTER TABLE orders DROP COLUMN note;
";
    shop.write("changes.sql", inverse);
    let made = shop.operations().plan(&shop.environment).await.unwrap();
    let error = plan::refuse(&made, false, false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    let said = error.chain();
    assert!(said.contains("changes.sql:3: the rollback of changeset \"one\" runs 2 statements"), "{said}");
    assert!(error.hint_text().is_some());
}

/// A run that is killed when its second wave, or its first step back, is intended and nothing has come of it.
async fn kill(shop: &Shop, way: &'static str) {
    let folder = shop.home.folder.clone();
    let killed = tokio::task::spawn_blocking(move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "adapter::failures::the_process_that_is_killed", "--ignored"])
            .env(FOLDER, folder)
            .env(WAY, way)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    });
    let killed = killed.await.unwrap();
    let signal = std::os::unix::process::ExitStatusExt::signal(&killed.status);
    assert_eq!(signal, Some(9), "{}", String::from_utf8_lossy(&killed.stdout));
}

fn dies(event: &Event) {
    if matches!(
        &event.what,
        EventKind::Intended { action: Action::Apply { wave: 2, .. } | Action::Undo { .. }, .. }
    ) {
        nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL).unwrap();
        std::thread::sleep(std::time::Duration::from_secs(10));
    }
}

#[test]
#[ignore = "other tests start it as a process of its own and look at what it leaves"]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let environment = environment_of(Path::new(&folder));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let options = RunOptions { after_record: AfterRecord(Some(Arc::new(dies))), ..RunOptions::default() };
    let operations = operations(Arc::new(Silent));
    let run = runtime.block_on(async {
        match std::env::var(WAY).as_deref() {
            Ok("back") => {
                operations.roll_back(&environment, options, None, "by hand".to_owned(), &|_| false).await
            }
            _ => operations.migrate(&environment, options, None, Until::End).await,
        }
    });
    panic!("it lives: {:?}", run.map(|run| run.ended));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_statement_is_gone_on_with() {
    let shop = Shop::new("before", &[NOTE, PARCELS].concat(), WITHOUT_FAX).await;
    kill(&shop, "forward").await;
    let run = shop.migrate().await;
    ended(&run, Outcome::Migrated);
    assert!(shop.database.catalog().await.unwrap().tables.contains_key("main.parcels"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_change_and_record_is_told() {
    let shop = Shop::new("between", &[NOTE, PARCELS].concat(), WITHOUT_FAX).await;
    let before = shop.fingerprints().await;
    kill(&shop, "forward").await;
    // What the killed run had got done before it could put it on record, under Liquibase's lock.
    shop.execute(
        "CREATE TABLE parcels (id INTEGER PRIMARY KEY);
         UPDATE DATABASECHANGELOGLOCK SET LOCKED = 1, LOCKGRANTED = '2026-01-01 00:00:00', LOCKEDBY = 'somebody gone'",
    )
    .await;
    let run = shop.migrate().await;
    ended(&run, Outcome::Stuck);
    let (reason, hint) =
        (run.record.summary.reason.clone().unwrap(), run.record.summary.hint.clone().unwrap());
    assert!(
        reason.contains("was done, and Liquibase's history does not show it: + column main.parcels.id"),
        "{reason}"
    );
    assert!(hint.contains("take the change back by hand"), "{hint}");
    shop.was_told("released Liquibase's lock, whose holder somebody gone is gone");
    // A person decides, and the run goes back.
    shop.execute("DROP TABLE parcels").await;
    let back = shop.roll_back(None).await.unwrap();
    ended(&back, Outcome::RolledBack);
    assert_eq!(shop.fingerprints().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_a_changeset_of_rows_is_not_guessed() {
    let shop = Shop::new("rows", &[NOTE, REPRICE].concat(), WITHOUT_FAX).await;
    let before = shop.fingerprints().await;
    kill(&shop, "forward").await;
    let run = shop.migrate().await;
    ended(&run, Outcome::Stuck);
    let reason = run.record.summary.reason.clone().unwrap();
    assert!(reason.contains("reprice") && reason.contains("cannot be told: it changes rows"), "{reason}");
    let back = shop.roll_back(None).await.unwrap();
    ended(&back, Outcome::RolledBack);
    assert_eq!(
        shop.fingerprints().await,
        before,
        "nothing was done twice, and nothing was taken back that was not done"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_on_the_way_back_is_told() {
    let shop = Shop::new("back", PARCELS, WITHOUT_FAX).await;
    let before = shop.fingerprints().await;
    ended(&shop.migrate().await, Outcome::Migrated);
    kill(&shop, "back").await;
    // What the killed run had taken back before it could take the record away.
    shop.execute("DROP TABLE parcels").await;
    let run = shop.migrate().await;
    ended(&run, Outcome::Stuck);
    let reason = run.record.summary.reason.clone().unwrap();
    assert!(
        reason
            .contains("was done, and Liquibase's history still has the changeset: - column main.parcels.id"),
        "{reason}"
    );
    // A person decides, and the run goes back.
    shop.execute("DELETE FROM DATABASECHANGELOG").await;
    let back = shop.roll_back(None).await.unwrap();
    ended(&back, Outcome::RolledBack);
    assert_eq!(shop.fingerprints().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_refused_is_told() {
    let shop = Shop::new("record", &[NOTE, PARCELS].concat(), WITHOUT_FAX).await;
    shop.after_shadow(
        "CREATE TABLE DATABASECHANGELOG (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, FILENAME VARCHAR(255) NOT NULL,
           DATEEXECUTED TEXT NOT NULL, ORDEREXECUTED INTEGER NOT NULL, EXECTYPE VARCHAR(10) NOT NULL, MD5SUM VARCHAR(35),
           DESCRIPTION VARCHAR(255), COMMENTS VARCHAR(255), TAG VARCHAR(255), LIQUIBASE VARCHAR(20), CONTEXTS VARCHAR(255),
           LABELS VARCHAR(255), DEPLOYMENT_ID VARCHAR(10));
         CREATE TRIGGER no_record BEFORE INSERT ON DATABASECHANGELOG WHEN NEW.ID = 'parcels'
         BEGIN SELECT RAISE(ABORT, 'no room for a record'); END",
    );
    let run = shop.migrate().await;
    ended(&run, Outcome::Stuck);
    let reason = run.record.summary.reason.clone().unwrap();
    assert!(
        reason.contains("was done, and Liquibase's history does not show it: + column main.parcels.id"),
        "{reason}"
    );
    assert!(shop.database.catalog().await.unwrap().tables.contains_key("main.parcels"));
}
