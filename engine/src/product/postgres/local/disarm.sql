-- In pg_catalog, so that neither is part of the schema that copies are compared by.
-- The source's own event triggers must not see this.
SET session_replication_role = replica;

CREATE OR REPLACE FUNCTION pg_catalog.drydock_disarm_all(OUT kind text, OUT name text, OUT wrapper text)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET session_replication_role = replica AS $disarm$
DECLARE
  -- A folder for sockets that is not there. It is in the messages of what tries to connect.
  nowhere constant text := '/disarmed-by-drydock';
  -- Wrappers whose servers have libpq's options.
  libpq constant text[] := '{postgres_fdw,dblink_fdw}';
  one record;
  changes text;
BEGIN
  FOR one IN
    SELECT s.srvname, w.fdwname, coalesce(s.srvoptions, '{}') AS options,
      ARRAY(SELECT split_part(o, '=', 1) FROM unnest(s.srvoptions) o) AS names
    FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE w.fdwname = ANY (libpq) ORDER BY 1
  LOOP
    CONTINUE WHEN one.options @> ARRAY['host=' || nowhere] AND NOT one.names && '{hostaddr,service}';
    changes := CASE WHEN 'host' = ANY (one.names) THEN 'SET' ELSE 'ADD' END || format(' host %L', nowhere);
    -- Each of these would be tried in the place of the host.
    SELECT concat_ws(', ', changes, string_agg('DROP ' || n, ', ')) INTO changes
      FROM unnest(one.names) n WHERE n IN ('hostaddr', 'service');
    EXECUTE format('ALTER SERVER %I OPTIONS (%s)', one.srvname, changes);
    kind := 'server'; name := one.srvname; wrapper := one.fdwname;
    RETURN NEXT;
  END LOOP;
  -- How to point other servers elsewhere is not known.
  FOR one IN
    SELECT w.fdwname FROM pg_foreign_data_wrapper w
    WHERE w.fdwhandler <> 0 AND w.fdwname <> ALL (libpq) AND EXISTS (SELECT FROM pg_foreign_server s WHERE s.srvfdw = w.oid)
    ORDER BY 1
  LOOP
    EXECUTE format('ALTER FOREIGN DATA WRAPPER %I NO HANDLER', one.fdwname);
    kind := 'wrapper'; name := one.fdwname; wrapper := NULL;
    RETURN NEXT;
  END LOOP;
  -- dblink connects by a text that may be anywhere.
  FOR one IN
    SELECT format('CREATE OR REPLACE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', n.nspname, p.proname,
      pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
      format('BEGIN RAISE EXCEPTION USING ERRCODE = %L, MESSAGE = %L; END', '08001',
        p.proname || ' connects to nothing in a copy: ' || nowhere)) AS replaced
    FROM pg_extension e
    JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
    JOIN pg_proc p ON p.oid = d.objid JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE e.extname = 'dblink' AND l.lanname = 'c'
      AND p.prosrc IN ('dblink_connect', 'dblink_record', 'dblink_exec', 'dblink_open', 'dblink_send_query')
  LOOP
    EXECUTE one.replaced;
    IF kind IS DISTINCT FROM 'extension' THEN
      kind := 'extension'; name := 'dblink'; wrapper := NULL;
      RETURN NEXT;
    END IF;
  END LOOP;
END
$disarm$;

CREATE OR REPLACE FUNCTION pg_catalog.drydock_disarm() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $trigger$
BEGIN
  -- What this does itself is no reason to do it again.
  IF coalesce(current_setting('drydock.disarming', true), '') = '' THEN
    PERFORM set_config('drydock.disarming', 'on', true);
    PERFORM pg_catalog.drydock_disarm_all();
    PERFORM set_config('drydock.disarming', '', true);
  END IF;
END
$trigger$;

DROP EVENT TRIGGER IF EXISTS drydock_disarm;
CREATE EVENT TRIGGER drydock_disarm ON ddl_command_end
  WHEN TAG IN ('CREATE SERVER', 'ALTER SERVER', 'CREATE EXTENSION', 'ALTER EXTENSION', 'CREATE FOREIGN DATA WRAPPER', 'ALTER FOREIGN DATA WRAPPER')
  EXECUTE FUNCTION pg_catalog.drydock_disarm();
-- Whatever a session says of its triggers.
ALTER EVENT TRIGGER drydock_disarm ENABLE ALWAYS;
RESET session_replication_role;
