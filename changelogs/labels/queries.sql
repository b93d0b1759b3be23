-- What labels 1.1.0 asks of the shared database.

-- name: Label :one
select id, shipment_id, format, barcode, printed_at from labels where id = $1;

-- name: ByBarcode :one
select l.id, s.reference, s.status from labels l join shipments s on s.id = l.shipment_id where l.barcode = $1 limit 1;

-- name: Create :one
-- ack: labels.id
insert into labels (shipment_id, format, barcode) values ($1, $2, $3) returning id;

-- name: Printed :execrows
update labels set printed_at = now() where id = $1;

-- name: OfShipment :many
select id, format, barcode from labels where shipment_id = $1 order by id;

-- name: Unprinted :many
select l.id, l.barcode from labels l where l.shipment_id = any($1::bigint[]) and l.printed_at is null;

-- name: AddressLine :one
select s.reference, a.line1, a.line2, a.city, a.postcode, a.country from shipments s join addresses a on a.id = s.destination_id where s.id = $1;

-- name: Reprints :many
select shipment_id, count(*) as labels, max(printed_at) as latest
from labels
where shipment_id = any($1::bigint[])
group by shipment_id
having count(*) > 1;

-- name: Formats :many
select format, count(*) as n from labels where id between $1 and $1 + 1000 group by format;

-- name: Batch :many
select l.id, l.barcode, s.weight_kg, k.scac
from labels l
join shipments s on s.id = l.shipment_id
left join carriers k on k.id = s.carrier_id
where l.id > $1
order by l.id limit $2;
