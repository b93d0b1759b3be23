--liquibase formatted sql

--changeset invoicing:invoices-currency-backfill
UPDATE invoices i
SET i.currency = (SELECT b.currency FROM billing_accounts b WHERE b.id = i.account_id)
WHERE i.currency IS NULL;
--rollback UPDATE invoices SET currency = NULL WHERE currency IS NOT NULL;
