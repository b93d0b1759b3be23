//! A whole run on a product without transactional DDL, copies of databases, sample rows, costs of plans and sight of sessions.

use drydock::model::changeset::ApplyState;
use drydock::model::evidence::{Outcome, ReverseProof};
use drydock::model::kept::WhyNotKept;
use drydock::run::RunOptions;

use super::shop::{NEEDS_FAX, Shop, WITHOUT_FAX, ended};

const CHANGES: &str = "
--changeset shop:order-note
ALTER TABLE orders ADD COLUMN note TEXT;
--rollback ALTER TABLE orders DROP COLUMN note;

--changeset shop:parcels
CREATE TABLE parcels (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id), weight REAL);
--rollback DROP TABLE parcels;

--changeset shop:orders-by-state
CREATE INDEX orders_state ON orders (state);
--rollback DROP INDEX orders_state;

--changeset shop:state-names
UPDATE orders SET state = 'shipped' WHERE state = 'sent';
--rollback UPDATE orders SET state = 'sent' WHERE state = 'shipped';

--changeset shop:no-fax
ALTER TABLE customers DROP COLUMN fax;
--rollback ALTER TABLE customers ADD COLUMN fax TEXT;
";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_through_every_stage_and_back() {
    let shop = Shop::new("stages", CHANGES, NEEDS_FAX).await;
    let before = shop.fingerprints().await;

    let first = shop.migrate().await;
    ended(&first, Outcome::Held);
    let record = &first.record;
    let held = &record.summary.held;
    assert_eq!(held.iter().map(|h| h.key.id.as_str()).collect::<Vec<_>>(), ["no-fax"]);
    let waits = &held[0].waits_for[0];
    assert_eq!(
        (waits.service.as_str(), waits.version.as_str(), waits.query.as_str()),
        ("web", "1.0", "Customer")
    );
    let plan = record.plan.as_ref().unwrap();
    assert!(
        plan.changesets.iter().all(|c| !c.in_transaction),
        "no changeset is one transaction with its record"
    );
    let compat = record.compat.as_ref().unwrap();
    assert_eq!(compat.checked.untried.as_deref(), Some("SQLite cannot copy sample rows from production"));
    let clone = record.clone.as_ref().unwrap();
    assert!(clone.equal);
    assert!(clone.endpoint.starts_with('/') && clone.endpoint.ends_with(".db"), "{}", clone.endpoint);
    let shadow = record.shadow.as_ref().unwrap();
    assert!(shadow.whole_way_back);
    let rehearsed: Vec<_> =
        shadow.changesets.iter().map(|r| (r.key.id.as_str(), r.reverse, r.log_bytes)).collect();
    let proven = |id| (id, ReverseProof::Proven, None);
    assert_eq!(
        rehearsed,
        [proven("order-note"), proven("parcels"), proven("orders-by-state"), proven("state-names")]
    );
    assert_eq!(shadow.unmeasured.len(), 2, "{:?}", shadow.unmeasured);
    shop.was_told("the locks of the changesets were not watched, because SQLite does not show them");
    shop.was_told("plans were not compared, because SQLite does not estimate what they cost");
    let rollout = record.rollout.as_ref().unwrap();
    assert!(rollout.changesets.iter().all(|c| c.state == ApplyState::Applied && c.attempts == 1));
    assert!(rollout.gates.iter().all(|g| g.breaches.is_empty() && g.blocked.is_none() && g.requests > 0));
    assert!(rollout.fingerprint.as_expected);
    assert_eq!(rollout.traffic.skipped, []);
    assert!(rollout.traffic.requests > 0 && rollout.traffic.failed == 0, "{:?}", rollout.failures);
    shop.was_told("a statement waits for a lock for up to 1000 ms, and the stall budget is 100 ms: SQLite takes no shorter limit");
    shop.was_told("nobody writes to a table while its index is built: SQLite has no concurrent builds");
    shop.was_told("the gates judge by the traffic alone: SQLite does not show its sessions");
    shop.was_told("a changeset and its record are two transactions: SQLite has no transactional DDL");
    let (schema, data) = shop.fingerprints().await;
    let differences = before.0.differences(&schema, 100);
    let expected = [
        "+ column main.orders.note",
        "+ column main.parcels.id",
        "+ index main.orders_state",
        "+ table main.parcels",
    ];
    assert!(expected.iter().all(|line| differences.contains(&(*line).to_owned())), "{differences:?}");
    assert_eq!(data.tables["main.orders"].rows, 400);

    // The service moves on, and what waited for it goes out.
    shop.write("web/queries.sql", WITHOUT_FAX);
    shop.write(
        "web/contract.yaml",
        "service: web\nversions:\n  - version: '1.1'\n    queries: [queries.sql]\n",
    );
    let second = shop.migrate().await;
    ended(&second, Outcome::Migrated);
    assert_ne!(second.record.summary.run, record.summary.run);
    assert!(
        !shop.database.catalog().await.unwrap().tables["main.customers"]
            .columns
            .iter()
            .any(|c| c.name == "fax")
    );

    // By hand, the newer run first.
    let back = shop.roll_back(None).await.unwrap();
    ended(&back, Outcome::RolledBack);
    assert_eq!(back.record.summary.run, second.record.summary.run);
    // A product that keeps nothing says so.
    shop.execute("UPDATE orders SET note = 'written by a service' WHERE id = 1").await;
    assert!(shop.roll_back(Some(&record.summary.run)).await.is_err());
    let options =
        RunOptions { run: Some(record.summary.run.clone()), accept_loss: true, ..RunOptions::default() };
    let operations = shop.operations();
    let back = operations.roll_back(&shop.environment, options, None, "by hand".to_owned(), &|_| false);
    let back = back.await.unwrap();
    ended(&back, Outcome::RolledBack);
    let rollback = back.record.rollback.as_ref().unwrap();
    assert_eq!(rollback.undone.len(), 4);
    assert_eq!(rollback.kept.kept, []);
    let why: Vec<_> = rollback.kept.not_kept.iter().map(|n| (n.loss.to_string(), n.why.clone())).collect();
    assert_eq!(why, [("1 value of main.orders.note".to_owned(), WhyNotKept::Product)]);
    let nothing = operations.restore_data(&shop.environment, &record.summary.run).await.unwrap_err();
    assert!(nothing.to_string().contains("keeps nothing"), "{nothing}");
    let after = shop.fingerprints().await;
    assert_eq!(before.0.differences(&after.0, 10), Vec::<String>::new());
    assert_eq!(before.1.differences(&after.1, 10), Vec::<String>::new());
    let verified = shop.operations().verify(&shop.environment, None).await.unwrap();
    assert_eq!(verified.len(), 2);
}
