-- What identity 4.2.1 asks of the shared database.

-- name: GetUser :one
SELECT id, email, display_name, role, locked, last_login_at FROM users WHERE id = :1;

-- name: GetUserByEmail :one
SELECT id, email, display_name, role, locked FROM users WHERE LOWER(email) = LOWER(:1);

-- name: OpenSession :one
-- ack: sessions.id
INSERT INTO sessions (user_id, user_agent, ip, expires_at) VALUES (:1, :2, :3, SYSTIMESTAMP + INTERVAL '12' HOUR) RETURNING id INTO :4;

-- name: ExtendSession :execrows
UPDATE sessions SET expires_at = GREATEST(expires_at, SYSTIMESTAMP + INTERVAL '1' HOUR) WHERE id = :1;

-- name: ActiveSessions :many
SELECT s.id, s.user_agent, s.created_at, s.expires_at
FROM sessions s
WHERE s.user_id = :1 AND s.expires_at > SYSTIMESTAMP
ORDER BY s.created_at DESC
FETCH FIRST 20 ROWS ONLY;

-- name: PurgeSessions :execrows
DELETE FROM sessions WHERE expires_at < SYSTIMESTAMP - NUMTODSINTERVAL(:1, 'DAY') AND ROWNUM <= 50;

-- name: RecordLogin :exec
UPDATE users SET last_login_at = SYSTIMESTAMP WHERE id = :1;

-- name: KeysWithScope :many
SELECT k.id, k.user_id, k.scopes, k.created_at
FROM api_keys k
WHERE k.revoked_at IS NULL
  AND EXISTS (SELECT 1 FROM JSON_TABLE(k.scopes, '$[*]' COLUMNS (scope_name VARCHAR2(40) PATH '$')) j WHERE j.scope_name = :1)
ORDER BY k.id
FETCH FIRST 50 ROWS ONLY;

-- name: RevokeKey :execrows
UPDATE api_keys SET revoked_at = SYSTIMESTAMP WHERE id = :1 AND revoked_at IS NULL;

-- name: OperatorsPage :many
SELECT id, display_name, role FROM users WHERE role IN ('operator', 'admin') AND id > :1 ORDER BY id FETCH FIRST :2 ROWS ONLY;

-- name: LockedUsers :many
SELECT id, email FROM users WHERE CASE locked WHEN 1 THEN id END IS NOT NULL ORDER BY id FETCH FIRST 100 ROWS ONLY;

-- name: SessionsPerUser :many
SELECT u.id, u.display_name, COUNT(s.id) AS sessions, MAX(s.created_at) AS latest
FROM users u
LEFT JOIN sessions s ON s.user_id = u.id
WHERE u.id IN (:1, :2, :3)
GROUP BY u.id, u.display_name;
