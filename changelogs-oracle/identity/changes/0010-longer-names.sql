--liquibase formatted sql

--changeset identity:users-display-name-160
--comment A longer VARCHAR2 is the same on disk: no row is written. Going back fails if a name has become longer than 80.
ALTER TABLE users MODIFY (display_name VARCHAR2(160 CHAR));
--rollback ALTER TABLE users MODIFY (display_name VARCHAR2(80 CHAR));
