--liquibase formatted sql

--changeset shop:dblink runInTransaction:false
create extension dblink;
--rollback drop extension dblink;

--changeset shop:fill splitStatements:false
do $$ begin
  perform dblink_exec('host={host} port={port} dbname=server_by_changeset_remote user={user} password={password}',
    'insert into contacts values (1, ''x'')');
end $$;
--rollback empty
