//! Queries as services write them, with the role of each parameter: `t.c` compared or set, `+t.c` inserted, `#` a count,
//! `-` anything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use crate::model::query::ParameterRole;
use crate::product::postgres::grammar::relations::{CopyShape, copy_shape, of_trees};
use crate::product::postgres::grammar::sql;
use crate::product::postgres::hazards::analyse::tests::catalog;
use crate::product::postgres::queries::parameters::spell_out;
use crate::product::postgres::queries::uses::usage;

const CASES: &[(&str, &str)] = &[
    ("SELECT * FROM big WHERE id = $1", "app.big.id"),
    ("SELECT * FROM big b WHERE b.id = $1 AND $2 < b.qty", "app.big.id app.big.qty"),
    ("SELECT * FROM big WHERE code LIKE '%' || $1 || '%' LIMIT $2 OFFSET $3", "app.big.code # #"),
    (
        "SELECT * FROM big WHERE lower(code) = lower($1::text) AND id = ANY($2::bigint[])",
        "app.big.code app.big.id",
    ),
    (
        "SELECT * FROM big WHERE id IN ($1, $2) AND created_at BETWEEN $3 AND $4",
        "app.big.id app.big.id app.big.created_at app.big.created_at",
    ),
    (
        "SELECT * FROM big WHERE (created_at, id) < ($1, $2) ORDER BY created_at LIMIT $3::int",
        "app.big.created_at app.big.id #",
    ),
    (
        "SELECT * FROM big WHERE data->>'k' = $1 AND created_at > now() - $2::interval AND $3 = ANY(tags)",
        "- - -",
    ),
    ("SELECT * FROM big WHERE $1::text IS NULL OR code = $1", "app.big.code"),
    (
        "SELECT * FROM big b JOIN small s ON s.id = b.carrier_id AND s.name = $1 WHERE b.qty >= $2",
        "app.small.name app.big.qty",
    ),
    (
        "SELECT * FROM big WHERE EXISTS (SELECT 1 FROM small WHERE small.id = carrier_id AND name = $1 AND qty = $2)",
        "app.small.name app.big.qty",
    ),
    (
        "WITH x AS (SELECT id AS key, code FROM big WHERE qty > $1) SELECT * FROM x WHERE x.key = $2",
        "app.big.qty app.big.id",
    ),
    ("SELECT * FROM (SELECT b.*, 1 AS one FROM big b) q WHERE q.code = $1 AND q.one = $2", "app.big.code -"),
    ("WITH i AS (SELECT $1::bigint AS id) SELECT * FROM big JOIN i ON i.id = big.id", "app.big.id"),
    ("SELECT * FROM big JOIN unnest($1::bigint[]) AS u(k) ON big.id = u.k", "app.big.id"),
    ("SELECT * FROM big JOIN unnest($1::bigint[]) k ON big.id = k", "app.big.id"),
    ("SELECT * FROM big WHERE id IN (SELECT unnest($1::bigint[]))", "app.big.id"),
    ("SELECT * FROM v WHERE code = $1 AND name = $2 AND nothing = $3", "app.big.code app.small.name -"),
    ("SELECT CASE status WHEN $1 THEN 1 END, coalesce(qty, $2) FROM app.big", "app.big.status app.big.qty"),
    (
        "UPDATE big SET note = $2, qty = coalesce($3, qty), price = price + $4 WHERE id = $1",
        "app.big.id app.big.note app.big.qty -",
    ),
    (
        "UPDATE big SET (note, qty) = ($1, $2) FROM small s WHERE s.id = big.carrier_id AND s.name = $3",
        "app.big.note app.big.qty app.small.name",
    ),
    ("DELETE FROM big WHERE id = $1 RETURNING code", "app.big.id"),
    ("INSERT INTO small (id, name) VALUES ($1, upper($2))", "+app.small.id +app.small.name"),
    (
        "INSERT INTO small VALUES ($1, $2), ($3, $4)",
        "+app.small.id +app.small.name +app.small.id +app.small.name",
    ),
    ("INSERT INTO small (name, id) SELECT $1, id FROM big WHERE code = $2", "+app.small.name app.big.code"),
    (
        "INSERT INTO small (id, name) SELECT * FROM unnest($1::bigint[], $2::text[])",
        "+app.small.id +app.small.name",
    ),
    (
        "INSERT INTO small (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = $3 WHERE small.name <> $2",
        "+app.small.id +app.small.name app.small.name",
    ),
    (
        "WITH n AS (INSERT INTO small (id) VALUES ($1) RETURNING id) UPDATE big SET note = $2 FROM n WHERE n.id = big.id",
        "+app.small.id app.big.note",
    ),
    (
        "MERGE INTO small s USING (VALUES ($1::bigint, $2)) x(i, n) ON s.id = x.i WHEN MATCHED THEN UPDATE SET name = x.n WHEN NOT MATCHED THEN INSERT (id, name) VALUES ($3, x.n)",
        "app.small.id +app.small.name +app.small.id",
    ),
    ("SELECT $1::int + 1, pg_sleep($2)", "- -"),
    (
        "SELECT id FROM big WHERE qty = $1 UNION ALL SELECT id FROM small WHERE name = $2 LIMIT $3",
        "app.big.qty app.small.name #",
    ),
    (
        "WITH RECURSIVE r(k) AS (SELECT id FROM big WHERE id = $1 UNION ALL SELECT b.id FROM big b JOIN r ON r.k = b.carrier_id) SELECT * FROM r WHERE k <> $2",
        "app.big.id app.big.id",
    ),
    ("SELECT count(*) FROM big GROUP BY code HAVING count(*) > $1 AND max(qty) < $2", "- app.big.qty"),
    ("SELECT * FROM nowhere WHERE a = $1", "-"),
    ("UPDATE big SET tags[1] = $1, data = jsonb_set(data, '{a}', $2) WHERE email = $3", "- - -"),
    ("SELECT (SELECT s.name FROM small s WHERE s.id = b.carrier_id) = $1 FROM big b", "app.small.name"),
    (
        "SELECT 1 FROM big b, LATERAL (SELECT * FROM small s WHERE s.id = b.carrier_id AND s.id > $1) l WHERE l.name = $2",
        "app.small.id app.small.name",
    ),
];

#[test]
fn every_parameter_has_its_role() {
    let show = |role: &ParameterRole| match role {
        ParameterRole::Column { table, column } => format!("{table}.{column}"),
        ParameterRole::Insert { table, column } => format!("+{table}.{column}"),
        ParameterRole::Count => "#".to_string(),
        ParameterRole::Free => "-".to_string(),
    };
    let mut wrong = Vec::new();
    for (sql, expected) in CASES {
        let found = usage(sql, &catalog()).unwrap().roles.iter().map(show).collect::<Vec<_>>().join(" ");
        if found != *expected {
            wrong.push(format!("{sql}\n   {found}\n   {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn relations_go_through_views_partitions_and_ctes() {
    for (query, expected) in [
        ("SELECT * FROM v", "app.big app.small app.v"),
        ("WITH big AS (SELECT * FROM big) SELECT * FROM big", "app.big"),
        ("WITH x AS (SELECT 1), y AS (SELECT * FROM x) SELECT * FROM y, small", "app.small"),
        ("WITH small AS (SELECT 1) INSERT INTO small SELECT * FROM small", "app.small"),
        ("SELECT * FROM part", "app.part app.part_1 app.part_default"),
        ("SELECT * FROM part_1 WHERE id IN (SELECT id FROM public.mid)", "app.part app.part_1 public.mid"),
        (
            "SELECT CASE WHEN EXISTS (SELECT FROM mid) THEN 1 END ORDER BY (SELECT id FROM small)",
            "app.small public.mid",
        ),
        ("SELECT 1", ""),
        ("COPY (SELECT * FROM big) TO STDOUT", "app.big"),
    ] {
        let found: Vec<_> = of_trees(&sql::trees(query).unwrap(), &catalog()).into_iter().collect();
        assert_eq!(found.join(" "), expected, "{query}");
    }
}

#[test]
fn copy_and_insert_have_a_shape() {
    let text = |s: &str| s.to_string();
    assert_eq!(
        copy_shape("COPY app.small (id, name) FROM STDIN (FORMAT csv)"),
        Some(CopyShape::In { table: text("app.small"), columns: vec![text("id"), text("name")] })
    );
    assert_eq!(
        copy_shape("COPY small TO STDOUT"),
        Some(CopyShape::Out { query: text("SELECT * FROM small") })
    );
    assert_eq!(
        copy_shape("COPY small (id, \"Na me\") TO STDOUT"),
        Some(CopyShape::Out { query: text("SELECT id, \"Na me\" FROM small") })
    );
    assert_eq!(
        copy_shape("COPY (SELECT id FROM big WHERE qty > 1) TO STDOUT"),
        Some(CopyShape::Out { query: text("SELECT id FROM big WHERE qty > 1") })
    );
    assert_eq!(copy_shape("COPY small FROM '/tmp/x'"), None);
    assert_eq!(copy_shape("SELECT 1"), None);
}

#[test]
fn what_a_star_stands_for() {
    let catalog = catalog();
    for (sql, expected) in [
        ("SELECT * FROM small WHERE id = $1", "SELECT id, name FROM small WHERE id = $1"),
        ("select s . * , 1 from small s -- *", "select s.id, s.name , 1 from small s -- *"),
        ("DELETE FROM small RETURNING *", "DELETE FROM small RETURNING id, name"),
        (
            "SELECT * FROM small a JOIN small b ON b.id = a.id",
            "SELECT a.id, a.name, b.id, b.name FROM small a JOIN small b ON b.id = a.id",
        ),
        (
            "WITH x (n, \"Of\") AS (SELECT * FROM small) SELECT x.*, count(*) * 2 FROM x GROUP BY 1, 2",
            "WITH x (n, \"Of\") AS (SELECT id, name FROM small) SELECT x.n, x.\"Of\", count(*) * 2 FROM x GROUP BY 1, 2",
        ),
        (
            "SELECT 'ä*', q.* FROM (SELECT id AS \"select\" FROM small) q",
            "SELECT 'ä*', q.\"select\" FROM (SELECT id AS \"select\" FROM small) q",
        ),
        // A view's columns are not known, nor is what a function gives.
        ("SELECT * FROM v", "SELECT * FROM v"),
        ("SELECT * FROM small, v", "SELECT * FROM small, v"),
    ] {
        assert_eq!(spell_out(sql, &catalog).unwrap(), expected);
    }
}
