--liquibase formatted sql

--changeset shop:program
copy users to program 'cat > {told}';
--rollback empty
