--liquibase formatted sql

--changeset shipments-api:shipments-priority
--comment A constant default is kept in the catalog: no row is written.
alter table shipments add column priority smallint not null default 0;
--rollback alter table shipments drop column priority;

--changeset shipments-api:shipments-service-level-check
alter table shipments add constraint shipments_service_level_given check (service_level is not null) not valid;
--rollback alter table shipments drop constraint shipments_service_level_given;

--changeset shipments-api:shipments-customer-idx runInTransaction:false
create index concurrently shipments_customer_created_idx on shipments (customer_id, created_at desc);
--rollback drop index concurrently shipments_customer_created_idx;

--changeset shipments-api:shipments-touch-clock splitStatements:false
--comment now() is the start of the transaction; a long one would stamp its rows too early.
create or replace function touch_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end
$$;
--rollback create or replace function touch_updated_at() returns trigger language plpgsql as $$
--rollback begin
--rollback   new.updated_at := now();
--rollback   return new;
--rollback end
--rollback $$;
