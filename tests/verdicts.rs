//! Verdicts of single changes, each a break and a near miss: what is the same under another name, and what stands behind the
//! fields of an API.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod support;

use std::sync::Arc;

use drydock::contract;
use drydock::product::postgres::local::Local;
use drydock::product::{self, Database};
use drydock::stages::compat::Checker;
use support::{Home, changeset};

const SCHEMA: &str = "
create type state as enum ('open', 'paid');
create table customers (id bigint generated always as identity primary key, name varchar(40) not null, email text not null unique,
  region text);
create table orders (id bigint generated always as identity primary key, customer_id bigint not null references customers,
  state state not null default 'open', placed_on date not null, note varchar(40), weight integer not null check (weight > 0));
create table order_notes (order_id bigint references orders on delete cascade, text text);
create index orders_customer on orders (customer_id);
create index orders_placed on orders (placed_on);
create view open_orders as select o.id, o.placed_on, c.name from orders o join customers c on c.id = o.customer_id where o.state = 'open';
create function stamp() returns trigger language plpgsql as $$ begin new.placed_on = coalesce(new.placed_on, now()); return new; end $$;
create trigger orders_stamp before insert on orders for each row execute function stamp();
create function busiest() returns bigint language plpgsql stable as $$ begin return (select customer_id from orders limit 1); end $$;
";

const QUERIES: &str = "
-- name: Open :many
select id, placed_on, name from open_orders order by id;
-- name: Order :one
select id, state, placed_on, weight from orders where id = $1;
-- name: Place :one
insert into orders (customer_id, placed_on, note, weight) values ($1, $2, $3, $4) returning id;
-- name: SignUp :one
insert into customers (name, email, region) values ($1, $2, $3) returning id;
-- name: Labels :many
select o.id, upper(c.name) as who, o.state::text as how from orders o join customers c on c.id = o.customer_id;
-- name: Cancel :execrows
delete from orders where id = $1;
-- name: Weigh :execrows
update orders set weight = $2 where id = $1;
-- name: Busiest :one
select busiest() as id;
";

const API: &str = "
paths:
  /orders: {post: {requestBody: {content: {j: {schema: {$ref: '#/components/schemas/NewOrder'}}}}}}
  /orders/{id}: {get: {responses: {200: {content: {j: {schema: {$ref: '#/components/schemas/Order'}}}}}}}
components:
  schemas:
    NewOrder:
      required: [weight]
      properties:
        note: {type: string, maxLength: 40, x-column: orders.note}
        weight: {type: integer, format: int32, x-column: orders.weight}
    Order:
      properties:
        weight: {type: integer, format: int32, x-query: Order}
        placedOn: {type: string, format: date, x-query: Order, x-column: placed_on}
        who: {type: string, maxLength: 40, x-query: Labels}
        how: {type: string, enum: [open, paid], x-query: Labels}
        region: {type: string, nullable: true, x-column: customers.region}
";

/// A change, and all that is said of it: who feels it, how, and the class.
const CASES: &[(&str, &[&str])] = &[
    // The view follows its table, and so does the key; what names the table does not, nor does a body.
    (
        "alter table customers rename to clients",
        &[
            "Labels breaking does-not-plan",
            "SignUp breaking does-not-plan",
            "how breaking api-field",
            "region breaking api-field",
            "who breaking api-field",
        ],
    ),
    (
        "alter table customers rename column region to area",
        &["SignUp breaking does-not-plan", "region breaking api-field"],
    ),
    // The same under the old name.
    ("alter table orders rename to orders_base; create view orders as select * from orders_base", &[]),
    // Renamed and changed: who comes to it by a view feels it by its old name.
    (
        "alter table customers rename to clients; alter table clients alter column name drop not null, add check (name <> '')",
        &[
            "Labels breaking does-not-plan",
            "Open risky answers-differently",
            "SignUp breaking does-not-plan",
            "how breaking api-field",
            "region breaking api-field",
            "who breaking api-field",
        ],
    ),
    // A routine's body does not follow.
    (
        "alter table orders rename column customer_id to buyer_id",
        &[
            "Busiest risky fails-when-run",
            "Labels breaking does-not-plan",
            "Place breaking does-not-plan",
            "how breaking api-field",
            "who breaking api-field",
        ],
    ),
    // What is deleted takes others with it.
    (
        "create trigger t before delete on order_notes for each row execute function stamp()",
        &["Cancel risky fails-when-run"],
    ),
    ("create trigger t before insert on order_notes for each row execute function stamp()", &[]),
    // What is made of a column is checked when that is given.
    (
        "alter table orders add column doubled integer generated always as (weight * 2) stored, add check (doubled < 100)",
        &["Place risky fails-when-run", "Weigh risky fails-when-run"],
    ),
    (
        "alter table orders add column doubled integer generated always as (length(note)) stored, add check (doubled < 100)",
        &["Place risky fails-when-run"],
    ),
    // Not the same: it leaves rows out. The view over it goes on with all of them.
    (
        "alter table orders rename to all_orders; create view orders as select * from all_orders where weight < 100",
        &[
            "Busiest risky answers-differently",
            "Cancel risky answers-differently",
            "Labels risky answers-differently",
            "Open risky answers-differently",
            "Order risky answers-differently",
            "Place risky answers-differently",
            "Place risky fails-when-run",
            "Weigh risky answers-differently",
            "Weigh risky fails-when-run",
        ],
    ),
    // Said otherwise, and the same.
    ("alter table orders rename constraint orders_weight_check to heavy", &[]),
    ("alter table orders drop constraint orders_weight_check, add constraint heavy check (weight > 0)", &[]),
    (
        "alter table orders drop constraint orders_weight_check, add constraint heavy check (weight > 1)",
        &["Place risky fails-when-run", "Weigh risky fails-when-run"],
    ),
    ("alter index orders_customer rename to orders_of", &[]),
    ("drop index orders_customer; create index orders_of on orders (customer_id, placed_on)", &[]),
    ("create unique index again on customers (email)", &[]),
    ("create unique index other on customers (region)", &["SignUp risky fails-when-run"]),
    // Who deletes feels what others keep, and who updates what they refer to.
    (
        "alter table orders drop constraint orders_customer_id_fkey, add constraint kept foreign key (customer_id) references customers",
        &[],
    ),
    ("create table gifts (order_id bigint references orders)", &["Cancel risky fails-when-run"]),
    // The trigger is another when it goes at another time.
    ("alter trigger orders_stamp on orders rename to zz", &["Place risky fails-when-run"]),
    // What can be NULL matters to who shows it.
    ("alter table customers alter column email drop not null", &[]),
    (
        "alter table customers alter column name drop not null",
        &["Labels risky answers-differently", "Open risky answers-differently", "who risky api-field"],
    ),
    // Fields.
    (
        "alter table orders alter column weight type bigint",
        &[
            "Order breaking result-type",
            "Place risky parameter-type",
            "Weigh risky parameter-type",
            "weight breaking api-field",
        ],
    ),
    (
        "alter table orders alter column weight type smallint",
        &[
            "Order breaking result-type",
            "Place risky fails-when-run",
            "Place risky parameter-type",
            "Weigh risky fails-when-run",
            "Weigh risky parameter-type",
            "weight breaking api-field",
        ],
    ),
    (
        "alter type state add value 'sent'",
        &[
            "Busiest risky answers-differently",
            "Labels risky answers-differently",
            "Open risky answers-differently",
            "Order risky answers-differently",
            "how risky api-field",
        ],
    ),
    (
        "alter table orders alter column note type varchar(20)",
        &["Place risky fails-when-run", "note breaking api-field"],
    ),
    ("alter table orders alter column note type varchar(80)", &[]),
    (
        "alter table orders alter column note set not null",
        &["Place risky fails-when-run", "note breaking api-field"],
    ),
    ("alter table customers add column vip boolean", &[]),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_break_is_told_and_a_near_miss_is_not() {
    let home = Home::new("verdicts");
    let cluster = Local::find().await.unwrap().production(&home.folder.join("production")).await.unwrap();
    product::embedded(cluster.clone()).execute_script("create database shop").await.unwrap();
    let database =
        product::embedded(drydock::model::endpoint::Endpoint { database: "shop".to_owned(), ..cluster });
    database.execute_script(SCHEMA).await.unwrap();
    let contracts = home.folder.join("contracts");
    std::fs::create_dir(&contracts).unwrap();
    let contract = "service: shop\nversions:\n  - {version: '1', queries: [queries.sql], api: api.yaml}\n";
    for (name, text) in [("contract.yaml", contract), ("queries.sql", QUERIES), ("api.yaml", API)] {
        std::fs::write(contracts.join(name), text).unwrap();
    }
    let contracts = contract::load(&contracts, product::embedded_product().query_syntax()).unwrap();
    let catalog = database.catalog().await.unwrap();
    let provider = database.product().provider().await.unwrap();
    let folder = home.folder.join("scratch");
    let quiet: drydock::watcher::Progress = Arc::new(|_, _| {});
    let places = provider.scratch(database.as_ref(), &folder, quiet).await.unwrap().unwrap();
    let mut wrong = Vec::new();
    for (sql, expected) in CASES {
        let scratch: Arc<dyn Database> =
            database.at(places.copy(places.template(), "checked").await.unwrap());
        let mut checker = Checker::new(Arc::clone(&scratch), &contracts, "verdicts").await.unwrap();
        let change = changeset(sql, database.as_ref(), &catalog);
        scratch.execute_script(sql).await.unwrap();
        let verdicts = checker.verdicts(&change).await.unwrap();
        let mut said: Vec<String> = verdicts
            .iter()
            .map(|v| {
                let who = v.query.rsplit(['.', ' ']).next().unwrap_or_default();
                format!("{who} {} {}", serde_json::to_value(v.verdict).unwrap().as_str().unwrap(), v.class)
            })
            .collect();
        said.sort();
        said.dedup();
        if said != *expected {
            let reasons: Vec<String> =
                verdicts.iter().map(|v| format!("    {}: {}", v.query, v.reason)).collect();
            wrong.push(format!("{sql}\n  said {said:?}\n  instead of {expected:?}\n{}", reasons.join("\n")));
        }
    }
    provider.discard(&folder).await.unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
