--liquibase formatted sql

--changeset labels:labels-barcode-unique
--comment Takes the index that is there. Equal barcodes of old labels stay.
ALTER TABLE labels ADD CONSTRAINT labels_barcode_uk UNIQUE (barcode) USING INDEX labels_barcode_idx ENABLE NOVALIDATE;
--rollback ALTER TABLE labels DROP CONSTRAINT labels_barcode_uk KEEP INDEX;

--changeset labels:labels-barcode-32
ALTER TABLE labels MODIFY (barcode VARCHAR2(32 CHAR));
--rollback ALTER TABLE labels MODIFY (barcode VARCHAR2(64 CHAR));
