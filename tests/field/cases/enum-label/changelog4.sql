--liquibase formatted sql

--changeset shop:state-returned
-- drydock: allow no-inverse because a label stays
alter type state add value 'returned';
--rollback empty

--changeset shop:orders-note
alter table orders add column note text;
--rollback alter table orders drop column note;
