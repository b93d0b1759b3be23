--liquibase formatted sql

--changeset shop:backfill-done
update backfills set done_at = null where name = 'orders-total';
--rollback update backfills set done_at = now() where name = 'orders-total';

--changeset shop:drop-old-total
--preconditions onFail:MARK_RAN
--precondition-sql-check expectedResult:1 select count(*) from backfills where name = 'orders-total' and done_at is null
alter table orders drop column old_total;
--rollback alter table orders add column old_total int;
