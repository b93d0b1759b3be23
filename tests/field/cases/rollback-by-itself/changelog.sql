--liquibase formatted sql

--changeset shop:orders-region
alter table orders add column region text;
--rollback alter table orders drop column region;

--changeset shop:stock-place
alter table stock add column place text;
--rollback alter table stock drop column place;
