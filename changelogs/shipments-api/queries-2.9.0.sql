-- What shipments-api 2.9.0 asks of the shared database.

-- name: GetShipment :one
select id, reference, order_id, customer_id, carrier_id, status, service_level, weight_kg, promised_at, delivered_at from shipments where id = $1;

-- name: ByReference :one
select id, status, promised_at from shipments where reference = $1;

-- name: CreateShipment :one
-- ack: shipments.id
insert into shipments (order_id, customer_id, origin_id, destination_id, service_level, weight_kg, promised_at)
values ($1, $2, $3, $4, 'standard', $5, now() + interval '3 days')
returning id;

-- name: AddItem :one
-- ack: shipment_items.id
insert into shipment_items (shipment_id, sku, quantity, weight_kg) values ($1, $2, 1, $3) returning id;

-- name: Items :many
select i.id, i.sku, i.quantity, p.name from shipment_items i left join products p on p.sku = i.sku where i.shipment_id = $1 order by i.id;

-- name: SetStatus :execrows
update shipments set status = $2 where id = $1;

-- name: Deliver :execrows
update shipments set status = 'delivered', delivered_at = greatest(created_at, now()) where id = $1 and status in ('out_for_delivery', 'in_transit');

-- name: AssignCarrier :execrows
update shipments set carrier_id = $2 where id = $1;

-- name: OfOrder :many
select id, reference, status from shipments where order_id = $1 order by id;

-- name: ShipmentsPage :many
select id, reference, status, created_at from shipments where (created_at, id) < ($1, $2) order by created_at desc, id desc limit $3;

-- name: Overview :one
select id, reference, status, customer_name, carrier_name, promised_at from shipment_overview where id = $1;

-- name: LateShipments :many
select s.id, s.reference, now() - s.promised_at as late_by
from shipments s
where s.promised_at < $1 and s.status not in ('delivered', 'cancelled')
order by s.promised_at desc limit 20;

-- name: AddNote :one
-- ack: shipment_notes.id
insert into shipment_notes (shipment_id, author, body) values ($1, $2, $3) returning id;

-- name: LatestNotes :many
select author, body, created_at from shipment_notes where shipment_id = $1 order by created_at desc limit 5;

-- name: Fragile :one
select (attributes ->> 'fragile')::boolean as fragile from shipments where id = $1;

-- name: ExportCreated :many
copy (select id, reference, status, created_at from shipments order by created_at desc, id desc limit 200) to stdout;
