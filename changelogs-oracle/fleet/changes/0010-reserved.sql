--liquibase formatted sql

--changeset fleet:vehicle-state-reserved
--comment The wider list beside the narrower one, which still refuses the new value.
ALTER TABLE vehicles ADD CONSTRAINT vehicles_state_known CHECK (state IN ('active', 'maintenance', 'retired', 'reserved')) ENABLE NOVALIDATE;
--rollback ALTER TABLE vehicles DROP CONSTRAINT vehicles_state_known;

--changeset fleet:vehicle-state-old-check-drop
--comment From here on a vehicle may be reserved. Going back fails while one is.
ALTER TABLE vehicles DROP CONSTRAINT vehicles_state_ck;
--rollback ALTER TABLE vehicles ADD CONSTRAINT vehicles_state_ck CHECK (state IN ('active', 'maintenance', 'retired'));
