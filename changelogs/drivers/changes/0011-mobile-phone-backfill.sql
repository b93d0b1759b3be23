--liquibase formatted sql

--changeset drivers:drivers-mobile-phone-backfill
update drivers set mobile_phone = phone where mobile_phone is null;
--rollback update drivers set mobile_phone = null where mobile_phone is not null;
