-- What emissions 1.0.7 asks of the shared database.

-- name: Of :one
SELECT kg_co2e, method, computed_at FROM shipment_emissions WHERE shipment_id = :1;

-- name: Store :exec
MERGE INTO shipment_emissions e
USING (SELECT :1 AS shipment_id, :2 AS kg_co2e FROM dual) n
ON (e.shipment_id = n.shipment_id)
WHEN MATCHED THEN UPDATE SET e.kg_co2e = n.kg_co2e, e.computed_at = SYSTIMESTAMP
WHEN NOT MATCHED THEN INSERT (shipment_id, kg_co2e) VALUES (n.shipment_id, n.kg_co2e);

-- name: Factor :one
SELECT f.grams_per_tkm, t.name FROM emission_factors f JOIN vehicle_types t ON t.id = f.vehicle_type_id WHERE f.vehicle_type_id = :1;

-- name: Factors :many
SELECT t.name, t.electric, f.grams_per_tkm FROM emission_factors f JOIN vehicle_types t ON t.id = f.vehicle_type_id ORDER BY f.grams_per_tkm;

-- name: Recompute :many
SELECT s.id, s.weight_kg, r.lane_id, l.distance_km
FROM shipments s
JOIN routes r ON r.shipment_id = s.id
JOIN lanes l ON l.id = r.lane_id
WHERE s.id IN (:1, :2, :3);

-- name: Estimate :one
SELECT MAX(s.weight_kg) / 1000 * NVL(MAX(l.distance_km), 500) * 0.08 AS kg
FROM shipments s, routes r, lanes l
WHERE r.shipment_id (+) = s.id AND l.id (+) = r.lane_id AND s.id = :1;

-- name: Adjust :execrows
UPDATE emission_factors SET grams_per_tkm = grams_per_tkm + 0.001 WHERE vehicle_type_id = :1;

-- name: Methods :many
SELECT method, COUNT(*) AS n, SUM(kg_co2e) AS kg FROM shipment_emissions WHERE shipment_id IN (:1, :2, :3) GROUP BY method;

-- name: OfOrder :one
SELECT o.id, SUM(e.kg_co2e) AS kg
FROM orders o
JOIN shipments s ON s.order_id = o.id
JOIN shipment_emissions e ON e.shipment_id = s.id
WHERE o.id = :1
GROUP BY o.id;

-- name: Heaviest :many
SELECT shipment_id, kg_co2e FROM shipment_emissions WHERE shipment_id BETWEEN :1 AND :2 ORDER BY kg_co2e DESC FETCH FIRST 5 ROWS WITH TIES;
