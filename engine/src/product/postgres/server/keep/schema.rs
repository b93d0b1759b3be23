//! The schema of what is kept: how it is made, who may see it, and where it may not be made.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::{Error, Result};
use crate::model::error_class::ErrorClass;
use crate::product::postgres::server::connect::{ServerContext, failed};
use crate::product::postgres::server::error_codes;
use crate::product::postgres::server::keep::KEEPING;

/// `users_sql!` leaves it out of everything that compares.
pub const SCHEMA: &str = "drydock_kept";

/// What makes the text of values the same wherever it is read, and changes nothing about what a statement means. With row security a
/// copy would lack rows without a word.
const SETTINGS: &[&str] = &[
    "extra_float_digits = 1",
    "datestyle = 'ISO'",
    "intervalstyle = 'postgres'",
    "bytea_output = 'hex'",
    "row_security = off",
];

/// Takes from everybody else what default privileges give them. `{kind}`, `{name}`: what it is about; `{grants}`: its grants.
const WITHDRAW: &str = "DO $withdraw$ DECLARE who text; BEGIN
  FOR who IN SELECT DISTINCT CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END FROM {grants} LOOP
    EXECUTE 'REVOKE ALL ON {kind} {name} FROM ' || who;
  END LOOP; END $withdraw$";
const OF_SCHEMA: &str =
    "pg_namespace n, aclexplode(n.nspacl) e WHERE n.nspname = 'drydock_kept' AND e.grantee <> n.nspowner";

/// The table that describes the others, and what brings one of them up to date. Within a transaction that has more to do, a failure
/// leaves the copy as it was.
const DESCRIPTION: &str = "CREATE TABLE IF NOT EXISTS drydock_kept.kept (
    relation text PRIMARY KEY, run text NOT NULL, id text NOT NULL, author text NOT NULL, path text NOT NULL, statement int4 NOT NULL,
    taken jsonb NOT NULL, key_columns text[] NOT NULL, columns text[] NOT NULL, rows int8 NOT NULL, as_of timestamptz NOT NULL,
    complete boolean NOT NULL, until timestamptz NOT NULL, put_back_at timestamptz, mark text NOT NULL, renewal text[] NOT NULL);
  CREATE OR REPLACE FUNCTION drydock_kept.renew(which text, is_locked boolean) RETURNS void LANGUAGE plpgsql {settings} AS $renew$
  DECLARE
    thing drydock_kept.kept;
    statement text;
    moment timestamptz := clock_timestamp();
    oldest text := pg_snapshot_xmin(pg_current_snapshot())::xid::text;
    number int8;
  BEGIN
    SELECT * INTO STRICT thing FROM drydock_kept.kept k WHERE k.relation = which;
    FOREACH statement IN ARRAY thing.renewal LOOP
      EXECUTE statement USING thing.mark;
    END LOOP;
    EXECUTE 'SELECT count(*) FROM ' || which INTO number;
    UPDATE drydock_kept.kept k SET mark = oldest, as_of = moment, complete = is_locked, rows = number WHERE k.relation = which;
  END $renew$;
  CREATE OR REPLACE FUNCTION drydock_kept.renew_if_quick(which text, is_locked boolean) RETURNS void LANGUAGE plpgsql AS $quick$
  BEGIN
    PERFORM drydock_kept.renew(which, is_locked);
  EXCEPTION WHEN query_canceled OR OTHERS THEN NULL;
  END $quick$";

fn of_table(table: &str) -> String {
    format!(
        "pg_class c, aclexplode(c.relacl) e WHERE c.oid = '{table}'::regclass AND e.grantee <> c.relowner"
    )
}

/// The settings for one transaction.
pub fn set_local() -> String {
    SETTINGS.iter().map(|setting| format!("SET LOCAL {setting}; ")).collect()
}

fn withdraw(kind: &str, name: &str, grants: &str) -> String {
    WITHDRAW.replace("{kind}", kind).replace("{name}", name).replace("{grants}", grants)
}

/// Whether the database takes tables of ours; makes the schema where it does. A publication of all tables would send them elsewhere,
/// and a schema of somebody else's would show them to them.
pub async fn takes_tables(client: &Client) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_publication WHERE puballtables), has_database_privilege(current_database(), 'CREATE'),
        (SELECT pg_get_userbyid(nspowner) = current_user FROM pg_namespace WHERE nspname = $1)";
    let row = client.query_typed_one(sql, &[(&SCHEMA, Type::TEXT)]).await.server_context(KEEPING)?;
    let (is_published, may_create): (bool, bool) =
        (row.try_get(0).server_context(KEEPING)?, row.try_get(1).server_context(KEEPING)?);
    let is_ours: Option<bool> = row.try_get(2).server_context(KEEPING)?;
    if is_published || !is_ours.unwrap_or(may_create) {
        return Ok(false);
    }
    let settings: String = SETTINGS.iter().map(|setting| format!("SET {setting} ")).collect();
    // `IF NOT EXISTS` asks for the right to create even where nothing is created.
    let create = if is_ours.is_none() { "CREATE SCHEMA drydock_kept; " } else { "" };
    let script = format!(
        "{create}{}; {}; {}",
        DESCRIPTION.replace("{settings}", &settings),
        withdraw("SCHEMA", SCHEMA, OF_SCHEMA),
        withdraw_table("drydock_kept.kept")
    );
    match client.batch_execute(&script).await.map_err(|e| failed(KEEPING, &e)) {
        Ok(()) => Ok(true),
        Err(error) if is_lost(&error) => Err(error),
        // Whatever forbids it, an event trigger for example: a file can be written.
        Err(error) => {
            tracing::warn!(error = %error.chain(), "no tables can be kept in the database");
            Ok(false)
        }
    }
}

/// Takes a table from everybody else.
pub fn withdraw_table(table: &str) -> String {
    withdraw("TABLE", table, &of_table(table))
}

fn is_lost(error: &Error) -> bool {
    matches!(error.code.as_deref().map(error_codes::class), None | Some(ErrorClass::ConnectionLost))
}
