-- What audit-log 1.2.0 asks of the shared database.

-- name: Append :one
-- ack: audit_entries.id
INSERT INTO audit_entries (subject, subject_id, action, actor, change_data) VALUES (:1, :2, :3, :4, JSON_OBJECT('by' VALUE 'api')) RETURNING id INTO :5;

-- name: Of :many
SELECT id, action, actor, change_data, audited_at
FROM audit_entries
WHERE subject = :1 AND subject_id = :2
ORDER BY audited_at DESC
FETCH FIRST 50 ROWS ONLY;

-- name: Latest :one
SELECT MAX(action) KEEP (DENSE_RANK LAST ORDER BY audited_at) AS action, MAX(audited_at) AS audited_at
FROM audit_entries
WHERE subject = 'shipment' AND subject_id = :1;

-- name: Page :many
SELECT id, subject, subject_id, action, audited_at FROM audit_entries WHERE id < :1 ORDER BY id DESC FETCH NEXT :2 ROWS ONLY;

-- name: Changes :many
SELECT id, JSON_VALUE(change_data, '$.from') AS before_status, JSON_VALUE(change_data, '$.to') AS after_status, audited_at
FROM audit_entries
WHERE subject = 'shipment' AND subject_id = :1
ORDER BY audited_at;

-- name: Actors :many
SELECT actor, COUNT(*) AS n FROM audit_entries WHERE id BETWEEN :1 AND :2 GROUP BY actor ORDER BY n DESC;

-- name: OfShipment :many
SELECT s.reference, a.action, a.audited_at
FROM shipments s
JOIN audit_entries a ON a.subject = 'shipment' AND a.subject_id = s.id
WHERE s.id = :1
ORDER BY a.audited_at DESC
FETCH FIRST 20 ROWS ONLY;

-- name: ByPath :many
SELECT id, subject_id
FROM audit_entries
WHERE id BETWEEN :1 AND :2 AND JSON_EXISTS(change_data, '$?(@.to == "in_transit")')
FETCH FIRST 20 ROWS ONLY;

-- name: Gaps :many
SELECT id, audited_at, audited_at - LAG(audited_at) OVER (ORDER BY id) AS gap FROM audit_entries WHERE id BETWEEN :1 AND :2 ORDER BY id;

-- name: Purge :execrows
DELETE FROM audit_entries WHERE audited_at < SYSTIMESTAMP - INTERVAL '3650' DAY(4) AND ROWNUM <= 500;
