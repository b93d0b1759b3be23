-- What manifests 2.8.0 asks of the shared database.

-- name: Manifest :one
select m.id, m.day, m.closed_at, k.name as carrier, w.code as warehouse
from manifests m
join carriers k on k.id = m.carrier_id
join warehouses w on w.id = m.warehouse_id
where m.id = $1;

-- name: Open :one
-- ack: manifests.id
insert into manifests (carrier_id, warehouse_id, day) values ($1, $2, current_date) returning id;

-- name: Add :exec
insert into manifest_shipments (manifest_id, shipment_id) values ($1, $2) on conflict (manifest_id, shipment_id) do nothing;

-- name: Content :many
select s.id, s.reference, s.weight_kg
from manifest_shipments x
join shipments s on s.id = x.shipment_id
where x.manifest_id = $1
order by s.id limit 100;

-- name: Close :execrows
update manifests set closed_at = now() where id = $1 and closed_at is null;

-- name: OfDay :many
select id, carrier_id, warehouse_id, closed_at from manifests where day = $1 order by carrier_id limit 50;

-- name: WhereIs :many
select m.id, m.day, m.closed_at from manifest_shipments x join manifests m on m.id = x.manifest_id where x.shipment_id = $1;

-- name: Weight :one
select count(*) as shipments, sum(s.weight_kg) as weight from manifest_shipments x join shipments s on s.id = x.shipment_id where x.manifest_id = $1;

-- name: CarrierDays :many
select day, count(*) as manifests, count(closed_at) as closed from manifests where day between $1 and $1 + 2 group by day order by day;

-- name: Unclosed :many
select id, carrier_id from manifests where day = $1 and closed_at is null order by id limit 5 for update skip locked;
