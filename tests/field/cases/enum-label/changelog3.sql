--liquibase formatted sql

--changeset shop:state-returned
-- drydock: allow no-inverse because a label stays
alter type state add value if not exists 'returned';
--rollback empty
