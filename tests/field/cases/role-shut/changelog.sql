--liquibase formatted sql

--changeset shop:no-login
alter role role_shut_svc nologin;
--rollback alter role role_shut_svc login;

--changeset shop:hardened
revoke all on database role_shut from public;
--rollback grant connect, temporary on database role_shut to public;

--changeset shop:no-connections
alter role role_shut_svc connection limit 0;
--rollback alter role role_shut_svc connection limit -1;

--changeset shop:old-password
alter role role_shut_svc valid until '2020-01-01';
--rollback alter role role_shut_svc valid until 'infinity';

--changeset shop:hardened-and-granted
revoke all on database role_shut from public;
grant connect on database role_shut to role_shut_svc;
--rollback grant connect, temporary on database role_shut to public; revoke connect on database role_shut from role_shut_svc;
