--liquibase formatted sql

--changeset shop:region
alter table orders add column region text;
--rollback alter table orders drop column region;
