--liquibase formatted sql

--changeset emissions:shipment-emissions-verified
ALTER TABLE shipment_emissions ADD (verified NUMBER(1) DEFAULT 0 NOT NULL);
--rollback ALTER TABLE shipment_emissions DROP COLUMN verified;
