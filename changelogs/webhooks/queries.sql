-- What webhooks 2.3.0 asks of the shared database.

-- name: Endpoints :many
select id, url, events from webhook_endpoints where customer_id = $1 and active order by id;

-- name: Listening :many
select id, url from webhook_endpoints where active and events @> $1::text[] order by id limit 20;

-- name: AddEndpoint :one
-- ack: webhook_endpoints.id
insert into webhook_endpoints (customer_id, url, events) values ($1, $2, '{shipment.delivered}') returning id;

-- name: Disable :execrows
update webhook_endpoints set active = false where id = $1 and active;

-- name: Enable :execrows
update webhook_endpoints set active = true where id = $1 and not active;

-- name: Deliver :one
-- ack: webhook_deliveries.id
insert into webhook_deliveries (endpoint_id, event, body) values ($1, $2, '{"status": "delivered"}') returning id;

-- name: Due :many
select d.id, d.body, e.url
from webhook_deliveries d
join webhook_endpoints e on e.id = d.endpoint_id
where d.status is null
order by d.next_try_at limit 5
for update of d skip locked;

-- name: Delivered :execrows
update webhook_deliveries set status = 200, attempts = attempts + 1 where id = $1 and status is null;

-- name: BackOff :execrows
update webhook_deliveries
set attempts = attempts + 1, next_try_at = now() + interval '1 minute' * least(attempts, 60)
where id = $1 and status is null;

-- name: Delivery :one
select id, endpoint_id, event, status, attempts, next_try_at from webhook_deliveries where id = $1;
