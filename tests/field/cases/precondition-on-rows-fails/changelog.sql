--liquibase formatted sql

--changeset shop:drop-old-total
--preconditions onFail:MARK_RAN
--precondition-sql-check expectedResult:0 select count(*) from orders where old_total is not null
alter table orders drop column old_total;
--rollback alter table orders add column old_total int;

--changeset shop:orders-note
--preconditions onFail:MARK_RAN
--precondition-sql-check expectedResult:0 select count(*) from information_schema.columns where table_name = 'orders' and column_name = 'note'
alter table orders add column note text;
--rollback alter table orders drop column note;

--changeset shop:notes-index
--preconditions onFail:HALT
--precondition-sql-check expectedResult:1 select count(*) from information_schema.columns where table_name = 'orders' and column_name = 'note'
create index orders_note on orders (note);
--rollback drop index orders_note;
