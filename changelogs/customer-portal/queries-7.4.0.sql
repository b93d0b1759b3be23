-- What customer-portal 7.4.0 asks of the shared database.

-- name: MyShipments :many
select s.id, s.reference, s.status, s.promised_at
from shipments s
join orders o on o.id = s.order_id
where o.customer_id = $1 and o.reference = $2
order by s.id limit 20;

-- name: ShipmentCard :one
select o.reference, o.status, o.carrier_name, o.promised_at, o.delivered_at from shipment_overview o where o.reference = $1;

-- name: MyInvoices :many
select i.number, i.state, i.total, i.due_on
from invoices i
join billing_accounts b on b.id = i.account_id
where b.customer_id = $1
order by i.issued_on desc nulls last limit 12;

-- name: Dashboard :one
select c.name, b.balance from customers c join billing_accounts b on b.customer_id = c.id where c.id = $1;

-- name: SavedViews :many
select id, name, filter from portal_saved_views where user_id = $1 order by name;

-- name: SaveView :exec
insert into portal_saved_views (user_id, name, filter)
values ($1, $2, '{"status": "delivered"}')
on conflict (user_id, name) do update
set filter = excluded.filter;

-- name: Feedback :one
-- ack: portal_feedback.id
insert into portal_feedback (customer_id, score, comment) values ($1, 9, $2) returning id;

-- name: MyAddresses :many
select id, line1, city, postcode, country from addresses where customer_id = $1 order by id limit 50;

-- name: MyQuotes :many
select id, state, total, valid_until from quotes where customer_id = $1 order by created_at desc limit 10;

-- name: MyReturns :many
select r.id, r.reason, r.state from returns r where r.shipment_id = any($1::bigint[]) order by r.id;

-- name: TrackMine :many
select s.reference, e.kind, e.occurred_at
from shipments s
join tracking_events e on e.shipment_id = s.id
where s.id = $1
order by e.occurred_at desc limit 10;
