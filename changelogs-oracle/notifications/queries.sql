-- What notifications 4.1.0 asks of the shared database.

-- name: Enqueue :one
-- ack: notifications.id
INSERT INTO notifications (customer_id, template_id, channel, payload)
VALUES (:1, :2, 'email', JSON_OBJECT('shipment' VALUE :3))
RETURNING id INTO :4;

-- name: NextQueued :many
SELECT id, customer_id, template_id, channel, payload FROM notifications WHERE state = 'queued' AND ROWNUM <= 5 FOR UPDATE SKIP LOCKED;

-- name: Sent :execrows
UPDATE notifications SET state = 'sent', sent_at = SYSTIMESTAMP WHERE id = :1 AND state = 'queued';

-- name: Failed :execrows
UPDATE notifications SET state = 'failed' WHERE id = :1 AND state = 'queued';

-- name: OfCustomer :many
SELECT id, channel, state, created_at FROM notifications WHERE customer_id = :1 ORDER BY created_at DESC FETCH FIRST 20 ROWS ONLY;

-- name: Template :one
SELECT id, subject, body FROM notification_templates WHERE name = :1 AND locale = :2;

-- name: SaveTemplate :exec
MERGE INTO notification_templates t
USING (SELECT :1 AS name, :2 AS locale, :3 AS subject FROM dual) n
ON (t.name = n.name AND t.locale = n.locale)
WHEN MATCHED THEN UPDATE SET t.subject = n.subject
WHEN NOT MATCHED THEN INSERT (name, locale, subject, body) VALUES (n.name, n.locale, n.subject, 'Dear customer');

-- name: Recipient :one
SELECT c.id, c.locale, c.marketing_opt_in, k.email, k.phone
FROM customers c
LEFT JOIN customer_contacts k ON k.customer_id = c.id AND k.is_primary = 1
WHERE c.id = :1;

-- name: Channels :many
SELECT channel, COUNT(*) AS n, MAX(sent_at) AS latest FROM notifications WHERE customer_id = :1 GROUP BY channel ORDER BY channel;

-- name: Rendered :many
SELECT n.id, t.subject, JSON_VALUE(n.payload, '$.shipment' RETURNING NUMBER) AS shipment
FROM notifications n
JOIN notification_templates t ON t.id = n.template_id
WHERE n.customer_id = :1
ORDER BY n.created_at DESC
FETCH FIRST 5 ROWS ONLY;

-- name: Latency :one
SELECT AVG(EXTRACT(SECOND FROM (sent_at - created_at)) + 60 * EXTRACT(MINUTE FROM (sent_at - created_at))) AS mean_seconds
FROM notifications
WHERE customer_id IN (:1, :2, :3) AND sent_at IS NOT NULL;
