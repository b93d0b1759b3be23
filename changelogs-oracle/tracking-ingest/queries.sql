-- What tracking-ingest 11.0.4 asks of the shared database.

-- name: Record :one
-- ack: tracking_events.id
INSERT INTO tracking_events (shipment_id, kind, facility, device_id, occurred_at)
VALUES (:1, :2, :3, :4, SYS_EXTRACT_UTC(SYSTIMESTAMP))
RETURNING id INTO :5;

-- name: RecordMany :execrows
INSERT INTO tracking_events (shipment_id, kind, facility, occurred_at)
SELECT j.shipment_id, 2, :1, SYS_EXTRACT_UTC(SYSTIMESTAMP)
FROM JSON_TABLE(:2, '$[*]' COLUMNS (shipment_id NUMBER(19) PATH '$')) j;

-- name: DeviceSeen :execrows
UPDATE scan_devices SET last_seen_at = SYSTIMESTAMP WHERE serial_no = :1;

-- name: Device :one
SELECT id, serial_no, facility, last_seen_at FROM scan_devices WHERE serial_no = :1;

-- name: SilentDevices :many
SELECT id, serial_no, facility FROM scan_devices WHERE last_seen_at < SYSTIMESTAMP - INTERVAL '7' DAY AND id > :1 ORDER BY id FETCH FIRST 20 ROWS ONLY;

-- name: Receive :one
-- ack: ingest_batches.id
INSERT INTO ingest_batches (device_id, events, payload) VALUES (:1, 3, '[{"kind": 1}]') RETURNING id INTO :2;

-- name: NextBatches :many
SELECT id, device_id, payload FROM ingest_batches WHERE state = 'new' AND ROWNUM <= 2 FOR UPDATE SKIP LOCKED;

-- name: FinishBatch :execrows
UPDATE ingest_batches SET state = 'done' WHERE id = :1 AND state IN ('new', 'working');

-- name: BatchOfDevice :many
SELECT id, events, state, received_at FROM ingest_batches WHERE device_id = :1 ORDER BY received_at DESC FETCH FIRST 10 ROWS ONLY;

-- name: LastOfShipment :one
SELECT id, kind, facility, occurred_at FROM tracking_events WHERE shipment_id = :1 ORDER BY occurred_at DESC FETCH FIRST 1 ROW ONLY;

-- name: StageOne :exec
INSERT INTO tracking_staging (device_serial, shipment_reference, kind, facility, occurred_at) VALUES (:1, :2, 1, :3, SYS_EXTRACT_UTC(SYSTIMESTAMP));

-- name: StageFromDevice :execrows
INSERT /*+ APPEND_VALUES */ INTO tracking_staging VALUES (:1, :2, :3, :4, :5);

-- name: TakeStaged :execrows
INSERT INTO tracking_events (shipment_id, kind, facility, device_id, occurred_at)
SELECT s.id, t.kind, t.facility, d.id, t.occurred_at
FROM tracking_staging t
JOIN shipments s ON s.reference = t.shipment_reference
LEFT JOIN scan_devices d ON d.serial_no = t.device_serial;
