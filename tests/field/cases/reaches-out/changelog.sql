--liquibase formatted sql

--changeset shop:orders-note
alter table orders add column note text;
--rollback alter table orders drop column note;

--changeset shop:orders-note-fill
update orders set note = status where id < 100;
--rollback update orders set note = null where id < 100;
