-- What fleet-maintenance 2.1.0 asks of the shared database.

-- name: Due :many
SELECT m.id, v.plate, m.kind, m.due_on
FROM maintenance_orders m
JOIN vehicles v ON v.id = m.vehicle_id
WHERE m.done_on IS NULL AND m.due_on <= :1
ORDER BY m.due_on
FETCH FIRST 20 ROWS ONLY;

-- name: Order :one
SELECT id, vehicle_id, kind, due_on, done_on, cost FROM maintenance_orders WHERE id = :1;

-- name: Plan :one
-- ack: maintenance_orders.id
INSERT INTO maintenance_orders (vehicle_id, kind, due_on) VALUES (:1, :2, TRUNC(SYSDATE) + 60) RETURNING id INTO :3;

-- name: Finish :execrows
UPDATE maintenance_orders SET done_on = TRUNC(SYSDATE), cost = :1 WHERE id = :2 AND done_on IS NULL;

-- name: OfVehicle :many
SELECT id, kind, due_on, done_on FROM maintenance_orders WHERE vehicle_id = :1 ORDER BY due_on DESC;

-- name: Postpone :execrows
UPDATE maintenance_orders SET due_on = due_on + 7 WHERE id = :1 AND done_on IS NULL AND due_on < TRUNC(SYSDATE) + 1000;

-- name: NextJobs :many
SELECT id, vehicle_id FROM maintenance_orders WHERE done_on IS NULL AND ROWNUM <= 2 FOR UPDATE SKIP LOCKED;

-- name: Cost :one
SELECT NVL(SUM(cost), 0) AS cost, COUNT(*) AS orders FROM maintenance_orders WHERE vehicle_id = :1 AND done_on IS NOT NULL;

-- name: Kinds :many
SELECT kind, COUNT(*) AS n, MAX(due_on) AS latest FROM maintenance_orders WHERE vehicle_id IN (:1, :2, :3) GROUP BY kind;

-- name: InWorkshop :many
SELECT v.id, v.plate FROM vehicles v WHERE v.state = 'maintenance' AND v.id > :1 ORDER BY v.id FETCH FIRST 20 ROWS ONLY;
