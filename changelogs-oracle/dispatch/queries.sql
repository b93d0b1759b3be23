-- What dispatch 6.6.0 asks of the shared database.

-- name: NextJobs :many
SELECT id, shipment_id, priority FROM dispatch_jobs WHERE state = 'waiting' ORDER BY priority DESC, ready_at FOR UPDATE SKIP LOCKED;

-- name: Job :one
SELECT id, shipment_id, warehouse_id, state, priority, ready_at FROM dispatch_jobs WHERE id = :1;

-- name: CreateJob :one
-- ack: dispatch_jobs.id
INSERT INTO dispatch_jobs (shipment_id, warehouse_id, priority) VALUES (:1, :2, 1) RETURNING id INTO :3;

-- name: Assign :exec
MERGE INTO dispatch_assignments a
USING (SELECT :1 AS job_id, :2 AS driver_id, :3 AS vehicle_id FROM dual) n
ON (a.job_id = n.job_id)
WHEN MATCHED THEN UPDATE SET a.driver_id = n.driver_id, a.vehicle_id = n.vehicle_id, a.assigned_at = SYSTIMESTAMP
WHEN NOT MATCHED THEN INSERT (job_id, driver_id, vehicle_id) VALUES (n.job_id, n.driver_id, n.vehicle_id);

-- name: MarkAssigned :execrows
UPDATE dispatch_jobs SET state = 'assigned' WHERE id = :1 AND state = 'waiting';

-- name: OfShipment :many
SELECT j.id, j.state, a.driver_id, d.name
FROM dispatch_jobs j, dispatch_assignments a, drivers d
WHERE a.job_id (+) = j.id AND d.id (+) = a.driver_id AND j.shipment_id = :1;

-- name: DriverLoad :many
SELECT a.driver_id, COUNT(*) AS jobs FROM dispatch_assignments a WHERE a.driver_id IN (:1, :2, :3) GROUP BY a.driver_id ORDER BY 2;

-- name: FreeDrivers :many
SELECT d.id, d.name
FROM drivers d
WHERE d.active = 1 AND d.id BETWEEN :1 AND :2
  AND NOT EXISTS (SELECT 1 FROM dispatch_assignments a JOIN dispatch_jobs j ON j.id = a.job_id WHERE a.driver_id = d.id AND j.state = 'running')
ORDER BY d.id
FETCH FIRST 10 ROWS ONLY;

-- name: FreeVehicles :many
SELECT v.id, v.plate FROM vehicles v WHERE v.state = 'active' AND v.home_warehouse_id = :1 ORDER BY v.odometer_km FETCH FIRST 10 ROWS ONLY;

-- name: Hurry :execrows
UPDATE dispatch_jobs SET priority = LEAST(priority + 1, 9) WHERE id = :1 AND state = 'waiting';

-- name: Backlog :many
SELECT warehouse_id, COUNT(*) AS waiting, MIN(ready_at) AS oldest
FROM dispatch_jobs
WHERE state = 'waiting'
GROUP BY warehouse_id
ORDER BY 2 DESC
FETCH FIRST 10 ROWS ONLY;
