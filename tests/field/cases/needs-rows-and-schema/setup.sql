create table settings (name text primary key, value text not null);
insert into settings select 'setting ' || g, g::text from generate_series(1, 5000) g;
create table limits (id bigint primary key, value text not null, old text);
insert into limits values (1, '5', 'x');
