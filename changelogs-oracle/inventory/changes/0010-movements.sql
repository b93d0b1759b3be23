--liquibase formatted sql

--changeset inventory:movements-reason-comment
COMMENT ON COLUMN stock_movements.reason IS 'receipt, pick, count or return';
--rollback COMMENT ON COLUMN stock_movements.reason IS '';

--changeset inventory:movements-batch-no-to-attic
--comment Where values go before their column goes.
CREATE TABLE attic_stock_movements AS SELECT id AS movement_id, batch_no FROM stock_movements WHERE batch_no IS NOT NULL;
--rollback DROP TABLE attic_stock_movements;
