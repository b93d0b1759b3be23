--liquibase formatted sql

--changeset orders-api:orders-billing-account-validate
alter table orders validate constraint orders_billing_account_fk;
--rollback alter table orders drop constraint orders_billing_account_fk;
--rollback alter table orders add constraint orders_billing_account_fk foreign key (billing_account_id) references billing_accounts (id) not valid;

--changeset orders-api:order-lines-quantity-validate
alter table order_lines validate constraint order_lines_quantity_positive;
--rollback alter table order_lines drop constraint order_lines_quantity_positive;
--rollback alter table order_lines add constraint order_lines_quantity_positive check (quantity > 0) not valid;
