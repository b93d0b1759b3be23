--liquibase formatted sql

--changeset dock-scheduling:appointments-minutes-rename
ALTER TABLE dock_appointments RENAME COLUMN minutes TO duration_minutes;
--rollback ALTER TABLE dock_appointments RENAME COLUMN duration_minutes TO minutes;
