--liquibase formatted sql

--changeset shop:rate
alter table cust alter column rate type numeric(12, 4);
--rollback alter table cust alter column rate type numeric(10, 2);

--changeset shop:note
alter table cust alter column note type text;
--rollback alter table cust alter column note type varchar(10) using left(note, 10);

--changeset shop:seen
alter table cust alter column seen type timestamp;
--rollback alter table cust alter column seen type date;

--changeset shop:crm
create schema crm;
create table crm.note (id int primary key, body text);
--rollback drop schema crm cascade;

--changeset shop:mood
create type mood as enum ('good', 'bad');
alter table cust add column mood mood;
--rollback drop type mood cascade;

--changeset shop:flag
alter table cust add column flag boolean default true;
--rollback alter table cust drop column flag;
