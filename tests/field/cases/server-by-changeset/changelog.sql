--liquibase formatted sql

--changeset shop:crm runInTransaction:false
create extension postgres_fdw;
--rollback drop extension postgres_fdw cascade;

--changeset shop:crm-contacts
create server crm foreign data wrapper postgres_fdw options (host '{host}', port '{port}', dbname 'server_by_changeset_remote');
create user mapping for public server crm options (user '{user}', password '{password}');
create foreign table crm_contacts (id bigint, mail text) server crm options (table_name 'contacts');
--rollback drop server crm cascade;

--changeset shop:crm-fill
insert into crm_contacts select id, mail from users;
--rollback delete from crm_contacts;
