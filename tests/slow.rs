//! What the rehearsal tells of plans that get slow and of locks that keep services waiting, on tables of some size.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::support::{Home, Ran, matches_schema};
use drydock::model::endpoint::Endpoint;
use drydock::product;
use serde_json::Value;

const TABLES: &str = "create table orders (id bigint primary key, a int not null, b int not null, c int not null, d int not null, price int not null);
insert into orders select i, i % 40000, i % 40000, i % 40000, i % 40000, i from generate_series(1, 120000) i;
create index orders_a on orders (a);
create index orders_a_too on orders (a);
create index orders_b on orders (b);
create index orders_c on orders (c);
create index orders_d on orders (d);
create table parcels (id int primary key, state int);
insert into parcels select i from generate_series(1, 120000) i;
create index parcels_state on parcels (state);
create table events (device int not null, at timestamptz not null, note text) partition by range (at);
create table events_1 partition of events for values from ('2026-01-01') to ('2026-01-02');
create table events_2 partition of events for values from ('2026-01-02') to ('2026-01-03');
insert into events select i % 40000, timestamptz '2026-01-01' + i * interval '1 second', 'x' from generate_series(1, 120000) i;
create index events_device on events (device);
analyze;";

const QUERIES: &str = "-- name: ByA :many
select id, price::text from orders where a = $1;

-- name: ByB :many
select id from orders where b = $1;

-- name: ByC :many
select id from orders where c = $1 order by id limit 5;

-- name: ByD :one
select count(*) from orders where d = $1;

-- name: InState :many
select id from parcels where state = $1;

-- name: OfDevice :many
select at from events where device = $1 and at >= $2 and at < $3;

-- name: Place :exec
insert into orders (id, a, b, c, d, price) values ($1, 1, 1, 1, 1, 1);
";

/// What nobody can go on with, and beside it what is let pass or mended.
const REFUSED: &str = "--liquibase formatted sql

--changeset shop:drop-b
drop index orders_b;
--rollback create index orders_b on orders (b);

--changeset shop:drop-events
drop index events_device;
--rollback create index events_device on events (device);
";

const PASSES: &str = "--liquibase formatted sql

--changeset shop:drop-twin
drop index orders_a;
--rollback create index orders_a on orders (a);

--changeset shop:drop-b
drop index orders_b;
--rollback create index orders_b on orders (b);

--changeset shop:drop-c
-- drydock: allow gets-slow till/ByC because it is asked at night
-- drydock: allow gets-slow till/ByA because it was slow once
drop index orders_c;
--rollback create index orders_c on orders (c);

--changeset shop:again-b
create index orders_b_d on orders (b, d);
--rollback drop index orders_b_d;

--changeset shop:fill-state
update parcels set state = 1 where state is null;
--rollback update parcels set state = null;

--changeset shop:price
alter table orders alter column price type bigint;
--rollback alter table orders alter column price type int;
";

struct Shop {
    home: Home,
}

impl Shop {
    fn new() -> Self {
        let home = Home::new("slow");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let endpoint = runtime.block_on(async {
            let local = drydock::product::postgres::local::Local::find().await.unwrap();
            let endpoint = local.production(&home.folder.join("server")).await.unwrap();
            product::embedded(endpoint.clone()).execute_script(TABLES).await.unwrap();
            endpoint
        });
        let Endpoint { host, port, database, user, password, .. } = &endpoint;
        let password = password.as_ref().unwrap().expose();
        let url = format!("postgresql://{user}:{password}@{host}:{port}/{database}");
        let shop = Self { home };
        shop.write(
            "contract.yaml",
            "service: till\nversions:\n  - version: 1.0.0\n    queries: [queries.sql]\n",
        );
        shop.write("queries.sql", QUERIES);
        shop.write(
            "drydock.toml",
            &format!(
                "[environments.shop]\ndatabase = \"{url}\"\nchangelog = \"changes.sql\"\ncontracts = \".\"\n\
                 [environments.shop.limits]\nstall_ms = 20\n[environments.shop.compat]\nrows = false\n"
            ),
        );
        shop
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.home.folder.join(file), text).unwrap();
    }

    fn shadow(&self, changes: &str, format: &str) -> Ran {
        self.write("changes.sql", changes);
        self.home.run(&["shadow", "--env", "shop", "--format", format])
    }
}

fn verdicts(shadow: &Value) -> Vec<String> {
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    let all = shadow["verdicts"].as_array().unwrap().iter();
    all.map(|v| {
        assert_eq!((text(v, "class").as_str(), text(v, "service").as_str()), ("gets-slow", "till"));
        format!("{} {} {}", text(v, "changeset"), text(v, "query"), text(v, "verdict"))
    })
    .collect()
}

#[test]
fn what_gets_slow_is_refused_or_told_and_so_is_who_waits() {
    let shop = Shop::new();
    let ran = shop.shadow(REFUSED, "text").expect(1);
    let all = format!("{}{}", ran.out, ran.err);
    for said in [
        "till 1.0.0 gets slow once changes.sql::drop-b::shop has run: ByB (",
        "queries.sql:4): it reads all of public.orders now (120,000 rows), cost ",
        "(and 1 more)",
        "keep the index orders_b until till 1.0.0 is gone",
        "drydock: allow gets-slow till/ByB because REASON",
        "drop-events: gets slow: OfDevice of till 1.0.0: it reads all of public.events now (120,000 rows)",
    ] {
        assert!(all.contains(said), "{said}: {all}");
    }

    let ran = shop.shadow(PASSES, "json").expect(0);
    let shadow = ran.json();
    matches_schema(&shop.home, "shadow", &shadow);
    // The index that has a twin is not missed by anybody, one that comes again is missed for a while, and where all rows hold
    // one value an index is of no use, which is nobody's mistake.
    assert_eq!(verdicts(&shadow), ["drop-b ByB risky", "drop-c ByC risky", "fill-state InState risky"]);
    let reason = |at: usize| shadow["verdicts"][at]["reason"].as_str().unwrap();
    assert!(reason(0).ends_with(", until again-b has run"), "{}", reason(0));
    assert!(
        reason(1).ends_with("; it would not go out; allowed because it is asked at night"),
        "{}",
        reason(1)
    );
    assert_eq!(shadow["verdicts"][1]["allowed"], "it is asked at night");
    let idle = "allow gets-slow till/ByA: this line suppresses nothing";
    assert_eq!(ran.err.matches(idle).count(), 1, "{}", ran.err);
    assert_eq!(ran.err.matches("till/ByC: there is nothing").count(), 0, "{}", ran.err);
    // The table is written anew under a lock, and all that ask it wait.
    let price = shadow["changesets"].as_array().unwrap().iter().find(|c| c["id"] == "price").unwrap();
    let waits = price["waits"].as_array().unwrap().iter().find(|w| w["mode"] == "ACCESS EXCLUSIVE").unwrap();
    assert_eq!((&waits["table"], &waits["queries"]), (&"public.orders".into(), &5.into()), "{waits}");
    assert_eq!(waits["over_budget"], true, "{waits}");
    let told = "price: waits: ACCESS EXCLUSIVE on public.orders for ";
    assert!(
        ran.err.contains(told) && ran.err.contains("5 queries of 1 service (ByA of till 1.0.0, "),
        "{}",
        ran.err
    );
    shop.home.run(&["report", "--env", "shop", "--output", "report.html"]).expect(0);
    let page = std::fs::read_to_string(shop.home.folder.join("report.html")).unwrap();
    for said in [
        "Felt in the rehearsal",
        "ByB of till 1.0.0: it reads all of public.orders",
        "5 queries of 1 service",
    ] {
        assert!(page.contains(said), "{said}");
    }
}
