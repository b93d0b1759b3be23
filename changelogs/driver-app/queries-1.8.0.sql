-- What driver-app 1.8.0 asks of the shared database.

-- name: Me :one
select id, name, phone, skills from drivers where id = $1;

-- name: Colleagues :many
select id, name, phone from drivers where country = $1 and active order by name limit 20;

-- name: Unread :many
select id, body, sent_at from driver_messages where driver_id = $1 and read_at is null order by sent_at limit 20;

-- name: MarkRead :execrows
update driver_messages set read_at = now() where id = $1 and read_at is null;

-- name: Say :one
-- ack: driver_messages.id
insert into driver_messages (driver_id, body) values ($1, $2) returning id;

-- name: Hello :execrows
update driver_devices set last_seen_at = now(), app_version = $2 where id = $1;

-- name: Register :one
-- ack: driver_devices.id
insert into driver_devices (driver_id, push_token, app_version) values ($1, $2, '1.9.0') returning id;

-- name: MyJobs :many
select j.id, s.reference, s.status, a.city
from dispatch_assignments x
join dispatch_jobs j on j.id = x.job_id
join shipments s on s.id = j.shipment_id
join addresses a on a.id = s.destination_id
where x.driver_id = $1
order by x.assigned_at desc limit 10;

-- name: JobDetail :one
select j.id, j.state, s.weight_kg, s.attributes ->> 'fragile' as fragile, d.line1, d.city, g.lat, g.lon
from dispatch_jobs j
join shipments s on s.id = j.shipment_id
join addresses d on d.id = s.destination_id
left join geocode_cache g on g.address_id = d.id
where j.id = $1;

-- name: StartJob :execrows
update dispatch_jobs set state = 'running' where id = $1 and state = 'assigned';

-- name: FinishJob :execrows
update dispatch_jobs set state = 'done' where id = $1 and state = 'running';
