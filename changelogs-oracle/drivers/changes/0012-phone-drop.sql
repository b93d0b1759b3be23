--liquibase formatted sql

--changeset drivers:drivers-phone-sync-drop rollbackSplitStatements:false splitStatements:true
--comment First, since a trigger that names a dropped column is invalid and refuses every INSERT.
DROP TRIGGER drivers_phone_sync;
--rollback CREATE OR REPLACE TRIGGER drivers_phone_sync
--rollback   BEFORE INSERT OR UPDATE OF phone, mobile_phone ON drivers
--rollback   FOR EACH ROW
--rollback BEGIN
--rollback   IF INSERTING THEN
--rollback     :NEW.mobile_phone := NVL(:NEW.mobile_phone, :NEW.phone);
--rollback     :NEW.phone := NVL(:NEW.phone, :NEW.mobile_phone);
--rollback   ELSIF NVL(:NEW.mobile_phone, '-') <> NVL(:OLD.mobile_phone, '-') THEN
--rollback     :NEW.phone := NVL(:NEW.mobile_phone, :NEW.phone);
--rollback   ELSIF :NEW.phone <> :OLD.phone THEN
--rollback     :NEW.mobile_phone := :NEW.phone;
--rollback   END IF;
--rollback END;

--changeset drivers:drivers-phone-drop
--comment Contract: waits until nobody reads the old name any more.
ALTER TABLE drivers DROP COLUMN phone;
--rollback ALTER TABLE drivers ADD (phone VARCHAR2(40 CHAR));
--rollback UPDATE drivers SET phone = NVL(mobile_phone, '-');
--rollback ALTER TABLE drivers MODIFY (phone NOT NULL);
