--liquibase formatted sql

--changeset shop:orders-done
alter table orders add column done text generated always as (merge_action(kind)) stored;
--rollback alter table orders drop column done;

--changeset shop:no-kind
alter table orders drop column kind cascade;
--rollback alter table orders add column kind text, add column done text generated always as (merge_action(kind)) stored;
