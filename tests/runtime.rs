//! What stages rely on, against a real server: fingerprints, backups that equal their source, clients, watches, claims,
//! the compiled driver of Liquibase.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod known_schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use drydock::error::ErrorKind;
use drydock::liquibase::Liquibase;
use drydock::model::backup::BackupMethod;
use drydock::model::changeset::Backfill;
use drydock::model::endpoint::Endpoint;
use drydock::model::error_class::ErrorClass;
use drydock::model::query::Ending;
use drydock::model::session::{Blocks, LiquibaseLock};
use drydock::product::postgres::Postgres;
use drydock::product::postgres::local::Local;
use drydock::product::{Client, Database, Dialect, Execute, Inspect, Provider, Sessions};
use drydock::watcher::Progress;

const SCHEMA: &str = r#"
CREATE SCHEMA log; CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE TYPE log.state AS ENUM ('new', 'sent', 'lost');
CREATE DOMAIN log.code AS varchar(8) CHECK (VALUE ~ '^[A-Z]+$');
CREATE TABLE log.carriers (id int PRIMARY KEY, name varchar(40) NOT NULL, code log.code, UNIQUE (name));
CREATE TABLE log.shipments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, carrier int REFERENCES log.carriers, state log.state NOT NULL DEFAULT 'new',
  kind varchar(10) CHECK (kind IN ('air', 'sea', 'it''s [odd]')), weight numeric(8,2), at timestamptz NOT NULL DEFAULT now(), note text,
  price float8, tags text[], doc jsonb, doubled numeric GENERATED ALWAYS AS (weight * 2) STORED);
CREATE INDEX open_shipments ON log.shipments (carrier, at DESC) WHERE state IN ('new', 'sent') AND kind IN ('air', 'sea');
CREATE TABLE log.events (id bigint, at date NOT NULL, what text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE log.events_1 PARTITION OF log.events FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE log.events_2 PARTITION OF log.events FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
CREATE TABLE log.uuids (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n int);
CREATE TABLE log.texts (id text PRIMARY KEY, n int);
CREATE TABLE log.pairs (a int PRIMARY KEY, b int REFERENCES log.pairs DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE public.databasechangelog (id text, author text, filename text);
CREATE TABLE public.databasechangeloglock (id int PRIMARY KEY, locked bool, lockgranted timestamp, lockedby text);
INSERT INTO public.databasechangelog VALUES ('1', 'a', 'f');
CREATE VIEW log.waiting AS SELECT s.id, c.name FROM log.shipments s JOIN log.carriers c ON c.id = s.carrier WHERE s.kind IN ('air', 'sea');
CREATE MATERIALIZED VIEW log.totals AS SELECT carrier, count(*) FROM log.shipments GROUP BY 1;
CREATE FUNCTION log.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
CREATE FUNCTION log.plain(a int, b int DEFAULT 2) RETURNS int LANGUAGE sql IMMUTABLE RETURN a + b;
CREATE TRIGGER touched BEFORE UPDATE OF note ON log.shipments FOR EACH ROW WHEN (NEW.kind IN ('air', 'sea')) EXECUTE FUNCTION log.touch();
CREATE SEQUENCE log.numbers START 100 INCREMENT 5;
CREATE STATISTICS log.both (dependencies) ON carrier, kind FROM log.shipments;
ALTER TABLE log.carriers ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone ON log.carriers USING (name IN ('x', 'y') OR true);
CREATE ROLE reader; GRANT USAGE ON SCHEMA log TO reader; GRANT SELECT ON log.carriers TO reader; GRANT UPDATE (note) ON log.shipments TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA log GRANT SELECT ON TABLES TO reader;
COMMENT ON COLUMN log.shipments.note IS 'free text';
INSERT INTO log.carriers SELECT i, 'carrier ' || i, 'ABC' FROM generate_series(1, 50) i;
INSERT INTO log.shipments (carrier, state, kind, weight, note, price, tags, doc)
  SELECT 1 + i % 50, (ARRAY['new','sent','lost'])[1 + i % 3]::log.state, CASE WHEN i % 2 = 0 THEN 'air' END, i / 7.0, 'note ' || i, i / 3.0,
         ARRAY['a', i::text], jsonb_build_object('n', i) FROM generate_series(1, 20000) i;
INSERT INTO log.events SELECT i, '2024-01-01'::date + i % 365, 'e' FROM generate_series(1, 5000) i;
INSERT INTO log.uuids (n) SELECT i FROM generate_series(1, 2500) i;
INSERT INTO log.texts SELECT 'k' || i, i FROM generate_series(1, 2500) i;
INSERT INTO log.pairs SELECT i, NULL FROM generate_series(1, 10) i;
"#;

/// A folder with clusters in it, which go with it whatever happens.
struct Rig {
    folder: PathBuf,
    local: Local,
    endpoint: Endpoint,
}

impl Drop for Rig {
    fn drop(&mut self) {
        // A panicking test has no runtime to wait on: stop servers by the pid in each data folder.
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let pid = std::fs::read_to_string(entry.path().join("data/postmaster.pid")).unwrap_or_default();
            if let Some(pid) = pid.lines().next().and_then(|p| p.parse().ok()) {
                let pid = nix::unistd::Pid::from_raw(pid);
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGQUIT);
                for _ in 0..200 {
                    if nix::sys::signal::kill(pid, None).is_err() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Rig {
    async fn new(name: &str, sql: &str) -> Self {
        let folder = PathBuf::from(format!("/tmp/runtime-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let local = Local::find().await.unwrap();
        let endpoint = Endpoint {
            host: String::new(),
            port: 0,
            database: String::new(),
            user: String::new(),
            password: None,
            options: Default::default(),
        };
        let mut rig = Self { folder, local, endpoint };
        rig.endpoint = rig.local.production(&rig.folder.join("production")).await.unwrap();
        rig.source().execute_script(sql).await.unwrap();
        rig
    }
    fn source(&self) -> Postgres {
        Postgres::from_endpoint(self.endpoint.clone())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
    async fn copy(&self, source: &Postgres, name: &str) -> (drydock::model::backup::Backup, Postgres) {
        let began = Instant::now();
        let backup =
            self.local.backup(source, &self.path(&format!("{name}-backup")), "run-1", quiet()).await.unwrap();
        let backed = began.elapsed();
        let endpoint = self.local.restore(&backup, source, &self.path(name), quiet()).await.unwrap().endpoint;
        eprintln!(
            "{name}: {:?}, backup {backed:?}, restore {:?}, {:?}, {:?}",
            backup.method,
            began.elapsed() - backed,
            backup.moment,
            backup.note
        );
        (backup, Postgres::from_endpoint(endpoint))
    }
}

fn quiet() -> Progress {
    Arc::new(|_, _| {})
}

/// Kills the server of a lock file; gives what is in the file, and the server's number.
fn kill(file: &Path) -> (String, nix::unistd::Pid) {
    let lines = std::fs::read_to_string(file).unwrap();
    let pid = nix::unistd::Pid::from_raw(lines.lines().next().unwrap().parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    (lines, pid)
}

fn as_user(endpoint: &Endpoint, user: &str, password: &str) -> Postgres {
    let password = Some(drydock::model::endpoint::Secret::new(password));
    Postgres::from_endpoint(Endpoint { user: user.into(), password, ..endpoint.clone() })
}

async fn assert_equal(backup: &drydock::model::backup::Backup, copy: &Postgres) {
    let schema = copy.schema_fingerprint().await.unwrap();
    assert_eq!(backup.schema.differences(&schema, 20), Vec::<String>::new());
    assert_eq!(backup.schema.digest, schema.digest);
    let data = copy.data_fingerprint(None).await.unwrap();
    assert_eq!(backup.data.differences(&data, 20), Vec::<String>::new());
    assert_eq!(backup.data.digest, data.digest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fingerprints() {
    let rig = Rig::new("fingerprints", SCHEMA).await;
    let source = rig.source();
    let (schema, data) =
        (source.schema_fingerprint().await.unwrap(), source.data_fingerprint(None).await.unwrap());
    assert!(schema.objects.len() > 60, "{:#?}", schema.objects);
    assert_eq!(data.tables["log.events"].rows, 5000);
    assert!(!data.tables.keys().any(|t| t.contains("events_1") || t.contains("changelog")));
    assert!(!schema.objects.keys().any(|t| t.contains("changelog")));
    let began = Instant::now();
    source.schema_fingerprint().await.unwrap();
    eprintln!("schema fingerprint of {} objects: {:?}", schema.objects.len(), began.elapsed());

    for (change, back, seen) in [
        (
            "UPDATE log.shipments SET note = 'x' WHERE id = 777",
            "UPDATE log.shipments SET note = 'note 777' WHERE id = 777",
            "data",
        ),
        (
            "UPDATE log.events SET what = NULL WHERE id = 7",
            "UPDATE log.events SET what = 'e' WHERE id = 7",
            "data",
        ),
        (
            "ALTER TABLE log.carriers ADD CHECK (id > 0) NOT VALID",
            "ALTER TABLE log.carriers DROP CONSTRAINT carriers_id_check",
            "schema",
        ),
        (
            "ALTER TYPE log.state RENAME VALUE 'lost' TO 'gone'",
            "ALTER TYPE log.state RENAME VALUE 'gone' TO 'lost'",
            "both",
        ),
        (
            "ALTER TABLE log.shipments ALTER note SET DEFAULT ''",
            "ALTER TABLE log.shipments ALTER note DROP DEFAULT",
            "schema",
        ),
        ("GRANT DELETE ON log.carriers TO reader", "REVOKE DELETE ON log.carriers FROM reader", "schema"),
        (
            "ALTER TABLE log.shipments DISABLE TRIGGER touched",
            "ALTER TABLE log.shipments ENABLE TRIGGER touched",
            "schema",
        ),
        (
            "CREATE OR REPLACE FUNCTION log.plain(a int, b int DEFAULT 2) RETURNS int LANGUAGE sql IMMUTABLE RETURN a - b",
            "CREATE OR REPLACE FUNCTION log.plain(a int, b int DEFAULT 2) RETURNS int LANGUAGE sql IMMUTABLE RETURN a + b",
            "schema",
        ),
        // The column comes back at the end of the table, and that makes no difference.
        (
            "ALTER TABLE log.texts RENAME n TO m",
            "ALTER TABLE log.texts ADD n int; UPDATE log.texts SET n = m; ALTER TABLE log.texts DROP m;
          ALTER TABLE log.texts ADD early int; ALTER TABLE log.texts DROP early",
            "schema",
        ),
    ] {
        // A trigger would set `at`.
        let run = |sql: &str| format!("SET session_replication_role = replica; {sql}");
        source.execute_script(&run(change)).await.unwrap();
        let (s, d) =
            (source.schema_fingerprint().await.unwrap(), source.data_fingerprint(None).await.unwrap());
        assert_eq!(
            !schema.differences(&s, 9).is_empty(),
            seen != "data",
            "{change}: {:?}",
            schema.differences(&s, 9)
        );
        assert_eq!(
            !data.differences(&d, 9).is_empty(),
            seen != "schema",
            "{change}: {:?}",
            data.differences(&d, 9)
        );
        source.execute_script(&run(back)).await.unwrap();
        let (s, d) =
            (source.schema_fingerprint().await.unwrap(), source.data_fingerprint(None).await.unwrap());
        assert_eq!(schema.differences(&s, 9), Vec::<String>::new(), "{back}");
        assert_eq!(data.differences(&d, 9), Vec::<String>::new(), "{back}");
    }
    let some = source.data_fingerprint(Some(&["log.texts".into(), "log.nothing".into()])).await.unwrap();
    assert_eq!(some.tables.keys().collect::<Vec<_>>(), ["log.texts"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_equal_their_source_under_writes() {
    let rig = Rig::new("backups", SCHEMA).await;
    let source = rig.source();
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut writers = Vec::new();
    for n in 0..4 {
        let (source, stop, written) = (source.clone(), stop.clone(), written.clone());
        writers.push(tokio::spawn(async move {
            let mut client = source.client("writer").await.unwrap();
            let queries = [
                "INSERT INTO log.texts VALUES ($1, 1)",
                "UPDATE log.shipments SET weight = weight + 1 WHERE note = $1 || ''",
                "DELETE FROM log.texts WHERE id = $1",
            ];
            for round in 0_u64.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                for sql in queries {
                    let shape = client.describe(sql).await.unwrap();
                    let key = if sql.starts_with("UPDATE") {
                        format!("note {}", 1 + round % 5000)
                    } else {
                        format!("w{n}-{round}")
                    };
                    if !sql.starts_with("DELETE") || round % 3 == 0 {
                        client.run(sql, &shape, &[Some(key)], Ending::Commit).await.unwrap();
                        written.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }));
    }
    let (backup, copy) = rig.copy(&source, "physical").await;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    eprintln!("{} writes meanwhile", written.load(Ordering::Relaxed));
    assert_eq!(backup.method, BackupMethod::Physical, "{:?}", backup.note);
    assert!(backup.moment.exact);
    assert_equal(&backup, &copy).await;
    // It lives through a stop, a kill and a foreign process with its number, and is a database like another.
    rig.local.stop(&rig.path("physical")).await.unwrap();
    rig.local.revive(&rig.path("physical")).await.unwrap().unwrap();
    let file = rig.path("physical/data/postmaster.pid");
    let (lines, pid) = kill(&file);
    tokio::time::sleep(Duration::from_millis(500)).await;
    std::fs::write(&file, lines.replacen(&pid.to_string(), &std::process::id().to_string(), 1)).unwrap();
    let again = rig.local.revive(&rig.path("physical")).await.unwrap().unwrap();
    assert_equal(&backup, &Postgres::from_endpoint(again)).await;
    rig.local.discard(&rig.path("physical")).await.unwrap();
    assert!(
        !rig.path("physical").exists() && rig.local.revive(&rig.path("physical")).await.unwrap().is_none()
    );
    rig.local.discard(&rig.path("physical")).await.unwrap();
    // Killed as soon as it is there, it lets the same user in afterwards.
    rig.local.restore(&backup, &source, &rig.path("killed"), quiet()).await.unwrap();
    kill(&rig.path("killed/data/postmaster.pid"));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let again = rig.local.revive(&rig.path("killed")).await.unwrap().unwrap();
    assert_equal(&backup, &Postgres::from_endpoint(again)).await;
    rig.local.discard(&rig.path("killed")).await.unwrap();

    // A user that may replicate and not make restore points gets a place in the log.
    source
        .execute_script(
            "CREATE ROLE copier LOGIN REPLICATION BYPASSRLS PASSWORD 'pw' IN ROLE pg_read_all_data",
        )
        .await
        .unwrap();
    let (backup, copy) = rig.copy(&as_user(&rig.endpoint, "copier", "pw"), "copier").await;
    assert!(backup.method == BackupMethod::Physical && backup.moment.name.is_none() && backup.moment.exact);
    assert_equal(&backup, &copy).await;

    // Quiet and idle: the restore point itself must do.
    let (backup, copy) = rig.copy(&source, "idle").await;
    assert!(backup.moment.name.is_some() && backup.moment.exact);
    assert_equal(&backup, &copy).await;
    // A copy, which has no network, is backed up like another server.
    let of_copy = rig.local.backup(&copy, &rig.path("copy-backup"), "run-2", quiet()).await.unwrap();
    assert_eq!((of_copy.method, of_copy.data), (BackupMethod::Physical, backup.data.clone()));

    let scratch = rig.local.scratch(&source, &rig.path("scratch"), quiet()).await.unwrap().unwrap();
    let began = Instant::now();
    let first = Postgres::from_endpoint(scratch.copy(scratch.template(), "one").await.unwrap());
    eprintln!("fresh scratch: {:?}", began.elapsed());
    first.execute_script("DROP TABLE log.texts").await.unwrap();
    let kept = first.client("looking").await.unwrap();
    let again = Postgres::from_endpoint(scratch.copy(scratch.template(), "one").await.unwrap());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!kept.alive());
    assert_eq!(
        backup.schema.differences(&again.schema_fingerprint().await.unwrap(), 9),
        Vec::<String>::new()
    );
    let mut client = again.client("looking").await.unwrap();
    let sql = "SELECT count(*) FROM databasechangelog";
    let shape = client.describe(sql).await.unwrap();
    assert_eq!(client.run(sql, &shape, &[], Ending::Commit).await.unwrap().first.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_few_rights_gets_a_dump() {
    let rig = Rig::new("few", SCHEMA).await;
    let setup = "CREATE ROLE shop LOGIN PASSWORD 'pw'; CREATE SCHEMA shop AUTHORIZATION shop; CREATE SCHEMA hidden; CREATE TABLE hidden.t (a int);
        REVOKE USAGE ON SCHEMA log FROM PUBLIC; REVOKE ALL ON public.databasechangelog, public.databasechangeloglock FROM PUBLIC;
        ALTER TABLE public.databasechangelog OWNER TO shop; ALTER TABLE public.databasechangeloglock OWNER TO shop;
        ALTER ROLE shop IN DATABASE logistics SET search_path = shop, public";
    rig.source().execute_script(setup).await.unwrap();
    let shop = as_user(&rig.endpoint, "shop", "pw");
    let made = "CREATE TABLE shop.orders (id serial PRIMARY KEY, state varchar(9) CHECK (state IN ('open', 'done')), at timestamptz DEFAULT '2024-01-01');
        CREATE VIEW shop.open AS SELECT * FROM shop.orders WHERE state IN ('open', 'done');
        CREATE INDEX i ON shop.orders (at) WHERE state IN ('open', 'x');
        INSERT INTO shop.orders (state) SELECT 'open' FROM generate_series(1, 1000); GRANT SELECT ON shop.orders TO reader";
    shop.execute_script(made).await.unwrap();
    let (backup, copy) = rig.copy(&shop, "logical").await;
    assert_eq!(backup.method, BackupMethod::Logical);
    assert!(backup.moment.exact && backup.note.as_deref().unwrap().contains("may not replicate"));
    assert_eq!(backup.data.tables["shop.orders"].rows, 1000);
    assert_equal(&backup, &copy).await;
    assert_eq!(copy.catalog().await.unwrap().search_path, ["shop", "public"]);
    let info = copy.server().await.unwrap();
    assert!(!info.superuser && !info.sees_activity);
    copy.activity("drydock").await.unwrap();
    copy.footprint().await.unwrap();
    let scratch = rig.local.scratch(&shop, &rig.path("scratch"), quiet()).await.unwrap().unwrap();
    let fresh = Postgres::from_endpoint(scratch.copy(scratch.template(), "two").await.unwrap());
    assert_eq!(
        backup.schema.differences(&fresh.schema_fingerprint().await.unwrap(), 9),
        Vec::<String>::new()
    );
    assert_eq!(fresh.catalog().await.unwrap().search_path, ["shop", "public"]);

    // A superuser's whole database goes through a dump as well.
    let all = Postgres::from_endpoint(rig.endpoint.clone());
    all.execute_script("CREATE ROLE whole LOGIN PASSWORD 'pw' IN ROLE pg_read_all_data BYPASSRLS")
        .await
        .unwrap();
    let whole = as_user(&rig.endpoint, "whole", "pw");
    let (backup, copy) = rig.copy(&whole, "whole").await;
    assert_eq!(backup.method, BackupMethod::Logical);
    assert_equal(&backup, &copy).await;
    // A file that was changed is found out.
    let file = std::fs::read_dir(rig.path("whole-backup/dump"))
        .unwrap()
        .flatten()
        .find(|e| e.metadata().unwrap().len() > 100)
        .unwrap();
    std::fs::write(file.path(), "x").unwrap();
    let error = rig.local.restore(&backup, &whole, &rig.path("whole"), quiet()).await.unwrap_err();
    assert!(error.to_string().contains("damaged"), "{}", error.chain());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_see_what_a_service_would() {
    let rig = Rig::new("clients", SCHEMA).await;
    let source = rig.source();
    let mut client = source.client("svc").await.unwrap();
    let sql = "SELECT id, state, weight, kind FROM log.shipments WHERE id = $1 AND kind = $2 LIMIT $3";
    let shape = client.describe(sql).await.unwrap();
    assert_eq!(shape.parameters, ["bigint", "text", "bigint"]);
    let named = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    assert_eq!(
        shape.columns,
        [
            named("id", "bigint"),
            named("state", "log.state"),
            named("weight", "numeric(8,2)"),
            named("kind", "character varying(10)")
        ]
    );
    let parameters = [Some("2".into()), Some("air".into()), Some("5".into())];
    let result = client.run(sql, &shape, &parameters, Ending::Commit).await.unwrap();
    assert_eq!((result.rows, result.first.as_deref()), (1, Some("2")));

    for (sql, text) in [
        ("SELECT 12345.6700::numeric", "12345.6700"),
        ("SELECT -0.001::numeric", "-0.001"),
        ("SELECT 100000000::numeric", "100000000"),
        ("SELECT 'lost'::log.state", "lost"),
        ("SELECT '2024-02-29 12:00:00.5'::timestamp", "2024-02-29 12:00:00.5"),
        ("SELECT true", "t"),
        ("SELECT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("SELECT '{\"a\": 1}'::jsonb", "{\"a\": 1}"),
        ("SELECT 'ABC'::log.code", "ABC"),
        (
            r#"SELECT array['a b', NULL, '', 'null', 'x,"\', 'ü']::text[]"#,
            r#"{"a b",NULL,"","null","x,\"\\",ü}"#,
        ),
        ("SELECT array['abc']::varchar(2)[]", "{ab}"),
        ("SELECT array['lost']::log.state[]", "{lost}"),
        ("SELECT '{}'::int[]", "{}"),
        ("SELECT array['2024-02-29', null]::date[]", "{2024-02-29,NULL}"),
    ] {
        let shape = client.describe(sql).await.unwrap();
        assert_eq!(
            client.run(sql, &shape, &[], Ending::Commit).await.unwrap().first.as_deref(),
            Some(text),
            "{sql}"
        );
    }

    // Rollback leaves no trace, also of COPY; deferred constraints are checked.
    let insert = "INSERT INTO log.carriers (id, name) VALUES ($1, $2) RETURNING id";
    let shape = client.describe(insert).await.unwrap();
    let row = [Some("1000".into()), Some("new\tone".into())];
    assert_eq!(
        client.run(insert, &shape, &row, Ending::Rollback).await.unwrap().first.as_deref(),
        Some("1000")
    );
    assert_eq!(client.run(insert, &shape, &row, Ending::Rollback).await.unwrap().rows, 1);
    let copy = "COPY log.carriers (id, name) FROM STDIN";
    let shape = client.describe(copy).await.unwrap();
    assert_eq!(shape.parameters, ["integer", "character varying"]);
    assert_eq!(client.run(copy, &shape, &row, Ending::Rollback).await.unwrap().rows, 1);
    assert_eq!(client.run(copy, &shape, &row, Ending::Rollback).await.unwrap().rows, 1);
    let out = "COPY (SELECT * FROM log.carriers) TO STDOUT";
    let shape = client.describe(out).await.unwrap();
    assert_eq!(client.run(out, &shape, &[], Ending::Commit).await.unwrap().rows, 50);
    let pair = "INSERT INTO log.pairs VALUES (77, 4711)";
    let shape = client.describe(pair).await.unwrap();
    assert_eq!(client.run(pair, &shape, &[], Ending::Rollback).await.unwrap_err().code, "23503");

    // What goes wrong comes with code and place, and the connection lives on.
    let shape = client.describe(insert).await.unwrap();
    let error =
        client.run(insert, &shape, &[Some("1".into()), Some("n".into())], Ending::Commit).await.unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.constraint.as_deref(), error.table.as_deref()),
        ("23505", Some("carriers_pkey"), Some("log.carriers"))
    );
    let error = client.run(insert, &shape, &[Some("1001".into()), None], Ending::Rollback).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.column.as_deref()), ("23502", Some("name")));
    assert_eq!(client.describe("SELECT nothing FROM log.carriers").await.unwrap_err().code, "42703");
    // Plans are for whatever values; partitions that depend on them count too.
    let whole = |tables: &[&str]| Some(tables.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
    let parts = whole(&["log.events_1", "log.events_2"]);
    let strict = "CREATE DOMAIN log.strict AS int NOT NULL; CREATE TABLE log.strictly (a log.strict, b int)";
    source.execute_script(strict).await.unwrap();
    let cases = [
        ("SELECT * FROM log.shipments WHERE id = $1", whole(&[])),
        ("SELECT * FROM log.shipments WHERE weight = $1 -- by weight", whole(&["log.shipments"])),
        ("UPDATE log.shipments SET note = $2 WHERE weight = $1", whole(&["log.shipments"])),
        ("SELECT * FROM log.events WHERE what = $1 AND at = $2", parts.clone()),
        ("SELECT * FROM log.events WHERE what = $1 AND at = '2024-01-02'", whole(&["log.events_1"])),
        ("WITH a AS MATERIALIZED (SELECT * FROM log.texts) SELECT n FROM a", whole(&["log.texts"])),
        ("COPY log.texts FROM STDIN", None),
        ("INSERT INTO log.strictly (a) VALUES ($1)", None),
    ];
    let all = cases.each_ref().map(|(sql, _)| *sql);
    let mut asked = Vec::new();
    for shape in client.describe_all(&all).await {
        asked.push(shape.unwrap());
    }
    let mut asked: Vec<_> = all.into_iter().zip(&asked).collect();
    // One that fails is in nobody's way, twice.
    asked.insert(3, ("SELECT nothing FROM log.carriers", asked[0].1));
    for _ in 0..2 {
        let mut plans = client.plan_all(&asked).await;
        assert_eq!(plans.remove(3).unwrap_err().code, "42703");
        for ((sql, expected), plan) in cases.iter().zip(plans) {
            let plan = plan.unwrap();
            assert_eq!(plan.as_ref().map(|p| p.whole.iter().cloned().collect()), *expected, "{sql}");
            assert!(plan.is_none_or(|p| p.cost > 1.0), "{sql}");
        }
    }
    // An index that is missed shows in the cost, once statistics know of it.
    let dearest = asked[1];
    let cost = async |client: &mut Box<dyn Client>| {
        client.plan_all(&[dearest]).await.remove(0).unwrap().unwrap().cost
    };
    let before = cost(&mut client).await;
    source.execute_script("CREATE INDEX by_weight ON log.shipments (weight)").await.unwrap();
    let tables = ["log.shipments".to_owned(), "log.events".to_owned()];
    source.refresh_statistics(&tables[..1], &tables[1..]).await.unwrap();
    assert!(cost(&mut client).await * 10.0 < before);
    source.execute_script("DROP INDEX log.by_weight").await.unwrap();

    assert!(client.alive());
    let slow = "SELECT count(*) FROM log.carriers";
    let shape = client.describe(slow).await.unwrap();
    assert_eq!(source.end_sessions("svc").await.unwrap(), 1);
    let error = client.run(slow, &shape, &[], Ending::Commit).await.unwrap_err();
    assert!(error.code == "connection" || error.code == "57P01", "{error:?}");
    assert!(!client.alive());

    let script = source.execute_script("SELECT 1;\nSELECT 2;\nSELEC 3").await.unwrap_err();
    assert!(script.to_string().contains("line 3"), "{script}");
    let mut wrong = source.endpoint().clone();
    wrong.database = "nothing".into();
    let error = source.at(wrong.clone()).server().await.unwrap_err();
    assert!(
        error.kind == ErrorKind::Input && error.to_string().contains("no database \"nothing\""),
        "{error}"
    );
    wrong.port = 1;
    let error = source.at(wrong).server().await.unwrap_err();
    assert!(error.chain().contains("nothing listens there"), "{}", error.chain());
    let error = as_user(source.endpoint(), "drydock", "no").server().await.unwrap_err();
    assert!(error.to_string().contains("does not accept the password"), "{error}");

    let catalog = source.catalog().await.unwrap();
    let shipments = &catalog.tables["log.shipments"];
    assert_eq!((shipments.rows, shipments.primary_key.as_slice()), (20000, ["id".to_owned()].as_slice()));
    assert_eq!(catalog.tables["log.events"].rows, 5000);
    assert_eq!(catalog.tables["log.events_1"].parent.as_deref(), Some("log.events"));
    assert_eq!(catalog.views["log.waiting"], ["log.carriers", "log.shipments"]);
    assert_eq!(catalog.enums["log.state"], ["new", "sent", "lost"]);
    assert_eq!(
        shipments.foreign_keys,
        [(vec!["carrier".to_owned()], "log.carriers".to_owned(), vec!["id".to_owned()])]
    );
    assert_eq!(shipments.indexed, [["id"]]);
    let samples = source.samples("log.shipments", "state", 5).await.unwrap();
    assert_eq!(samples.len(), 3);
    assert_eq!(source.samples("log.events", "at", 50).await.unwrap().len(), 50);
    assert_eq!(samples, source.samples("log.shipments", "state", 5).await.unwrap());
}

/// Many rows in many batches cost what they cost in one, whatever the database says of plans.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_begins_where_the_one_before_ended() {
    let rig = Rig::new("walk", SCHEMA).await;
    let source = rig.source();
    let generic = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET plan_cache_mode = force_generic_plan', current_database()); END $$";
    source.execute_script(generic).await.unwrap();
    let source = rig.source();
    let backfill = Backfill {
        table: "log.shipments".into(),
        key: "id".into(),
        key_type: "bigint".into(),
        more_key: Vec::new(),
        rows: 0,
        batch_sql: "UPDATE log.shipments SET note = note WHERE ($1::text IS NULL OR id > $1::text::bigint) AND id <= $2::text::bigint".into(),
    };
    let mut after = None;
    while let Some(batch) = source
        .backfill_batch(&backfill, after.as_deref(), 500, "drydock fill", Duration::from_secs(1))
        .await
        .unwrap()
    {
        after = Some(batch.last_key);
    }
    // A session tells what it has read when it ends, if not before. Each row has an entry, and its new version may have another.
    drop(source);
    let check = "DO $$ DECLARE entries bigint; BEGIN
        FOR i IN 1..100 LOOP
          PERFORM pg_sleep(0.1); PERFORM pg_stat_clear_snapshot();
          SELECT idx_tup_read INTO entries FROM pg_stat_user_indexes WHERE indexrelname = 'shipments_pkey';
          EXIT WHEN entries >= 20000;
        END LOOP;
        IF entries NOT BETWEEN 20000 AND 150000 THEN RAISE EXCEPTION '% entries were read', entries; END IF;
      END $$";
    rig.source().execute_script(check).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_claims_and_batches() {
    let rig = Rig::new("watches", SCHEMA).await;
    let source = rig.source();

    let first = source.claim("run").await.unwrap().unwrap();
    assert!(
        first.held().await
            && source.claim("run").await.unwrap().is_none()
            && source.claim("other").await.unwrap().is_some()
    );
    first.release().await;
    let second = source.claim("run").await.unwrap().unwrap();
    drop(second);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(source.claim("run").await.unwrap().is_some());

    // A lock of ours, a client behind it.
    let watch = source.watch_locks("drydock run").await.unwrap();
    let mut ours = source.client("drydock run").await.unwrap();
    let lock = "DO $$ BEGIN LOCK TABLE log.carriers IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(1.6); END $$";
    let shape = ours.describe(lock).await.unwrap();
    let holding =
        tokio::spawn(async move { ours.run(lock, &shape, &[], Ending::Commit).await.map(|_| ours) });
    tokio::time::sleep(Duration::from_millis(150)).await;
    let reading = {
        let source = source.clone();
        tokio::spawn(async move {
            let mut client = source.client("svc").await.unwrap();
            let sql = "SELECT count(*) FROM log.carriers";
            let shape = client.describe(sql).await.unwrap();
            client.run(sql, &shape, &[], Ending::Commit).await.unwrap();
        })
    };
    tokio::time::sleep(Duration::from_millis(400)).await;
    let began = Instant::now();
    let activity = source.activity("drydock").await.unwrap();
    eprintln!("activity: {:?}", began.elapsed());
    assert_eq!((activity.blocked, activity.blocked_by_us), (1, 1), "{activity:?}");
    assert!(
        activity.longest_wait_for_us > Duration::from_millis(200)
            && activity.longest_wait_for_us < Duration::from_secs(2)
    );
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(
        source
            .activity("nobody")
            .await
            .unwrap()
            .long_transactions
            .iter()
            .any(|t| t.holds == ["log.carriers"])
    );
    let _ours = holding.await.unwrap().unwrap();
    reading.await.unwrap();
    let locks = watch.stop().await;
    assert_eq!(locks.len(), 1, "{locks:?}");
    assert_eq!(
        (locks[0].relation.as_str(), locks[0].mode.as_str(), locks[0].blocks),
        ("log.carriers", "ACCESS EXCLUSIVE", Blocks::Everybody)
    );
    assert!((1300..2200).contains(&locks[0].held_ms), "{locks:?}");

    // Sessions are ended by prefix; ours are spared.
    let mut two = [source.client("drydock a").await.unwrap(), source.client("drydock b").await.unwrap()];
    let claim = source.claim("kept").await.unwrap().unwrap();
    assert_eq!(source.end_sessions("drydock").await.unwrap(), 3);
    assert!(
        two[0].describe("SELECT 1").await.is_err()
            && two[1].describe("SELECT 1").await.is_err()
            && claim.held().await
    );

    // Who holds Liquibase's lock: our own sessions are not it, however old the lock.
    let _ours = source.client("drydock a").await.unwrap();
    let lock = |since: &str| LiquibaseLock { by: "pod (10.42.3.17)".to_owned(), since: since.to_owned() };
    let future = lock("2099-01-01 00:00:00");
    assert!(!source.liquibase_alive(&future, "drydock a").await.unwrap());
    assert!(source.liquibase_alive(&future, "drydock b").await.unwrap());
    // A service that migrates under its own name has written something, or comes from where the lock was taken.
    let Endpoint { host, port, user, database, password, .. } = &rig.endpoint;
    let mut config = tokio_postgres::Config::new();
    config.host(host).port(*port).user(user).dbname(database).application_name("orders-api");
    config.password(password.as_ref().map(|p| p.expose()).unwrap_or_default());
    let (service, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    assert!(!source.liquibase_alive(&future, "drydock a").await.unwrap());
    let here = LiquibaseLock { by: "pod (127.0.0.1)".to_owned(), ..future.clone() };
    assert!(source.liquibase_alive(&here, "drydock a").await.unwrap());
    service.batch_execute("BEGIN; CREATE TABLE half_way (id int)").await.unwrap();
    assert!(source.liquibase_alive(&future, "drydock a").await.unwrap());
    assert!(!source.liquibase_alive(&lock("2024-01-01 00:00:00"), "drydock a").await.unwrap());
    service.batch_execute("ROLLBACK").await.unwrap();
    assert!(!source.liquibase_alive(&future, "drydock a").await.unwrap());
    let _jdbc = source.client("PostgreSQL JDBC Driver").await.unwrap();
    for (since, alive) in [("2024-01-01 00:00:00", false), ("2099-01-01T00:00:00.123", true), ("?", true)] {
        assert_eq!(source.liquibase_alive(&lock(since), "drydock a").await.unwrap(), alive, "{since}");
    }

    for (table, kind, rows) in
        [("log.shipments", "bigint", 20000_u64), ("log.uuids", "uuid", 2500), ("log.texts", "text", 2500)]
    {
        let column = if table == "log.shipments" { "carrier" } else { "n" };
        let backfill = Backfill {
            table: table.into(),
            key: "id".into(),
            key_type: kind.into(),
            more_key: Vec::new(),
            rows: 0,
            batch_sql: format!(
                "UPDATE {table} SET {column} = {column} WHERE ($1::text IS NULL OR id > $1::text::{kind}) AND id <= $2::text::{kind}"
            ),
        };
        let (mut after, mut changed, mut batches) = (None, 0, 0);
        let wait = Duration::from_millis(200);
        while let Some(batch) =
            source.backfill_batch(&backfill, after.as_deref(), 700, "drydock fill", wait).await.unwrap()
        {
            (after, changed, batches) = (Some(batch.last_key), changed + batch.changed, batches + 1);
        }
        assert_eq!((changed, batches), (rows, rows.div_ceil(700)), "{table}");
        // One connection does them all, and a lock that is not to be had is busy.
        let mut holder = source.client("svc").await.unwrap();
        let lock = format!("DO $$ BEGIN LOCK TABLE {table}; PERFORM pg_sleep(0.6); END $$");
        let shape = holder.describe(&lock).await.unwrap();
        let held = tokio::spawn(async move { holder.run(&lock, &shape, &[], Ending::Commit).await.unwrap() });
        tokio::time::sleep(Duration::from_millis(150)).await;
        let error = source.backfill_batch(&backfill, None, 700, "drydock fill", wait).await.unwrap_err();
        assert!(
            error.kind == ErrorKind::Busy
                && source.error_class(error.code.as_deref().unwrap()) == ErrorClass::Busy,
            "{error:?}"
        );
        held.await.unwrap();
    }

    let before = source.footprint().await.unwrap();
    source
        .execute_script(
            "ALTER TABLE log.texts ALTER n TYPE bigint; INSERT INTO log.uuids (n) VALUES (0), (0)",
        )
        .await
        .unwrap();
    let after = source.footprint().await.unwrap();
    let rewritten: Vec<&String> =
        before.storage.keys().filter(|t| before.storage[*t] != after.storage[*t]).collect();
    assert_eq!(rewritten, ["log.texts"]);
    assert!(after.log_bytes > before.log_bytes);
    assert!(source.execute_script("CREATE UNIQUE INDEX CONCURRENTLY bad ON log.uuids (n)").await.is_err());
    assert!(source.before_retry("log.bad").await.unwrap() && !source.before_retry("log.bad").await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_encrypted_as_asked() {
    let rig = Rig::new("tls", "SELECT 1").await;
    let data = rig.path("production/data");
    let (key, certificate) = (data.join("server.key"), data.join("server.crt"));
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-new",
            "-x509",
            "-days",
            "2",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if !made.is_ok_and(|o| o.status.success()) {
        return;
    }
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(&data).unwrap();
    for file in [&key, &certificate] {
        std::os::unix::fs::chown(file, Some(meta.uid()), Some(meta.gid())).unwrap();
    }
    let source = rig.source();
    assert!(source.at(with(&rig.endpoint, "require", "")).server().await.is_err());
    for sql in ["ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"] {
        source.execute_script(sql).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let root = certificate.to_string_lossy().into_owned();
    for (mode, root, works) in
        [("prefer", "", "t"), ("require", "", "t"), ("verify-full", &*root, "t"), ("disable", "", "f")]
    {
        let mut client = source.at(with(&rig.endpoint, mode, root)).client("tls").await.unwrap();
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let shape = client.describe(sql).await.unwrap();
        assert_eq!(
            client.run(sql, &shape, &[], Ending::Commit).await.unwrap().first.as_deref(),
            Some(works),
            "{mode}"
        );
    }
    let error = source.at(with(&rig.endpoint, "verify-full", "")).server().await.unwrap_err();
    assert!(error.chain().contains("certificate"), "{}", error.chain());
}

fn with(endpoint: &Endpoint, mode: &str, root: &str) -> Endpoint {
    let mut options = std::collections::BTreeMap::from([("sslmode".to_owned(), mode.to_owned())]);
    if !root.is_empty() {
        options.insert("sslrootcert".into(), root.into());
    }
    Endpoint { host: "localhost".into(), options, ..endpoint.clone() }
}

/// The folders of compiled drivers in a cache.
fn entries(cache: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_cache_of_the_liquibase_driver_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let start = || Liquibase::start_alone(&cache);
    // Two processes may make it at once.
    let (first, second) = tokio::join!(start(), start());
    for started in [first, second] {
        started.unwrap().close().await;
    }
    let [entry] = &entries(&cache)[..] else { panic!("{:?}", entries(&cache)) };
    let names = ["classes.jsa", "driver.jar", "driver.jar.sha256"];
    let list = || {
        let mut found: Vec<String> = std::fs::read_dir(entry)
            .unwrap()
            .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        found.sort();
        found
    };
    assert_eq!(list(), names);

    let (archive, jar, hash) = (entry.join(names[0]), entry.join(names[1]), entry.join(names[2]));
    let whole = std::fs::read(&jar).unwrap();
    let made = || std::fs::read(&jar).unwrap().len() == whole.len();
    let overwrite = |file: &Path, bytes: &[u8]| {
        // The JVM writes archives that nobody may write to.
        let _ = std::fs::remove_file(file);
        std::fs::write(file, bytes).unwrap();
    };
    let classes = std::fs::read(&archive).unwrap();
    let mut flipped = classes.clone();
    flipped.iter_mut().skip(classes.len() / 2).take(4096).for_each(|byte| *byte ^= 0x55);
    for broken in [&b""[..], &classes[..classes.len() / 2], &flipped] {
        overwrite(&archive, broken);
        start().await.unwrap().close().await;
    }

    overwrite(&jar, &whole[..whole.len() / 2]);
    start().await.unwrap().close().await;
    assert!(made());
    // The hash fits, and Java does not take it.
    overwrite(&jar, b"no jar");
    let digest = <sha2::Sha256 as sha2::Digest>::digest(b"no jar");
    overwrite(&hash, digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().as_bytes());
    start().await.unwrap().close().await;
    assert!(made());
    // That start trusted nothing; the next one leaves an archive again.
    start().await.unwrap().close().await;
    assert_eq!(entries(&cache), std::slice::from_ref(entry));
    assert_eq!(list(), names);
}
