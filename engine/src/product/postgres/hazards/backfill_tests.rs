//! Which data changes can go in batches, and the SQL of a batch.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::model::catalog::{Catalog, Table};
use crate::model::changeset::Backfill;
use crate::product::postgres::hazards::analyse::tests::{analyse, catalog, column};
use crate::product::postgres::hazards::backfill::bound_sql;

fn with_targets() -> Catalog {
    let mut c = catalog();
    let s = |t: &str| t.to_string();
    c.tables.insert(
        s("app.copy"),
        Table {
            columns: vec![column("big_id", "bigint", true), column("code", "text", false)],
            primary_key: vec![s("big_id")],
            unique: vec![vec![s("big_id")]],
            ..Table::default()
        },
    );
    c.tables.insert(
        s("app.log"),
        Table {
            columns: vec![column("id", "bigint", true), column("big_id", "bigint", false)],
            primary_key: vec![s("id")],
            unique: vec![vec![s("id")]],
            ..Table::default()
        },
    );
    c
}

fn found(sql: &str) -> Option<Backfill> {
    analyse(sql, &with_targets()).unwrap().pop().unwrap().backfill
}

const YES: &[&str] = &[
    "UPDATE big SET note = code WHERE note IS NULL",
    "UPDATE big b SET note = 'x', qty = 1 WHERE b.note IS NULL AND b.id > 5",
    "UPDATE big SET note = NULL WHERE note IS NOT NULL",
    "UPDATE big SET note = lower(code) WHERE note IS DISTINCT FROM lower(code)",
    "UPDATE big SET note = code WHERE note <> code",
    "UPDATE big SET status = 'sent' WHERE status = 'new'",
    "UPDATE big SET status = 'sent'::app.state WHERE status IN ('new', 'old')",
    "UPDATE big SET done = true WHERE NOT done",
    "UPDATE big SET done = true WHERE done IS NOT TRUE",
    "UPDATE big SET note = s.name FROM small s WHERE s.id = big.carrier_id AND big.note IS NULL",
    "UPDATE big SET note = (SELECT name FROM small s WHERE s.id = carrier_id) WHERE note IS NULL",
    "UPDATE part SET v = 1 WHERE v IS NULL",
    "UPDATE mid SET email = 'x' WHERE email IS NULL",
    "INSERT INTO copy (big_id, code) SELECT id, code FROM big ON CONFLICT DO NOTHING",
    "INSERT INTO copy (big_id, code) SELECT b.id, upper(b.code) FROM big b WHERE b.qty > 1 OR b.done ON CONFLICT (big_id) DO NOTHING",
    "INSERT INTO later (big_id) SELECT id FROM big ON CONFLICT (big_id) DO NOTHING",
];

const NO: &[&str] = &[
    "UPDATE big SET note = code",
    "UPDATE big SET note = NULL WHERE note IS NULL",
    "UPDATE big SET note = code WHERE qty IS NULL",
    "UPDATE big SET note = code WHERE note IS NULL OR qty = 1",
    "UPDATE big SET qty = qty + 1 WHERE qty = 1",
    "UPDATE big SET status = 'new' WHERE status = 'new'",
    "UPDATE big SET note = gen_random_uuid()::text WHERE note IS DISTINCT FROM gen_random_uuid()::text",
    "UPDATE small SET name = 'x' WHERE name IS NULL",
    "UPDATE big SET note = 'x' WHERE note IS NULL RETURNING id",
    "WITH w AS (SELECT 1) UPDATE big SET note = 'x' WHERE note IS NULL",
    "UPDATE big SET note = 'x' FROM small WHERE small.name IS NULL AND carrier_id = small.id",
    "UPDATE big SET note = (SELECT max(note) FROM big) WHERE note IS NULL",
    "UPDATE big SET note = 'x' WHERE note IS NULL AND id IN (SELECT id FROM big LIMIT 5)",
    "ALTER TABLE big ADD COLUMN x int; UPDATE big SET x = 1 WHERE x IS NULL",
    "UPDATE part SET id = 1 WHERE id IS DISTINCT FROM 1",
    "DELETE FROM big WHERE note IS NULL",
    "INSERT INTO copy (big_id, code) SELECT id, code FROM big",
    "INSERT INTO log (big_id) SELECT id FROM big ON CONFLICT DO NOTHING",
    "INSERT INTO later (big_id) SELECT id FROM big ON CONFLICT DO NOTHING",
    "INSERT INTO copy (big_id) SELECT carrier_id FROM big GROUP BY 1 ON CONFLICT DO NOTHING",
    "INSERT INTO copy (big_id) SELECT max(id) FROM big ON CONFLICT DO NOTHING",
    "INSERT INTO copy (big_id) SELECT b.id FROM big b JOIN small s ON true ON CONFLICT DO NOTHING",
    "INSERT INTO copy (big_id) SELECT id FROM big LIMIT 10 ON CONFLICT DO NOTHING",
];

#[test]
fn only_what_goes_out_by_itself_goes_in_batches() {
    let wrong: Vec<&&str> = YES.iter().filter(|sql| found(sql).is_none()).collect();
    assert!(wrong.is_empty(), "not found: {wrong:#?}");
    let wrong: Vec<&&str> = NO.iter().filter(|sql| found(sql).is_some()).collect();
    assert!(wrong.is_empty(), "found: {wrong:#?}");
}

#[test]
fn a_batch_is_the_statement_with_a_key_range() {
    let b = found("UPDATE big AS b SET note = code WHERE b.note IS NULL OR false")
        .or_else(|| found(YES[1]))
        .unwrap();
    assert_eq!(
        b.batch_sql,
        "UPDATE big b SET note = 'x', qty = 1 WHERE (b.note IS NULL AND b.id > 5) AND (($1::text IS NULL OR b.id > $1::text::bigint) \
         AND b.id <= $2::text::bigint)"
    );
    assert_eq!(
        (b.table.as_str(), b.key.as_str(), b.key_type.as_str(), b.rows),
        ("app.big", "id", "bigint", 1_000_000)
    );
    let b = found(
        "INSERT INTO copy (big_id, code) SELECT b.id, upper(b.code) FROM big b WHERE b.qty > 1 OR b.done ON CONFLICT (big_id) DO NOTHING",
    );
    assert!(b.unwrap().batch_sql.contains("WHERE (b.qty > 1 OR b.done) AND (($1::text IS NULL OR b.id > "));
    // The whole key, or a leading column with few values would make a batch of all rows that have the same.
    let b = found("UPDATE part SET v = 1 WHERE v IS NULL").unwrap();
    assert_eq!(
        b.batch_sql,
        "UPDATE part SET v = 1 WHERE v IS NULL AND (($1::text IS NULL OR (part.at, part.id) > (($1::text::text[])[1]::date, \
         ($1::text::text[])[2]::bigint)) AND (part.at, part.id) <= (($2::text::text[])[1]::date, ($2::text::text[])[2]::bigint))"
    );
    assert_eq!((b.key.as_str(), b.more_key.first().map(|c| c.name.as_str())), ("at", Some("id")));
    for sql in YES {
        let b = found(sql).unwrap();
        for text in [&b.batch_sql, &bound_sql(&b)] {
            pg_query::parse(text).unwrap();
        }
    }
}
