--liquibase formatted sql

--changeset warehouse-core:warehouses-code-12
--comment Refused by the database if a code is longer. Nobody writes codes through a query.
ALTER TABLE warehouses MODIFY (code VARCHAR2(12 CHAR));
--rollback ALTER TABLE warehouses MODIFY (code VARCHAR2(40 CHAR));
