-- What routing-engine 7.1.0 asks of the shared database.

-- name: Lane :one
SELECT id, distance_km, transit_hours FROM lanes WHERE origin_country = :1 AND destination_country = :2;

-- name: LaneById :one
SELECT id, origin_country, destination_country, distance_km FROM lanes WHERE id = :1;

-- name: CurrentRoute :one
SELECT id, lane_id, version_no, plan FROM routes WHERE shipment_id = :1 ORDER BY version_no DESC FETCH FIRST 1 ROW ONLY;

-- name: SaveRoute :one
-- ack: routes.id
INSERT INTO routes (shipment_id, lane_id, version_no, plan) VALUES (:1, :2, 1, '{"mode": "road", "legs": 2}') RETURNING id INTO :3;

-- name: AddStop :exec
MERGE INTO route_stops st
USING (SELECT :1 AS route_id, 9 AS seq, :2 AS facility FROM dual) n
ON (st.route_id = n.route_id AND st.seq = n.seq)
WHEN MATCHED THEN UPDATE SET st.eta = SYSTIMESTAMP + INTERVAL '1' DAY
WHEN NOT MATCHED THEN INSERT (route_id, seq, facility, eta) VALUES (n.route_id, n.seq, n.facility, SYSTIMESTAMP + INTERVAL '1' DAY);

-- name: CopyStops :execrows
INSERT INTO route_stops SELECT :1, x.seq, x.facility, x.eta FROM route_stops x WHERE x.route_id = :2;

-- name: Stops :many
SELECT seq, facility, eta, eta - LAG(eta) OVER (ORDER BY seq) AS leg FROM route_stops WHERE route_id = :1 ORDER BY seq;

-- name: ArrivingAt :many
SELECT r.shipment_id, st.eta
FROM route_stops st
JOIN routes r ON r.id = st.route_id
WHERE st.facility = :1 AND st.eta >= :2
ORDER BY st.eta
FETCH FIRST 20 ROWS ONLY;

-- name: Replan :execrows
UPDATE routes SET version_no = version_no + 1, plan = JSON_MERGEPATCH(plan, '{"mode": "road"}' RETURNING CLOB), computed_at = SYSTIMESTAMP WHERE id = :1;

-- name: ByMode :many
SELECT JSON_VALUE(plan, '$.mode') AS transport_mode, COUNT(*) AS n FROM routes WHERE shipment_id IN (:1, :2, :3) GROUP BY JSON_VALUE(plan, '$.mode');

-- name: ShipmentLanes :many
SELECT s.id, o.country AS origin, d.country AS destination, l.transit_hours
FROM shipments s
JOIN addresses o ON o.id = s.origin_id
JOIN addresses d ON d.id = s.destination_id
LEFT JOIN lanes l ON l.origin_country = o.country AND l.destination_country = d.country
WHERE s.id = :1;

-- name: Chains :many
SELECT SYS_CONNECT_BY_PATH(origin_country, '/') || '/' || destination_country AS path, LEVEL AS legs
FROM lanes
START WITH origin_country = :1
CONNECT BY NOCYCLE PRIOR destination_country = origin_country AND LEVEL <= 3
ORDER BY LEVEL
FETCH FIRST 20 ROWS ONLY;

-- name: SlowLanes :many
SELECT id, transit_hours, NTILE(4) OVER (ORDER BY transit_hours) AS quartile FROM lanes ORDER BY transit_hours DESC FETCH FIRST :1 ROWS ONLY;
