--liquibase formatted sql

--changeset drivers:drivers-mobile-phone
--comment Expand: the new name beside the old one.
ALTER TABLE drivers ADD (mobile_phone VARCHAR2(40 CHAR));
--rollback ALTER TABLE drivers DROP COLUMN mobile_phone;

--changeset drivers:drivers-phone-sync splitStatements:false
CREATE OR REPLACE TRIGGER drivers_phone_sync
  BEFORE INSERT OR UPDATE OF phone, mobile_phone ON drivers
  FOR EACH ROW
BEGIN
  IF INSERTING THEN
    :NEW.mobile_phone := NVL(:NEW.mobile_phone, :NEW.phone);
    :NEW.phone := NVL(:NEW.phone, :NEW.mobile_phone);
  ELSIF NVL(:NEW.mobile_phone, '-') <> NVL(:OLD.mobile_phone, '-') THEN
    :NEW.phone := NVL(:NEW.mobile_phone, :NEW.phone);
  ELSIF :NEW.phone <> :OLD.phone THEN
    :NEW.mobile_phone := :NEW.phone;
  END IF;
END;
--rollback DROP TRIGGER drivers_phone_sync;
