--liquibase formatted sql

--changeset shop:mail-is-text
alter table accounts alter column mail type text;
--rollback alter table accounts alter column mail type citext;

--changeset shop:nick-tells-case
alter table accounts alter column nick type text collate "default";
--rollback alter table accounts alter column nick type text collate folded;

--changeset shop:town-is-short
alter table accounts alter column town type varchar(40);
--rollback alter table accounts alter column town type text;
