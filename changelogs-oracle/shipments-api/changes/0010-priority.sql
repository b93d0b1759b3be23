--liquibase formatted sql

--changeset shipments-api:shipments-priority
--comment A constant default of a NOT NULL column is kept in the dictionary: no row is written.
ALTER TABLE shipments ADD (priority NUMBER(2) DEFAULT 0 NOT NULL);
--rollback ALTER TABLE shipments DROP COLUMN priority;

--changeset shipments-api:shipments-service-level-check
--comment Holds for new rows from now on. The old ones are looked at later, while others write.
ALTER TABLE shipments ADD CONSTRAINT shipments_service_level_given CHECK (service_level IS NOT NULL) ENABLE NOVALIDATE;
--rollback ALTER TABLE shipments DROP CONSTRAINT shipments_service_level_given;

--changeset shipments-api:shipments-customer-idx
CREATE INDEX shipments_customer_created_idx ON shipments (customer_id, created_at) ONLINE;
--rollback DROP INDEX shipments_customer_created_idx ONLINE;

--changeset shipments-api:shipments-touch-clock splitStatements:false rollbackSplitStatements:false
--comment CURRENT_TIMESTAMP carries the zone of the session; the server's is the same for everybody.
CREATE OR REPLACE TRIGGER shipments_touch
  BEFORE UPDATE ON shipments
  FOR EACH ROW
BEGIN
  :NEW.updated_at := SYSTIMESTAMP;
END;
--rollback CREATE OR REPLACE TRIGGER shipments_touch
--rollback   BEFORE UPDATE ON shipments
--rollback   FOR EACH ROW
--rollback BEGIN
--rollback   :NEW.updated_at := CURRENT_TIMESTAMP;
--rollback END;

--changeset shipments-api:shipment-number-cache
--comment Twenty numbers at a time make sessions wait for each other.
ALTER SEQUENCE shipment_number_seq CACHE 1000;
--rollback ALTER SEQUENCE shipment_number_seq CACHE 20;
