--liquibase formatted sql

--changeset shop:server-file
copy users to '{told}';
--rollback empty
