--liquibase formatted sql

--changeset drivers:drivers-mobile-phone-backfill
UPDATE drivers SET mobile_phone = phone WHERE mobile_phone IS NULL;
--rollback UPDATE drivers SET mobile_phone = NULL WHERE mobile_phone IS NOT NULL;
