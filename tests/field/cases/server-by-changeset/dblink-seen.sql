--liquibase formatted sql

--changeset shop:dblink-seen
select dblink_exec('host={host} port={port} dbname=server_by_changeset_remote user={user} password={password}', 'insert into contacts values (1, ''x'')');
--rollback empty
