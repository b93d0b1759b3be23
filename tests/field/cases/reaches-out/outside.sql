-- Under a name that no extension has, so that nothing replaces it: it stands for all code that connects by itself.
create function app.connect_to(text) returns text language c strict as '$libdir/dblink', 'dblink_connect';

create function app.announce() returns trigger language plpgsql as $announce$
begin
  -- An announcement that fails keeps no order from being written.
  begin
    perform app.connect_to('host={listener} port={listening} dbname=x user=x connect_timeout=2');
  exception when others then null;
  end;
  begin
    execute $$copy (select 1) to program 'bash -c "exec 3<>/dev/tcp/{listener}/{listening}"'$$;
  exception when others then null;
  end;
  return new;
end $announce$;
create trigger announce after update on orders execute function app.announce();

create function app.mirror(bigint) returns int language sql as
  $$ select x from dblink('host={listener} port={listening} dbname=x user=x', 'select 1') as t (x int) $$;
