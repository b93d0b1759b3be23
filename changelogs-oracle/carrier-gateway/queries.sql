-- What carrier-gateway 3.8.2 asks of the shared database.

-- name: GetCarrier :one
SELECT id, scac, name, country, active, capabilities, settings FROM carriers WHERE id = :1;

-- name: ByScac :one
SELECT id, name, active FROM carriers WHERE scac = :1;

-- name: WithCapability :many
SELECT k.id, k.scac, k.name
FROM carriers k, JSON_TABLE(k.capabilities, '$[*]' COLUMNS (capability VARCHAR2(40) PATH '$')) j
WHERE j.capability = :1 AND k.active = 1
ORDER BY k.name
FETCH FIRST 50 ROWS ONLY;

-- name: Book :one
-- ack: carrier_bookings.id
INSERT INTO carrier_bookings (shipment_id, carrier_id, booking_ref, cost) VALUES (:1, :2, :3, :4) RETURNING id INTO :5;

-- name: ConfirmBooking :execrows
UPDATE carrier_bookings SET state = 'confirmed' WHERE id = :1 AND state = 'requested';

-- name: NextRequests :many
SELECT id, shipment_id, carrier_id
FROM carrier_bookings
WHERE id IN (
  SELECT q.id FROM (SELECT b.id FROM carrier_bookings b WHERE b.carrier_id = :1 AND b.state = 'requested' ORDER BY b.requested_at) q WHERE ROWNUM <= 5
)
FOR UPDATE SKIP LOCKED;

-- name: BookingsOf :many
SELECT b.id, b.state, b.cost, k.name
FROM carrier_bookings b
JOIN carriers k ON k.id = b.carrier_id
WHERE b.shipment_id = :1
ORDER BY b.requested_at DESC;

-- name: Cutoff :one
SELECT JSON_VALUE(settings, '$.cutoff') AS cutoff, JSON_VALUE(settings, '$.edi') AS edi FROM carriers WHERE id = :1;

-- name: SetCutoff :exec
UPDATE carriers SET settings = JSON_MERGEPATCH(settings, JSON_OBJECT('cutoff' VALUE :1) RETURNING CLOB), updated_at = SYSTIMESTAMP WHERE id = :2;

-- name: Candidates :many
SELECT k.id, k.name, COUNT(b.id) AS requested
FROM carriers k
LEFT JOIN carrier_bookings b ON b.carrier_id = k.id AND b.state = 'requested'
WHERE k.country = :1 AND k.active = 1
GROUP BY k.id, k.name
ORDER BY 3 DESC
FETCH FIRST 10 ROWS ONLY;

-- name: CheapestBooking :one
SELECT id, cost
FROM (SELECT b.id, b.cost, ROW_NUMBER() OVER (ORDER BY b.cost) AS r FROM carrier_bookings b WHERE b.shipment_id = :1 AND b.cost IS NOT NULL)
WHERE r = 1;
