--liquibase formatted sql

--changeset shop:check
alter table orders add constraint orders_k check (k is not null and k > 0) not valid;
--rollback alter table orders drop constraint orders_k;

--changeset shop:validate
alter table orders validate constraint orders_k;
--rollback empty

--changeset shop:set-not-null
alter table orders alter column k set not null;
alter table orders drop constraint orders_k;
--rollback alter table orders add constraint orders_k check (k is not null and k > 0), alter column k drop not null;

--changeset shop:other-not-null
alter table orders alter column other set not null;
--rollback alter table orders alter column other drop not null;
