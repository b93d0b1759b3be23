create table orders (id bigint primary key, total int not null, unit text, updated_at timestamptz not null default '2020-01-01');
create table orders_audit (id bigint generated always as identity primary key, order_id bigint not null, at timestamptz not null);
create function touch() returns trigger language plpgsql as $$
begin new.updated_at := clock_timestamp(); return new; end $$;
create function log_change() returns trigger language plpgsql as $$
begin insert into orders_audit (order_id, at) values (new.id, clock_timestamp()); return null; end $$;
insert into orders (id, total) select i, i from generate_series(1, 500) i;
insert into orders_audit (order_id, at) select i, now() from generate_series(1, 20) i;
create trigger orders_touch before update on orders for each row execute function touch();
create trigger orders_log after update on orders for each row execute function log_change();
create function recode() returns void language sql as $$ update orders set unit = 'pc' where unit is null $$;
