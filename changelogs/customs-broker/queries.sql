-- What customs-broker 4.0.1 asks of the shared database.

-- name: Declaration :one
select id, shipment_id, mrn, regime, state, value, documents from customs_declarations where id = $1;

-- name: OfShipment :many
select id, mrn, state from customs_declarations where shipment_id = $1 order by id;

-- name: Draft :one
-- ack: customs_declarations.id
insert into customs_declarations (shipment_id, regime, value) values ($1, $2, $3) returning id;

-- name: AddLine :one
-- ack: customs_lines.id
insert into customs_lines (declaration_id, tariff_code, origin, quantity, value) values ($1, $2, $3, 2, $4) returning id;

-- name: Duty :one
select sum(l.value * t.duty_percent / 100) as duty from customs_lines l join tariff_codes t on t.code = l.tariff_code where l.declaration_id = $1;

-- name: Lodge :execrows
update customs_declarations set state = 'lodged' where id = $1 and state = 'draft';

-- name: ByMrn :one
select id, state from customs_declarations where mrn = $1;

-- name: AttachDocument :exec
update customs_declarations
set documents = case when jsonb_array_length(documents) < 20 then documents || '[{"kind": "certificate"}]'::jsonb else documents end
where id = $1;

-- name: DocumentKinds :many
select d.id, x ->> 'kind' as kind from customs_declarations d, jsonb_array_elements(d.documents) x where d.id = $1;

-- name: Lines :many
select l.id, l.tariff_code, t.description, l.quantity, l.value
from customs_lines l
join tariff_codes t on t.code = l.tariff_code
where l.declaration_id = $1
order by l.id;

-- name: InCustoms :many
select s.id, s.reference, d.state
from shipments s
join customs_declarations d on d.shipment_id = s.id
where d.id between $1 and $1 + 20 and s.status = 'customs';
