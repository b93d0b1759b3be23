--liquibase formatted sql

--changeset invoicing:invoices-currency
--comment The name exists in billing_accounts too: a query that joins both and says only currency does not know which one is meant.
ALTER TABLE invoices ADD (currency VARCHAR2(3 CHAR));
--rollback ALTER TABLE invoices DROP COLUMN currency;
