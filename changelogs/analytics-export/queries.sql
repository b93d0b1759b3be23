-- What analytics-export 3.3.0 asks of the shared database.

-- name: Jobs :many
select id, dataset, state, rows_written, created_at from export_jobs where id > $1 order by id limit $2;

-- name: NewJob :one
-- ack: export_jobs.id
insert into export_jobs (dataset, since) values ($1, $2) returning id;

-- name: TakeJob :many
update export_jobs
set state = 'running'
where id in (select id from export_jobs where state = 'queued' order by created_at limit 1 for update skip locked)
returning id, dataset, since;

-- name: FinishJob :execrows
update export_jobs set state = 'done', rows_written = coalesce(rows_written, 0) + 1 where id = $1 and state = 'running';

-- name: Shipments :many
copy (select id, reference, status, weight_kg, created_at from shipments order by created_at, id limit 500) to stdout;

-- name: Events :many
copy (select id, shipment_id, kind, facility, occurred_at from tracking_events where shipment_id between 1 and 40 order by id limit 500) to stdout;

-- name: OrdersSince :many
select id, customer_id, state, total, updated_at from orders where (created_at, id) > ($1, $2) order by created_at, id limit $3;

-- name: EventsSince :many
select id, shipment_id, kind, occurred_at
from tracking_events
where occurred_at >= $1 and occurred_at < $1 + interval '5 minutes'
order by occurred_at, id limit 200;

-- name: ChargesSince :many
select id, account_id, kind, amount, at from charges where id > $1 order by id limit 100;

-- name: Daily :many
select day, sum(shipments) as shipments, sum(weight_kg) as weight
from daily_shipments
where day between $1::date and $1::date + 7
group by day
order by day;
