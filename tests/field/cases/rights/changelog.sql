--liquibase formatted sql

--changeset shop:owner-is-the-service
alter table accounts owner to rights_svc;
--rollback empty

--changeset shop:through-a-group
grant select, insert, update, delete on bookings to rights_group;
revoke all on bookings from rights_svc;
--rollback empty

--changeset shop:through-everybody
grant select on cities to public;
revoke all on cities from rights_svc;
--rollback empty

--changeset shop:grant-option
revoke grant option for select on depots from rights_svc;
--rollback empty

--changeset shop:everybody-but-it
revoke execute on function twice(int) from public;
--rollback empty

--changeset shop:update-is-enough
grant update on sequence vans_id_seq to rights_svc;
revoke usage on sequence vans_id_seq from rights_svc;
--rollback empty

--changeset shop:sequence
revoke usage on sequence tickets_id_seq from rights_svc;
--rollback empty

--changeset shop:sequence-by-name
revoke usage on sequence numbers from rights_svc;
--rollback empty

--changeset shop:sequence-of-a-trigger
revoke usage on sequence audit_id_seq from rights_svc;
--rollback empty

--changeset shop:definer
alter function secret_of(int) owner to rights_other;
--rollback empty

--changeset shop:no-owner
alter table own owner to rights_other;
--rollback empty

--changeset shop:no-member
revoke rights_owners from rights_svc;
--rollback empty

--changeset shop:heir-leaves
alter table heir no inherit base;
--rollback empty

--changeset shop:heir-goes
drop table old_heir;
--rollback empty

--changeset shop:view-default
alter view named alter column name set default 'unknown';
--rollback empty

--changeset shop:domain-default
alter domain code set default 'unknown';
--rollback empty

--changeset shop:unbound
alter role rights_svc bypassrls;
--rollback empty

--changeset shop:words
alter text search configuration plain alter mapping for asciiword, word with simple;
--rollback empty
