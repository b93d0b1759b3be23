--liquibase formatted sql

--changeset returns:return-items-rename
ALTER TABLE return_items RENAME TO returned_items;
--rollback ALTER TABLE returned_items RENAME TO return_items;
