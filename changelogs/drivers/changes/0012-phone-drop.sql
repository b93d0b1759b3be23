--liquibase formatted sql

--changeset drivers:drivers-phone-drop
--comment Contract: waits until nobody reads the old name any more.
drop trigger drivers_phone_sync on drivers;
alter table drivers drop column phone;
--rollback alter table drivers add column phone text;
--rollback update drivers set phone = mobile_phone;
--rollback alter table drivers alter column phone set not null;
--rollback create trigger drivers_phone_sync before insert or update of phone, mobile_phone on drivers for each row execute function sync_driver_phone();
