-- What orders-api 8.3.0 asks of the shared database.

-- name: GetOrder :one
select id, customer_id, billing_account_id, reference, channel, state, currency, total, shipment_count, details, created_at, updated_at
from orders
where id = $1;

-- name: OrderWithLines :many
select o.id, o.reference, l.line_no, l.sku, l.quantity, l.unit_price, l.quantity * l.unit_price as amount
from orders o
join order_lines l on l.order_id = o.id
where o.id = $1
order by l.line_no;

-- name: PlaceOrder :one
-- ack: orders.id
insert into orders (customer_id, billing_account_id, reference, channel, total, details)
values ($1, (select id from billing_accounts where customer_id = $1 order by id limit 1), $2, $3, $4, '{"incoterm": "DAP"}')
returning id;

-- name: AddLine :exec
insert into order_lines (order_id, line_no, sku, quantity, unit_price)
values ($1, (select coalesce(max(line_no), 0) + 1 from order_lines where order_id = $1), $2, 1, $3)
on conflict (order_id, line_no) do nothing;

-- name: OrdersPage :many
select id, reference, state, total, created_at from orders where (created_at, id) < ($1, $2) order by created_at desc, id desc limit $3;

-- name: OfCustomer :many
select id, reference, state, total from orders where customer_id = $1 order by reference limit 20;

-- name: ByReference :one
select id, state, total from orders where customer_id = $1 and reference = $2;

-- name: Confirm :execrows
update orders set state = 'confirmed' where id = $1 and state = 'open';

-- name: Recalculate :execrows
with sums as (select order_id, sum(quantity * unit_price) as total from order_lines where order_id = $1 group by order_id) update orders o
set total = s.total
from sums s
where o.id = s.order_id;

-- name: LogEvent :one
-- ack: order_events.id
insert into order_events (order_id, kind, payload) values ($1, $2, jsonb_build_object('by', $3::text)) returning id;

-- name: Timeline :many
select e.kind, e.at, e.payload, lag(e.at) over (order by e.at) as previous from order_events e where e.order_id = $1 order by e.at limit 50;

-- name: OldestOpen :many
select id, customer_id, created_at from orders where state = 'open' order by created_at limit $1;

-- name: Gifts :many
select o.id, o.details ->> 'incoterm' as incoterm from orders o where o.customer_id = $1 and o.details @> '{"gift": true}' limit 10;

-- name: ClaimOpen :many
select id from orders where state = 'open' order by created_at limit 3 for update skip locked;

-- name: SkuOrders :many
select l.order_id, l.quantity from order_lines l where l.sku = $1 order by l.order_id desc limit 20;
