-- What exceptions 3.0.5 asks of the shared database.

-- name: Raise :one
-- ack: shipment_exceptions.id
insert into shipment_exceptions (shipment_id, code, severity, details) values ($1, $2, 2, jsonb_build_object('source', $3::text)) returning id;

-- name: Open :many
select id, shipment_id, code, severity from shipment_exceptions where resolved_at is null order by severity desc, raised_at limit $1;

-- name: Work :many
select id, shipment_id from shipment_exceptions where resolved_at is null order by severity desc, raised_at limit 2 for update skip locked;

-- name: Resolve :execrows
update shipment_exceptions set resolved_at = now() where id = $1 and resolved_at is null;

-- name: OfShipment :many
select id, code, severity, details, raised_at, resolved_at from shipment_exceptions where shipment_id = $1 order by raised_at;

-- name: Escalate :execrows
update shipment_exceptions set severity = least(severity + 1, 5) where id = $1;

-- name: Annotate :exec
update shipment_exceptions set details = details || jsonb_build_object('note', $2::text) where id = $1;

-- name: Context :one
select x.id, s.reference, s.status, c.name, k.name as carrier
from shipment_exceptions x
join shipments s on s.id = x.shipment_id
join customers c on c.id = s.customer_id
left join carriers k on k.id = s.carrier_id
where x.id = $1;

-- name: MeanTime :many
select code, avg(resolved_at - raised_at) as mean, count(*) as n from shipment_exceptions where shipment_id = any($1::bigint[]) group by code;

-- name: Repeat :many
select shipment_id, array_agg(code order by raised_at) as codes from shipment_exceptions where shipment_id = any($1::bigint[]) group by shipment_id;
