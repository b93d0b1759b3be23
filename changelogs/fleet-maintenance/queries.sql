-- What fleet-maintenance 2.1.0 asks of the shared database.

-- name: Due :many
select m.id, v.plate, m.kind, m.due_on
from maintenance_orders m
join vehicles v on v.id = m.vehicle_id
where m.done_on is null and m.due_on <= $1
order by m.due_on limit 20;

-- name: Order :one
select id, vehicle_id, kind, due_on, done_on, cost from maintenance_orders where id = $1;

-- name: Plan :one
-- ack: maintenance_orders.id
insert into maintenance_orders (vehicle_id, kind, due_on) values ($1, $2, current_date + 60) returning id;

-- name: Finish :execrows
update maintenance_orders set done_on = current_date, cost = $2 where id = $1 and done_on is null;

-- name: OfVehicle :many
select id, kind, due_on, done_on from maintenance_orders where vehicle_id = $1 order by due_on desc;

-- name: Postpone :execrows
update maintenance_orders set due_on = due_on + 7 where id = $1 and done_on is null and due_on < current_date + 1000;

-- name: NextJobs :many
select id, vehicle_id from maintenance_orders where done_on is null order by due_on limit 2 for update skip locked;

-- name: Cost :one
select coalesce(sum(cost), 0) as cost, count(*) as orders from maintenance_orders where vehicle_id = $1 and done_on is not null;

-- name: Kinds :many
select kind, count(*) as n, max(due_on) as latest from maintenance_orders where vehicle_id = any($1::bigint[]) group by kind;

-- name: InWorkshop :many
select v.id, v.plate from vehicles v where v.state = 'maintenance' and v.id > $1 order by v.id limit 20;
