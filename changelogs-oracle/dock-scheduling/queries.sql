-- What dock-scheduling 1.9.1 asks of the shared database.

-- name: Docks :many
SELECT id, name, kind FROM docks WHERE warehouse_id = :1 ORDER BY name;

-- name: Day :many
SELECT a.id, a.starts_at, a.minutes, a.state, k.name AS carrier
FROM dock_appointments a
LEFT JOIN carriers k ON k.id = a.carrier_id
WHERE a.dock_id = :1 AND a.starts_at >= :2
ORDER BY a.starts_at
FETCH FIRST 20 ROWS ONLY;

-- name: Plan :one
-- ack: dock_appointments.id
INSERT INTO dock_appointments (dock_id, carrier_id, starts_at, minutes) VALUES (:1, :2, :3, 45) RETURNING id INTO :4;

-- name: Arrive :execrows
UPDATE dock_appointments SET state = 'arrived' WHERE id = :1 AND state = 'planned';

-- name: Shift :execrows
UPDATE dock_appointments SET starts_at = starts_at + INTERVAL '15' MINUTE WHERE id = :1;

-- name: Overlaps :many
SELECT a.id, b.id AS other_id
FROM dock_appointments a
JOIN dock_appointments b ON b.dock_id = a.dock_id AND b.id > a.id AND b.starts_at >= a.starts_at
  AND b.starts_at < a.starts_at + NUMTODSINTERVAL(a.minutes, 'MINUTE')
WHERE a.dock_id = :1 AND ROWNUM <= 20;

-- name: Utilisation :many
SELECT dock_id, SUM(minutes) AS total_minutes
FROM dock_appointments
WHERE dock_id IN (:1, :2, :3) AND starts_at >= :4
GROUP BY dock_id
ORDER BY dock_id;

-- name: CarrierVisits :many
SELECT d.warehouse_id, COUNT(*) AS visits
FROM dock_appointments a
JOIN docks d ON d.id = a.dock_id
WHERE a.dock_id IN (:1, :2, :3)
GROUP BY d.warehouse_id;

-- name: NextFree :one
SELECT MAX(starts_at + NUMTODSINTERVAL(minutes, 'MINUTE')) AS free_at FROM dock_appointments WHERE dock_id = :1;

-- name: AddDock :exec
MERGE INTO docks d
USING (SELECT :1 AS warehouse_id, :2 AS name, :3 AS kind FROM dual) n
ON (d.warehouse_id = n.warehouse_id AND d.name = n.name)
WHEN NOT MATCHED THEN INSERT (warehouse_id, name, kind) VALUES (n.warehouse_id, n.name, n.kind);
