--liquibase formatted sql

--changeset shop:parcels
create table parcels (id bigint primary key, size text, weight int);
--rollback drop table parcels;

--changeset shop:parcels-weight
alter table parcels drop column weight;
--rollback alter table parcels add column weight int;

--changeset shop:parcels-rename
alter table parcels rename to boxes;
--rollback alter table boxes rename to parcels;

--changeset shop:boxes-gone
drop table boxes;
--rollback create table boxes (id bigint primary key, size text);
