-- What fleet 5.2.0 asks of the shared database.

-- name: Vehicle :one
SELECT v.id, v.plate, v.state, v.odometer_km, t.name AS type_name, t.payload_kg, t.electric
FROM vehicles v
JOIN vehicle_types t ON t.id = v.type_id
WHERE v.id = :1;

-- name: ByPlate :one
SELECT id, state FROM vehicles WHERE plate = :1;

-- name: AtWarehouse :many
SELECT id, plate, state FROM vehicles WHERE home_warehouse_id = :1 ORDER BY plate FETCH FIRST 50 ROWS ONLY;

-- name: SetState :execrows
UPDATE vehicles SET state = :1 WHERE id = :2;

-- name: Drive :execrows
UPDATE vehicles SET odometer_km = odometer_km + 12 WHERE id = :1;

-- name: Relocate :execrows
UPDATE vehicles SET home_warehouse_id = :1 WHERE id = :2;

-- name: Types :many
SELECT id, name, payload_kg FROM vehicle_types WHERE electric = 1 ORDER BY payload_kg;

-- name: ActiveCount :many
SELECT t.name, COUNT(DECODE(v.state, 'active', v.id)) AS active_vehicles, COUNT(*) AS all_vehicles
FROM vehicles v
JOIN vehicle_types t ON t.id = v.type_id
GROUP BY t.name
ORDER BY t.name;

-- name: WithPayload :many
SELECT v.id, v.plate
FROM vehicles v
JOIN vehicle_types t ON t.id = v.type_id
WHERE v.state = 'active' AND t.payload_kg >= :1
ORDER BY t.payload_kg, v.id
FETCH FIRST 10 ROWS ONLY;

-- name: Oldest :many
SELECT id, plate, odometer_km, ROW_NUMBER() OVER (ORDER BY odometer_km DESC) AS r FROM vehicles WHERE home_warehouse_id = :1 FETCH FIRST 10 ROWS ONLY;
