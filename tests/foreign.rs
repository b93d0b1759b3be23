//! A database that Drydock did not start, with a role that may do little; and everything that can be wrong with the input.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::path::Path;

use drydock::database::{self, Endpoint};
use support::{Home, Ran};

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
}

impl Shop {
    fn new() -> Self {
        let home = Home::new("foreign");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let url = runtime.block_on(async {
            let local = drydock::provider::local::Local::find().await.unwrap();
            let endpoint = local.production(&home.folder.join("server")).await.unwrap();
            let admin = database::embedded(endpoint.clone());
            admin.execute_script(&format!("create role app login password '{PASSWORD}'")).await.unwrap();
            admin.execute_script("create database shop owner app").await.unwrap();
            let Endpoint { host, port, .. } = endpoint;
            let url = format!("postgresql://app:{PASSWORD}@{host}:{port}/shop");
            database::open(&url).unwrap().execute_script(TABLES).await.unwrap();
            url
        });
        let shop = Self { home, url };
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

    fn run(&self, command: &str, more: &[&str]) -> Ran {
        let mut arguments =
            vec![command, "--database", &self.url, "--changelog", "changes.sql", "--contracts", "contracts"];
        arguments.extend(more);
        self.home.run(&arguments)
    }
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
        database::open(&shop.url)
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
            "something else",
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
