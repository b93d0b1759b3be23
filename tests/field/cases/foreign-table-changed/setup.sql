create extension postgres_fdw;
create server crm foreign data wrapper postgres_fdw options (host '{host}', port '{port}', dbname 'foreign_table_changed_remote');
create user mapping for public server crm options (user '{user}', password '{password}');
create foreign table crm_contacts (id bigint, mail text, state text) server crm options (table_name 'contacts');
create table users (id bigint primary key, name text not null);
insert into users select i, 'u' || i from generate_series(1, 300) i;
