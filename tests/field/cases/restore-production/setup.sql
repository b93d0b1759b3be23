create table orders (id bigserial primary key, customer text not null, note text);
insert into orders (customer, note) select 'c' || g, 'n' || g from generate_series(1, 10) g;
create view open_orders as select id, customer from orders where note is not null;
do $$ begin create role restore_production_svc login; exception when duplicate_object or unique_violation then null; end $$;
grant select, insert, update on orders to restore_production_svc;
grant usage on sequence orders_id_seq to restore_production_svc;
do $$ begin
  execute format('alter database %I set intervalstyle = ''iso_8601''', current_database());
  execute format('comment on database %I is ''orders of the shop''', current_database());
end $$;
