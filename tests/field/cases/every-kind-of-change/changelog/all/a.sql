--liquibase formatted sql
--changeset e:1
create table all1(a int);
--rollback drop table all1;
