-- What driver-app 1.8.0 asks of the shared database.

-- name: Me :one
SELECT id, name, phone, skills FROM drivers WHERE id = :1;

-- name: Colleagues :many
SELECT * FROM (SELECT id, name, phone FROM drivers WHERE country = :1 AND active = 1 ORDER BY name) WHERE ROWNUM <= 20;

-- name: Unread :many
SELECT id, body, sent_at FROM driver_messages WHERE driver_id = :1 AND read_at IS NULL ORDER BY sent_at FETCH FIRST 20 ROWS ONLY;

-- name: MarkRead :execrows
UPDATE driver_messages SET read_at = SYSTIMESTAMP WHERE id = :1 AND read_at IS NULL;

-- name: Say :one
-- ack: driver_messages.id
INSERT INTO driver_messages (driver_id, body) VALUES (:1, :2) RETURNING id INTO :3;

-- name: Hello :execrows
UPDATE driver_devices SET last_seen_at = SYSTIMESTAMP, app_version = :1 WHERE id = HEXTORAW(:2);

-- name: Register :one
-- ack: driver_devices.id
INSERT INTO driver_devices (driver_id, push_token, app_version) VALUES (:1, :2, '1.9.0') RETURNING RAWTOHEX(id) INTO :3;

-- name: MyJobs :many
SELECT j.id, s.reference, s.status, a.city
FROM dispatch_assignments x
JOIN dispatch_jobs j ON j.id = x.job_id
JOIN shipments s ON s.id = j.shipment_id
JOIN addresses a ON a.id = s.destination_id
WHERE x.driver_id = :1
ORDER BY x.assigned_at DESC
FETCH FIRST 10 ROWS ONLY;

-- name: JobDetail :one
SELECT j.id, j.state, s.weight_kg, JSON_VALUE(s.attributes, '$.fragile') AS fragile, d.line1, d.city, g.lat, g.lon
FROM dispatch_jobs j
JOIN shipments s ON s.id = j.shipment_id
JOIN addresses d ON d.id = s.destination_id
LEFT JOIN geocode_cache g ON g.address_id = d.id
WHERE j.id = :1;

-- name: StartJob :execrows
UPDATE dispatch_jobs SET state = 'running' WHERE id = :1 AND state = 'assigned';

-- name: FinishJob :execrows
UPDATE dispatch_jobs SET state = 'done' WHERE id = :1 AND state = 'running';
