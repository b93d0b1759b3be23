--liquibase formatted sql

--changeset shop:jobs-region
update jobs set region = 'us' where region is null;
--rollback update jobs set region = null where region = 'us';
