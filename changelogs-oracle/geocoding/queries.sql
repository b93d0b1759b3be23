-- What geocoding 1.12.0 asks of the shared database.

-- name: Lookup :one
SELECT lat, lon, provider, confidence FROM geocode_cache WHERE address_id = :1;

-- name: Store :exec
MERGE INTO geocode_cache g
USING (SELECT :1 AS address_id, :2 AS lat, :3 AS lon, :4 AS provider FROM dual) n
ON (g.address_id = n.address_id)
WHEN MATCHED THEN UPDATE SET g.lat = n.lat, g.lon = n.lon, g.provider = n.provider, g.resolved_at = SYSTIMESTAMP
WHEN NOT MATCHED THEN INSERT (address_id, lat, lon, provider, confidence) VALUES (n.address_id, n.lat, n.lon, n.provider, 0.9);

-- name: Stale :many
SELECT id, address_id FROM geocode_cache WHERE id > :1 AND resolved_at < SYSTIMESTAMP - INTERVAL '90' DAY AND ROWNUM <= 25 FOR UPDATE SKIP LOCKED;

-- name: Refresh :execrows
UPDATE geocode_cache SET resolved_at = SYSTIMESTAMP, confidence = LEAST(confidence + 0.01, 1) WHERE address_id = :1;

-- name: Nearby :many
SELECT g.address_id, a.city, g.lat, g.lon
FROM geocode_cache g
JOIN addresses a ON a.id = g.address_id
WHERE g.address_id BETWEEN :1 AND :2 AND g.lat BETWEEN 40 AND 55
ORDER BY ABS(g.lat - 48.1)
FETCH FIRST 10 ROWS ONLY;

-- name: ByProvider :many
SELECT provider, COUNT(*) AS n, AVG(confidence) AS mean_confidence FROM geocode_cache WHERE address_id IN (:1, :2, :3) GROUP BY provider;

-- name: WithAddress :one
SELECT a.id, a.line1, a.city, a.country, g.lat, g.lon FROM addresses a LEFT OUTER JOIN geocode_cache g ON g.address_id = a.id WHERE a.id = :1;

-- name: Distance :one
SELECT o.lat AS from_lat, o.lon AS from_lon, d.lat AS to_lat, d.lon AS to_lon
FROM shipments s
JOIN geocode_cache o ON o.address_id = s.origin_id
JOIN geocode_cache d ON d.address_id = s.destination_id
WHERE s.id = :1;

-- name: LowConfidence :many
SELECT id, address_id, confidence FROM geocode_cache WHERE address_id > :1 AND confidence < 0.6 ORDER BY address_id FETCH FIRST 10 ROWS ONLY;

-- name: CacheAge :one
SELECT MIN(resolved_at) AS oldest, MAX(resolved_at) AS newest FROM geocode_cache WHERE address_id IN (:1, :2, :3);
