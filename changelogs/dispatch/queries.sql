-- What dispatch 6.6.0 asks of the shared database.

-- name: NextJobs :many
select id, shipment_id, priority from dispatch_jobs where state = 'waiting' order by priority desc, ready_at limit 3 for update skip locked;

-- name: Job :one
select id, shipment_id, warehouse_id, state, priority, ready_at from dispatch_jobs where id = $1;

-- name: CreateJob :one
-- ack: dispatch_jobs.id
insert into dispatch_jobs (shipment_id, warehouse_id, priority) values ($1, $2, 1) returning id;

-- name: Assign :exec
insert into dispatch_assignments (job_id, driver_id, vehicle_id)
values ($1, $2, $3)
on conflict (job_id) do update
set driver_id = excluded.driver_id, vehicle_id = excluded.vehicle_id, assigned_at = now();

-- name: MarkAssigned :execrows
update dispatch_jobs set state = 'assigned' where id = $1 and state = 'waiting';

-- name: OfShipment :many
select j.id, j.state, a.driver_id, d.name
from dispatch_jobs j
left join dispatch_assignments a on a.job_id = j.id
left join drivers d on d.id = a.driver_id
where j.shipment_id = $1;

-- name: DriverLoad :many
select a.driver_id, count(*) as jobs from dispatch_assignments a where a.driver_id = any($1::bigint[]) group by a.driver_id order by 2;

-- name: FreeDrivers :many
select d.id, d.name
from drivers d
where d.active and d.id between $1 and $1 + 30 and not exists (select 1 from dispatch_assignments a join dispatch_jobs j on j.id = a.job_id where a.driver_id = d.id and j.state = 'running')
order by d.id limit 10;

-- name: FreeVehicles :many
select v.id, v.plate from vehicles v where v.state = 'active' and v.home_warehouse_id = $1 order by v.odometer_km limit 10;

-- name: Hurry :execrows
update dispatch_jobs set priority = least(priority + 1, 9) where id = $1 and state = 'waiting';

-- name: Backlog :many
select warehouse_id, count(*) as waiting, min(ready_at) as oldest
from dispatch_jobs
where state = 'waiting'
group by warehouse_id
order by 2 desc limit 10;
