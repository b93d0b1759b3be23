-- What customs-filings 2.2.0 asks of the shared database.

-- name: Tariff :one
SELECT code, description, duty_percent FROM tariff_codes WHERE code = :1;

-- name: File :one
-- ack: customs_filings.id
INSERT INTO customs_filings (declaration_id, authority, message) VALUES (:1, :2, '{"type": "EX515"}') RETURNING id INTO :3;

-- name: Answer :execrows
UPDATE customs_filings SET answer = '{"code": "OK"}' WHERE id = :1 AND answer IS NULL;

-- name: Unanswered :many
SELECT id, declaration_id, sent_at FROM customs_filings WHERE answer IS NULL ORDER BY sent_at FOR UPDATE SKIP LOCKED;

-- name: LatestAttempt :one
SELECT id, attempt, JSON_VALUE(answer, '$.code') AS answer_code FROM customs_filings WHERE declaration_id = :1 ORDER BY attempt DESC FETCH FIRST 1 ROW ONLY;

-- name: Retry :execrows
INSERT INTO customs_filings (declaration_id, authority, message, attempt)
SELECT f.declaration_id, f.authority, f.message, f.attempt + 1 FROM customs_filings f WHERE f.id = :1;

-- name: Refused :many
SELECT f.id, d.mrn
FROM customs_filings f
JOIN customs_declarations d ON d.id = f.declaration_id
WHERE f.declaration_id IN (:1, :2, :3) AND JSON_EXISTS(f.answer, '$?(@.code == "ERR")');

-- name: DutyRates :many
SELECT code, duty_percent, PERCENT_RANK() OVER (ORDER BY duty_percent) AS duty_rank FROM tariff_codes WHERE code >= :1 ORDER BY code FETCH FIRST 20 ROWS ONLY;

-- name: MessageType :one
SELECT JSON_VALUE(message, '$.type') AS message_type, authority FROM customs_filings WHERE id = :1;

-- name: WithDeclaration :many
SELECT f.id, f.attempt, d.state, d.customs_value
FROM customs_filings f
JOIN customs_declarations d ON d.id = f.declaration_id
WHERE d.shipment_id = :1
ORDER BY f.id;
