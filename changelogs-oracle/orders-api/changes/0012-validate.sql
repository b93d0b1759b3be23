--liquibase formatted sql

--changeset orders-api:orders-billing-account-validate
ALTER TABLE orders MODIFY CONSTRAINT orders_billing_account_fk VALIDATE;
--rollback ALTER TABLE orders MODIFY CONSTRAINT orders_billing_account_fk ENABLE NOVALIDATE;

--changeset orders-api:order-lines-quantity-validate
ALTER TABLE order_lines ENABLE VALIDATE CONSTRAINT order_lines_quantity_positive;
--rollback ALTER TABLE order_lines ENABLE NOVALIDATE CONSTRAINT order_lines_quantity_positive;
