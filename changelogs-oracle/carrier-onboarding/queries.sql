-- What carrier-onboarding 1.4.0 asks of the shared database.

-- name: Application :one
SELECT id, company, country, state, carrier_id, answers, received_at FROM carrier_applications WHERE id = :1;

-- name: Apply :one
-- ack: carrier_applications.id
INSERT INTO carrier_applications (company, country, answers) VALUES (:1, :2, JSON_OBJECT('trucks' VALUE :3)) RETURNING id INTO :4;

-- name: Queue :many
SELECT id, company, received_at FROM carrier_applications WHERE state = :1 ORDER BY received_at FETCH FIRST :2 ROWS ONLY;

-- name: LockForReview :one
SELECT id, company FROM carrier_applications WHERE state = 'received' AND ROWNUM = 1 FOR UPDATE SKIP LOCKED;

-- name: StartReview :execrows
UPDATE carrier_applications SET state = 'review' WHERE id = :1 AND state = 'received';

-- name: Documents :many
SELECT id, kind, expires_on FROM carrier_documents WHERE application_id = :1 ORDER BY kind;

-- name: AddDocument :exec
INSERT INTO carrier_documents (application_id, kind, expires_on, checksum)
SELECT :1, :2, TRUNC(SYSDATE) + 365, :3 FROM dual
WHERE NOT EXISTS (SELECT 1 FROM carrier_documents d WHERE d.application_id = :4 AND d.kind = :5 AND d.checksum = :6);

-- name: Expiring :many
SELECT d.id, a.company, d.kind, d.expires_on
FROM carrier_documents d
JOIN carrier_applications a ON a.id = d.application_id
WHERE d.expires_on BETWEEN TRUNC(SYSDATE) AND ADD_MONTHS(TRUNC(SYSDATE), 13)
ORDER BY d.expires_on
FETCH FIRST 20 ROWS ONLY;

-- name: AcceptedCarriers :many
SELECT a.id, k.name, k.scac
FROM carrier_applications a
JOIN carriers k ON k.id = a.carrier_id
WHERE a.state = 'accepted' AND a.id > :1
ORDER BY a.id
FETCH FIRST 20 ROWS ONLY;

-- name: BigFleets :many
SELECT id, company, JSON_VALUE(answers, '$.trucks' RETURNING NUMBER) AS trucks
FROM carrier_applications
WHERE state = 'review' AND JSON_VALUE(answers, '$.trucks' RETURNING NUMBER) > :1
ORDER BY 3 DESC
FETCH FIRST 10 ROWS ONLY;

-- name: StateCounts :many
SELECT state, COUNT(*) AS n, MIN(received_at) AS oldest FROM carrier_applications GROUP BY state ORDER BY state;
