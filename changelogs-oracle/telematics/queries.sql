-- What telematics 8.0.0 asks of the shared database.

-- name: Position :exec
INSERT /*+ IGNORE_ROW_ON_DUPKEY_INDEX(vehicle_positions, vehicle_positions_pk) */ INTO vehicle_positions (vehicle_id, recorded_at, lat, lon, speed_kmh)
VALUES (:1, :2, 50.1, 8.6, 80);

-- name: Positions :execrows
INSERT ALL
  INTO vehicle_positions (vehicle_id, recorded_at, lat, lon) VALUES (first_id, at_time, 51.0, 9.0)
  INTO vehicle_positions (vehicle_id, recorded_at, lat, lon) VALUES (second_id, at_time, 51.1, 9.1)
SELECT :1 AS first_id, :2 AS second_id, CAST(SYS_EXTRACT_UTC(SYSTIMESTAMP) AS TIMESTAMP(3)) AS at_time FROM dual;

-- name: Last :one
SELECT recorded_at, lat, lon, speed_kmh FROM vehicle_positions WHERE vehicle_id = :1 ORDER BY recorded_at DESC FETCH FIRST 1 ROW ONLY;

-- name: Track :many
SELECT recorded_at, lat, lon FROM vehicle_positions WHERE vehicle_id = :1 AND recorded_at >= :2 ORDER BY recorded_at FETCH FIRST 100 ROWS ONLY;

-- name: Speeds :one
SELECT AVG(speed_kmh) AS mean_kmh, MAX(speed_kmh) AS top_kmh FROM vehicle_positions WHERE vehicle_id = :1;

-- name: LastOfMany :many
SELECT v.id, p.recorded_at, p.lat, p.lon
FROM vehicles v
CROSS APPLY (
  SELECT x.recorded_at, x.lat, x.lon FROM vehicle_positions x WHERE x.vehicle_id = v.id ORDER BY x.recorded_at DESC FETCH FIRST 1 ROW ONLY
) p
WHERE v.id IN (:1, :2, :3);

-- name: Stops :many
SELECT recorded_at, lat, lon
FROM (
  SELECT recorded_at, lat, lon, speed_kmh, LAG(speed_kmh) OVER (ORDER BY recorded_at) AS before_kmh FROM vehicle_positions WHERE vehicle_id = :1
) t
WHERE speed_kmh < 5 AND before_kmh >= 5 AND ROWNUM <= 20;

-- name: Silent :many
SELECT v.id, v.plate
FROM vehicles v
WHERE v.state = 'active' AND v.id BETWEEN :1 AND :2
  AND NOT EXISTS (
    SELECT NULL FROM vehicle_positions p WHERE p.vehicle_id = v.id AND p.recorded_at > SYS_EXTRACT_UTC(SYSTIMESTAMP) - INTERVAL '1' DAY
  );

-- name: Box :many
SELECT vehicle_id, recorded_at
FROM vehicle_positions
WHERE vehicle_id = :1 AND lat BETWEEN 48 AND 52 AND lon BETWEEN 8 AND 12
ORDER BY recorded_at DESC
FETCH FIRST 10 ROWS ONLY;
