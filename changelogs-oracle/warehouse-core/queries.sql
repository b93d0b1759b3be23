-- What warehouse-core 5.6.0 asks of the shared database.

-- name: Warehouse :one
SELECT id, code, name, country, timezone FROM warehouses WHERE id = :1;

-- name: ByCode :one
SELECT id, name FROM warehouses WHERE code = :1;

-- name: ActiveIn :many
SELECT id, code, name FROM warehouses WHERE country = :1 AND active = 1 ORDER BY code;

-- name: Zones :many
SELECT z.id, z.name, z.temperature, COUNT(b.id) AS bins
FROM warehouse_zones z
LEFT JOIN bins b ON b.zone_id = z.id
WHERE z.warehouse_id = :1
GROUP BY z.id, z.name, z.temperature
ORDER BY z.name;

-- name: ZoneTree :many
SELECT LPAD(' ', 2 * (LEVEL - 1)) || name AS indented, id, CONNECT_BY_ISLEAF AS leaf
FROM warehouse_zones
START WITH parent_id IS NULL AND warehouse_id = :1
CONNECT BY PRIOR id = parent_id
ORDER SIBLINGS BY name;

-- name: Bins :many
SELECT id, label, capacity FROM bins WHERE zone_id = :1 ORDER BY label;

-- name: AddBin :exec
MERGE INTO bins b
USING (SELECT :1 AS zone_id, :2 AS label FROM dual) n
ON (b.zone_id = n.zone_id AND b.label = n.label)
WHEN MATCHED THEN UPDATE SET b.capacity = 80
WHEN NOT MATCHED THEN INSERT (zone_id, label, capacity) VALUES (n.zone_id, n.label, 80);

-- name: FreeBins :many
SELECT b.id, b.label, b.capacity - NVL(SUM(s.quantity), 0) AS free_places
FROM bins b, stock_levels s
WHERE s.bin_id (+) = b.id AND b.zone_id = :1
GROUP BY b.id, b.label, b.capacity
ORDER BY 3 DESC
FETCH FIRST 5 ROWS ONLY;

-- name: Resize :execrows
UPDATE bins SET capacity = GREATEST(capacity, 60) WHERE id = :1;

-- name: ColdStorage :many
SELECT w.code, z.name FROM warehouses w JOIN warehouse_zones z ON z.warehouse_id = w.id WHERE z.temperature = :1 ORDER BY w.code, z.name FETCH FIRST 50 ROWS ONLY;

-- name: Capacity :one
SELECT SUM(b.capacity) AS capacity FROM bins b JOIN warehouse_zones z ON z.id = b.zone_id WHERE z.warehouse_id = :1;
