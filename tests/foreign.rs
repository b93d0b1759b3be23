//! A database that Drydock did not start, with a role that may do little; and everything that can be wrong with the input.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use crate::support::{Home, Ran, matches_schema};
use drydock::model::endpoint::Endpoint;
use drydock::model::query::Ending;
use drydock::product::postgres::local::Local;
use drydock::product::{self, Products, Provider};
use drydock::watcher::Progress;

const PASSWORD: &str = "n0b0dy-s33s-th1s";

const TABLES: &str = "create table customers (id bigint generated always as identity primary key, name text not null, fax text);
create table orders (id bigint generated always as identity primary key, customer_id bigint not null references customers (id), total numeric(10,2) not null default 0);
insert into customers (name, fax) select 'c' || i, '0' || i from generate_series(1, 50) i;
insert into orders (customer_id, total) select 1 + i % 50, i from generate_series(1, 500) i;";

const CHANGES: &str = "--liquibase formatted sql

--changeset shop:note
alter table orders add column note text;
--rollback alter table orders drop column note;

--changeset shop:total-idx runInTransaction:false
create index concurrently orders_total_idx on orders (total);
--rollback drop index concurrently orders_total_idx;

--changeset shop:no-fax
alter table customers drop column fax;
--rollback alter table customers add column fax text;
";

const QUERIES: &str = "-- name: Orders :many
select o.id, o.total, c.name from orders o join customers c on c.id = o.customer_id where o.customer_id = $1 order by o.id limit $2;

-- name: Fax :one
select fax from customers where id = $1;
";

struct Shop {
    home: Home,
    url: String,
    /// As the server's owner, to the same database.
    admin: Endpoint,
}

impl Shop {
    fn new() -> Self {
        let home = Home::new("foreign");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (url, admin) = runtime.block_on(async {
            let local = Local::find().await.unwrap();
            let endpoint = local.production(&home.folder.join("server")).await.unwrap();
            let admin = product::embedded(endpoint.clone());
            admin.execute_script(&format!("create role app login password '{PASSWORD}'")).await.unwrap();
            admin.execute_script("create database shop owner app").await.unwrap();
            let Endpoint { host, port, .. } = &endpoint;
            let url = format!("postgresql://app:{PASSWORD}@{host}:{port}/shop");
            Products::default().open(&url).unwrap().execute_script(TABLES).await.unwrap();
            (url, Endpoint { database: "shop".to_owned(), ..endpoint })
        });
        let shop = Self { home, url, admin };
        shop.write("changes.sql", CHANGES);
        shop.write(
            "contracts/contract.yaml",
            "service: till\nowner: sales\nversions:\n  - version: 1.0.0\n    queries: [queries.sql]\n",
        );
        shop.write("contracts/queries.sql", QUERIES);
        shop
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.home.folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn contracts(&self, more: &[&str]) -> Ran {
        let mut arguments = vec!["contracts"];
        arguments.extend(more);
        arguments.extend(["--database", &self.url, "--changelog", "changes.sql", "--contracts", "contracts"]);
        self.home.run(&arguments)
    }

    fn run(&self, command: &str, more: &[&str]) -> Ran {
        let mut arguments =
            vec![command, "--database", &self.url, "--changelog", "changes.sql", "--contracts", "contracts"];
        arguments.extend(more);
        self.home.run(&arguments)
    }
}

/// What services ask, and what nobody means by it: their own tags, lists of several lengths, constants that leave no type.
const ASKED: [&str; 14] = [
    "select id, name, fax from customers where id = 7 /*service='web',version='2.0.0'*/",
    "select id from orders where id in (1) and total > 5 /*service='web',version='2.1.0'*/",
    "select id from orders where id in (1, 2) and total > 5 /*service='web',version='2.1.0'*/",
    "select id from orders where id in (1, 2, 3) and total > 5 /*service='web',version='2.1.0'*/",
    "-- name: OldOrders :one\nselect count(*) from orders, (select now() - interval '1 day' as at) o where at < now() /*service='web'*/",
    "update orders set total = 2 where id = 1 /*service='web'*/",
    "select total * (1 + 1) from orders where current_date + 14 > now() /*service='web'*/",
    "select id from orders where jsonb_build_object('a', id) is not null and total > round(2.5, 1) /*service='web'*/",
    "select pg_temp.gone(id) from orders /*service='web'*/",
    "insert into customers (name) values ('x'), ('y')",
    "select o.id, o.total, c.name from orders o join customers c on c.id = o.customer_id where o.customer_id = 4 order by o.id limit 9",
    "select relname from pg_class where oid = 1",
    "set statement_timeout = 9000",
    "select 1",
];

#[test]
fn contracts_are_harvested_from_what_was_asked_and_compared_with_it() {
    let shop = Shop::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let admin = |sql: &str| {
        runtime.block_on(product::embedded(shop.admin.clone()).execute_script(sql)).unwrap();
    };
    let refused = |said: &str| {
        let ran = shop.contracts(&["drift"]).expect(2);
        assert!(ran.err.contains(said) && ran.err.contains("hint: "), "{}", ran.err);
    };
    refused("does not keep which queries were run");
    admin("create extension pg_stat_statements");
    admin("select pg_stat_statements_reset()");
    // Another role's queries are hidden from this one.
    admin("select count(*) from orders");
    refused("may not see the queries of other roles");
    admin("grant pg_read_all_stats to app");
    admin("select pg_stat_statements_reset()");
    let app = Products::default().open(&shop.url).unwrap();
    for sql in ASKED {
        // A function that is there while the query runs, and gone when somebody looks.
        let gone = "create function pg_temp.gone(bigint) returns bigint language sql as 'select $1'; ";
        let sql = if sql.contains("pg_temp") { format!("{gone}{sql}") } else { sql.to_owned() };
        runtime.block_on(app.execute_script(&sql)).unwrap();
    }

    // The contract's role is not this one, so that its queries are seen but not known to be its own.
    let drift = shop.contracts(&["drift", "--format", "json"]).expect(0).json();
    matches_schema(&shop.home, "contracts-drift", &drift);
    let names = |list: &str, key: &str| -> Vec<String> {
        drift[list].as_array().unwrap().iter().map(|s| s[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("unknown_services", "service"), ["app", "web"]);
    assert_eq!(names("unknown_queries", "sql"), Vec::<String>::new());
    assert_eq!(names("unseen", "query"), ["Fax"]);

    let harvest = shop.contracts(&["harvest", "--format", "json"]).expect(0).json();
    matches_schema(&shop.home, "contracts-harvest", &harvest);
    assert_eq!(harvest["left_out"][0]["service"], "web");
    assert!(harvest["left_out"][0]["sql"].as_str().unwrap().starts_with("select pg_temp.gone"), "{harvest}");
    let read = |file: &str| std::fs::read_to_string(shop.home.folder.join("contracts").join(file)).unwrap();
    let all = ["app.contract.yaml", "app.queries.sql", "web.contract.yaml", "web.queries.sql"]
        .map(|file| format!("# {file}\n{}", read(file)));
    insta::with_settings!({snapshot_path => "expected", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("harvest-database", all.join("\n"));
    });

    // What was written is read, and holds what takes the column away.
    let listed = shop.contracts(&[]).expect(0).out;
    assert!(listed.contains("web") && listed.contains("2.1.0"), "{listed}");
    let compat =
        shop.run("compat", &["--format", "json", "--output", "markdown=comment.md"]).expect(3).json();
    assert_eq!(compat["checked"]["untried"], serde_json::Value::Null, "{}", compat["checked"]);
    let waits: Vec<String> = compat["held"][0]["waits_for"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| format!("{} {}", w["service"].as_str().unwrap(), w["version"].as_str().unwrap()))
        .collect();
    assert_eq!(waits, ["till 1.0.0", "web 2.0.0", "web 2.1.0"]);
    let comment = std::fs::read_to_string(shop.home.folder.join("comment.md")).unwrap();
    assert!(comment.contains("keep customers.fax until web 2.0.0 is gone"), "{comment}");

    // Now everything has a contract; one that is asked for by name is not written beside another.
    let drift = shop.contracts(&["drift", "--format", "json"]).expect(0).json();
    assert_eq!(drift["unknown_services"], serde_json::json!([]), "{drift}");
    let unknown: Vec<&str> =
        drift["unknown_queries"].as_array().unwrap().iter().map(|q| q["service"].as_str().unwrap()).collect();
    assert_eq!(unknown, ["web"], "the one that was left out: {drift}");
    let again = shop.contracts(&["harvest"]).expect(0).out;
    assert!(again.contains("2 services have a contract"), "{again}");
    let before = read("web.queries.sql");
    shop.contracts(&["harvest", "--service", "web"]).expect(0);
    assert_eq!(read("web.queries.sql"), before, "the same statistics give the same file");
    let ran = shop.contracts(&["harvest", "--service", "nobody"]).expect(2);
    assert!(ran.err.contains("nothing of nobody"), "{}", ran.err);
    shop.write("elsewhere/find.sql", "select id from orders where id = :id;");
    let ran = shop.contracts(&["harvest", "--from", "elsewhere", "--service", "till"]).expect(2);
    assert!(ran.err.contains("till has a contract already"), "{}", ran.err);
    shop.contracts(&["harvest", "--from", "elsewhere", "--service", "desk"]).expect(0);
    assert!(read("desk.queries.sql").contains("where id = $1;"));
    // Formats of the check are refused elsewhere, before anything is done.
    let ran = shop.run("plan", &["--format", "sarif"]).expect(2);
    assert!(ran.err.contains("only `drydock compat` gives this format"), "{}", ran.err);
}

fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path)
            .is_ok_and(|bytes| bytes.windows(text.len()).any(|w| w == text.as_bytes()))
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_foreign_database_and_bad_input() {
    let shop = Shop::new();
    bad_input(&shop);

    let ran = shop.run("migrate", &["--format", "json"]).expect(3);
    let document = ran.json();
    assert_eq!(document["outcome"], "held");
    assert_eq!(document["held"][0]["id"], "no-fax");
    assert_eq!(document["held"][0]["waits_for"][0]["query"], "Fax");
    assert_eq!(document["traffic"]["failed"], 0);
    let backup = document["stages"].as_array().unwrap().iter().find(|s| s["name"] == "backup").unwrap();
    assert!(backup["detail"].as_str().unwrap().starts_with("logical"), "{backup}");
    // Neither what it prints nor what it keeps has the password.
    let page = shop.home.folder.join("report.html");
    shop.run("report", &["--output", page.to_str().unwrap()]).expect(0);
    assert!(!ran.out.contains(PASSWORD) && !ran.err.contains(PASSWORD));
    assert_eq!(files_with(&shop.home.folder.join("home"), PASSWORD), Vec::<String>::new());
    assert_eq!(files_with(&shop.home.folder, PASSWORD).iter().filter(|f| f.ends_with("html")).count(), 0);

    // Somebody changes the schema behind everybody's back.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        Products::default()
            .open(&shop.url)
            .unwrap()
            .execute_script("alter table orders add column hotfix int")
            .await
            .unwrap();
    });
    let ran = shop.run("migrate", &[]).expect(1);
    assert!(ran.out.contains("hotfix") && ran.out.contains("--accept-drift"), "{}", ran.out);
    shop.run("migrate", &["--accept-drift"]).expect(3);
    // An applied changeset is edited.
    shop.write("changes.sql", &CHANGES.replace("add column note text", "add column note varchar(99)"));
    let ran = shop.run("migrate", &["--accept-drift"]).expect(1);
    assert!(ran.out.contains("edited after it had been applied"), "{}", ran.out);
}

fn bad_input(shop: &Shop) {
    let changes = |from: &str, to: &str| CHANGES.replace(from, to);
    // What is written where, and what is to be said with which exit code.
    let cases: &[(&str, &str, String, i32, &str)] = &[
        (
            "a changelog that does not parse",
            "changes.sql",
            changes("--changeset shop:note", "--changeset shop"),
            2,
            "changes.sql:3",
        ),
        ("a duplicate id", "changes.sql", changes("shop:total-idx", "shop:note"), 2, "is there twice"),
        ("an empty changelog", "changes.sql", String::new(), 2, "mpty"),
        (
            "SQL that does not parse",
            "changes.sql",
            changes("add column note text", "ad column note text"),
            2,
            "changes.sql:3",
        ),
        (
            "no inverse",
            "changes.sql",
            changes("--rollback alter table orders drop column note;", ""),
            1,
            "has no inverse",
        ),
        ("an unknown column", "changes.sql", changes("orders (total)", "orders (totally)"), 1, "totally"),
        ("an inverse that fails", "changes.sql", changes("drop column note", "drop column nota"), 1, "nota"),
        (
            "an inverse that does too little",
            "changes.sql",
            changes("--rollback alter table orders drop column note;", "--rollback empty"),
            1,
            "does not restore",
        ),
        ("a contract with bad YAML", "contracts/contract.yaml", "service: [".to_owned(), 2, "contract.yaml:"),
        (
            "a query that does not plan",
            "contracts/queries.sql",
            QUERIES.replace("select fax", "select telex"),
            2,
            "queries.sql:4",
        ),
        ("no query at all", "contracts/queries.sql", "-- name: A :one\n".to_owned(), 2, "has no query"),
    ];
    for (name, file, text, code, said) in cases {
        let good = std::fs::read_to_string(shop.home.folder.join(file)).unwrap();
        shop.write(file, text);
        let ran = shop.run("migrate", &[]);
        let all = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, Some(*code), "{name}: {all}");
        assert!(all.contains(said), "{name}: {all}");
        assert!(all.contains("hint: "), "{name}: {all}");
        assert!(!all.contains(PASSWORD) && !all.contains("panicked"), "{name}: {all}");
        shop.write(file, &good);
    }
    let commands: &[(&[&str], i32, &str)] = &[
        (&["migrate", "--env", "nowhere"], 2, "there is no environment \"nowhere\""),
        (&["migrate"], 2, "no environment is named"),
        (&["migrate", "--database", "mysql://x", "--changelog", "changes.sql"], 2, "no database product"),
        (
            &[
                "migrate",
                "--database",
                "postgresql://app:n0b0dy-s33s-th1s@127.0.0.1:9/shop",
                "--changelog",
                "changes.sql",
                "--contracts",
                "contracts",
            ],
            2,
            "127.0.0.1",
        ),
        (&["migrate", "--env", "demo", "--changelog", "gone.yaml"], 2, "there is no changelog"),
        (
            &["status", "--database", &shop.url, "--changelog", "changes.sql", "--run", "no-such-run"],
            2,
            "there is no run",
        ),
        (
            &["migrate", "--database", "env:NOT_SET_ANYWHERE", "--changelog", "changes.sql"],
            2,
            "NOT_SET_ANYWHERE",
        ),
    ];
    for (arguments, code, said) in commands {
        let ran = shop.home.run(arguments);
        assert_eq!(ran.code, Some(*code), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said) && ran.err.contains("hint: "), "{arguments:?}: {}", ran.err);
        assert!(!ran.err.contains(PASSWORD), "{arguments:?}: {}", ran.err);
    }
    // Tools that are missing.
    let ran = shop
        .home
        .command(&["plan", "--database", &shop.url, "--changelog", "changes.sql"])
        .env("PATH", "/nowhere")
        .env_remove("JAVA_HOME")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("Java is missing"), "{said}");
    // Nothing of all this has touched the database or left anything behind that a good run stumbles over.
}

/// Roles belong to the server, which scratch databases share.
const ROLES: &str = "--liquibase formatted sql

--changeset shop:reporting
create role reporting;
create role auditor nologin in role reporting;
grant select on orders to reporting;
alter table orders add column seen_at timestamptz;
--rollback alter table orders drop column seen_at;
--rollback revoke select on orders from reporting;
--rollback drop role auditor, reporting;

--changeset shop:no-fax
create role archive;
grant select on customers to archive;
alter table customers drop column fax;
--rollback empty

--changeset shop:archive
grant select on orders to archive;
--rollback revoke select on orders from archive;

--changeset shop:positive
alter table orders add check (total > 5) not valid;
--rollback alter table orders drop constraint orders_total_check;
";

#[test]
fn roles_are_made_once_for_all_scratch_databases() {
    let shop = Shop::new();
    let admin = product::embedded(shop.admin.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(admin.execute_script("alter role app createrole")).unwrap();
    shop.write("changes.sql", ROLES);
    shop.write(
        "contracts/queries.sql",
        &format!("{QUERIES}\n-- name: Pay :execrows\nupdate orders set total = $2 where id = $1;\n"),
    );
    let compat = shop.run("compat", &["--format", "json"]).expect(3).json();
    assert_eq!(compat["checked"]["untried"], serde_json::Value::Null, "{compat:#}");
    let held: Vec<_> = compat["held"].as_array().unwrap().iter().map(|h| h["id"].clone()).collect();
    // What grants to a role that is held builds on it.
    assert_eq!(held, ["no-fax", "archive", "positive"], "{compat:#}");
    let accepted: Vec<_> = compat["accepted"].as_array().unwrap().iter().map(|a| a["id"].clone()).collect();
    assert_eq!(accepted, ["reporting"]);
    let told: Vec<_> = compat["verdicts"].as_array().unwrap().iter().map(|v| v["class"].clone()).collect();
    assert_eq!(told, ["does-not-plan", "fails-when-run"], "{compat:#}");
}

/// A session that is about to end keeps nobody from making the copy anew.
#[test]
fn a_copy_is_made_anew_whoever_is_in_it() {
    let shop = Shop::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let production = Products::default().open(&shop.url).unwrap();
        let local = Local::find().await.unwrap();
        let folder = shop.home.folder.join("scratch");
        let quiet: Progress = Arc::new(|_, _| {});
        let places = local.scratch(production.as_ref(), &folder, quiet.clone()).await.unwrap().unwrap();
        let catalog = production.catalog().await.unwrap();
        let wanted = ["public.orders".to_owned()].into();
        let lent = places.sample_rows(production.as_ref(), &catalog, &wanted, quiet).await.unwrap().unwrap();
        assert_eq!(lent.tables.keys().collect::<Vec<_>>(), ["public.customers", "public.orders"]);
        let copy = places.copy(&lent.template, "copy").await.unwrap();
        let (user, password) = (lent.user.clone(), Some(lent.password.clone()));
        let trier = production.at(Endpoint { user, password, ..copy });
        let mut client = trier.client("test").await.unwrap();
        let shape = client.describe("select count(*) from orders").await.unwrap();
        places.copy(&lent.template, "copy").await.unwrap();
        let again = client.run("select count(*) from orders", &shape, &[], Ending::Commit).await;
        assert!(again.is_err() && !client.alive());
        local.discard(&folder).await.unwrap();
    });
}

/// What is let pass, and how it was said: in SQL, as a changeset's comment, of a class, of a hazard that is not there.
const ALLOWED: &str = "--liquibase formatted sql

--changeset shop:code
-- drydock: allow squawk/ban-char-field because ISO 4217 says three letters
--drydock: allow lock-held because it was slow once
alter table orders add column currency char(3); -- the rest is no remark: drydock: allow nothing
--rollback alter table orders drop column currency;

--changeset shop:no-fax
--comment nobody faxes. drydock: allow data-loss because the numbers are dead
-- drydock: allow answers-differently till/Fax because 1.0.0 is gone on Monday
alter table customers drop column fax;
--rollback alter table customers add column fax text;
";

#[test]
fn what_is_let_pass_keeps_its_reason() {
    let shop = Shop::new();
    shop.write("changes.sql", ALLOWED);
    let plan = shop.run("plan", &["--format", "json"]).expect(0).json();
    matches_schema(&shop.home, "plan", &plan);
    let allowed = |at: usize| plan["changesets"][at]["allowed"].clone();
    assert_eq!(
        allowed(0),
        serde_json::json!([
            {"what": "squawk/ban-char-field", "of": null, "reason": "ISO 4217 says three letters", "idle": false},
            {"what": "lock-held", "of": null, "reason": "it was slow once", "idle": true},
        ])
    );
    assert_eq!(
        allowed(1),
        serde_json::json!([
            {"what": "answers-differently", "of": "till/Fax", "reason": "1.0.0 is gone on Monday", "idle": false},
            {"what": "data-loss", "of": null, "reason": "the numbers are dead", "idle": false},
        ])
    );
    let hazards = plan["changesets"][1]["statements"][0]["hazards"].as_array().unwrap();
    let lost = hazards.iter().find(|h| h["name"] == "data-loss").unwrap();
    assert_eq!((&lost["severity"], &lost["allowed"]), (&"danger".into(), &"the numbers are dead".into()));
    let text = shop.run("plan", &[]).expect(0).out;
    for line in [
        "data-loss on 50 rows (allowed)",
        "notes     1 brief-lock; --format json says where\n",
        "allowed   no-fax: data-loss, because the numbers are dead\n",
        "allowed   no-fax: answers-differently of till/Fax, because 1.0.0 is gone on Monday\n",
        "allowed   code: lock-held, because it was slow once; the changeset does not have this hazard: remove the line\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }

    // The same in YAML, in the SQL of a change and as the changeset's comment.
    let yaml = "databaseChangeLog:
- changeSet:
    id: no-fax
    author: shop
    comment: 'drydock: allow data-loss because the numbers are dead'
    changes:
    - sql:
        sql: |
          -- drydock: allow brief-lock because it is quick
          alter table customers drop column fax
    - rollback: [{sql: {sql: alter table customers add column fax text}}]
";
    shop.write("changes.yaml", yaml);
    let arguments = ["plan", "--database", &shop.url, "--changelog", "changes.yaml", "--format", "json"];
    let plan = shop.home.run(&arguments).expect(0).json();
    let names: Vec<_> =
        plan["changesets"][0]["allowed"].as_array().unwrap().iter().map(|a| a["what"].clone()).collect();
    assert_eq!(names, ["brief-lock", "data-loss"]);

    for (said, told) in [
        ("allow data-loss", "gives no reason"),
        ("allow data-los because it is small", "called data-los"),
        ("let it be", "is not understood"),
    ] {
        shop.write(
            "changes.sql",
            &CHANGES.replace(
                "alter table customers drop",
                &format!("-- drydock: {said}\nalter table customers drop"),
            ),
        );
        let ran = shop.run("plan", &[]).expect(2);
        assert!(
            ran.err.contains(told) && ran.err.contains("changes.sql:11: a remark of changeset \"no-fax\""),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("hint: write `drydock: allow NAME because REASON`"), "{}", ran.err);
    }
}
