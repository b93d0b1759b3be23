--liquibase formatted sql

--changeset address-book:addresses-line2-unused
--comment Quick, and for good: an unused column cannot be had back, nor its values.
ALTER TABLE addresses SET UNUSED (line2);
--rollback ALTER TABLE addresses ADD (line2 VARCHAR2(120 CHAR));
