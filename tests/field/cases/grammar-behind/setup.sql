create function merge_action(kind text) returns text language sql immutable as $$ select 'merged ' || kind $$;
create table orders (id bigint primary key, kind text, note text);
insert into orders select g, 'k' || g % 3, 'n' from generate_series(1, 20) g;
