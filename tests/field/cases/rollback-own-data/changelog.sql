--liquibase formatted sql

--changeset shop:orders-region
alter table orders add column region text;
--rollback alter table orders drop column region;

--changeset shop:orders-region-backfill
update orders set region = 'eu' where region is null;
--rollback update orders set region = null where region = 'eu';

--changeset shop:regions
create table regions (code text primary key, name text not null default 'unnamed');
insert into regions (code) values ('eu'), ('us');
--rollback drop table regions;

--changeset shop:orders-state
alter table orders add column state text not null default 'new';
--rollback alter table orders drop column state;
