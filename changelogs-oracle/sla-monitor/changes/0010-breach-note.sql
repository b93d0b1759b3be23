--liquibase formatted sql

--changeset sla-monitor:sla-breaches-note
ALTER TABLE sla_breaches ADD (note VARCHAR2(400 CHAR));
--rollback ALTER TABLE sla_breaches DROP COLUMN note;

--changeset sla-monitor:record-sla-breach-note splitStatements:false rollbackSplitStatements:false
--comment One more parameter, with a default: who calls it with three goes on.
CREATE OR REPLACE PROCEDURE record_sla_breach (p_shipment IN NUMBER, p_policy IN NUMBER, p_hours IN NUMBER, p_note IN VARCHAR2 DEFAULT NULL) IS
BEGIN
  UPDATE sla_breaches SET hours_late = p_hours, found_at = SYSTIMESTAMP, note = NVL(p_note, note)
  WHERE shipment_id = p_shipment AND policy_id = p_policy;
  IF SQL%ROWCOUNT = 0 THEN
    INSERT INTO sla_breaches (shipment_id, policy_id, hours_late, note) VALUES (p_shipment, p_policy, p_hours, p_note);
  END IF;
END record_sla_breach;
--rollback CREATE OR REPLACE PROCEDURE record_sla_breach (p_shipment IN NUMBER, p_policy IN NUMBER, p_hours IN NUMBER) IS
--rollback BEGIN
--rollback   UPDATE sla_breaches SET hours_late = p_hours, found_at = SYSTIMESTAMP
--rollback   WHERE shipment_id = p_shipment AND policy_id = p_policy;
--rollback   IF SQL%ROWCOUNT = 0 THEN
--rollback     INSERT INTO sla_breaches (shipment_id, policy_id, hours_late) VALUES (p_shipment, p_policy, p_hours);
--rollback   END IF;
--rollback END record_sla_breach;
