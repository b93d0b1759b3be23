--liquibase formatted sql

--changeset inventory:movements-batch-no-drop
--comment Nobody reads or writes it. DROP COLUMN goes through all rows while nobody else may write. Going back takes the values from the attic.
ALTER TABLE stock_movements DROP COLUMN batch_no;
--rollback ALTER TABLE stock_movements ADD (batch_no VARCHAR2(20 CHAR));
--rollback UPDATE stock_movements m SET m.batch_no = (SELECT a.batch_no FROM attic_stock_movements a WHERE a.movement_id = m.id)
--rollback WHERE EXISTS (SELECT 1 FROM attic_stock_movements a WHERE a.movement_id = m.id);
