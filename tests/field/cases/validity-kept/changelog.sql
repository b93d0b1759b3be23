--liquibase formatted sql

--changeset shop:total-positive
alter table orders add constraint total_positive check (total > 0) not valid;
--rollback alter table orders drop constraint total_positive;

--changeset shop:total-positive-valid
alter table orders validate constraint total_positive;
--rollback empty
