-- What capacity-planner 2.4.0 asks of the shared database.

-- name: Plan :one
SELECT id, planned_kg, booked_kg FROM capacity_plans WHERE lane_id = :1 AND day = TRUNC(:2);

-- name: SavePlan :exec
MERGE INTO capacity_plans p
USING (SELECT :1 AS lane_id, TRUNC(:2) AS day, 12000 AS planned_kg FROM dual) n
ON (p.lane_id = n.lane_id AND p.day = n.day)
WHEN MATCHED THEN UPDATE SET p.planned_kg = n.planned_kg
WHEN NOT MATCHED THEN INSERT (lane_id, day, planned_kg) VALUES (n.lane_id, n.day, n.planned_kg);

-- name: BookKg :execrows
UPDATE capacity_plans SET booked_kg = booked_kg + :1 WHERE lane_id = :2 AND day = :3 AND booked_kg < planned_kg;

-- name: Week :many
SELECT day, planned_kg, booked_kg, booked_kg / NULLIF(planned_kg, 0) AS fill_rate
FROM capacity_plans
WHERE lane_id = :1 AND day >= :2
ORDER BY day
FETCH FIRST 7 ROWS ONLY;

-- name: Full :many
SELECT lane_id, day FROM capacity_plans WHERE day = :1 AND booked_kg > planned_kg * 0.8 ORDER BY lane_id FETCH FIRST 20 ROWS ONLY;

-- name: Trend :many
SELECT day, booked_kg, AVG(booked_kg) OVER (ORDER BY day ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS mean_kg
FROM capacity_plans
WHERE lane_id = :1
ORDER BY day
FETCH FIRST 30 ROWS ONLY;

-- name: EmptyDays :many
WITH days AS (SELECT TRUNC(SYSDATE) + LEVEL - 1 AS day FROM dual CONNECT BY LEVEL <= 14)
SELECT d.day
FROM days d
LEFT JOIN capacity_plans p ON p.day = d.day AND p.lane_id = :1
WHERE p.id IS NULL
ORDER BY d.day;

-- name: ByOrigin :many
SELECT l.origin_country, SUM(p.planned_kg) AS planned, SUM(p.booked_kg) AS booked
FROM capacity_plans p
JOIN lanes l ON l.id = p.lane_id
WHERE p.day = :1
GROUP BY l.origin_country
ORDER BY 1;

-- name: Demand :many
SELECT d.day, SUM(d.weight_kg) AS kg FROM daily_shipments d WHERE d.carrier_id = :1 GROUP BY d.day ORDER BY d.day DESC FETCH FIRST 14 ROWS ONLY;

-- name: Release :execrows
UPDATE capacity_plans SET booked_kg = GREATEST(booked_kg - 1, 0) WHERE id = :1;
