--liquibase formatted sql

--changeset shop:note
alter table jobs add column note text;
--rollback alter table jobs drop column note;
