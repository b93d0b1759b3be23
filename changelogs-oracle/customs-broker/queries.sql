-- What customs-broker 4.0.1 asks of the shared database.

-- name: Declaration :one
SELECT id, shipment_id, mrn, regime, state, customs_value, documents FROM customs_declarations WHERE id = :1;

-- name: OfShipment :many
SELECT id, mrn, state FROM customs_declarations WHERE shipment_id = :1 ORDER BY id;

-- name: Draft :one
-- ack: customs_declarations.id
INSERT INTO customs_declarations (shipment_id, regime, customs_value) VALUES (:1, :2, :3) RETURNING id INTO :4;

-- name: AddLine :one
-- ack: customs_lines.id
INSERT INTO customs_lines (declaration_id, tariff_code, origin, quantity, customs_value) VALUES (:1, :2, :3, 2, :4) RETURNING id INTO :5;

-- name: Duty :one
SELECT SUM(l.customs_value * t.duty_percent / 100) AS duty FROM customs_lines l JOIN tariff_codes t ON t.code = l.tariff_code WHERE l.declaration_id = :1;

-- name: Lodge :execrows
UPDATE customs_declarations SET state = 'lodged' WHERE id = :1 AND state = 'draft';

-- name: ByMrn :one
SELECT id, state FROM customs_declarations WHERE mrn = :1;

-- name: DocumentKinds :many
SELECT d.id, x.kind
FROM customs_declarations d
CROSS APPLY JSON_TABLE(d.documents, '$[*]' COLUMNS (kind VARCHAR2(40) PATH '$.kind', page_count NUMBER PATH '$.pages')) x
WHERE d.id = :1;

-- name: Lines :many
SELECT l.id, l.tariff_code, t.description, l.quantity, l.customs_value
FROM customs_lines l, tariff_codes t
WHERE t.code = l.tariff_code AND l.declaration_id = :1
ORDER BY l.id;

-- name: InCustoms :many
SELECT s.id, s.reference, d.state
FROM shipments s
JOIN customs_declarations d ON d.shipment_id = s.id
WHERE d.id BETWEEN :1 AND :2 AND s.status = 'customs';
