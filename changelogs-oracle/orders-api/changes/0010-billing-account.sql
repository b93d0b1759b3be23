--liquibase formatted sql

--changeset orders-api:orders-billing-account-idx
--comment Without it, deleting an account would lock all orders against writers.
CREATE INDEX orders_billing_account_idx ON orders (billing_account_id) ONLINE;
--rollback DROP INDEX orders_billing_account_idx ONLINE;

--changeset orders-api:orders-billing-account-fk
ALTER TABLE orders ADD CONSTRAINT orders_billing_account_fk FOREIGN KEY (billing_account_id) REFERENCES billing_accounts (id) ENABLE NOVALIDATE;
--rollback ALTER TABLE orders DROP CONSTRAINT orders_billing_account_fk;

--changeset orders-api:order-lines-quantity-check
ALTER TABLE order_lines ADD CONSTRAINT order_lines_quantity_positive CHECK (quantity > 0) ENABLE NOVALIDATE;
--rollback ALTER TABLE order_lines DROP CONSTRAINT order_lines_quantity_positive;
