--liquibase formatted sql

--changeset shop:state-returned
alter type state add value 'returned';
--rollback empty
