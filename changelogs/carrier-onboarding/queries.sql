-- What carrier-onboarding 1.4.0 asks of the shared database.

-- name: Application :one
select id, company, country, state, carrier_id, answers, received_at from carrier_applications where id = $1;

-- name: Apply :one
-- ack: carrier_applications.id
insert into carrier_applications (company, country, answers) values ($1, $2, jsonb_build_object('trucks', $3::int)) returning id;

-- name: Queue :many
select id, company, received_at from carrier_applications where state = $1 order by received_at limit $2;

-- name: TakeForReview :many
update carrier_applications
set state = 'review'
where id in (select id from carrier_applications where state = 'received' order by received_at limit 1 for update skip locked)
returning id, company;

-- name: Documents :many
select id, kind, expires_on from carrier_documents where application_id = $1 order by kind;

-- name: AddDocument :exec
insert into carrier_documents (application_id, kind, expires_on, checksum)
values ($1, $2, current_date + 365, $3)
on conflict (application_id, kind, checksum) do nothing;

-- name: Expiring :many
select d.id, a.company, d.kind, d.expires_on
from carrier_documents d
join carrier_applications a on a.id = d.application_id
where d.expires_on between current_date and current_date + 400
order by d.expires_on limit 20;

-- name: AcceptedCarriers :many
select a.id, k.name, k.scac
from carrier_applications a
join carriers k on k.id = a.carrier_id
where a.state = 'accepted' and a.id > $1
order by a.id limit 20;

-- name: BigFleets :many
select id, company, (answers ->> 'trucks')::int as trucks
from carrier_applications
where state = 'review' and (answers ->> 'trucks')::int > $1
order by 3 desc limit 10;

-- name: StateCounts :many
select state, count(*) as n, min(received_at) as oldest from carrier_applications group by state order by state;
