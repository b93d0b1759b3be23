//! What any product must keep to. Each check makes databases of its own.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drydock::error::ErrorKind;
use drydock::liquibase::{Failure, FaultKind, Liquibase};
use drydock::model::changeset::{ApplyState, ChangesetId, Phase, UndoState};
use drydock::model::endpoint::Limits;
use drydock::model::error_class::ErrorClass;
use drydock::model::history::{ActTrace, HistoryBefore};
use drydock::model::preflight::{Fact, Finding, Weight};
use drydock::model::query::{Call, Ending, ParameterRole};
use drydock::product::{Database, ScratchKind};
use drydock::watcher::Progress;
use tokio::sync::Mutex;

use super::rigs::Rig;
use super::{environment, named};

/// Every product takes this.
const SCHEMA: &str = "
CREATE TABLE carriers (id integer PRIMARY KEY, name varchar(40) NOT NULL, fax text);
CREATE TABLE parcels (id integer PRIMARY KEY, carrier integer REFERENCES carriers (id), state text DEFAULT 'new' NOT NULL, weight real);
CREATE INDEX parcels_state ON parcels (state);
CREATE VIEW waiting AS SELECT id, carrier FROM parcels WHERE state = 'new';
INSERT INTO carriers (id, name) VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO parcels (id, carrier, state, weight) VALUES (10, 1, 'new', 1.5), (11, 2, 'sent', 2.5);
";

const CHANGELOG: &str = "--liquibase formatted sql

--changeset suite:applied
CREATE TABLE applied (id integer PRIMARY KEY);
--rollback DROP TABLE applied;

--changeset suite:half
CREATE TABLE half (id integer PRIMARY KEY);
CREATE TABLE half (id integer PRIMARY KEY);
--rollback DROP TABLE half;

--changeset suite:stamp runAlways:true
INSERT INTO parcels (id) SELECT max(id) + 1 FROM parcels;
--rollback DELETE FROM parcels WHERE id = (SELECT max(id) FROM parcels);

--changeset suite:note
ALTER TABLE parcels ADD COLUMN note text;
--rollback ALTER TABLE parcels DROP COLUMN note;
";

type Check = Pin<Box<dyn Future<Output = ()> + Send>>;
type Checked = fn(Bench) -> Check;

/// What a check works with. One JVM serves all of them.
#[derive(Clone)]
struct Bench {
    rig: Arc<dyn Rig>,
    liquibase: Arc<Mutex<Liquibase>>,
}

/// Runs every check, and then says which did not hold.
pub async fn run(rig: Arc<dyn Rig>) {
    let folder = rig.folder().join("changelog");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("changes.sql"), CHANGELOG).unwrap();
    let mut liquibase = Liquibase::start(&rig.folder().join("cache")).await.unwrap();
    liquibase.changelog(&environment(&folder, "unused:"), "changes.sql").await.unwrap();
    let bench = Bench { rig, liquibase: Arc::new(Mutex::new(liquibase)) };
    let checks: [(&str, Checked); 17] = [
        ("a URL that cannot be read", |b| Box::pin(broken_url(b))),
        ("facts that are known before anything is done", |b| Box::pin(preflight(b))),
        ("a claim is exclusive and ends with its owner", |b| Box::pin(claim(b))),
        ("schema fingerprints", |b| Box::pin(schema_fingerprints(b))),
        ("data fingerprints", |b| Box::pin(data_fingerprints(b))),
        ("a snapshot tells a renamed object", |b| Box::pin(renames(b))),
        ("catalog and values", |b| Box::pin(values(b))),
        ("a restored backup equals its source", |b| Box::pin(backup(b))),
        ("scratch databases", |b| Box::pin(scratch(b))),
        ("statements", |b| Box::pin(statements(b))),
        ("queries and results", |b| Box::pin(queries(b))),
        ("a client", |b| Box::pin(client(b))),
        ("sessions are ended by their application", |b| Box::pin(sessions(b))),
        ("transactional DDL is what the product says", |b| Box::pin(transactional_ddl(b))),
        ("the history before a changeset ran again comes back with its inverse", |b| Box::pin(reruns(b))),
        ("a lock wait has an end, and not before the shortest", |b| Box::pin(lock_wait(b))),
        ("other capabilities are what the product says", |b| Box::pin(capabilities(b))),
    ];
    let mut broken = Vec::new();
    for (name, check) in checks {
        if tokio::spawn(check(bench.clone())).await.is_err() {
            broken.push(name);
        }
    }
    bench.liquibase.lock().await.close().await;
    assert_eq!(broken, Vec::<&str>::new(), "{}", bench.rig.product().name());
}

fn quiet() -> Progress {
    Arc::new(|_, _| {})
}

fn changeset(id: &str) -> ChangesetId {
    ChangesetId { id: id.to_owned(), author: "suite".to_owned(), path: "changes.sql".to_owned() }
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|v| Some((*v).to_owned())).collect()
}

/// `$1` and `$2` as the product writes them.
fn with_parameters(database: &dyn Database, sql: &str) -> String {
    (1..=2).fold(sql.to_owned(), |sql, n| sql.replace(&format!("${n}"), &database.placeholder(n)))
}

impl Bench {
    async fn database(&self, name: &str) -> Arc<dyn Database> {
        self.rig.database(name, SCHEMA).await
    }
    fn path(&self, name: &str) -> PathBuf {
        self.rig.folder().join(name)
    }
}

async fn broken_url(bench: Bench) {
    let Err(error) = bench.rig.product().open(bench.rig.broken_url()) else { panic!("it was read") };
    assert_eq!(error.kind, ErrorKind::Input);
    let said = format!("{} {:?}", error.chain(), error.hint_text());
    assert!(!said.contains("geheim"), "{said}");
}

/// A database that anybody may work on is refused for nothing.
async fn preflight(bench: Bench) {
    let database = bench.database("for_preflight").await;
    let provider = bench.rig.product().provider().await.unwrap();
    let mut facts = database.preflight().await.unwrap();
    assert!(facts.iter().any(|fact| matches!(fact.finding, Finding::Server { .. })), "{facts:?}");
    facts.extend(provider.preflight(database.as_ref()).await.unwrap());
    let size = facts.iter().find_map(|fact| match fact.finding {
        Finding::CopySize { bytes } => Some(bytes),
        _ => None,
    });
    assert!(size.is_some_and(|bytes| bytes > 0), "{facts:?}");
    assert!(facts.iter().all(|fact| fact.weight < Weight::StopsRuns), "{facts:?}");
    let written = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Fact>>(&written).unwrap().len(), facts.len());
}

async fn claim(bench: Bench) {
    let database = bench.database("claimed").await;
    let first = database.claim("suite").await.unwrap().expect("nobody holds it");
    assert!(first.held().await);
    assert!(database.claim("suite").await.unwrap().is_none(), "two owners");
    first.release().await;
    let second = wait_for(&database).await;
    drop(second);
    wait_for(&database).await;
}

/// A session takes a moment to end.
async fn wait_for(database: &Arc<dyn Database>) -> Box<dyn drydock::product::Claim> {
    for _ in 0..100 {
        if let Some(claim) = database.claim("suite").await.unwrap() {
            return claim;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the claim outlives its owner");
}

async fn schema_fingerprints(bench: Bench) {
    let one = bench.database("schema_one").await;
    let first = one.schema_fingerprint().await.unwrap();
    let same = bench.database("schema_same").await.schema_fingerprint().await.unwrap();
    assert_eq!(first, same);
    let cases = [
        ("column", "fax text", "fax text, telex text"),
        ("nullable", "name varchar(40) NOT NULL", "name varchar(40)"),
        ("type", "weight real", "weight integer"),
        ("preset", "DEFAULT 'new'", "DEFAULT 'old'"),
        ("index_columns", "parcels (state)", "parcels (state, carrier)"),
        ("unique_index", "CREATE INDEX", "CREATE UNIQUE INDEX"),
        ("foreign_key", "REFERENCES carriers (id)", ""),
        ("view_text", "state = 'new'", "state = 'sent'"),
    ];
    for (name, from, to) in cases {
        let changed = bench.rig.database(&format!("schema_{name}"), &SCHEMA.replacen(from, to, 1)).await;
        let changed = changed.schema_fingerprint().await.unwrap();
        assert_ne!(first.digest, changed.digest, "{name}");
        assert!(!first.differences(&changed, 10).is_empty(), "{name}");
    }
    one.execute_script("ALTER TABLE parcels ADD COLUMN note text").await.unwrap();
    assert_ne!(one.schema_fingerprint().await.unwrap(), first);
    one.execute_script("ALTER TABLE parcels DROP COLUMN note").await.unwrap();
    let back = one.schema_fingerprint().await.unwrap();
    assert_eq!(first.differences(&back, 10), Vec::<String>::new());
    assert_eq!(first.digest, back.digest);
}

async fn data_fingerprints(bench: Bench) {
    let one = bench.database("rows_one").await;
    let other = bench
        .rig
        .database("rows_other", &SCHEMA.replace("(1, 'one'), (2, 'two')", "(2, 'two'), (1, 'one')"))
        .await;
    let first = one.data_fingerprint(None).await.unwrap();
    assert_eq!(first, other.data_fingerprint(None).await.unwrap(), "the order of the rows says nothing");
    let carriers = named(one.as_ref(), "carriers").await;
    assert_eq!(first.tables[&carriers].rows, 3);
    other.execute_script("UPDATE carriers SET name = 'zwei' WHERE id = 2").await.unwrap();
    let changed = other.data_fingerprint(None).await.unwrap();
    assert_eq!(first.differences(&changed, 10), [format!("{carriers}: content differs")]);
    let only = [carriers.clone(), "nowhere.nothing".to_owned()];
    let only = one.data_fingerprint(Some(&only)).await.unwrap();
    assert_eq!(only.tables.keys().collect::<Vec<_>>(), [&carriers]);
    one.execute_script("UPDATE carriers SET fax = 'x' WHERE id = 1; UPDATE carriers SET fax = NULL")
        .await
        .unwrap();
    assert_eq!(first, one.data_fingerprint(None).await.unwrap());
}

async fn renames(bench: Bench) {
    let database = bench.database("renames").await;
    let before = database.snapshot().await.unwrap();
    // A snapshot is held against looks at copies too.
    assert_eq!(before.schema.objects, database.schema_fingerprint().await.unwrap().objects);
    assert!(database.diff(&before, &before).is_empty());
    database.execute_script("ALTER TABLE carriers RENAME TO hauliers").await.unwrap();
    let renamed = database.snapshot().await.unwrap();
    let anew = "CREATE TABLE trucks (id integer PRIMARY KEY, name varchar(40) NOT NULL, fax text)";
    database.execute_script(anew).await.unwrap();
    let made = database.snapshot().await.unwrap();
    let number = |objects: &std::collections::BTreeMap<String, drydock::model::schema::ObjectIdentity>,
                  table: &str| {
        let found =
            objects.iter().find(|(name, _)| name.ends_with(&format!(".{table}")) && !name.contains("index"));
        found.map(|(_, object)| object.number.clone())
    };
    let [was, is, new] = [
        number(&before.objects, "carriers"),
        number(&renamed.objects, "hauliers"),
        number(&made.objects, "trucks"),
    ];
    if bench.rig.tells_renames() {
        assert!(was.is_some() && was == is && new.is_some() && new != was, "{was:?} {is:?} {new:?}");
    } else {
        assert_eq!([was, is, new], [None, None, None], "what cannot be told is not guessed");
    }
}

async fn values(bench: Bench) {
    let database = bench.database("looked_at").await;
    let catalog = database.catalog().await.unwrap();
    let (carriers, parcels) =
        (named(database.as_ref(), "carriers").await, named(database.as_ref(), "parcels").await);
    let table = &catalog.tables[&parcels];
    let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(columns, ["id", "carrier", "state", "weight"]);
    let state = &table.columns[2];
    assert!(state.not_null && state.has_default && !state.generated);
    assert_eq!(table.primary_key, ["id"]);
    assert!(table.unique.contains(&vec!["id".to_owned()]));
    assert!(table.indexed.contains(&vec!["state".to_owned()]));
    let own = |column: &str| vec![column.to_owned()];
    assert_eq!(table.foreign_keys, [(own("carrier"), carriers.clone(), own("id"))]);
    assert!(catalog.views.values().any(|reads| *reads == [parcels.clone()]), "{:?}", catalog.views);
    assert_eq!(database.samples(&carriers, "name", 2).await.unwrap().len(), 2);
    let values = ["one".to_owned(), "ten".to_owned()];
    assert_eq!(database.count_present(&carriers, "name", &values).await.unwrap(), 1);
    let (columns, rows) = database.rows(&carriers, 2).await.unwrap();
    assert_eq!((columns.len(), rows.len()), (3, 2));
    assert!(database.server().await.unwrap().version.starts_with(bench.rig.product().name()));
    assert!(database.footprint().await.unwrap().storage.contains_key(&carriers));
}

async fn backup(bench: Bench) {
    let database = bench.database("backed_up").await;
    let provider = bench.rig.product().provider().await.unwrap();
    let (folder, clone) = (bench.path("backup"), bench.path("clone"));
    let backup = provider.backup(database.as_ref(), &folder, "suite-1", quiet()).await.unwrap();
    assert_eq!(backup.schema, database.schema_fingerprint().await.unwrap());
    assert!(backup.moment.exact, "nobody else is at work");
    assert!(provider.holds(&backup).await.unwrap());
    // The clone is that of the backup, whatever came later.
    database.execute_script("DELETE FROM parcels").await.unwrap();
    let endpoint = provider.restore(&backup, database.as_ref(), &clone, quiet()).await.unwrap().endpoint;
    let restored = database.at(endpoint.clone());
    assert_eq!(restored.schema_fingerprint().await.unwrap(), backup.schema);
    assert_eq!(restored.data_fingerprint(None).await.unwrap(), backup.data);
    restored.execute_script("DELETE FROM parcels; DELETE FROM carriers").await.unwrap();
    let carriers = named(database.as_ref(), "carriers").await;
    assert_eq!(
        database.data_fingerprint(None).await.unwrap().tables[&carriers].rows,
        3,
        "production was reached"
    );
    assert_eq!(provider.revive(&clone).await.unwrap(), Some(endpoint.clone()));
    // Stopped, and started again where it was.
    provider.rest(&clone).await.unwrap();
    assert!(provider.revive(&clone).await.unwrap().is_some());
    // Once more, in place of the one before.
    let again = provider.restore(&backup, database.as_ref(), &clone, quiet()).await.unwrap();
    let again = database.at(again.endpoint);
    assert_eq!(again.data_fingerprint(None).await.unwrap(), backup.data);
    provider.discard(&clone).await.unwrap();
    provider.discard(&clone).await.unwrap();
    assert_eq!(provider.revive(&clone).await.unwrap(), None);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(!provider.holds(&backup).await.unwrap());
}

async fn scratch(bench: Bench) {
    let database = bench.database("for_scratch").await;
    let before = database.schema_fingerprint().await.unwrap();
    let mut liquibase = bench.liquibase.lock().await;
    liquibase.connect(database.as_ref(), "drydock suite").await.unwrap();
    assert_eq!(liquibase.apply(&changeset("applied"), &[]).await.unwrap(), ApplyState::Applied);
    let applied = before.differences(&database.schema_fingerprint().await.unwrap(), 100);
    assert!(applied.iter().all(|line| line.contains("applied")), "Liquibase's tables count: {applied:?}");
    let history = liquibase.history().await.unwrap();
    liquibase.disconnect().await.unwrap();
    let (product, folder) = (bench.rig.product(), bench.path("scratch"));
    let provider = product.provider().await.unwrap();
    let made = provider.scratch(database.as_ref(), &folder, quiet()).await.unwrap();
    assert_eq!(made.is_none(), product.capabilities().scratch == ScratchKind::None);
    let Some(made) = made else { return };
    let first = database.at(made.copy(made.template(), "first").await.unwrap());
    assert_eq!(first.schema_fingerprint().await.unwrap(), database.schema_fingerprint().await.unwrap());
    let rows: u64 = first.data_fingerprint(None).await.unwrap().tables.values().map(|t| t.rows).sum();
    assert_eq!(rows, 0);
    liquibase.connect(first.as_ref(), "drydock suite").await.unwrap();
    let told = |rows: &[drydock::model::history::HistoryRow]| {
        rows.iter().map(|r| (r.key.clone(), r.checksum.clone())).collect::<Vec<_>>()
    };
    assert_eq!(told(&liquibase.history().await.unwrap()), told(&history));
    assert_eq!(liquibase.apply(&changeset("note"), &[]).await.unwrap(), ApplyState::Applied);
    liquibase.disconnect().await.unwrap();
    let has_note = |catalog: drydock::model::catalog::Catalog| {
        catalog.tables.values().any(|t| t.columns.iter().any(|c| c.name == "note"))
    };
    let second = database.at(made.copy(made.template(), "second").await.unwrap());
    assert!(!has_note(second.catalog().await.unwrap()), "one copy is in the other");
    assert!(!has_note(database.catalog().await.unwrap()), "production was reached");
    if product.capabilities().scratch == ScratchKind::Copies {
        let third = database.at(made.copy(first.endpoint(), "third").await.unwrap());
        assert!(has_note(third.catalog().await.unwrap()));
    }
    let catalog = database.catalog().await.unwrap();
    let wanted = catalog.tables.keys().cloned().collect();
    let samples = made.sample_rows(database.as_ref(), &catalog, &wanted, quiet()).await.unwrap();
    assert_eq!(samples.is_some(), product.capabilities().sample_rows);
    provider.discard(&folder).await.unwrap();
}

async fn statements(bench: Bench) {
    let database = bench.database("for_statements").await;
    let catalog = database.catalog().await.unwrap();
    let parcels = named(database.as_ref(), "parcels").await;
    let read = |sql: &[&str]| {
        let sql: Vec<String> = sql.iter().map(|sql| (*sql).to_owned()).collect();
        database.statements(&sql, &catalog)
    };
    assert_eq!(read(&["FROBNICATE parcels"]).unwrap_err().kind, ErrorKind::Input);
    assert_eq!(
        read(&["ALTER TABLE parcels ADD COLUMN a text", "ALTER TABLE"]).unwrap_err().kind,
        ErrorKind::Input
    );
    let found = read(&[
        "ALTER TABLE parcels ADD COLUMN note text; UPDATE parcels SET note = state",
        "ALTER TABLE parcels DROP COLUMN weight",
        "CREATE INDEX parcels_weight ON parcels (weight)",
    ])
    .unwrap();
    let phases: Vec<Phase> = found.iter().map(|s| s.phase).collect();
    assert_eq!(phases, [Phase::Expand, Phase::Migrate, Phase::Contract, Phase::Expand]);
    assert!(found.iter().all(|s| s.touches.contains(&parcels)), "{found:?}");
    let known = database.hazards();
    let named: Vec<&String> = found.iter().flat_map(|s| &s.hazards).map(|h| &h.name).collect();
    assert!(named.iter().all(|name| known.contains(*name)), "{named:?}");
    assert!(named.iter().any(|name| *name == "data-loss"), "{named:?}");
    let pending = database.pending_indexes(&["CREATE INDEX w ON parcels (weight, id)".to_owned()], &catalog);
    assert_eq!(pending[&parcels], [vec!["weight".to_owned(), "id".to_owned()]]);
    let print = |sql: &str| database.query_fingerprint(sql).unwrap();
    assert_eq!(
        print("select id from parcels where state = 'a'"),
        print("SELECT id  FROM parcels WHERE state='b'")
    );
    assert_ne!(print("select id from parcels"), print("select weight from parcels"));
    assert_eq!(database.query_fingerprint("frobnicate").unwrap_err().kind, ErrorKind::Input);
}

async fn queries(bench: Bench) {
    let database = bench.database("for_queries").await;
    let catalog = database.catalog().await.unwrap();
    let (carriers, parcels) =
        (named(database.as_ref(), "carriers").await, named(database.as_ref(), "parcels").await);
    let written = [
        "select c.name, p.weight from carriers c join parcels p on p.carrier = c.id where p.state = $1 limit $2",
        "selec nothing",
        "insert into parcels (id, carrier) values ($1, $2)",
        "update parcels set weight = $1 where id = $2",
        "delete from parcels where id = $1",
        "select id from waiting",
    ];
    let written = written.map(|sql| with_parameters(database.as_ref(), sql));
    let sql: Vec<&str> = written.iter().map(String::as_str).collect();
    let found = database.queries(&sql, &catalog).await;
    assert_eq!(found.len(), sql.len());
    // What the grammar does not take may be newer than it: then only running the query tells.
    match &found[1] {
        Err(error) => assert_eq!(error.kind, ErrorKind::Input),
        Ok(usage) => assert!(usage.run_only, "{usage:?}"),
    }
    let usage = |at: usize| found[at].as_ref().unwrap();
    assert!(usage(0).uses.contains(&carriers) && usage(0).uses.contains(&parcels) && usage(0).only_reads);
    let column = |table: &str, column: &str| ParameterRole::Column {
        table: table.to_owned(),
        column: column.to_owned(),
    };
    assert_eq!(usage(0).roles, [column(&parcels, "state"), ParameterRole::Count]);
    let insert = &usage(2).writes[0];
    assert_eq!((insert.table.as_str(), insert.inserts), (parcels.as_str(), true));
    assert_eq!(insert.columns, ["id", "carrier"]);
    let given = |column: &str| ParameterRole::Insert { table: parcels.clone(), column: column.to_owned() };
    assert_eq!(usage(2).roles, [given("id"), given("carrier")]);
    let update = &usage(3).writes[0];
    assert_eq!(
        (update.table.as_str(), update.inserts, update.columns.as_slice()),
        (parcels.as_str(), false, &["weight".to_owned()][..])
    );
    assert_eq!(usage(3).roles, [column(&parcels, "weight"), column(&parcels, "id")]);
    let delete = &usage(4).writes[0];
    assert_eq!(
        (delete.table.as_str(), delete.inserts, delete.columns.is_empty()),
        (parcels.as_str(), false, true)
    );
    assert!(!usage(2).only_reads && !usage(3).only_reads && !usage(4).only_reads);
    assert!(usage(5).uses.contains(&parcels), "what a view reads is used: {:?}", usage(5).uses);
    let results = database.results(&sql, &catalog).await;
    assert!(results[1].as_ref().map_or(true, |unread| unread.reads.all), "it may depend on everything");
    let facts = results[0].as_ref().unwrap();
    assert!(
        facts.reads.all || ["name", "weight", "state"].iter().all(|c| facts.reads.names.contains(*c)),
        "{facts:?}"
    );
    let from = |name: &str, table: &str| (name.to_owned(), vec![(table.to_owned(), name.to_owned())]);
    assert_eq!(facts.sources, [from("name", &carriers), from("weight", &parcels)]);
}

async fn client(bench: Bench) {
    let database = bench.database("for_clients").await;
    let carriers = named(database.as_ref(), "carriers").await;
    let mut client = database.client("suite client").await.unwrap();
    let by_id = with_parameters(database.as_ref(), "select id, name from carriers where id = $1");
    let all = [by_id.as_str(), "select nothing_such from carriers", "select 1 as one"];
    let found = client.describe_all(&all).await;
    let shape = found[0].clone().unwrap();
    let columns: Vec<&str> = shape.columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((columns.as_slice(), shape.parameters.len()), (&["id", "name"][..], 1));
    assert_eq!(found[1].as_ref().unwrap_err().column.as_deref(), Some("nothing_such"));
    assert_eq!(found[2].as_ref().unwrap().columns[0].0, "one");
    let one = client.run(all[0], &shape, &some(&["2"]), Ending::Rollback).await.unwrap();
    assert_eq!((one.rows, one.first.as_deref()), (1, Some("2")));
    let insert = "insert into carriers (id, name) values ($1, 'new') returning id";
    let insert = &with_parameters(database.as_ref(), insert);
    let shape = client.describe(insert).await.unwrap();
    let kept = async || database.count_present(&carriers, "id", &["50".to_owned()]).await.unwrap();
    client.run(insert, &shape, &some(&["50"]), Ending::Rollback).await.unwrap();
    assert_eq!(kept().await, 0);
    client.run(insert, &shape, &some(&["50"]), Ending::Commit).await.unwrap();
    assert_eq!(kept().await, 1);
    let (fresh, taken, third) = (some(&["60"]), some(&["1"]), some(&["3"]));
    let key = [("id".to_owned(), "3".to_owned())];
    let calls = [
        Call { values: &fresh, without: None },
        Call { values: &taken, without: None },
        Call { values: &third, without: Some((&carriers, &key)) },
        Call { values: &fresh, without: None },
    ];
    let answers = client.answers(insert, &shape, None, &calls).await;
    let rows: Vec<_> = answers.iter().map(|a| a.as_ref().ok().map(|a| a.rows.clone())).collect();
    let row = |value: &str| Some(vec![some(&[value])]);
    assert_eq!(rows, [row("60"), None, row("3"), row("60")], "{answers:?}");
    assert_eq!(database.count_present(&carriers, "id", &["60".to_owned()]).await.unwrap(), 0);
    // A change by somebody else is seen at once.
    database.execute_script("ALTER TABLE carriers DROP COLUMN fax").await.unwrap();
    assert!(client.describe("select fax from carriers").await.is_err());
    assert!(client.alive());
}

async fn sessions(bench: Bench) {
    let database = bench.database("for_sessions").await;
    let mut ends = database.client("suite ends here").await.unwrap();
    let mut stays = database.client("suite stays").await.unwrap();
    assert!(ends.describe("select 1").await.is_ok());
    assert_eq!(database.end_sessions("suite ends").await.unwrap(), 1);
    assert_eq!(ends.describe("select 1").await.unwrap_err().class, ErrorClass::ConnectionLost);
    assert!(!ends.alive() && stays.describe("select 1").await.is_ok() && stays.alive());
    assert_eq!(database.end_sessions("suite ends").await.unwrap(), 0);
}

async fn transactional_ddl(bench: Bench) {
    let database = bench.database("for_halves").await;
    let mut liquibase = bench.liquibase.lock().await;
    liquibase.connect(database.as_ref(), "drydock suite").await.unwrap();
    assert!(liquibase.apply(&changeset("half"), &[]).await.is_err());
    let catalog = database.catalog().await.unwrap();
    let stayed = catalog.tables.keys().any(|name| name.ends_with(".half"));
    assert_eq!(stayed, !bench.rig.product().capabilities().transactional_ddl);
    assert_eq!(database.jdbc().transactional_ddl, bench.rig.product().capabilities().transactional_ddl);
    assert!(liquibase.history().await.unwrap().iter().all(|row| row.key != changeset("half")));
    liquibase.disconnect().await.unwrap();
}

async fn reruns(bench: Bench) {
    let database = bench.database("for_reruns").await;
    let mut liquibase = bench.liquibase.lock().await;
    liquibase.connect(database.as_ref(), "drydock suite").await.unwrap();
    let stamp = changeset("stamp");
    let parcels = named(database.as_ref(), "parcels").await;
    assert_eq!(liquibase.recorded(&stamp).await.unwrap(), []);
    assert_eq!(liquibase.apply(&stamp, &[]).await.unwrap(), ApplyState::Applied);
    let first = liquibase.recorded(&stamp).await.unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].deployment.as_deref(), Some(liquibase.deployment()));
    let before = HistoryBefore { rows: first.clone(), deployment: liquibase.deployment().to_owned() };
    assert_eq!(liquibase.apply(&stamp, &[]).await.unwrap(), ApplyState::Applied);
    let second = liquibase.recorded(&stamp).await.unwrap();
    assert_eq!(before.of_apply(&second), ActTrace::Ours, "{first:?} {second:?}");
    assert_eq!(database.count_present(&parcels, "id", &["12".into(), "13".into()]).await.unwrap(), 2);
    assert_eq!(liquibase.undo(&stamp, &[], &first, &[]).await.unwrap(), UndoState::Undone);
    assert_eq!(liquibase.recorded(&stamp).await.unwrap(), first);
    assert_eq!(database.count_present(&parcels, "id", &["12".into(), "13".into()]).await.unwrap(), 1);
    assert_eq!(liquibase.undo(&stamp, &[], &[], &[]).await.unwrap(), UndoState::Undone);
    assert_eq!(liquibase.undo(&stamp, &[], &[], &[]).await.unwrap(), UndoState::NotApplied);
    assert_eq!(liquibase.recorded(&stamp).await.unwrap(), []);
    liquibase.disconnect().await.unwrap();
}

async fn lock_wait(bench: Bench) {
    let database = bench.database("for_locks").await;
    let capabilities = bench.rig.product().capabilities();
    let mut liquibase = bench.liquibase.lock().await;
    liquibase.connect(database.as_ref(), "drydock suite").await.unwrap();
    liquibase.apply(&changeset("applied"), &[]).await.unwrap();
    let wanted = Duration::from_millis(200);
    let limits = Limits { lock_wait: Some(wanted), statement: None };
    let session = database.session_setup(&limits, "drydock suite");
    let parcels = named(database.as_ref(), "parcels").await;
    let held = bench.rig.hold(&database, &parcels).await;
    let begun = Instant::now();
    // Nobody lets go of the lock before the answer is there: a wait without an end would not come back.
    let failure = liquibase.apply(&changeset("note"), &session).await.unwrap_err();
    let waited = begun.elapsed();
    let Failure::Fault(fault) = failure else { panic!("{failure:?}") };
    let busy =
        fault.kind == FaultKind::Lock || fault.codes().any(|code| database.error_class(&code).may_pass());
    assert!(busy, "{fault:?}");
    assert!(waited >= capabilities.lock_wait(wanted), "{waited:?} is shorter than the product can wait");
    drop(held);
    let state = loop {
        // The session that held the lock takes a moment to end.
        match liquibase.apply(&changeset("note"), &session).await {
            Ok(state) => break state,
            Err(_) if begun.elapsed() < Duration::from_secs(100) => {}
            Err(failure) => panic!("{failure:?}"),
        }
    };
    assert_eq!(state, ApplyState::Applied);
    liquibase.disconnect().await.unwrap();
}

async fn capabilities(bench: Bench) {
    let database = bench.database("for_capabilities").await;
    let product = bench.rig.product();
    let can = product.capabilities();
    let catalog = database.catalog().await.unwrap();
    let concurrently = ["CREATE INDEX CONCURRENTLY w ON parcels (weight)".to_owned()];
    let statements = database.statements(&concurrently, &catalog);
    let built =
        statements.is_ok_and(|all| all.iter().any(|s| s.waits_without_blocking && s.builds_index.is_some()));
    assert_eq!(built, can.concurrent_index);
    assert!(!database.before_retry("nowhere.no_index").await.unwrap());
    let mut client = database.client("suite plans").await.unwrap();
    let shape = client.describe("select id from parcels").await.unwrap();
    let plan = client.plan_all(&[("select id from parcels", &shape)]).await.pop().unwrap().unwrap();
    assert_eq!(plan.is_some_and(|plan| plan.cost > 0.0), can.plan_costs);
    assert_eq!(database.activity("suite").await.is_ok(), can.shows_sessions);
    assert_eq!(database.waits().await.is_ok(), can.shows_sessions);
    let watch = database.watch_locks("suite").await;
    assert_eq!(watch.is_ok(), can.shows_sessions);
    if let Ok(watch) = watch {
        watch.stop().await;
    }
    let parcels = [named(database.as_ref(), "parcels").await];
    database.refresh_statistics(&parcels, &[]).await.unwrap();
    let provider = product.provider().await.unwrap();
    assert!(provider.revive(&bench.path("nothing-here")).await.unwrap().is_none());
}
