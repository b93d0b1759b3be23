--liquibase formatted sql

--changeset shop:sessions-purge
delete from sessions where user_id <= 100;
--rollback empty
