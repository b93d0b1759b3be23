-- What notifications 4.0.0 asks of the shared database.

-- name: Enqueue :one
-- ack: notifications.id
insert into notifications (customer_id, template_id, channel, payload)
values ($1, $2, 'email', jsonb_build_object('shipment', $3::bigint))
returning id;

-- name: NextQueued :many
select id, customer_id, template_id, channel, payload from notifications where state = 'queued' order by created_at limit 5 for update skip locked;

-- name: Sent :execrows
update notifications set state = 'sent', sent_at = now() where id = $1 and state = 'queued';

-- name: Failed :execrows
update notifications set state = 'failed' where id = $1 and state = 'queued';

-- name: OfCustomer :many
select id, channel, state, created_at from notifications where customer_id = $1 order by created_at desc limit 20;

-- name: Template :one
select id, subject, body from notification_templates where name = $1 and locale = $2;

-- name: SaveTemplate :exec
insert into notification_templates (name, locale, subject, body)
values ($1, $2, $3, 'Dear customer')
on conflict (name, locale) do update
set subject = excluded.subject;

-- name: Recipient :one
select c.id, c.locale, k.email from customers c left join customer_contacts k on k.customer_id = c.id and k.is_primary where c.id = $1;

-- name: Rendered :many
select n.id, t.subject, n.payload ->> 'shipment' as shipment
from notifications n
join notification_templates t on t.id = n.template_id
where n.customer_id = $1
order by n.created_at desc limit 5;

-- name: Latency :one
select avg(sent_at - created_at) as mean from notifications where customer_id = any($1::bigint[]) and sent_at is not null;
