--liquibase formatted sql
--changeset e:1
create table all2(a int);
--rollback drop table all2;
