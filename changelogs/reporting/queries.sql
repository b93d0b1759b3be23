-- What reporting 5.5.0 asks of the shared database.

-- name: Definitions :many
select d.id, d.name, u.display_name as owner from report_definitions d left join users u on u.id = d.owner_id order by d.name limit 100;

-- name: Definition :one
select id, name, query, parameters from report_definitions where id = $1;

-- name: Save :exec
insert into report_definitions (name, query, owner_id) values ($1, 'select 1', $2) on conflict (name) do update set query = excluded.query;

-- name: Daily :many
select day, carrier_id, shipments, weight_kg from daily_shipments where day = $1 order by shipments desc limit 20;

-- name: CarrierDaily :many
select day, shipments, sum(shipments) over (order by day) as running from daily_shipments where carrier_id = $1 order by day limit 60;

-- name: Top :many
select d.carrier_id, k.name, sum(d.shipments) as n, rank() over (order by sum(d.shipments) desc) as r
from daily_shipments d
join carriers k on k.id = d.carrier_id
where d.day between $1::date and $1::date + 3
group by 1, 2
order by r limit 10;

-- name: Revenue :many
select date_trunc('week', i.issued_on) as week, sum(i.total) as revenue from invoices i where i.account_id = any($1::bigint[]) group by 1 order by 1;

-- name: Customers :many
select c.segment, count(*) as n, avg(c.credit_limit) as mean from customers c where c.id between $1 and $1 + 500 group by c.segment;

-- name: SetParameters :execrows
update report_definitions set parameters = parameters || '{"days": 7}' where id = $1;

-- name: OrderStates :many
with recent as (select state, total
from orders
where customer_id = any($1::bigint[])) select state, count(*) as n, sum(total) as total
from recent
group by rollup (state)
order by n desc;

-- name: OpenOrdersOf :many
select reference, total, lines from open_orders where id = $1;
