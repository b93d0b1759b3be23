--liquibase formatted sql

--changeset payments:payments-paid-at-idx
--comment Invisible: kept up to date, and used by no plan until it is made visible.
CREATE INDEX payments_paid_at_idx ON payments (paid_at) ONLINE INVISIBLE;
--rollback DROP INDEX payments_paid_at_idx ONLINE;
