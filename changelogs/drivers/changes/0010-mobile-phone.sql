--liquibase formatted sql

--changeset drivers:drivers-mobile-phone
--comment Expand: the new name beside the old one.
alter table drivers add column mobile_phone text;
--rollback alter table drivers drop column mobile_phone;

--changeset drivers:drivers-phone-sync-function splitStatements:false
create function sync_driver_phone() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    new.mobile_phone := coalesce(new.mobile_phone, new.phone);
    new.phone := coalesce(new.phone, new.mobile_phone);
  elsif new.mobile_phone is distinct from old.mobile_phone then
    new.phone := coalesce(new.mobile_phone, new.phone);
  elsif new.phone is distinct from old.phone then
    new.mobile_phone := new.phone;
  end if;
  return new;
end
$$;
--rollback drop function sync_driver_phone();

--changeset drivers:drivers-phone-sync
create trigger drivers_phone_sync before insert or update of phone, mobile_phone on drivers for each row execute function sync_driver_phone();
--rollback drop trigger drivers_phone_sync on drivers;
