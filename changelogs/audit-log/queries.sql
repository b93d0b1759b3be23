-- What audit-log 1.2.0 asks of the shared database.

-- name: Append :one
-- ack: audit_entries.id
insert into audit_entries (subject, subject_id, action, actor, change) values ($1, $2, $3, $4, '{"by": "api"}') returning id;

-- name: Of :many
select id, action, actor, change, at from audit_entries where subject = $1 and subject_id = $2 order by at desc limit 50;

-- name: Latest :one
select action, at from audit_entries where subject = 'shipment' and subject_id = $1 order by at desc limit 1;

-- name: Page :many
select id, subject, subject_id, action, at from audit_entries where id < $1 order by id desc limit $2;

-- name: Changes :many
select id, change ->> 'from' as before, change ->> 'to' as after, at from audit_entries where subject = 'shipment' and subject_id = $1 order by at;

-- name: Actors :many
select actor, count(*) as n from audit_entries where id between $1 and $1 + 500 group by actor order by n desc;

-- name: OfShipment :many
select s.reference, a.action, a.at
from shipments s
join audit_entries a on a.subject = 'shipment' and a.subject_id = s.id
where s.id = $1
order by a.at desc limit 20;

-- name: ByPath :many
select id, subject_id from audit_entries where id between $1 and $1 + 500 and jsonb_path_exists(change, '$.to ? (@ == "in_transit")') limit 20;

-- name: Window :many
select id, at, at - lag(at) over (order by id) as gap from audit_entries where id between $1 and $1 + 30 order by id;

-- name: Export :many
copy (select id, subject, subject_id, action, at from audit_entries order by id desc limit 300) to stdout;
